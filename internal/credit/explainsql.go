package credit

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

func scanOwner(r db.Row) (Owner, error) {
	var admin *id.Admin
	var organization *id.Organization
	err := r.Scan(&admin, &organization)
	return Owner{Admin: id.Val(admin), Organization: id.Val(organization)}, err
}

func walletOwner(tx *db.Tx, a id.Account) (Owner, error) {
	return db.One(tx, scanOwner, `SELECT admin_id, organization_id FROM credit_accounts WHERE id = $1 AND kind IN ('admin', 'organization')`, int64(a))
}

func movedAt(tx *db.Tx, a id.Account) (db.Time, error) {
	return db.One(tx, func(r db.Row) (at db.Time, err error) { return at, r.Scan(&at) }, `SELECT moved_at FROM credit_accounts WHERE id = $1`, int64(a))
}

func transactionOwner(tx *db.Tx, t id.Transaction) (Owner, error) {
	of, err := db.One(tx, scanOwner, `SELECT admin_id, organization_id FROM credit_transactions WHERE id = $1`, t)
	if of.Organization != 0 {
		of.Admin = 0
	}
	return of, err
}

func explainTotals(tx *db.Tx, e *Explanation) (err error) {
	e.Totals, err = db.All(tx, func(r db.Row) (t Total, err error) { return t, r.Scan(&t.Kind, &t.Count, &t.In, &t.Out) },
		`SELECT x.kind, count(*), CAST(SUM(x.incoming) AS BIGINT), CAST(SUM(x.outgoing) AS BIGINT) FROM (
			SELECT t.kind, e.amount AS incoming, 0 AS outgoing FROM credit_entries e JOIN credit_transactions t ON t.id = e.transaction_id
			WHERE e.credit_account_id = $1 AND e.created_at <= $2 AND e.effect IN ('post', 'capture')
			UNION ALL
			SELECT t.kind, 0, e.amount FROM credit_entries e JOIN credit_transactions t ON t.id = e.transaction_id
			WHERE e.debit_account_id = $3 AND e.created_at <= $4 AND e.effect IN ('post', 'capture')) AS x GROUP BY x.kind ORDER BY x.kind LIMIT 50`,
		int64(e.Account), e.At, int64(e.Account), e.At)
	return err
}

func explainPolicy(tx *db.Tx, e *Explanation) error {
	p, err := db.One(tx, func(r db.Row) (p InForce, err error) {
		return p, r.Scan(&p.CreditLimit, &p.LimitBackedBy, &p.LimitSetAt)
	},
		`SELECT credit_limit, limit_backed_by, set_at FROM credit_limits WHERE account_id = $1 AND set_at <= $2 ORDER BY id DESC LIMIT 1`, int64(e.Account), e.At)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	if err == nil && e.Admin != nil {
		err = explainBacking(tx, e, &p)
	}
	e.Policy = p
	return err
}

// explainBacking adds up the last limits until that time that name the admin.
func explainBacking(tx *db.Tx, e *Explanation, p *InForce) error {
	_, err := db.One(tx, func(r db.Row) (int, error) { return 0, r.Scan(&p.LimitsBacked, &p.Oversells) },
		`SELECT CAST(COALESCE((SELECT SUM(l.credit_limit) FROM credit_limits l WHERE l.limit_backed_by = a.id AND l.set_at <= $1
				AND NOT EXISTS (SELECT 1 FROM credit_limits n WHERE n.account_id = l.account_id AND n.id > l.id AND n.set_at <= $2)), 0) AS BIGINT),
			COALESCE((SELECT g.oversell FROM partner_groups g WHERE g.id = a.partner_group_id), FALSE)
		FROM admins a WHERE a.id = $3`, e.At, e.At, int64(*e.Admin))
	return err
}

// explainLots folds the entries of each lot up to that time.
func explainLots(tx *db.Tx, e *Explanation) error {
	left := map[id.Lot]int64{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var lot id.Lot
		var n int64
		err := r.Scan(&lot, &n)
		left[lot] += n
		return struct{}{}, err
	}, `SELECT credit_lot_id, CAST(SUM(amount) AS BIGINT) FROM credit_entries WHERE credit_account_id = $1 AND created_at <= $2 AND credit_lot_id IS NOT NULL GROUP BY credit_lot_id
		UNION ALL SELECT debit_lot_id, CAST(-SUM(amount) AS BIGINT) FROM credit_entries WHERE debit_account_id = $3 AND created_at <= $4 AND debit_lot_id IS NOT NULL GROUP BY debit_lot_id`,
		int64(e.Account), e.At, int64(e.Account), e.At)
	if err != nil {
		return err
	}
	lots, err := db.All(tx, scanLotView, `SELECT `+lotViewColumns+` FROM credit_lots l WHERE l.account_id = $1 AND l.created_at <= $2
		ORDER BY l.priority, COALESCE(l.expires_at, 9223372036854775807), CASE l.category WHEN 'plan' THEN 0 WHEN 'promo' THEN 1 WHEN 'refund' THEN 2 ELSE 3 END, l.created_at, l.id`,
		int64(e.Account), e.At)
	e.Lots = []LotView{}
	for _, l := range lots {
		if l.Remaining = left[l.ID] - l.Repaid; l.Remaining > 0 {
			e.Lots = append(e.Lots, l)
		}
	}
	return err
}

const lotViewColumns = `l.id, l.transaction_id, l.parent_lot_id, l.category, l.priority, l.amount, l.repaid, l.remaining, l.expires_at, l.created_at`

func (l *LotView) fields() []any {
	return []any{&l.ID, &l.Transaction, &l.Parent, &l.Category, &l.Priority, &l.Amount, &l.Repaid, &l.Remaining, &l.ExpiresAt, &l.CreatedAt}
}

func scanLotView(r db.Row) (l LotView, err error) { return l, r.Scan(l.fields()...) }

func explainHolds(tx *db.Tx, e *Explanation) (err error) {
	e.Holds, err = db.All(tx, func(r db.Row) (h HoldView, err error) {
		return h, r.Scan(&h.ID, &h.Plugin, &h.Amount, &h.Left, &h.ExpiresAt, &h.CreatedAt)
	}, `SELECT h.id, h.plugin_key, h.amount,
			CAST(h.amount - COALESCE((SELECT SUM(c.amount) FROM credit_transactions c WHERE c.hold_id = h.id AND c.kind = 'capture' AND c.created_at <= $1), 0) AS BIGINT),
			h.expires_at, h.created_at
		FROM credit_holds h WHERE h.account_id = $2 AND h.created_at <= $3 AND (h.ended_at IS NULL OR h.ended_at > $4) ORDER BY h.id LIMIT 10000`,
		e.At, int64(e.Account), e.At, e.At)
	return err
}

func explainEntries(tx *db.Tx, e *Explanation) (err error) {
	e.EntriesTotal, err = db.One(tx, db.Int64, `SELECT (SELECT count(*) FROM credit_entries WHERE credit_account_id = $1 AND created_at <= $2)
		+ (SELECT count(*) FROM credit_entries WHERE debit_account_id = $3 AND created_at <= $4)`, int64(e.Account), e.At, int64(e.Account), e.At)
	if err != nil {
		return err
	}
	e.Entries, err = db.All(tx, func(r db.Row) (v EntryView, err error) {
		return v, r.Scan(&v.ID, &v.Transaction, &v.Kind, &v.Effect, &v.In, &v.Out, &v.Amount, &v.BalanceAfter, &v.Lot, &v.CreatedAt)
	}, `SELECT x.id, x.transaction_id, t.kind, x.effect, x.incoming, x.outgoing, x.amount, x.after, x.lot, x.created_at FROM (
			SELECT * FROM (SELECT id, transaction_id, effect, CASE WHEN effect IN ('post', 'capture') THEN amount ELSE 0 END AS incoming, 0 AS outgoing, amount,
				credit_balance_after AS after, credit_lot_id AS lot, created_at FROM credit_entries WHERE credit_account_id = $1 AND created_at <= $2
				ORDER BY created_at DESC, id DESC LIMIT 100) AS c
			UNION ALL
			SELECT * FROM (SELECT id, transaction_id, effect, 0, CASE WHEN effect IN ('post', 'capture') THEN amount ELSE 0 END, amount,
				debit_balance_after, debit_lot_id, created_at FROM credit_entries WHERE debit_account_id = $3 AND created_at <= $4
				ORDER BY created_at DESC, id DESC LIMIT 100) AS d) AS x
		JOIN credit_transactions t ON t.id = x.transaction_id ORDER BY x.created_at DESC, x.id DESC LIMIT 100`,
		int64(e.Account), e.At, int64(e.Account), e.At)
	return err
}

// taken is a part of a transaction out of a lot, or into one; lot 0 is none.
type taken struct {
	lot    id.Lot
	amount int64
}

func trailOf(tx *db.Tx, t id.Transaction) (Trail, []taken, error) {
	trail, err := db.One(tx, func(r db.Row) (v Trail, err error) { return v, r.Scan(&v.Transaction, &v.Kind, &v.Amount) },
		`SELECT id, kind, amount FROM credit_transactions WHERE id = $1`, t)
	if err != nil {
		return trail, nil, err
	}
	all, err := db.All(tx, func(r db.Row) (taken, error) {
		var lot *id.Lot
		var n int64
		err := r.Scan(&lot, &n)
		return taken{id.Val(lot), n}, err
	}, `SELECT COALESCE(debit_lot_id, credit_lot_id), amount FROM credit_entries WHERE transaction_id = $1 AND effect IN ('post', 'capture') ORDER BY id LIMIT 10000`, t)
	return trail, all, err
}

func stepOf(tx *db.Tx, lot id.Lot) (Step, error) {
	return db.One(tx, func(r db.Row) (s Step, err error) {
		return s, r.Scan(append(s.fields(), &s.Organization, &s.Admin, &s.Kind, &s.Reason)...)
	}, `SELECT `+lotViewColumns+`, l.organization_id, l.admin_id, t.kind, t.reason FROM credit_lots l JOIN credit_transactions t ON t.id = l.transaction_id WHERE l.id = $1`, lot)
}

func holdingOf(tx *db.Tx, t id.Transaction) (*holding, error) {
	return db.One(tx, scanHolding, `SELECT `+holdColumns+` WHERE h.id = $1`, t)
}

func transactionSeen(tx *db.Tx, by id.Account, t id.Transaction) (Transaction, error) {
	return db.One(tx, scanTransaction, `SELECT `+seenColumns("$1", "$2", "$3")+` FROM credit_transactions t WHERE t.id = $4`, int64(by), int64(by), int64(by), t)
}
