package credit_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

// Whoever got credits in many deposits pays no more for an operation than whoever
// got a few, whether they are unspent or used up long ago: as many lots are
// looked at as it needs.
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
			o, other := newOrganization(t, d, a), newOrganization(t, d, a)
			do := func(all ...credit.Request) error {
				for i := range all {
					all[i].Actor = service
				}
				done, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, all) })
				for _, r := range done {
					err = errors.Join(err, r.Err)
				}
				return err
			}
			operations := map[string]func() error{
				"grant":    func() error { return grant(d, a, 2) },
				"add":      func() error { return add(d, o, 2) },
				"allocate": func() error { return allocate(d, a, o, 3, false) },
				"spend":    func() error { return do(spend(o, 3)) },
				"hold":     func() error { return do(holding(o, 1)) },
				"two":      func() error { return do(spend(o, 2), spend(other, 1), spend(o, 1)) },
				"lots": func() error {
					read(t, d, func(tx *db.Tx) (page.List[credit.OpenLot], error) {
						return credit.Lots(tx, credit.Owner{Organization: o}, page.Request{Limit: 2})
					})
					return nil
				},
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
					must(t, add(d, other, 2))
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
			for _, of := range []id.Organization{o, other} {
				must(t, do(spend(of, figures(t, d, of).Available)))
			}
			usedUp := most(20)
			for name, n := range few {
				if name == "lots" && engine == db.Postgres {
					continue // it knows how small the table is, and reads all of it
				}
				if name != "lots" && many[name] > 2*n+300 || usedUp[name] > 2*n+300 {
					t.Errorf("%s: %d among tens of lots, %d among hundreds, %d behind as many used up", name, n, many[name], usedUp[name])
				}
			}
		})
	}
}

// Lots are read in the order in which they burn, whatever they came in: the
// recount says whose turn it was.
func TestLotsAreReadInBurnOrder(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		o := newOrganization(t, d, newAdmin(t, d, false))
		var all []credit.Terms
		for _, priority := range []int64{-1, 0, 1} {
			for _, category := range ranks {
				for _, after := range []time.Duration{0, time.Hour, 2 * time.Hour} {
					terms := credit.Terms{Category: category, Priority: priority}
					if after > 0 {
						terms.Expires = soon(clock, after)
					}
					all = append(all, terms, terms)
				}
			}
		}
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, terms := range all {
			must(t, d.Write(ctx, func(tx *db.Tx) error {
				_, err := credit.Add(tx, boss, o, 2, "", terms, none)
				return err
			}))
		}
		for range all {
			do(t, d, spend(o, 1))
			do(t, d, spend(o, 1))
		}
		checkLedger(t, d)
	})
}

// Batches over any number of wallets are read with few texts of statements: a
// connection keeps only so many prepared.
func TestBatchesShareTexts(t *testing.T) {
	texts := map[string]bool{}
	d := dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{Trace: func(query string, _ []any) {
		if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "FROM credit_lots") {
			texts[query] = true
		}
	}})
	must(t, d.Write(ctx, plugin.Seed))
	a := newAdmin(t, d, false)
	var requests []credit.Request
	for range 32 {
		o := newOrganization(t, d, a)
		must(t, add(d, o, 100))
		q := spend(o, 1)
		q.Actor = service
		requests = append(requests, q)
	}
	clear(texts)
	for n := range requests {
		_, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, slices.Clone(requests[:n+1])) })
		must(t, err)
	}
	if len(texts) > 6 { // for one wallet, and for up to 2, 4, 8, 16, 32
		t.Errorf("got %d texts for 32 sizes of batches", len(texts))
	}
}
