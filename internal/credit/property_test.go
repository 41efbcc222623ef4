package credit_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
)

// plugins of the catalogue that the tests spend on.
var plugins = []string{"crm", "invoicing"}

// clocked opens a database on each engine with a clock that the test moves and
// the catalogue of plugins.
func clocked(t *testing.T, f func(t *testing.T, d *db.DB, clock *stepping)) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			clock := &stepping{}
			clock.set("2026-11-01T00:00:00Z")
			d := dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return clock.now }})
			must(t, d.Write(ctx, plugin.Seed))
			f(t, d, clock)
		})
	}
}

// twin is the model and the ledger side by side.
type twin struct {
	*model
	d     *db.DB
	clock *stepping
	pool  *mWallet
	admin id.Admin
	orgs  []*mWallet
	ids   []id.Organization

	holds   []*mHold
	holdID  []id.Transaction
	spent   []*mSpent
	spentID []id.Transaction
	asked   []credit.Request // with a reference, that were done
	answer  []string
	keys    int
	done    int // operations
}

func newTwin(t testing.TB, d *db.DB, clock *stepping) *twin {
	w := &twin{model: &model{now: clock.now.Unix()}, d: d, clock: clock, pool: &mWallet{burnt: map[string]int64{}}, admin: newAdmin(t, d, false)}
	for range 2 {
		w.orgs = append(w.orgs, &mWallet{admin: w.pool, burnt: map[string]int64{}})
		w.ids = append(w.ids, newOrganization(t, d, w.admin))
	}
	return w
}

// pick draws what an operation does.
type pick interface {
	number(name string, low, high int) int
}

type drawn struct{ *rapid.T }

func (d drawn) number(name string, low, high int) int {
	return rapid.IntRange(low, high).Draw(d.T, name)
}

type failing interface{ Fatalf(string, ...any) }

// same compares the outcome of one operation.
func (w *twin) same(t failing, what string, err error, code string) {
	w.done++
	if fault.Code(err) != code || (err == nil) != (code == "") {
		t.Fatalf("%s: got %v, the model says %q", what, err, code)
	}
}

// person runs what people do.
func (w *twin) person(t failing, p pick) {
	i, n := p.number("organization", 0, 1), int64(p.number("amount", 1, 30))
	o := w.orgs[i]
	var expires int64
	var terms credit.Terms
	if s := p.number("expires in", 0, 5); s > 0 {
		expires = w.now + int64(s*100)
		end := db.At(time.Unix(expires, 0))
		terms.Expires = &end
	}
	w.touch(o)
	w.touch(w.pool)
	run := func(f func(tx *db.Tx) error) error { return w.d.Write(ctx, f) }
	switch kind := p.number("operation", 0, 6); kind {
	case 0:
		w.same(t, "grant", grant(w.d, w.admin, n), "")
		w.deposit(w.pool, n, &mLot{category: credit.Paid})
	case 1, 2:
		err := run(func(tx *db.Tx) error {
			_, err := credit.Allocate(tx, boss, w.admin, w.ids[i], n, "", credit.Policy{}, terms, none)
			return err
		})
		w.same(t, "allocate", err, w.allocate(o, n, expires))
	case 3:
		terms.Category = ranks[p.number("category", 0, 3)]
		terms.Priority = int64(p.number("priority", 0, 1))
		err := run(func(tx *db.Tx) error { _, err := credit.Add(tx, boss, w.ids[i], n, "", terms, none); return err })
		w.same(t, "add", err, "")
		w.deposit(o, n, &mLot{category: terms.Category, priority: terms.Priority, expires: expires})
	case 4:
		err := run(func(tx *db.Tx) error {
			_, err := credit.Deallocate(tx, boss, w.ids[i], w.admin, n, "", none)
			return err
		})
		w.same(t, "deallocate", err, w.deallocate(o, n))
	case 5:
		n := int64(p.number("limit", 0, 20))
		w.same(t, "limit", limit(w.d, w.ids[i], n, 0, false), "")
		o.limit = n
	case 6:
		w.adjust(t, p, i, n)
	}
}

func (w *twin) adjust(t failing, p pick, i int, n int64) {
	o, a := w.orgs[i], credit.Adjustment{Amount: n, Direction: []string{"in", "out"}[p.number("direction", 0, 1)], Reason: "r"}
	code := ""
	switch {
	case a.Direction == "in":
		w.deposit(o, n, &mLot{category: credit.Paid})
	case n > o.balance()-o.held():
		code = "insufficient_credits"
	default:
		for range n {
			w.burn(o)
		}
	}
	err := w.d.Write(ctx, func(tx *db.Tx) error {
		_, err := credit.Adjust(tx, boss, credit.Owner{Organization: w.ids[i]}, a, none)
		return err
	})
	w.same(t, "adjust", err, code)
}

// ask is a request with what the model says of it.
type ask struct {
	credit.Request
	code  string
	hold  *mHold
	spent *mSpent
}

// service draws a request and runs it on the model.
func (w *twin) service(p pick) ask {
	i, n, plugin := p.number("organization", 0, 1), int64(p.number("amount", 1, 12)), plugins[p.number("plugin", 0, 1)]
	w.keys++
	a := ask{Request: credit.Request{Actor: audit.Actor{Type: audit.APIKey, ID: 1}, Organization: w.ids[i], Ref: credit.Reference{Principal: fmt.Sprint("k", w.admin), Key: fmt.Sprint(w.keys)}}}
	kind := p.number("request", 0, 6)
	switch {
	case kind >= 4 && kind <= 5 && len(w.holds) > 0:
		h := p.number("hold", 0, len(w.holds)-1)
		w.touch(w.holds[h].of)
		a.Of = w.holdID[h]
		if kind == 4 {
			c := credit.Capture{Amount: n, Final: p.number("final", 0, 1) == 1}
			a.Capture = &c
			a.spent, a.code = w.capture(w.holds[h], n, c.Final)
		} else {
			a.Void, a.code = true, w.void(w.holds[h])
		}
	case kind == 6 && len(w.spent) > 0:
		s := p.number("spent", 0, len(w.spent)-1)
		w.touch(w.spent[s].of)
		a.Of, a.Refund = w.spentID[s], &credit.Refund{Amount: &n}
		if p.number("all", 0, 1) == 1 {
			a.Refund.Amount, n = nil, 0
		}
		a.code = w.refund(w.spent[s], n)
	case kind >= 2 && kind <= 3:
		w.touch(w.orgs[i])
		seconds := int64(p.number("seconds", 1, 3) * 60)
		a.Hold = &credit.NewHold{Spend: credit.Spend{Amount: n, Plugin: plugin}, ExpiresIn: seconds}
		a.hold, a.code = w.hold(w.orgs[i], plugin, n, seconds)
	default:
		w.touch(w.orgs[i])
		a.Consume = &credit.Spend{Amount: n, Plugin: plugin, Reference: "job"}
		a.spent, a.code = w.consume(w.orgs[i], plugin, n)
	}
	sum := sha256.Sum256(fmt.Append(nil, a.Consume, a.Hold, a.Capture, a.Void, a.Refund, a.Of))
	a.Hash = sum[:]
	return a
}

// run does requests in one transaction and compares each outcome.
func (w *twin) run(t failing, all []ask) {
	requests := make([]credit.Request, len(all))
	for i, a := range all {
		requests[i] = a.Request
	}
	w.compare(t, all, w.send(t, requests))
}

func (w *twin) send(t failing, requests []credit.Request) []credit.Result {
	results, err := write(w.d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, slices.Clone(requests)) })
	if err != nil {
		t.Fatalf("requests: %v", err)
	}
	return results
}

func (w *twin) compare(t failing, all []ask, results []credit.Result) {
	for i, a := range all {
		r := results[i]
		w.same(t, fmt.Sprintf("request %+v", a.Request), r.Err, a.code)
		if r.Err != nil {
			continue
		}
		if a.hold != nil {
			w.holds, w.holdID = append(w.holds, a.hold), append(w.holdID, r.Hold.ID)
		}
		if a.spent != nil {
			w.spent, w.spentID = append(w.spent, a.spent), append(w.spentID, r.Transaction.ID)
		}
		w.asked, w.answer = append(w.asked, a.Request), append(w.answer, told(r))
	}
}

// told is an answer as text.
func told(r credit.Result) string {
	if r.Hold != nil {
		return fmt.Sprintf("%+v", fmt.Sprint(r.Hold.ID, r.Hold.Amount, r.Hold.Captured, r.Hold.State, r.Hold.Plugin, r.Hold.ExpiresAt, r.Hold.CreatedAt, r.Hold.EndedAt))
	}
	t := *r.Transaction
	return fmt.Sprint(t.ID, t.Kind, t.Amount, t.BalanceAfter, t.CreatedAt, *t.Plugin, id.Val(t.Hold), id.Val(t.Reverses), *t.Organization)
}

// again repeats a request that was done: the same answer and no effect; with
// another body it is refused.
func (w *twin) again(t failing, p pick) {
	if len(w.asked) == 0 {
		return
	}
	i := p.number("again", 0, len(w.asked)-1)
	for j := range w.ids {
		w.touch(w.orgs[j])
	}
	other := w.asked[i]
	other.Hash = []byte("another")
	results := w.send(t, []credit.Request{w.asked[i], other})
	if r := results[0]; r.Err != nil || !r.Replayed || told(r) != w.answer[i] {
		t.Fatalf("again: got %v %s, want %s", r.Err, told(r), w.answer[i])
	}
	w.same(t, "the key for another body", results[1].Err, "idempotency_key_reused")
}

func (w *twin) pass(p pick) {
	seconds := int64(p.number("pass", 1, 200))
	w.clock.now = w.clock.now.Add(time.Duration(seconds) * time.Second)
	w.now += seconds
}

// check compares every wallet, once what is due has ended in both.
func (w *twin) check(t failing) {
	if _, err := credit.Sweep(ctx, w.d); err != nil {
		t.Fatalf("sweep: %v", err)
	}
	w.touch(w.pool)
	if got, want := stored(t, w.d, credit.Owner{Admin: w.admin}), w.pool.String(); got != want {
		t.Fatalf("the pool: got %s, want %s", got, want)
	}
	for i, o := range w.orgs {
		w.touch(o)
		if got, want := stored(t, w.d, credit.Owner{Organization: w.ids[i]}), o.String(); got != want {
			t.Fatalf("organization %d: got %s, want %s", i, got, want)
		}
		if o.available() < 0 && o.over == 0 && o.uncovered == 0 {
			t.Fatalf("organization %d: available is %d", i, o.available())
		}
	}
}

func (w *twin) step(t failing, p pick) {
	switch p.number("who", 0, 9) {
	case 0, 1, 2:
		w.person(t, p)
	case 3:
		w.again(t, p)
	case 4:
		w.pass(p)
	case 5:
		var all []ask
		for range p.number("batch", 2, 5) {
			all = append(all, w.service(p))
		}
		w.run(t, all)
	default:
		w.run(t, []ask{w.service(p)})
	}
}

// The ledger on both engines does what the model does, operation for operation
// (invariants 1 to 8): each outcome, each wallet's balance, what is held, every
// lot, what was consumed. Verify recounts all of it.
func TestLedgerIsTheModel(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		done := 0
		rapid.Check(t, func(rt *rapid.T) {
			w := newTwin(t, d, clock)
			rt.Repeat(map[string]func(*rapid.T){
				"step": func(rt *rapid.T) { w.step(rt, drawn{rt}) },
				"":     func(rt *rapid.T) { w.check(rt) },
			})
			done += w.done
		})
		checkLedger(t, d)
		t.Logf("%d operations", done)
	})
}

// What a hold had set aside expires on its day once it is free again, also where
// nobody touches the wallet: the whole lot was held when the wallet last looked
// what would expire.
func TestWhatAHoldFreesExpires(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		clock.set("2026-11-01T00:00:00Z")
		o := newOrganization(t, d, newAdmin(t, d, false))
		add := func(n int64, until string) {
			t.Helper()
			at, err := time.Parse(time.RFC3339, until)
			must(t, err)
			end := db.At(at)
			must(t, d.Write(ctx, func(tx *db.Tx) error {
				_, err := credit.Add(tx, boss, o, n, "", credit.Terms{Expires: &end}, none)
				return err
			}))
		}
		do := func(r credit.Request) credit.Result {
			t.Helper()
			r.Actor = service
			all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
			must(t, err)
			must(t, all[0].Err)
			return all[0]
		}
		sweep := func(want int64) {
			t.Helper()
			_, err := credit.Sweep(ctx, d)
			must(t, err)
			if f := figures(t, d, o); f.Balance != want {
				t.Errorf("at %s: got %+v, want a balance of %d", clock.now, f, want)
			}
		}
		add(5, "2026-11-02T00:00:00Z")
		add(10, "2026-11-20T00:00:00Z")
		r := holding(o, 15)
		r.Hold.ExpiresIn = 30 * 86400
		h := do(r)
		clock.set("2026-11-02T00:00:00Z")
		sweep(15) // it looks, and nothing is free
		clock.set("2026-11-10T00:00:00Z")
		do(credit.Request{Of: h.Hold.ID, Void: true})
		sweep(10)
		clock.set("2026-11-20T00:00:00Z")
		sweep(0)
		checkLedger(t, d)
	})
}
