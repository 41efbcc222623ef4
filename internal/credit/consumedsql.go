package credit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// where is the condition of the accounts that hold what these organizations
// consumed.
func (c Consumers) where(p *db.Args) string {
	switch {
	case c.All:
		return "a.kind = 'consumed'"
	case len(c.Admins) == 0:
		return "a.kind = 'consumed' AND " + db.In(p, "a.organization_id", c.Organizations)
	}
	return "a.kind = 'consumed' AND a.organization_id IN (SELECT x.id FROM organizations x WHERE " +
		db.In(p, "x.admin_id", c.Admins) + " OR " + db.In(p, "x.id", c.Organizations) + ")"
}

// balanceAt is what the account a held before a moment: two rows of its indexes,
// however many entries there are.
func balanceAt(p *db.Args, at db.Time) string {
	last := func(side string) string {
		return `SELECT * FROM (SELECT e.created_at AS at, e.id AS id, e.` + side + `_balance_after AS balance FROM credit_entries e
			WHERE e.` + side + `_account_id = a.id AND e.created_at < ` + p.Add(at) + ` ORDER BY e.created_at DESC, e.id DESC LIMIT 1) AS ` + side
	}
	return `COALESCE((SELECT s.balance FROM (` + last("debit") + ` UNION ALL ` + last("credit") + `) AS s ORDER BY s.at DESC, s.id DESC LIMIT 1), 0)`
}

// consumption is what moved into the accounts of consumption in a period, by
// organization and plugin.
func consumption(tx *db.Tx, of Consumers, from, to db.Time) ([]Consumption, error) {
	var p db.Args
	figure := balanceAt(&p, to) + " - " + balanceAt(&p, from)
	all, err := db.All(tx, func(r db.Row) (c Consumption, err error) {
		return c, r.Scan(&c.Organization, &c.Name, &c.Plugin, &c.Amount)
	}, `SELECT a.organization_id, o.name, a.plugin_key, `+figure+`
		FROM credit_accounts a JOIN organizations o ON o.id = a.organization_id WHERE `+of.where(&p)+` ORDER BY a.organization_id, a.plugin_key`, p...)
	if err != nil {
		return nil, fmt.Errorf("sum what was consumed: %w", err)
	}
	return slices.DeleteFunc(all, func(c Consumption) bool { return c.Amount == 0 }), nil
}

// byPlugin is consumption of all the organizations together.
func byPlugin(tx *db.Tx, of Consumers, from, to db.Time) ([]PluginCredits, error) {
	var p db.Args
	figure := balanceAt(&p, to) + " - " + balanceAt(&p, from)
	all, err := db.All(tx, func(r db.Row) (c PluginCredits, err error) {
		var sum halves
		err = r.Scan(&c.Plugin, &sum.high, &sum.low)
		c.Amount = sum.total()
		return c, err
	}, `SELECT c.plugin_key, `+sumOf("c.amount")+` FROM (SELECT a.plugin_key, `+figure+` AS amount FROM credit_accounts a WHERE `+of.where(&p)+`) AS c
		GROUP BY c.plugin_key ORDER BY c.plugin_key LIMIT 10000`, p...)
	if err != nil {
		return nil, fmt.Errorf("sum what plugins consumed: %w", err)
	}
	return slices.DeleteFunc(all, func(c PluginCredits) bool { return c.Amount == 0 }), nil
}

// consumedSince is what an organization consumed from a moment on.
func consumedSince(tx *db.Tx, of id.Organization, from db.Time) (sum int64, err error) {
	all, err := byPlugin(tx, Consumers{Organizations: []id.Organization{of}}, from, tx.Now.Add(time.Hour))
	for _, c := range all {
		sum += c.Amount
	}
	return max(sum, 0), err
}

// passedOn is what a pool gave to organizations since a time, less what it took
// back.
func passedOn(tx *db.Tx, of id.Admin, from db.Time) (int64, error) {
	const account = `(SELECT a.id FROM credit_accounts a WHERE a.admin_id = $1 AND a.kind = 'admin')`
	return db.One(tx, db.Int64, `SELECT CAST(COALESCE(SUM(s.amount), 0) AS BIGINT) FROM (
			SELECT e.amount, e.transaction_id FROM credit_entries e WHERE e.debit_account_id = `+account+` AND e.created_at >= $2
			UNION ALL
			SELECT -e.amount, e.transaction_id FROM credit_entries e WHERE e.credit_account_id = `+strings.Replace(account, "$1", "$3", 1)+` AND e.created_at >= $4) AS s
		JOIN credit_transactions t ON t.id = s.transaction_id WHERE t.kind IN ('allocate', 'deallocate')`, int64(of), from, int64(of), from)
}

// openedAt is when a wallet was opened.
func openedAt(tx *db.Tx, of Owner) (db.Time, error) {
	column, value, kind := of.key()
	return db.One(tx, func(r db.Row) (t db.Time, err error) { return t, r.Scan(&t) },
		`SELECT created_at FROM credit_accounts WHERE `+column+` = $1 AND kind = $2`, value, kind)
}
