package credit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// The columns that never change, of each table of the ledger. changes gives
// another value for a type.
var immutable = map[string][]string{
	"credit_transactions": {"id", "kind", "amount", "admin_id", "organization_id", "actor_type", "actor_id", "reason", "source", "partner_group_id",
		"discount_bp", "net_cost", "idempotency_principal", "idempotency_key", "request_hash", "expires_at", "created_at", "plugin_key", "reference",
		"hold_id", "reverses_id", "hash"},
	"credit_entries": {"id", "transaction_id", "debit_account_id", "credit_account_id", "amount", "debit_balance_after", "credit_balance_after", "created_at",
		"organization_id", "admin_id", "effect", "debit_lot_id", "credit_lot_id", "debit_seq", "credit_seq", "hash"},
	"credit_lots": {"id", "account_id", "organization_id", "admin_id", "transaction_id", "parent_lot_id", "category", "priority", "amount", "repaid",
		"remaining", "held", "expires_at", "created_at", "hash"},
	"credit_holds":  {"id", "account_id", "organization_id", "plugin_key", "amount", "captured", "state", "expires_at", "created_at", "ended_at"},
	"credit_limits": {"id", "account_id", "organization_id", "credit_limit", "limit_backed_by", "set_at", "hash"},
	"credit_accounts": {"kind", "plugin_key", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "chain_length", "chain_head",
		"credit_limit", "limit_backed_by", "limits_backed", "transactions", "moved_at", "due_at"},
}

// words are columns of text; hashes of bytes.
var words, hashes = "kind actor_type reason source idempotency_principal idempotency_key plugin_key reference effect category state ", "hash request_hash chain_head "

// another is an expression for a value that differs from what a column holds.
func another(column string) string {
	switch {
	case column == "transaction_id" || strings.HasSuffix(column, "account_id"): // one that is there
		return "CASE WHEN " + column + " = 1 THEN 2 ELSE 1 END"
	case strings.Contains(words, column+" "):
		return "COALESCE(" + column + ", '') || 'x'"
	case strings.Contains(hashes, column+" "):
		return "CAST('another' AS BYTEA)"
	}
	return "COALESCE(" + column + ", 0) + 1000000"
}

// ledgerOfAll makes a ledger with a row of everything.
func ledgerOfAll(t *testing.T, d *db.DB) {
	t.Helper()
	a := newAdmin(t, d, false)
	o := newOrganization(t, d, a)
	must(t, grant(d, a, 1000))
	must(t, allocate(d, a, o, 500, false))
	must(t, allocate(d, a, o, 50, false))
	do := func(r credit.Request) credit.Result {
		t.Helper()
		r.Actor = service
		all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
		must(t, err)
		must(t, all[0].Err)
		return all[0]
	}
	s := spend(o, 520)
	s.Ref, s.Hash = credit.Reference{Principal: "k1", Key: "a"}, []byte("body")
	s.Consume.Reference = "job"
	spent := do(s)
	n := int64(40)
	do(credit.Request{Of: spent.Transaction.ID, Refund: &credit.Refund{Amount: &n, Reason: "sorry"}})
	h := do(holding(o, 20))
	do(credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 5}})
	do(holding(o, 3))
	do(spend(o, 1))
	do(spend(o, 1))
	do(credit.Request{Of: do(holding(o, 1)).Hold.ID, Void: true})
	for n := range int64(3) {
		must(t, limit(d, o, n+1, 0, false))
	}
}

// nothing is an expression for what hashes see no difference of to NULL.
func nothing(column string) string {
	switch {
	case strings.Contains(words, column+" "):
		return "''"
	case strings.Contains(hashes, column+" "):
		return "CAST('' AS BYTEA)"
	}
	return "0"
}

// found changes the ledger by SQL, wants Verify to say so, and changes it back.
func found(t *testing.T, d *db.DB, what string, change, undo []string) {
	t.Helper()
	run := func(all []string) {
		t.Helper()
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			for _, q := range all {
				if tx.Engine() == db.SQLite {
					q = strings.ReplaceAll(q, "AS BYTEA", "AS BLOB")
				}
				if _, err := tx.Exec(q); err != nil {
					return fmt.Errorf("%s: %w", q, err)
				}
			}
			return nil
		}))
	}
	run(change)
	r, err := credit.Verify(ctx, d, ctx.Err)
	must(t, err)
	if r.OK {
		t.Errorf("%s: not found", what)
	}
	run(undo)
}

// Whatever somebody does to the ledger by SQL, Verify finds it.
func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		ledgerOfAll(t, d)
		checkLedger(t, d)
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			for table := range immutable {
				if err := unguarded(tx, table); err != nil {
					return err
				}
				if _, err := tx.Exec(`CREATE TABLE kept_` + table + ` AS SELECT * FROM ` + table); err != nil {
					return err
				}
			}
			return nil
		}))
		for table, columns := range immutable {
			ids := read(t, d, func(tx *db.Tx) ([]int64, error) { return db.All(tx, db.Int64, `SELECT id FROM `+table+` ORDER BY id`) })
			list := names(t, d, table)
			back := []string{`DELETE FROM ` + table + ` WHERE id NOT IN (SELECT id FROM kept_` + table + `)`,
				`INSERT INTO ` + table + ` (` + list + `) SELECT ` + list + ` FROM kept_` + table + ` WHERE id NOT IN (SELECT id FROM ` + table + `)`}
			for _, c := range columns {
				if c != "id" {
					back = append(back, fmt.Sprintf(`UPDATE %s SET %s = (SELECT k.%s FROM kept_%s k WHERE k.id = %s.id)`, table, c, c, table, table))
				}
			}
			row := ids[len(ids)/2]
			for _, c := range columns {
				if skipped[table+"."+c] {
					continue
				}
				if table == "credit_transactions" && c == "id" && d.Engine() == db.SQLite {
					continue // its foreign key refuses it there
				}
				found(t, d, table+"."+c, []string{fmt.Sprintf(`UPDATE %s SET %s = %s WHERE id = %d`, table, c, another(c), row)}, back)
				empty := read(t, d, func(tx *db.Tx) ([]int64, error) {
					return db.All(tx, db.Int64, `SELECT id FROM `+table+` WHERE `+c+` IS NULL ORDER BY id LIMIT 1`)
				})
				if len(empty) > 0 && !harmless[table+"."+c] {
					found(t, d, table+"."+c+" of nothing", []string{fmt.Sprintf(`UPDATE %s SET %s = %s WHERE id = %d`, table, c, nothing(c), empty[0])}, back)
				}
			}
			if table == "credit_accounts" {
				continue
			}
			for _, n := range ids {
				if table == "credit_transactions" && d.Engine() == db.SQLite {
					break
				}
				found(t, d, fmt.Sprintf("%s: row %d deleted", table, n), []string{fmt.Sprintf(`DELETE FROM %s WHERE id = %d`, table, n)}, back)
			}
			rest := strings.ReplaceAll(strings.TrimPrefix(list, "id, "), "idempotency_key", "NULL")
			into := strings.TrimPrefix(list, "id, ")
			found(t, d, table+": a row inserted", []string{fmt.Sprintf(`INSERT INTO %s (id, %s) SELECT 999999, %s FROM %s WHERE id = %d`, table, into, rest, table, row)}, back)
		}
		swapRows(t, d)
		checkLedger(t, d)
	})
}

// unguarded takes the triggers off a table that refuse what is to be found: an
// owner of the database can.
func unguarded(tx *db.Tx, table string) error {
	if tx.Engine() == db.Postgres {
		_, err := tx.Exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`)
		return err
	}
	all, err := db.All(tx, db.String, `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '`+table+`'`)
	for _, name := range all {
		if err == nil {
			_, err = tx.Exec(`DROP TRIGGER ` + name)
		}
	}
	return err
}

// harmless are columns where nothing means the same in two ways, or only costs a
// look too many.
var harmless = map[string]bool{"credit_transactions.request_hash": true, "credit_accounts.plugin_key": true, "credit_accounts.chain_head": true,
	"credit_accounts.due_at": true}

// skipped would break a rule of the schema before anybody looks.
var skipped = map[string]bool{"credit_lots.remaining": true, "credit_lots.repaid": true, "credit_lots.held": true, "credit_holds.captured": true}

// names are the columns of a table, its id first.
func names(t *testing.T, d *db.DB, table string) string {
	t.Helper()
	query := `SELECT name FROM pragma_table_info('` + table + `') WHERE name <> 'id'`
	if d.Engine() == db.Postgres {
		query = `SELECT column_name FROM information_schema.columns WHERE table_name = '` + table + `' AND column_name <> 'id' ORDER BY ordinal_position`
	}
	all := read(t, d, func(tx *db.Tx) ([]string, error) { return db.All(tx, db.String, query) })
	return "id, " + strings.Join(all, ", ")
}

// swapRows exchanges the last two spends: everything of two rows but their ids.
func swapRows(t *testing.T, d *db.DB) {
	t.Helper()
	last := read(t, d, func(tx *db.Tx) ([]int64, error) {
		return db.All(tx, db.Int64, `SELECT id FROM credit_entries ORDER BY id DESC LIMIT 2`)
	})
	var set []string
	for _, c := range strings.Split(strings.TrimPrefix(names(t, d, "credit_entries"), "id, "), ", ") {
		set = append(set, fmt.Sprintf(`%s = (SELECT k.%s FROM kept_credit_entries k WHERE k.id = %d - credit_entries.id)`, c, c, last[0]+last[1]))
	}
	swap := []string{fmt.Sprintf(`UPDATE credit_entries SET %s WHERE id IN (%d, %d)`, strings.Join(set, ", "), last[0], last[1])}
	list := names(t, d, "credit_entries")
	found(t, d, "two entries swapped", swap, []string{`DELETE FROM credit_entries`, `INSERT INTO credit_entries (` + list + `) SELECT ` + list + ` FROM kept_credit_entries`})
}

// What existed before the ledger had lots and hashes is brought over: see the
// migration, and Seal.
func TestSealBringsOldRowsOver(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		ledgerOfAll(t, d)
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			for _, q := range []string{`UPDATE credit_transactions SET hash = NULL`, `UPDATE credit_lots SET hash = NULL`,
				`UPDATE credit_entries SET hash = NULL`, `UPDATE credit_accounts SET chain_head = NULL`} {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, credit.Seal(ctx, d))
		must(t, credit.Seal(ctx, d))
		checkLedger(t, d)
		must(t, add(d, id.Organization(1), 5))
		checkLedger(t, d)
	})
}

// Once what there was before has its hashes, none is given to a row that somebody
// took it from, so as to have changed it.
func TestSealIsDoneOnce(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		ledgerOfAll(t, d)
		must(t, credit.Seal(ctx, d))
		checkLedger(t, d)
		last := read(t, d, func(tx *db.Tx) (int64, error) { return db.One(tx, db.Int64, `SELECT MAX(id) FROM credit_transactions`) })
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			for _, q := range []string{`UPDATE credit_transactions SET reason = 'another', hash = NULL WHERE id = %d`, `UPDATE credit_entries SET hash = NULL WHERE transaction_id >= %d`} {
				if _, err := tx.Exec(fmt.Sprintf(q, last)); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE credit_accounts SET chain_head = NULL`)
			return err
		}))
		found(t, d, "a row without its hash", nil, nil)
		must(t, credit.Seal(ctx, d))
		found(t, d, "a row without its hash, after the next start", nil, nil)
	})
}
