package credit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// key is the column, value and account kind that name the wallet.
func (o Owner) key() (column string, value int64, kind string) {
	if o.Admin != 0 {
		return "admin_id", int64(o.Admin), "admin"
	}
	return "organization_id", int64(o.Organization), "organization"
}

func open(tx *db.Tx, of Owner, limit int64) error {
	_, _, kind := of.key()
	for _, k := range []string{kind, "issuance"} {
		n, err := tx.Exec(`INSERT INTO credit_accounts (kind, admin_id, organization_id, debits_posted, credits_posted,
			debits_pending, credits_pending, credit_limit, limits_backed, transactions, moved_at, created_at)
			VALUES ($1, $2, $3, 0, 0, 0, 0, $4, 0, 0, 0, $5) ON CONFLICT DO NOTHING`,
			k, id.Ref(of.Admin), id.Ref(of.Organization), limit, tx.Now)
		if err != nil || n == 0 {
			return err
		}
		limit = 0
	}
	if of.Organization != 0 {
		return keepLimit(tx, of.Organization)
	}
	return nil
}

// moved drops what is cached of what the organization can spend.
func moved(tx *db.Tx, of id.Organization) {
	tx.Publish("entitlement", strconv.FormatInt(int64(of), 10))
}

// state is an account's counters, as they are read.
type state struct {
	id                      id.Account
	credits, debits, held   int64
	limit, backed, recorded int64
	expiring                int64 // what is free and expires soon
	oversells               bool  // the policy of an admin's group
}

func (s state) balance() int64 { return s.credits - s.debits }

// uncommitted is what a pool can pass on.
func (s state) uncommitted(oversell bool) int64 {
	if oversell {
		return s.balance() - s.held
	}
	return s.balance() - s.held - s.backed
}

func shortage(balance, backed int64, oversell bool) string {
	if oversell || backed == 0 {
		return fmt.Sprintf("its balance is %d.", balance)
	}
	return fmt.Sprintf("its balance is %d, of which %d back credit limits.", balance, backed)
}

// stateColumns end with what expires by the parameter.
func stateColumns(until string) string {
	return `id, credits_posted, debits_posted, debits_pending, credit_limit, limits_backed, transactions,
		CAST(COALESCE((SELECT SUM(l.remaining - l.held) FROM credit_lots l WHERE l.account_id = credit_accounts.id AND l.remaining > 0 AND l.expires_at <= ` + until + `), 0) AS BIGINT),
		COALESCE((SELECT g.oversell FROM admins x JOIN partner_groups g ON g.id = x.partner_group_id WHERE x.id = credit_accounts.admin_id), FALSE)`
}

func (s *state) fields() []any {
	return []any{&s.id, &s.credits, &s.debits, &s.held, &s.limit, &s.backed, &s.recorded, &s.expiring, &s.oversells}
}

// stateOf reads a wallet. Its absence is our mistake: wallets are opened with
// their owners.
func stateOf(tx *db.Tx, of Owner) (state, error) {
	column, value, kind := of.key()
	s, err := db.One(tx, func(r db.Row) (s state, err error) { return s, r.Scan(s.fields()...) },
		`SELECT `+stateColumns("$1")+` FROM credit_accounts WHERE `+column+` = $2 AND kind = $3`, tx.Now.Add(Soon), value, kind)
	if errors.Is(err, db.ErrNoRows) {
		return s, withoutAccount(of)
	}
	return s, err
}

func lockLimit(tx *db.Tx, of id.Organization) (limited, error) {
	l, err := db.One(tx, func(r db.Row) (l limited, err error) {
		var by *id.Admin
		err = r.Scan(&l.limit, &by)
		l.by = id.Val(by)
		return l, err
	}, `UPDATE credit_accounts SET credit_limit = credit_limit WHERE organization_id = $1 AND kind = 'organization'
		RETURNING credit_limit, limit_backed_by`, int64(of))
	if errors.Is(err, db.ErrNoRows) {
		return l, fmt.Errorf("credit: organization %d has no account", of)
	}
	return l, err
}

// saveLimit sets the limit and keeps since when it holds.
func saveLimit(tx *db.Tx, of id.Organization, l limited) error {
	_, err := tx.Exec(`UPDATE credit_accounts SET credit_limit = $1, limit_backed_by = $2
		WHERE organization_id = $3 AND kind = 'organization'`, l.limit, id.Ref(l.by), int64(of))
	if err != nil {
		return err
	}
	moved(tx, of)
	return keepLimit(tx, of)
}

// keepLimit keeps what limit holds from now on, in the chain of those that the
// organization had. Its account is locked, or new.
func keepLimit(tx *db.Tx, of id.Organization) error {
	seal, err := newSealer(tx)
	if err != nil {
		return err
	}
	ids, err := tx.Reserve(db.Want{Table: "credit_limits", N: 1})
	if err != nil {
		return err
	}
	l := limitSet{id: ids[0][0], organization: of, at: tx.Now}
	before, err := db.One(tx, func(r db.Row) (before []byte, err error) {
		var by *id.Admin
		err = r.Scan(&l.account, &l.limit, &by, &before)
		l.by = id.Val(by)
		return before, err
	}, `SELECT a.id, a.credit_limit, a.limit_backed_by, (SELECT l.hash FROM credit_limits l WHERE l.account_id = a.id ORDER BY l.id DESC LIMIT 1)
		FROM credit_accounts a WHERE a.organization_id = $1 AND a.kind = 'organization'`, int64(of))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO credit_limits (id, account_id, organization_id, credit_limit, limit_backed_by, set_at, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		l.id, int64(l.account), int64(of), l.limit, id.Ref(l.by), l.at, seal.limit(l, before))
	return err
}

// cover adds change to what an admin backs. More is only taken on within its
// balance, unless it oversells; less always.
func cover(tx *db.Tx, by id.Admin, change int64, oversell bool) error {
	n, err := tx.Exec(`UPDATE credit_accounts SET limits_backed = limits_backed + $1
		WHERE admin_id = $2 AND kind = 'admin' AND limits_backed <= $3
		AND ($4 OR credits_posted - debits_posted - debits_pending - limits_backed >= $5)`,
		change, int64(by), math.MaxInt64-max(change, 0), oversell || change <= 0, change)
	if err != nil || n == 1 {
		return err
	}
	a, err := stateOf(tx, Owner{Admin: by})
	if err != nil {
		return err
	}
	if oversell {
		return full("credit_limit")
	}
	return insufficient(a.uncommitted(false), change, "A credit limit rests on the balance of the admin that sets it: %s", shortage(a.balance(), a.backed, false))
}

// lockTurns takes advisory locks of PostgreSQL until tx ends, in this order.
func lockTurns(tx *db.Tx, turns []int64, alone map[int64]bool) error {
	numbers, modes := make([]string, len(turns)), make([]string, len(turns))
	for i, t := range turns {
		numbers[i], modes[i] = strconv.FormatInt(t, 10), strconv.FormatBool(alone[t])
	}
	_, err := tx.Exec(`SELECT CASE WHEN t.alone THEN pg_advisory_xact_lock(t.turn) ELSE pg_advisory_xact_lock_shared(t.turn) END
		FROM unnest(CAST(CAST($1 AS TEXT) AS BIGINT[]), CAST(CAST($2 AS TEXT) AS BOOLEAN[])) AS t (turn, alone)`,
		"{"+strings.Join(numbers, ",")+"}", "{"+strings.Join(modes, ",")+"}")
	return err
}

func used(tx *db.Tx, r Reference) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM credit_transactions WHERE idempotency_principal = $1 AND idempotency_key = $2`, r.Principal, r.Key)
	return n > 0, err
}
