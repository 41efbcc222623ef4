package credit_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Each step of a model is a durable transaction on two engines: 2,000 and some
// by default, 100,000 in make soak, -rapid.checks for other numbers.
func init() {
	checks := "25"
	if os.Getenv("TENANTRY_TEST_SOAK") != "" {
		checks = "1250"
	}
	_ = flag.Set("rapid.checks", checks)
	_ = flag.Set("rapid.steps", "90")
}

// checkLedger recounts everything: Verify finds nothing, backed limits are the
// sum of the limits they back, and no pool is below zero.
func checkLedger(t testing.TB, d *db.DB) {
	t.Helper()
	r, err := credit.Verify(ctx, d, ctx.Err)
	must(t, err)
	for _, p := range r.Problems {
		t.Errorf("%s: account %d, row %d: %s", p.Code, p.Account, p.ID, p.Message)
	}
	for what, query := range map[string]string{
		"pools below zero": `SELECT count(*) FROM credit_accounts WHERE kind = 'admin' AND credits_posted < debits_posted`,
		"backed limits that are not the sum of the limits": `SELECT count(*) FROM credit_accounts a WHERE kind = 'admin'
			AND limits_backed <> (SELECT COALESCE(SUM(credit_limit), 0) FROM credit_accounts o WHERE o.limit_backed_by = a.admin_id)`,
	} {
		if n := read(t, d, func(tx *db.Tx) (int64, error) { return db.One(tx, db.Int64, query) }); n != 0 {
			t.Errorf("%s: got %d, want none", what, n)
		}
	}
}

// pools is the flow from an admin down in ten lines: what the properties compare with.
type pools struct {
	pool   int64
	backed map[int]int64 // limit of organization i as set by the admin
	limits [3]int64
	orgs   [3]int64
}

func (m *pools) free() int64 {
	free := m.pool
	for _, n := range m.backed {
		free -= n
	}
	return free
}

func (m *pools) setLimit(i int, n int64, byAdmin bool) bool {
	if m.limits[i] == n {
		return true
	}
	if byAdmin && n-m.backed[i] > 0 && n-m.backed[i] > m.free() {
		return false
	}
	delete(m.backed, i)
	if byAdmin {
		m.backed[i] = n
	}
	m.limits[i] = n
	return true
}

func TestPoolsAreTheModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			a := newAdmin(t, d, false)
			orgs := [3]id.Organization{newOrganization(t, d, a), newOrganization(t, d, a), newOrganization(t, d, a)}
			m := pools{backed: map[int]int64{}}
			amounts, which := rapid.Int64Range(1, 100), rapid.IntRange(0, 2)
			agree := func(what string, err error, want bool) {
				if (err == nil) != want || err != nil && fault.Code(err) != "insufficient_credits" {
					rt.Fatalf("%s: got %v, the model says %t", what, err, want)
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"grant": func(rt *rapid.T) {
					n := amounts.Draw(rt, "amount")
					agree("grant", grant(d, a, n), true)
					m.pool += n
				},
				"allocate": func(rt *rapid.T) {
					n, i := amounts.Draw(rt, "amount"), which.Draw(rt, "organization")
					ok := n <= m.free()
					agree("allocate", allocate(d, a, orgs[i], n, false), ok)
					if ok {
						m.pool, m.orgs[i] = m.pool-n, m.orgs[i]+n
					}
				},
				"add": func(rt *rapid.T) {
					n, i := amounts.Draw(rt, "amount"), which.Draw(rt, "organization")
					agree("add", add(d, orgs[i], n), true)
					m.orgs[i] += n
				},
				"limit": func(rt *rapid.T) {
					n, i, byAdmin := amounts.Draw(rt, "limit"), which.Draw(rt, "organization"), rapid.Bool().Draw(rt, "by admin")
					by := id.Admin(0)
					if byAdmin {
						by = a
					}
					ok := m.setLimit(i, n, byAdmin)
					agree("limit", limit(d, orgs[i], n, by, false), ok)
				},
				"": func(rt *rapid.T) {
					if got := pool(t, d, a); got.Balance != m.pool || got.Balance-got.LimitsBacked != m.free() {
						rt.Fatalf("pool: got %+v, want %d of which %d free", got, m.pool, m.free())
					}
					for i, o := range orgs {
						if got := figures(t, d, o); got.Balance != m.orgs[i] || got.Limit != m.limits[i] || got.Available != m.orgs[i]+m.limits[i] {
							rt.Fatalf("organization %d: got %+v, want %d and limit %d", i, got, m.orgs[i], m.limits[i])
						}
					}
				},
			})
		})
		checkLedger(t, d)
	})
}

// parallel runs f n times at once and counts successes; a refusal must have
// the code.
func parallel(t *testing.T, n int, code string, f func(i int) error) int64 {
	t.Helper()
	var done atomic.Int64
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			switch err := f(i); {
			case err == nil:
				done.Add(1)
			case fault.Code(err) != code:
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	all.Wait()
	return done.Load()
}

func TestPoolCoversExactly(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		orgs := make([]id.Organization, 10)
		for i := range orgs {
			orgs[i] = newOrganization(t, d, a)
		}
		must(t, grant(d, a, 25*10+9))
		if got := parallel(t, 60, "insufficient_credits", func(i int) error { return allocate(d, a, orgs[i%len(orgs)], 10, false) }); got != 25 {
			t.Errorf("a pool that covers 25: got %d allocations", got)
		}
		if got := pool(t, d, a); got.Balance != 9 {
			t.Errorf("pool: got %+v, want 9", got)
		}
		checkLedger(t, d)
	})
}

func TestBackingHoldsUnderRaces(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		orgs := make([]id.Organization, 40)
		for i := range orgs {
			orgs[i] = newOrganization(t, d, a)
		}
		must(t, grant(d, a, 100))
		got := parallel(t, 40, "insufficient_credits", func(i int) error {
			if i%2 == 0 {
				return limit(d, orgs[i], 10, a, false)
			}
			return allocate(d, a, orgs[i], 10, false)
		})
		p := pool(t, d, a)
		if got != 10 || p.Balance < p.LimitsBacked || p.Available != 0 {
			t.Errorf("100 credits for limits and allocations of 10: got %d, pool %+v", got, p)
		}
		checkLedger(t, d)
	})
}

// Everything at once, over few accounts: nothing waits in a circle, nothing is
// lost.
func TestNoDeadlocks(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		o := newOrganization(t, d, 0) // older than its admins, so ids run both ways
		a, b := newAdmin(t, d, false), newAdmin(t, d, false)
		p := newOrganization(t, d, b)
		must(t, grant(d, a, 1000))
		must(t, grant(d, b, 1000))
		admins, orgs := []id.Admin{a, b}, []id.Organization{o, p}
		parallel(t, 12, "insufficient_credits", func(i int) error {
			pick := rand.New(rand.NewPCG(1, uint64(i)))
			for range 15 {
				admin, org := admins[pick.IntN(2)], orgs[pick.IntN(2)]
				var err error
				switch pick.IntN(5) {
				case 0:
					err = grant(d, admin, 3)
				case 1:
					err = allocate(d, admin, org, 2, false)
				case 2:
					err = add(d, org, 1)
				case 3:
					err = limit(d, org, pick.Int64N(400), admin, false)
				case 4:
					err = d.Write(ctx, func(tx *db.Tx) error { return credit.Release(tx, org) })
				}
				if err != nil && fault.Code(err) != "insufficient_credits" {
					return err
				}
			}
			return nil
		})
		checkLedger(t, d)
		n := read(t, d, func(tx *db.Tx) (int64, error) {
			return db.One(tx, db.Int64, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
		})
		if n != 0 {
			t.Errorf("got %d deadlocks, want none", n)
		}
	})
}

func TestOneReferenceOneEffect(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		o := newOrganization(t, d, 0)
		got := parallel(t, 30, "idempotency_key_reused", func(int) error {
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Add(tx, boss, o, 5, "", credit.Terms{}, credit.Reference{Principal: "u1", Key: "once"})
			})
			return err
		})
		if b := figures(t, d, o).Balance; got != 1 || b != 5 {
			t.Errorf("30 with one key: got %d effects and a balance of %d, want 1 and 5", got, b)
		}
		checkLedger(t, d)
	})
}

// BenchmarkAdd is credits added to many organizations at once: no row is
// common to all.
func BenchmarkAdd(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				d := dbtest.Open(b, url(b), db.Options{})
				orgs := make([]id.Organization, n)
				for i := range orgs {
					orgs[i] = newOrganization(b, d, 0)
				}
				var next atomic.Int64
				b.SetParallelism(32)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := add(d, orgs[next.Add(1)%int64(n)], 1); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}
