package credit_test

import (
	"database/sql"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/plugin"
)

// No statement that looks for strays costs more in a longer ledger: they go
// through it piece by piece.
func TestVerifyCostsTheSameAPiece(t *testing.T) {
	defer credit.SetPart(100)()
	for engine, address := range map[db.Engine]string{db.SQLite: dbtest.SQLiteURL(t), db.Postgres: dbtest.PostgresURL(t)} {
		t.Run(string(engine), func(t *testing.T) {
			var heard []dbtest.Statement
			d := dbtest.Open(t, address, db.Options{Trace: func(query string, args []any) {
				if credit.Stray(query) != "" {
					heard = append(heard, dbtest.Statement{Query: query, Args: args})
				}
			}})
			must(t, d.Write(ctx, plugin.Seed))
			a := newAdmin(t, d, false)
			o := newOrganization(t, d, a)
			must(t, grant(d, a, 100_000))
			must(t, allocate(d, a, o, 100_000, false))
			most := func(spends int) map[string]int64 {
				t.Helper()
				for range spends / 100 {
					all := make([]credit.Request, 100)
					for i := range all {
						all[i] = spend(o, 1)
						all[i].Actor = service
					}
					done, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, all) })
					must(t, err)
					must(t, done[0].Err)
				}
				analyze(t, engine, address)
				heard = nil
				checkLedger(t, d)
				work, err := dbtest.Work(ctx, address, heard)
				must(t, err)
				of := map[string]int64{}
				for i, s := range heard {
					of[credit.Stray(s.Query)] = max(of[credit.Stray(s.Query)], work[i])
				}
				return of
			}
			few, many := most(300), most(3000)
			if len(many) != credit.Strays {
				t.Errorf("%d checks ran, want %d", len(many), credit.Strays)
			}
			for code, n := range many {
				if n > 2*few[code]+200 {
					t.Errorf("%s: %d in a ledger of hundreds, %d of thousands", code, few[code], n)
				}
			}
		})
	}
}

// What explains an admin's pool looks at the limits that rest on it, not at
// those of everybody.
func TestExplainCostsTheSameAmongMany(t *testing.T) {
	for engine, address := range map[db.Engine]string{db.SQLite: dbtest.SQLiteURL(t), db.Postgres: dbtest.PostgresURL(t)} {
		t.Run(string(engine), func(t *testing.T) {
			var heard []dbtest.Statement
			d := dbtest.Open(t, address, db.Options{Trace: func(query string, args []any) {
				heard = append(heard, dbtest.Statement{Query: query, Args: args})
			}})
			a, other := newAdmin(t, d, false), newAdmin(t, d, false)
			must(t, grant(d, a, 1000))
			must(t, limit(d, newOrganization(t, d, a), 10, a, false))
			backing := func(others int) (work int64) {
				t.Helper()
				for range others {
					newOrganization(t, d, other)
				}
				analyze(t, engine, address)
				account := pool(t, d, a).Account
				heard = nil
				e := read(t, d, func(tx *db.Tx) (credit.Explanation, error) { return credit.Explain(tx, account, nil) })
				if e.Policy.LimitsBacked != 10 {
					t.Errorf("backed: got %d, want 10", e.Policy.LimitsBacked)
				}
				all, err := dbtest.Work(ctx, address, heard)
				must(t, err)
				for _, n := range all {
					work += n
				}
				return work
			}
			if few, many := backing(20), backing(1000); many > 2*few+200 {
				t.Errorf("%d among few organizations, %d among many", few, many)
			}
		})
	}
}

// analyze tells PostgreSQL's planner what is there.
func analyze(t *testing.T, engine db.Engine, address string) {
	t.Helper()
	if engine != db.Postgres {
		return
	}
	raw, err := sql.Open("pgx", dbtest.Superuser(address))
	must(t, err)
	defer raw.Close()
	_, err = raw.Exec("ANALYZE")
	must(t, err)
}
