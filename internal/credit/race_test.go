package credit_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
)

var service = audit.Actor{Type: audit.APIKey, ID: 1}

// queues opens a queue, or two on handles of their own as two processes have
// them, on each engine.
func queues(t *testing.T, f func(t *testing.T, d *db.DB, all []*credit.Queue)) {
	t.Run("sqlite", func(t *testing.T) {
		d := dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{})
		must(t, d.Write(ctx, plugin.Seed))
		f(t, d, []*credit.Queue{{DB: d}})
	})
	t.Run("postgres", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		d, other := dbtest.Open(t, url, db.Options{Connections: 8}), dbtest.Open(t, url, db.Options{Connections: 8})
		must(t, d.Write(ctx, plugin.Seed))
		f(t, d, []*credit.Queue{{DB: d}, {DB: other}})
	})
}

// submit runs one request through a queue.
func submit(q *credit.Queue, r credit.Request) (credit.Result, error) {
	r.Actor = service
	all, err := q.Submit(ctx, credit.Submission{Requests: []credit.Request{r}})
	if err != nil {
		return credit.Result{}, err
	}
	return all[0], all[0].Err
}

func spend(o id.Organization, n int64) credit.Request {
	return credit.Request{Organization: o, Consume: &credit.Spend{Amount: n, Plugin: "crm"}}
}

func holding(o id.Organization, n int64) credit.Request {
	return credit.Request{Organization: o, Hold: &credit.NewHold{Spend: credit.Spend{Amount: n, Plugin: "crm"}, ExpiresIn: 600}}
}

// outcomes counts how requests end that all run at once, spread over queues.
func outcomes(t *testing.T, all []*credit.Queue, n int, r func(i int) credit.Request) (done int64, refused map[string]int64) {
	t.Helper()
	var mu sync.Mutex
	refused = map[string]int64{}
	var ok atomic.Int64
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			_, err := submit(all[i%len(all)], r(i))
			if err == nil {
				ok.Add(1)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			refused[fault.Code(err)]++
		})
	}
	wait.Wait()
	return ok.Load(), refused
}

// 1,000 spends of 1 at once on 500: exactly 500 succeed.
func TestThousandSpendsOnFiveHundred(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		for range 5 { // lots
			must(t, add(d, o, 100))
		}
		done, refused := outcomes(t, all, 1000, func(int) credit.Request { return spend(o, 1) })
		if done != 500 || refused["insufficient_credits"] != 500 {
			t.Errorf("got %d done and %v, want 500 and 500", done, refused)
		}
		if f := figures(t, d, o); f.Balance != 0 || f.Used != 500 {
			t.Errorf("got %+v, want nothing left and 500 used", f)
		}
		checkLedger(t, d)
	})
}

// Holds, partial captures, refunds and a credit limit with its thresholds, all
// at once: nothing passes what is available, and each threshold is told once.
func TestSpendsHoldsAndThresholdsAtOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		people := tellable(t, d, o)
		must(t, limit(d, o, 100, 0, false))
		must(t, add(d, o, 400))
		done, refused := outcomes(t, all, 1000, func(i int) credit.Request {
			if i%2 == 0 {
				return spend(o, 1)
			}
			return holding(o, 1)
		})
		if done != 500 || refused["insufficient_credits"] != 500 {
			t.Errorf("got %d done and %v, want 500 and 500", done, refused)
		}
		if f := figures(t, d, o); f.Available != 0 || f.Balance+f.Limit != f.Held {
			t.Errorf("got %+v, want nothing available", f)
		}
		for _, kind := range []string{"credit_limit.near", "credit_limit.reached"} {
			n := read(t, d, func(tx *db.Tx) (int64, error) {
				return db.One(tx, db.Int64, `SELECT count(*) FROM notifications WHERE kind = $1 AND user_id = $2`, kind, people)
			})
			if n != 1 {
				t.Errorf("%s: told %d times, want once", kind, n)
			}
		}
		checkLedger(t, d)
	})
}

// tellable makes an owner of an organization.
func tellable(t *testing.T, d *db.DB, o id.Organization) (user int64) {
	t.Helper()
	user, err := write(d, func(tx *db.Tx) (int64, error) {
		n, err := tx.Insert(`INSERT INTO users (email, email_key, name, password_hash, email_verified, status, superadmin, created_at, updated_at, version)
			VALUES ($1, $2, 'O', 'x', TRUE, 'active', FALSE, $3, $4, 1) RETURNING id`, fmt.Sprintf("o%d@x.example", time.Now().UnixNano()), fmt.Sprintf("o%d@x.example", time.Now().UnixNano()), tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		_, err = tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES ($1, $2, 'owner', $3, $4, 1)`, o, n, tx.Now, tx.Now)
		return n, err
	})
	must(t, err)
	return user
}

// A hold left out of the balance check: six holds of 1,000 on 5,000.
func TestHoldsCountAtOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 5000))
		if done, refused := outcomes(t, all, 6, func(int) credit.Request { return holding(o, 1000) }); done != 5 || refused["insufficient_credits"] != 1 {
			t.Errorf("six holds of 1,000 on 5,000: got %d and %v, want 5 and one refused", done, refused)
		}
		checkLedger(t, d)
	})
}

// Two commits of one hold that read the same remainder.
func TestTwoCapturesOfOneHold(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		h, err := submit(all[0], holding(o, 100))
		must(t, err)
		done, refused := outcomes(t, all, 20, func(int) credit.Request {
			return credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 60}}
		})
		if done != 1 || refused["hold_exceeded"] != 19 {
			t.Errorf("20 captures of 60 on 100: got %d and %v, want 1 and 19 refused", done, refused)
		}
		if f := figures(t, d, o); f.Balance != 40 || f.Held != 40 {
			t.Errorf("got %+v, want 40 left, held", f)
		}
		checkLedger(t, d)
	})
}

// A hold ends once, whoever races: captures, voids, and its expiry.
func TestAHoldEndsOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 1000))
		for range 20 {
			h, err := submit(all[0], holding(o, 10))
			must(t, err)
			done, refused := outcomes(t, all, 10, func(i int) credit.Request {
				if i%2 == 0 {
					return credit.Request{Of: h.Hold.ID, Void: true}
				}
				return credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 4, Final: true}}
			})
			if done != 1 || refused["hold_ended"] != 9 {
				t.Fatalf("ten ends of one hold: got %d and %v, want 1 and 9 refused", done, refused)
			}
		}
		if f := figures(t, d, o); f.Held != 0 {
			t.Errorf("got %+v, want nothing held", f)
		}
		checkLedger(t, d)
	})
}

// A double refund, concurrently.
func TestRefundedOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		s, err := submit(all[0], spend(o, 50))
		must(t, err)
		n := int64(30)
		done, refused := outcomes(t, all, 20, func(int) credit.Request {
			return credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{Amount: &n}}
		})
		if done != 1 || refused["refund_exceeded"] != 19 {
			t.Errorf("20 refunds of 30 of 50: got %d and %v, want 1 and 19 refused", done, refused)
		}
		if f := figures(t, d, o); f.Balance != 80 {
			t.Errorf("got %+v, want 80", f)
		}
		checkLedger(t, d)
	})
}

// One credit and many concurrent calls, leaving −1.
func TestOneCreditOneCall(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 1))
		done, _ := outcomes(t, all, 2, func(int) credit.Request { return spend(o, 1) })
		if f := figures(t, d, o); done != 1 || f.Balance != 0 {
			t.Errorf("two spends of one credit: got %d done, balance %d, want 1 and 0", done, f.Balance)
		}
	})
}

// A lock on the owner's row does not protect a sum over another table, when the
// sum is read from a snapshot that is older than the lock: what is held, left in
// lots and refunded is read after it, and so sees what the one before did.
func TestSumsAreReadUnderTheLock(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 30))
		s, err := submit(all[0], spend(o, 30))
		must(t, err)
		one := int64(1)
		done, _ := outcomes(t, all, 90, func(i int) credit.Request {
			if i%3 == 0 {
				return credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{Amount: &one}}
			}
			return spend(o, 1)
		})
		if f := figures(t, d, o); f.Balance < 0 || done < 30 {
			t.Errorf("got %d done and %+v", done, f)
		}
		checkLedger(t, d)
	})
}

// A recurring grant applied twice: a key that names the period.
func TestAGrantOfAPeriodComesOnce(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		o := newOrganization(t, d, 0)
		got := parallel(t, 20, "idempotency_key_reused", func(int) error {
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Add(tx, boss, o, 100, "November", credit.Terms{Category: credit.Plan}, credit.Reference{Principal: "s", Key: "plan:2026-11"})
			})
			return err
		})
		if f := figures(t, d, o); got != 1 || f.Balance != 100 {
			t.Errorf("20 grants of one period: got %d and a balance of %d, want 1 and 100", got, f.Balance)
		}
	})
}

// The same key at once, through two processes: one effect, one answer.
func TestOneKeyOneEffectAtOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		var mu sync.Mutex
		ids := map[id.Transaction]int{}
		var wait sync.WaitGroup
		for i := range 40 {
			wait.Go(func() {
				r := spend(o, 7)
				r.Ref, r.Hash = credit.Reference{Principal: "k1", Key: "once"}, []byte("body")
				got, err := submit(all[i%len(all)], r)
				if err != nil {
					t.Errorf("call %d: %v", i, err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[got.Transaction.ID]++
			})
		}
		wait.Wait()
		if f := figures(t, d, o); len(ids) != 1 || f.Balance != 93 {
			t.Errorf("40 with one key: got transactions %v and a balance of %d, want one and 93", ids, f.Balance)
		}
	})
}

// A key used for two organizations at once by two processes: the rows collide,
// and one of them is told so; nobody else's request fails with it.
func TestACollisionSpoilsNothing(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o, p := newOrganization(t, d, 0), newOrganization(t, d, 0)
		must(t, add(d, o, 1000))
		must(t, add(d, p, 1000))
		done, refused := outcomes(t, all, 200, func(i int) credit.Request {
			r := spend([]id.Organization{o, p}[i%2], 1)
			if i%4 < 2 {
				r.Ref, r.Hash = credit.Reference{Principal: "k1", Key: fmt.Sprint("same", i/4)}, fmt.Append(nil, i%2)
			}
			return r
		})
		if done != 150 || refused["idempotency_key_reused"] != 50 {
			t.Errorf("got %d done and %v, want 150 and 50 refused", done, refused)
		}
		checkLedger(t, d)
	})
}

// One whose client has gone is skipped while it waits; the others are not.
func TestQueueAnswersAll(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 1000))
		gone, cancel := context.WithCancel(ctx)
		cancel()
		var wait sync.WaitGroup
		for i := range 200 {
			wait.Go(func() {
				c := ctx
				if i%2 == 0 {
					c = gone
				}
				_, err := all[0].Submit(c, credit.Submission{Requests: []credit.Request{spend(o, 1)}})
				if i%2 == 1 && err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		wait.Wait()
		if f := figures(t, d, o); f.Balance > 900 || f.Balance < 800 {
			t.Errorf("got %+v, want 100 to 200 spent", f)
		}
	})
}

// BenchmarkConsume is a batch of spends, of one wallet and of many.
func BenchmarkConsume(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		for _, wallets := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", name, wallets), func(b *testing.B) {
				d := dbtest.Open(b, url(b), db.Options{})
				if err := d.Write(ctx, plugin.Seed); err != nil {
					b.Fatal(err)
				}
				orgs := make([]id.Organization, wallets)
				for i := range orgs {
					orgs[i] = newOrganization(b, d, 0)
					must(b, add(d, orgs[i], 1<<40))
				}
				q := &credit.Queue{DB: d}
				const batch = 100
				for n := 0; b.Loop(); n++ {
					s := credit.Submission{}
					for i := range batch {
						r := spend(orgs[i%wallets], 1)
						r.Actor, r.Ref, r.Hash = service, credit.Reference{Principal: "k1", Key: fmt.Sprint(n, "-", i)}, []byte("body")
						s.Requests = append(s.Requests, r)
					}
					if _, err := q.Submit(ctx, s); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*batch), "µs/spend")
			})
		}
	}
}

// While somebody does what a wallet has seen nothing of yet, another who wants
// the same waits for it: the account across the wallet is made once, and neither
// fails.
func TestTheFirstOfAKindTwiceAtOnce(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, _ []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		adjust := func(tx *db.Tx) error {
			_, err := credit.Adjust(tx, boss, credit.Owner{Organization: o}, credit.Adjustment{Amount: 1, Direction: "in", Reason: "r"}, none)
			return err
		}
		var wait sync.WaitGroup
		second := sync.OnceFunc(func() {
			wait.Go(func() { must(t, d.Write(ctx, adjust)) })
		})
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			if err := adjust(tx); err != nil {
				return err
			}
			second()
			return untilSomebodyWaits(tx)
		}))
		wait.Wait()
		if f := figures(t, d, o); f.Balance != 102 {
			t.Errorf("got a balance of %d, want 102", f.Balance)
		}
		checkLedger(t, d)
	})
}

// untilSomebodyWaits returns once a transaction waits for a lock that this one
// has; on SQLite it need not, as writers wait for each other there anyway.
func untilSomebodyWaits(tx *db.Tx) error {
	for tx.Engine() == db.Postgres {
		n, err := db.One(tx, db.Int64, `SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`)
		if err != nil || n > 0 {
			return err
		}
	}
	return nil
}
