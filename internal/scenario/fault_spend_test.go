package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// spendKills is how often the process is killed under services that spend: ten
// times, or 200 in make soak.
func spendKills() int {
	if os.Getenv("TENANTRY_TEST_SOAK") != "" {
		return 200
	}
	return 10
}

// Spends, holds with their captures, batches and refunds under 16 writers, and
// the process killed as by a power cut: whatever was answered is there, nothing
// is there twice once everything was sent again under its keys, and the ledger
// checks out every time.
func TestKilledWhileSpending(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			database := e.empty(t)
			s := bootstrapped(t, database)
			root := s.as(t, rootEmail)
			org := founded(t, root, "acme")
			if _, err := root.AddCredits(t.Context(), org, tenantry.Credits{Amount: 10_000_000}); err != nil {
				t.Fatal(err)
			}
			key, err := root.CreateAPIKey(t.Context(), org, tenantry.NewAPIKey{Name: "Till", Scopes: []string{"credits:spend"}})
			if err != nil {
				t.Fatal(err)
			}
			left := int64(10_000_000)
			for round := range spendKills() {
				w := &spenders{round: round, org: org, answered: map[string]int64{}}
				w.run(t, s.api(t, tenantry.WithToken(key.Key)), 50+rand.IntN(400), func() { s.kill(t) })
				s = bootstrapped(t, database)
				root = s.as(t, rootEmail)
				sound(t, root)
				left -= w.again(t, s.api(t, tenantry.WithToken(key.Key)))
				sound(t, root)
				f, err := root.Credits(t.Context(), org)
				if err != nil || f.Balance != left || f.Held != 0 {
					t.Errorf("round %d: got %+v, %v, want a balance of %d", round, f, err, left)
				}
				recount(t, database)
				if t.Failed() {
					t.Fatalf("round %d: %d steps answered, %d tasks", round, len(w.answered), len(w.tasks))
				}
			}
			s.stop(t)
		})
	}
}

// sound wants the whole ledger to check out.
func sound(t *testing.T, root *tenantry.Client) {
	t.Helper()
	r, err := root.CheckCredits(t.Context())
	if err != nil || !r.OK {
		t.Errorf("the ledger: got %+v, %v", r.Problems, err)
	}
}

// spenders spend until the server is gone.
type spenders struct {
	round int
	org   tenantry.OrganizationRef

	mu       sync.Mutex       // guards what follows
	answered map[string]int64 // key of a step to what it made
	tasks    []spendTask
}

// spendTask is one thing that a service does, in one or two steps.
type spendTask struct {
	key  string
	kind int
}

// costs is what each kind of task takes in the end.
var costs = []int64{3, 2, 3, 3}

func (w *spenders) run(t *testing.T, c *tenantry.Client, enough int, kill func()) {
	t.Helper()
	reached := make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	for n := range several {
		all.Go(func() {
			for i := 0; ; i++ {
				task := spendTask{fmt.Sprintf("r%d-w%d-%d", w.round, n, i), (n + i) % len(costs)}
				w.mu.Lock()
				w.tasks = append(w.tasks, task)
				w.mu.Unlock()
				err := w.do(t.Context(), t, c, task, false)
				if e := (*tenantry.Error)(nil); errors.As(err, &e) {
					t.Errorf("%s: got %v", task.key, err)
					return
				} else if err != nil {
					return
				}
				w.mu.Lock()
				if len(w.answered) >= enough {
					once.Do(func() { close(reached) })
				}
				w.mu.Unlock()
			}
		})
	}
	select {
	case <-reached:
	case <-time.After(longest):
		t.Error("the writers are too slow")
	}
	kill()
	all.Wait()
}

// again does every task once more, under its keys, and gives what all cost.
func (w *spenders) again(t *testing.T, c *tenantry.Client) (cost int64) {
	t.Helper()
	for _, task := range w.tasks {
		if err := w.do(t.Context(), t, c, task, true); err != nil {
			t.Errorf("%s again: got %v", task.key, err)
		}
		cost += costs[task.kind]
	}
	return cost
}

// do runs the steps of a task; repeated, what was answered must be replayed.
func (w *spenders) do(ctx context.Context, t *testing.T, c *tenantry.Client, task spendTask, repeated bool) error {
	step := func(name string, f func(o ...tenantry.CallOption) (int64, error)) (int64, error) {
		var a tenantry.Answer
		key := task.key + name
		id, err := f(tenantry.IdempotencyKey(key), tenantry.Receive(&a))
		if err != nil {
			return 0, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if before, was := w.answered[key]; was && (before != id || repeated && !a.Replayed) {
			t.Errorf("%s: got %d (replayed %v), want %d replayed", key, id, a.Replayed, before)
		}
		w.answered[key] = id
		return id, nil
	}
	spend := func(n int64) tenantry.Spend { return tenantry.Spend{Amount: n, Plugin: "crm", Reference: task.key} }
	consume := func(n int64) func(o ...tenantry.CallOption) (int64, error) {
		return func(o ...tenantry.CallOption) (int64, error) {
			tr, err := c.Consume(ctx, w.org, spend(n), o...)
			return tr.ID, err
		}
	}
	switch task.kind {
	case 0:
		_, err := step("", consume(3))
		return err
	case 1:
		hold, err := step("h", func(o ...tenantry.CallOption) (int64, error) {
			h, err := c.HoldCredits(ctx, w.org, tenantry.NewHold{Spend: spend(5), ExpiresIn: 3600}, o...)
			return h.ID, err
		})
		if err != nil {
			return err
		}
		_, err = step("c", func(o ...tenantry.CallOption) (int64, error) {
			tr, err := c.CaptureHold(ctx, hold, tenantry.Capture{Amount: 2, Final: true}, o...)
			return tr.ID, err
		})
		return err
	case 2:
		_, err := step("b", func(o ...tenantry.CallOption) (int64, error) {
			r, err := c.ConsumeBatch(ctx, w.org, tenantry.SpendBatch{Operations: []tenantry.SpendOperation{{Spend: spend(1)}, {Spend: spend(2)}}}, o...)
			if err != nil {
				return 0, err
			}
			if r.Succeeded != 2 {
				return 0, fmt.Errorf("of a batch of two %d succeeded", r.Succeeded)
			}
			return r.Results[1].Transaction.ID, nil
		})
		return err
	}
	spent, err := step("s", consume(4))
	if err != nil {
		return err
	}
	one := int64(1)
	_, err = step("r", func(o ...tenantry.CallOption) (int64, error) {
		tr, err := c.RefundTransaction(ctx, spent, tenantry.Refund{Amount: &one, Reason: task.key}, o...)
		return tr.ID, err
	})
	return err
}
