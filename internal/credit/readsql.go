package credit

import (
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// pools gives the state of several admins' wallets.
func pools(tx *db.Tx, of []id.Admin, f func(id.Admin, state)) error {
	if len(of) == 0 {
		return nil
	}
	args := db.Args{tx.Now.Add(Soon)}
	within := db.In(&args, "admin_id", of)
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var a id.Admin
		var s state
		err := r.Scan(append([]any{&a}, s.fields()...)...)
		if err == nil {
			f(a, s)
		}
		return struct{}{}, err
	}, `SELECT admin_id, `+stateColumns("$1")+`
		FROM credit_accounts WHERE kind = 'admin' AND `+within+` ORDER BY id LIMIT 200`, args...)
	return err
}

// where is the condition of a filter over credit_transactions t.
func where(of Owner, f Filter) (string, db.Args) {
	column, value, _ := of.key()
	text, args := "t."+column+" = $1", db.Args{value}
	add := func(condition string, v any) {
		text += " AND " + condition + " " + args.Add(v)
	}
	if f.Kind != "" {
		add("t.kind =", string(f.Kind))
	}
	if f.From != nil {
		add("t.created_at >=", *f.From)
	}
	if f.To != nil {
		add("t.created_at <", *f.To)
	}
	return text, args
}

func count(tx *db.Tx, of Owner, f Filter) (int64, error) {
	condition, args := where(of, f)
	return db.One(tx, db.Int64, `SELECT count(*) FROM credit_transactions t WHERE `+condition, args...)
}

func list(tx *db.Tx, of Owner, account id.Account, f Filter, r page.Request) ([]Transaction, error) {
	condition, args := where(of, f)
	if r.After != (page.Position{}) {
		condition += " AND (t.created_at, t.id) < (" + args.Add(r.After.At) + ", " + args.Add(r.After.ID) + ")"
	}
	columns := seenColumns(args.Add(int64(account)), args.Add(int64(account)), args.Add(int64(account)))
	return db.All(tx, scanTransaction, `SELECT `+columns+`
		FROM credit_transactions t
		WHERE `+condition+` ORDER BY t.created_at DESC, t.id DESC`+r.Rows(), args...)
}

// seenColumns are a transaction with the balance that it left in an account,
// which is given three times.
func seenColumns(account, again, once string) string {
	return `t.id, t.kind, t.amount, t.admin_id, t.organization_id, t.reason, t.source, t.partner_group_id, t.discount_bp, t.net_cost,
		(SELECT CASE WHEN e.credit_account_id = ` + account + ` THEN e.credit_balance_after ELSE e.debit_balance_after END
			FROM credit_entries e WHERE e.transaction_id = t.id AND (e.debit_account_id = ` + again + ` OR e.credit_account_id = ` + once + `)
			ORDER BY e.id DESC LIMIT 1),
		t.actor_type, t.actor_id, t.created_at, t.expires_at, t.plugin_key, t.reference, t.hold_id, t.reverses_id`
}

func scanTransaction(r db.Row) (t Transaction, err error) {
	var discount, cost int64
	err = r.Scan(&t.ID, &t.Kind, &t.Amount, &t.Admin, &t.Organization, &t.Reason, &t.Source, &t.PartnerGroup,
		&discount, &cost, &t.BalanceAfter, &t.Actor.Type, &t.Actor.ID, &t.CreatedAt, &t.ExpiresAt,
		&t.Plugin, &t.Reference, &t.Hold, &t.Reverses)
	t.UpdatedAt = t.CreatedAt
	t.price(discount, cost)
	return t, err
}

// balanceBefore is the balance of an account after its last entry before at.
func balanceBefore(tx *db.Tx, account id.Account, at db.Time) (int64, error) {
	type after struct {
		at, id, balance int64
	}
	last := func(side string) (after, error) {
		a, err := db.One(tx, func(r db.Row) (a after, err error) { return a, r.Scan(&a.at, &a.id, &a.balance) },
			`SELECT created_at, id, `+side+`_balance_after FROM credit_entries WHERE `+side+`_account_id = $1 AND created_at < $2
			ORDER BY created_at DESC, id DESC LIMIT 1`, int64(account), at)
		if errors.Is(err, db.ErrNoRows) {
			err = nil
		}
		return a, err
	}
	d, err := last("debit")
	if err != nil {
		return 0, err
	}
	c, err := last("credit")
	if d.at > c.at || d.at == c.at && d.id > c.id {
		return d.balance, err
	}
	return c.balance, err
}

func lines(tx *db.Tx, of Owner, account id.Account, from, to db.Time) ([]Line, error) {
	column, value, _ := of.key()
	return db.All(tx, func(r db.Row) (l Line, err error) {
		return l, r.Scan(&l.Kind, &l.Count, &l.In, &l.Out, &l.NetCost)
	}, `SELECT t.kind, count(DISTINCT t.id),
		CAST(sum(CASE WHEN e.credit_account_id = $1 THEN e.amount ELSE 0 END) AS BIGINT),
		CAST(sum(CASE WHEN e.debit_account_id = $2 THEN e.amount ELSE 0 END) AS BIGINT),
		CAST(sum(t.net_cost) AS BIGINT)
		FROM credit_transactions t JOIN credit_entries e ON e.transaction_id = t.id AND (e.debit_account_id = $3 OR e.credit_account_id = $4)
		AND e.effect IN ('post', 'capture') WHERE t.`+column+` = $5 AND t.created_at >= $6 AND t.created_at < $7 GROUP BY t.kind ORDER BY t.kind LIMIT 20`,
		int64(account), int64(account), int64(account), int64(account), value, from, to)
}

// timezone reads the setting that months follow.
func timezone(tx *db.Tx) (*time.Location, error) {
	name, err := db.One(tx, db.String, `SELECT billing_timezone FROM settings WHERE id = 1`)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the setting billing_timezone: %w", err)
	}
	return zone, nil
}

// nameOf is whose the wallet is, as people know it.
func nameOf(tx *db.Tx, of Owner) (string, error) {
	if of.Admin != 0 {
		return db.One(tx, db.String, `SELECT name FROM admins WHERE id = $1`, int64(of.Admin))
	}
	return db.One(tx, db.String, `SELECT name FROM organizations WHERE id = $1`, int64(of.Organization))
}

// adminUsers are the people of an admin, owners of an organization its owners.
func adminUsers(tx *db.Tx, of id.Admin) ([]id.User, error) {
	return db.All(tx, scanUser, `SELECT user_id FROM admin_users WHERE admin_id = $1 ORDER BY user_id LIMIT 1000`, int64(of))
}

func owners(tx *db.Tx, of id.Organization) ([]id.User, error) {
	return db.All(tx, scanUser, `SELECT user_id FROM memberships WHERE organization_id = $1 AND role = 'owner' ORDER BY user_id LIMIT 1000`, int64(of))
}

// owned is an organization as its admin's people know it.
type owned struct {
	name  string
	admin id.Admin // zero is the platform
}

func belonging(tx *db.Tx, of id.Organization) (owned, error) {
	return db.One(tx, func(r db.Row) (o owned, err error) {
		var admin *id.Admin
		err = r.Scan(&o.name, &admin)
		o.admin = id.Val(admin)
		return o, err
	}, `SELECT name, admin_id FROM organizations WHERE id = $1`, int64(of))
}

func scanUser(r db.Row) (u id.User, err error) { return u, r.Scan(&u) }
