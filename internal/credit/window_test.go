package credit_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/plugin"
)

// Whoever got credits in a thousand deposits pays no more for an operation than
// whoever got a few: as many lots are looked at as it needs.
func TestManyLotsCostNoMoreThanFew(t *testing.T) {
	for engine, address := range map[db.Engine]string{db.SQLite: dbtest.SQLiteURL(t), db.Postgres: dbtest.PostgresURL(t)} {
		t.Run(string(engine), func(t *testing.T) {
			var heard []dbtest.Statement
			d := dbtest.Open(t, address, db.Options{Trace: func(query string, args []any) {
				if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "credit_lots") {
					heard = append(heard, dbtest.Statement{Query: query, Args: args})
				}
			}})
			must(t, d.Write(ctx, plugin.Seed))
			a := newAdmin(t, d, false)
			o := newOrganization(t, d, a)
			do := func(q credit.Request) error {
				q.Actor = service
				done, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{q}) })
				if err != nil {
					return err
				}
				return done[0].Err
			}
			operations := map[string]func() error{
				"grant":    func() error { return grant(d, a, 2) },
				"add":      func() error { return add(d, o, 2) },
				"allocate": func() error { return allocate(d, a, o, 3, false) },
				"spend":    func() error { return do(spend(o, 3)) },
				"hold":     func() error { return do(holding(o, 1)) },
				"figures": func() error {
					figures(t, d, o)
					return nil
				},
			}
			most := func(lots int) map[string]int64 {
				t.Helper()
				for range lots {
					must(t, grant(d, a, 2))
					must(t, add(d, o, 2))
				}
				analyze(t, engine, address)
				of := map[string]int64{}
				for name, run := range operations {
					heard = nil
					must(t, run())
					all, err := dbtest.Work(ctx, address, heard)
					must(t, err)
					for _, n := range all {
						of[name] += n
					}
				}
				checkLedger(t, d)
				return of
			}
			few, many := most(20), most(600)
			for name, n := range many {
				if n > 2*few[name]+50 {
					t.Errorf("%s: %d among tens of lots, %d among hundreds", name, few[name], n)
				}
			}
		})
	}
}
