package credit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
)

// seeded draws from a generator that a seed sets.
type seeded struct{ *rand.Rand }

func (s seeded) number(_ string, low, high int) int { return low + s.IntN(high-low+1) }

// client is somebody of the simulation: what it has asked for and has no answer
// to yet, for it asks again with the same keys until it has one.
type client struct{ pending []ask }

var errCrash = errors.New("a crash before the commit")

// simulate interleaves clients, expiry, time and crashes. A crash ahead of the
// commit leaves nothing; one after it loses the answer alone. Both engines and
// the model go through the same, and are compared after every turn. The same
// seed gives the same run.
func simulate(t *testing.T, d *db.DB, clock *stepping, seed uint64, turns int) {
	t.Helper()
	r := seeded{rand.New(rand.NewPCG(seed, 1))}
	w := newTwin(t, d, clock)
	clients := make([]client, 4)
	crashes := 0
	for range turns {
		c := &clients[r.IntN(len(clients))]
		switch turn := r.IntN(10); {
		case turn == 0:
			w.pass(r)
		case turn <= 2:
			w.person(t, r)
		case turn == 3:
			w.again(t, r)
		default:
			// What is pending was done: its answer was lost. The same keys again.
			if len(c.pending) > 0 {
				w.collect(t, c)
				break
			}
			var all []ask
			before := crashBefore(r)
			if before { // nothing of it may stay, so the model hears nothing of it
				w.crash(t, r)
				crashes++
				break
			}
			for range r.number("batch", 1, 4) {
				all = append(all, w.service(r))
			}
			if r.IntN(5) == 0 { // done, and the answer lost
				w.send(t, requests(all))
				c.pending = all
				crashes++
				break
			}
			w.run(t, all)
		}
		w.check(t)
	}
	t.Logf("seed %d: %d operations, %d crashes", seed, w.done, crashes)
}

func crashBefore(r seeded) bool { return r.IntN(6) == 0 }

func requests(all []ask) (out []credit.Request) {
	for _, a := range all {
		out = append(out, a.Request)
	}
	return out
}

// collect asks again for what was done, and takes the answers as the first ones.
func (w *twin) collect(t failing, c *client) {
	all := slices.DeleteFunc(c.pending, func(a ask) bool { return a.code != "" }) // a refusal left nothing to repeat
	results := w.send(t, requests(all))
	for _, r := range results {
		if r.Err == nil && !r.Replayed {
			t.Fatalf("an answer that was lost was not replayed: %+v", r)
		}
	}
	w.compare(t, all, results)
	c.pending = nil
}

// crash runs spends, holds and a deposit in a transaction that is not committed.
func (w *twin) crash(t failing, p pick) {
	n := int64(p.number("amount", 1, 20))
	err := w.d.Write(ctx, func(tx *db.Tx) error {
		for _, o := range w.ids {
			if _, err := credit.Do(tx, []credit.Request{spend(o, n), holding(o, n), spend(o, 1)}); err != nil {
				return err
			}
			if _, err := credit.Add(tx, boss, o, n, "", credit.Terms{}, none); err != nil {
				return err
			}
		}
		return errCrash
	})
	if !errors.Is(err, errCrash) {
		t.Fatalf("a crash: %v", err)
	}
}

// TestSimulation runs a few seeds, or that of TENANTRY_TEST_SEED; in make soak
// many.
func TestSimulation(t *testing.T) {
	seeds := []uint64{1, 2, 3}
	if os.Getenv("TENANTRY_TEST_SOAK") != "" {
		for n := range uint64(200) {
			seeds = append(seeds, 100+n)
		}
	}
	if s := os.Getenv("TENANTRY_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		seeds = []uint64{n}
	}
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		for _, seed := range seeds {
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { // TENANTRY_TEST_SEED repeats it
				clock.set("2026-11-01T00:00:00Z")
				simulate(t, d, clock, seed, 150)
			})
		}
		checkLedger(t, d)
	})
}
