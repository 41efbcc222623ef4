package usage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/usage"
)

// grow puts in what so many more events, and as many spends, leave behind: their
// marks, hours and days over three years, a row for each month, and entries of
// the ledger.
func grow(t *testing.T, d *db.DB, o id.Organization, from, to int) {
	t.Helper()
	const hour, spread = int64(time.Hour / time.Microsecond), 3 * 365 * 24
	write(t, d, func(tx *db.Tx) error {
		wallet, err := db.One(tx, db.Int64, `SELECT id FROM credit_accounts WHERE organization_id = $1 AND kind = 'organization'`, o)
		if err != nil {
			return err
		}
		spent, err := db.One(tx, db.Int64, `SELECT id FROM credit_accounts WHERE organization_id = $1 AND kind = 'consumed'`, o)
		if err != nil {
			return err
		}
		numbers := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT CAST(%d AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, from, to-1)
		at := fmt.Sprintf(`(%d - (%d - i) %% %d * %d)`, tx.Now, to-1, spread, hour)
		days := fmt.Sprintf(`%s / %d`, at, 24*hour)
		for _, q := range []string{
			`INSERT INTO usage_seen (organization_id, event_key, seen_at) SELECT %[2]d, CAST('e' || i AS BYTEA), %[3]s FROM n WHERE TRUE`,
			`INSERT INTO usage_hours (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected)
				SELECT %[2]d, 'bandwidth_bytes', %[3]s, 'ecommerce', 1, 0, 0, 1, 0, 0 FROM n WHERE TRUE ON CONFLICT DO NOTHING`,
			`INSERT INTO usage_days (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected)
				SELECT DISTINCT %[2]d, 'bandwidth_bytes', %[4]s, 'ecommerce', 1, 0, 0, 1, 0, 0 FROM n WHERE TRUE ON CONFLICT DO NOTHING`,
			`INSERT INTO credit_entries (transaction_id, organization_id, admin_id, debit_account_id, credit_account_id, amount, effect, debit_balance_after, credit_balance_after, created_at)
				SELECT t.id, t.organization_id, t.admin_id, %[5]d, %[6]d, 1, 'post', 0, i, %[3]s FROM n CROSS JOIN
				(SELECT id, organization_id, admin_id FROM credit_transactions WHERE organization_id = %[2]d ORDER BY id LIMIT 1) AS t WHERE TRUE`,
		} {
			q = numbers + " " + q
			if tx.Engine() == db.SQLite {
				q = strings.ReplaceAll(q, "AS BYTEA", "AS BLOB")
			}
			if _, err := tx.Exec(fmt.Sprintf(q, 0, o, at, days, wallet, spent)); err != nil {
				return err
			}
		}
		for month, n := tx.Now, 0; n < 36; n++ {
			p, key := usage.Month(month, time.UTC)
			if _, err := tx.Exec(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at)
				VALUES ($1, 'bandwidth_bytes', $2, 1, 0) ON CONFLICT DO NOTHING`, o, key); err != nil || from == 0 {
				return err
			}
			month = p.From - 1
		}
		return nil
	})
}

// The answers that people and services ask for again and again look at as many
// rows after twenty thousand events over three years as after a thousand: what
// they cost does not depend on how much was reported.
func TestAnswersAreFlat(t *testing.T) {
	now := at("2026-11-10T12:30:00Z")
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			address := url(t)
			var heard []dbtest.Statement
			d := dbtest.Open(t, address, db.Options{Clock: func() time.Time { return now }, Trace: func(q string, args []any) { heard = append(heard, dbtest.Statement{Query: q, Args: args}) }})
			write(t, d, plugin.Seed)
			w := &world{T: t, clock: &clock{}, d: d, s: usage.New(d)}
			w.set(now)
			var o id.Organization
			for range 60 { // so that no table is small enough to be read whole
				o = w.organization(10, 10, "ecommerce")
				w.give(o, 100)
				w.spend(o, "ecommerce", 1, 0)
			}
			write(t, d, func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at)
					SELECT o.id, 'bandwidth_bytes', p.id * 30, 1, 0 FROM organizations o CROSS JOIN organizations p WHERE o.id <> $1`, o)
				if err == nil {
					_, err = tx.Exec(`INSERT INTO usage_days (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected)
						SELECT o.id, 'bandwidth_bytes', p.id * 30, 'ecommerce', 1, 0, 0, 1, 0, 0 FROM organizations o CROSS JOIN organizations p WHERE o.id <> $1`, o)
				}
				return err
			})
			answers := map[string]func(tx *db.Tx) error{
				"usage":   func(tx *db.Tx) error { _, err := usage.Of(tx, o); return err },
				"limits":  func(tx *db.Tx) error { _, err := usage.Limits(tx, o); return err },
				"plugins": func(tx *db.Tx) error { _, err := usage.ByPlugin(tx, o, usage.Span{}); return err },
				"credits": func(tx *db.Tx) error { _, err := credit.Balance(tx, o); return err },
			}
			cost := func(what string) (all []int64, of []dbtest.Statement) {
				t.Helper()
				heard = nil
				if err := d.Read(ctx, answers[what]); err != nil {
					t.Fatal(err)
				}
				of = heard
				all, err := dbtest.Work(ctx, address, of)
				if err != nil {
					t.Fatal(err)
				}
				return all, of
			}
			grow(t, d, o, 0, 1000)
			analyze(t, address)
			few := map[string][]int64{}
			for what := range answers {
				few[what], _ = cost(what)
			}
			grow(t, d, o, 1000, 20_000)
			analyze(t, address)
			for what := range answers {
				many, of := cost(what)
				for i := range many {
					if many[i] > few[what][i] {
						t.Errorf("%s: %d after a thousand events, %d after twenty thousand, in %s", what, few[what][i], many[i], of[i].Query)
					}
				}
				if n := slices.Max(many); n == 0 {
					t.Errorf("%s: nothing was counted", what)
				}
				t.Logf("%s: %v, then %v", what, few[what], many)
			}
		})
	}
}

// analyze gives PostgreSQL its statistics.
func analyze(t *testing.T, url string) {
	t.Helper()
	if url[:6] == "sqlite" {
		return
	}
	conn, err := pgx.Connect(context.Background(), dbtest.Superuser(url))
	if err == nil {
		_, err = conn.Exec(context.Background(), "ANALYZE")
		_ = conn.Close(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
}
