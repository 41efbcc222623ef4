package scenario

import (
	"testing"

	"github.com/tenantry/tenantry/internal/db"
)

// violations are counted by statements that must give 0. Each is one statement,
// so that it sees one state whatever the server does meanwhile.
var violations = map[string]string{
	"the platform's audit numbers have holes": `SELECT COUNT(*) - COALESCE(MAX(seq) + 1, 0) FROM audit_events`,
	"the platform's next audit number is not the count": `SELECT (SELECT COALESCE(SUM(next_seq), 0) FROM audit_heads WHERE scope = 'p') -
		(SELECT COUNT(*) FROM audit_events)`,
	"an audit id is there twice": `SELECT COUNT(*) - COUNT(DISTINCT id) FROM audit_events`,
	"an organization's audit numbers have holes": `SELECT COUNT(*) FROM (
		SELECT organization_id AS c, COUNT(*) AS n, MIN(organization_seq) AS low, MAX(organization_seq) AS high
		FROM audit_events WHERE organization_id IS NOT NULL GROUP BY organization_id) AS x
		LEFT JOIN audit_heads AS h ON h.scope = 'o' || CAST(x.c AS TEXT)
		WHERE low <> 0 OR high <> n - 1 OR COALESCE(h.next_seq, -1) <> n`,
	"a reseller's audit numbers have holes": `SELECT COUNT(*) FROM (
		SELECT admin_id AS c, COUNT(*) AS n, MIN(admin_seq) AS low, MAX(admin_seq) AS high
		FROM audit_events WHERE admin_id IS NOT NULL GROUP BY admin_id) AS x
		LEFT JOIN audit_heads AS h ON h.scope = 'a' || CAST(x.c AS TEXT)
		WHERE low <> 0 OR high <> n - 1 OR COALESCE(h.next_seq, -1) <> n`,
	"the audit roll-ups do not add up": `SELECT COUNT(*) FROM audit_heads AS h
		WHERE next_seq <> (SELECT COALESCE(SUM(n), 0) FROM audit_rollups AS r WHERE r.scope = h.scope)
		OR next_seq <> (SELECT COALESCE(SUM(n), 0) FROM audit_actors AS r WHERE r.scope = h.scope)`,
	"a credit account is not the sum of its entries": `SELECT COUNT(*) FROM credit_accounts AS a
		WHERE debits_posted <> (SELECT COALESCE(SUM(amount), 0) FROM credit_entries AS e WHERE e.debit_account_id = a.id AND e.effect IN ('post', 'capture'))
		OR credits_posted <> (SELECT COALESCE(SUM(amount), 0) FROM credit_entries AS e WHERE e.credit_account_id = a.id AND e.effect IN ('post', 'capture'))`,
	"the ledger does not balance": `SELECT COALESCE(SUM(credits_posted - debits_posted), 0) FROM credit_accounts`,
	"a credit transaction is not its entries": `SELECT COUNT(*) FROM credit_transactions AS t
		WHERE amount <> (SELECT COALESCE(SUM(amount), 0) FROM credit_entries AS e WHERE e.transaction_id = t.id
		AND (e.effect <> 'release' OR t.kind IN ('void', 'hold_expire')))`,
}

// recount compares what is kept in sum with the rows behind it, in the database
// itself, once every audit event has its number.
func recount(t *testing.T, database string) {
	t.Helper()
	d, err := db.Open(t.Context(), database, db.Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	count := func(query string) (n int64) {
		t.Helper()
		err := d.In(db.Platform).Read(t.Context(), func(tx *db.Tx) (err error) {
			n, err = db.One(tx, db.Int64, query)
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	poll(t, "every audit event has its number", func() bool { return count(`SELECT COUNT(*) FROM audit_pending`) == 0 })
	for what, query := range violations {
		if n := count(query); n != 0 {
			t.Errorf("%s: got %d, want 0", what, n)
		}
	}
	if err := d.Close(); err != nil {
		t.Errorf("close the database: %v", err)
	}
}
