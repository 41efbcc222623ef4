package credit

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
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
		_, err := tx.Exec(`INSERT INTO credit_accounts (kind, admin_id, organization_id, debits_posted, credits_posted,
			debits_pending, credits_pending, credit_limit, limits_backed, transactions, moved_at, created_at)
			VALUES ($1, $2, $3, 0, 0, 0, 0, $4, 0, 0, 0, $5) ON CONFLICT DO NOTHING`,
			k, id.Ref(of.Admin), id.Ref(of.Organization), limit, tx.Now)
		if err != nil {
			return err
		}
		limit = 0
	}
	return nil
}

// leg is one side of a transaction: an account that moved, its balance after,
// and the time that its transaction must not precede.
type leg struct {
	account id.Account
	balance int64
	at      db.Time
}

func scanLeg(r db.Row) (l leg, err error) {
	return l, r.Scan(&l.account, &l.balance, &l.at)
}

// moved drops what is cached of what the organization can spend.
func moved(tx *db.Tx, of id.Organization) {
	tx.Publish("entitlement", strconv.FormatInt(int64(of), 10))
}

// deposit credits a wallet.
func deposit(tx *db.Tx, to Owner, amount int64) (leg, error) {
	column, value, kind := to.key()
	l, err := db.One(tx, scanLeg, `UPDATE credit_accounts SET credits_posted = credits_posted + $1, transactions = transactions + 1,
		moved_at = CASE WHEN moved_at > $2 THEN moved_at ELSE $3 END
		WHERE `+column+` = $4 AND kind = $5 AND credits_posted <= $6
		RETURNING id, credits_posted - debits_posted, moved_at`,
		amount, tx.Now, tx.Now, value, kind, math.MaxInt64-amount)
	if to.Organization != 0 {
		moved(tx, to.Organization)
	}
	if !errors.Is(err, db.ErrNoRows) {
		return l, err
	}
	if _, err := account(tx, to); err != nil {
		return leg{}, err
	}
	return leg{}, full("amount")
}

// withdraw debits an admin's pool by what it covers, not before the time at.
func withdraw(tx *db.Tx, from id.Admin, amount int64, oversell bool, at db.Time) (leg, error) {
	l, err := db.One(tx, scanLeg, `UPDATE credit_accounts SET debits_posted = debits_posted + $1, transactions = transactions + 1,
		moved_at = CASE WHEN moved_at > $2 THEN moved_at ELSE $3 END
		WHERE admin_id = $4 AND kind = 'admin'
		AND credits_posted - debits_posted - debits_pending - CASE WHEN $5 THEN 0 ELSE limits_backed END >= $6
		RETURNING id, credits_posted - debits_posted, moved_at`,
		amount, at, at, int64(from), oversell, amount)
	if !errors.Is(err, db.ErrNoRows) {
		return l, err
	}
	a, err := account(tx, Owner{Admin: from})
	if err != nil {
		return leg{}, err
	}
	return leg{}, insufficient(a.uncommitted(oversell), amount, "The pool does not cover this: %s", a.shortage(oversell))
}

// issued debits the issuance account of a wallet that is locked already. It
// never overflows: its debits are part of the wallet's credits.
func issued(tx *db.Tx, to Owner, amount int64, at db.Time) (leg, error) {
	column, value, _ := to.key()
	return db.One(tx, scanLeg, `UPDATE credit_accounts SET debits_posted = debits_posted + $1, transactions = transactions + 1, moved_at = $2
		WHERE `+column+` = $3 AND kind = 'issuance'
		RETURNING id, credits_posted - debits_posted, moved_at`, amount, at, value)
}

func moveAt(tx *db.Tx, account id.Account, at db.Time) error {
	_, err := tx.Exec(`UPDATE credit_accounts SET moved_at = $1 WHERE id = $2`, at, int64(account))
	return err
}

// state is an account's counters.
type state struct {
	id                      id.Account
	credits, debits, held   int64
	limit, backed, recorded int64
}

func (s state) balance() int64 { return s.credits - s.debits }

// uncommitted is what a pool can pass on.
func (s state) uncommitted(oversell bool) int64 {
	if oversell {
		return s.balance() - s.held
	}
	return s.balance() - s.held - s.backed
}

func (s state) shortage(oversell bool) string {
	if oversell || s.backed == 0 {
		return fmt.Sprintf("its balance is %d.", s.balance())
	}
	return fmt.Sprintf("its balance is %d, of which %d back credit limits.", s.balance(), s.backed)
}

func scanState(r db.Row) (s state, err error) {
	return s, r.Scan(&s.id, &s.credits, &s.debits, &s.held, &s.limit, &s.backed, &s.recorded)
}

// account reads a wallet. Its absence is our mistake: wallets are opened with
// their owners.
func account(tx *db.Tx, of Owner) (state, error) {
	column, value, kind := of.key()
	s, err := db.One(tx, scanState, `SELECT id, credits_posted, debits_posted, debits_pending, credit_limit, limits_backed, transactions
		FROM credit_accounts WHERE `+column+` = $1 AND kind = $2`, value, kind)
	if errors.Is(err, db.ErrNoRows) {
		return s, fmt.Errorf("credit: %s %d has no account", kind, value)
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

func saveLimit(tx *db.Tx, of id.Organization, l limited) error {
	_, err := tx.Exec(`UPDATE credit_accounts SET credit_limit = $1, limit_backed_by = $2
		WHERE organization_id = $3 AND kind = 'organization'`, l.limit, id.Ref(l.by), int64(of))
	moved(tx, of)
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
	a, err := account(tx, Owner{Admin: by})
	if err != nil {
		return err
	}
	if oversell {
		return full("credit_limit")
	}
	return insufficient(a.uncommitted(false), change, "A credit limit rests on the balance of the admin that sets it: %s", a.shortage(false))
}

// draft is a transaction about to be written.
type draft struct {
	kind           Kind
	source         Source
	amount         int64
	admin          id.Admin
	organization   id.Organization
	actor          audit.Actor
	reason         string
	group          id.Group
	discount, cost int64
	expires        *db.Time
	ref            Reference
}

// write appends the transaction and its entry, seen from the credited account.
// Both accounts are locked, so ids and times of an account's transactions rise
// together.
func write(tx *db.Tx, d draft, debit, credit leg, at db.Time) (Transaction, error) {
	n, err := tx.Insert(`INSERT INTO credit_transactions (kind, amount, admin_id, organization_id, actor_type, actor_id, reason, source,
		partner_group_id, discount_bp, net_cost, idempotency_principal, idempotency_key, expires_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING RETURNING id`,
		string(d.kind), d.amount, id.Ref(d.admin), id.Ref(d.organization), string(d.actor.Type), ref(d.actor.ID), ref(d.reason), string(d.source),
		id.Ref(d.group), d.discount, d.cost, ref(d.ref.Principal), ref(d.ref.Key), d.expires, at)
	if errors.Is(err, db.ErrNoRows) {
		return Transaction{}, fault.New(fault.Invalid, "idempotency_key_reused", "This Idempotency-Key made another credit transaction before.")
	}
	if err != nil {
		return Transaction{}, err
	}
	_, err = tx.Exec(`INSERT INTO credit_entries (transaction_id, debit_account_id, credit_account_id, amount, debit_balance_after, credit_balance_after, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, n, int64(debit.account), int64(credit.account), d.amount, debit.balance, credit.balance, at)
	if err != nil {
		return Transaction{}, err
	}
	effect.Add(tx, effect.Credits, d.amount)
	t := Transaction{ID: id.Transaction(n), Kind: d.kind, Amount: d.amount, Admin: id.Ref(d.admin), Organization: id.Ref(d.organization),
		Reason: ref(d.reason), Source: d.source, PartnerGroup: id.Ref(d.group), BalanceAfter: credit.balance,
		Actor: Actor{Type: d.actor.Type, ID: ref(d.actor.ID)}, CreatedAt: at, ExpiresAt: d.expires}
	t.price(d.discount, d.cost)
	return t, nil
}

// ref is nil for the zero value.
func ref[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
