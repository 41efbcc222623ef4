package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/job"
)

// clock is moved by the test.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.UnixMicro(c.at.Load()) }
func (c *clock) move(d time.Duration) { c.at.Add(d.Microseconds()) }
func newClock() *clock                { c := &clock{}; c.at.Store(1_800_000_000_000_000); return c }
func quiet() *slog.Logger             { return slog.New(slog.DiscardHandler) }
func (c *clock) options() db.Options  { return db.Options{Clock: c.now} }
func poke(tx *db.Tx) error            { tx.Publish("jobs", ""); return nil }
func each(t *testing.T, f func(t *testing.T, d *db.DB, c *clock)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { c := newClock(); f(t, dbtest.Open(t, dbtest.SQLiteURL(t), c.options()), c) })
	t.Run("postgres", func(t *testing.T) { c := newClock(); f(t, dbtest.Open(t, dbtest.PostgresURL(t), c.options()), c) })
}

func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// start runs r until the test ends or stop is called; stop waits for it.
func start(t *testing.T, r *job.Runner) (stop func()) {
	t.Helper()
	r.Log = quiet()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(stop)
	return stop
}

// row is what the tests look at.
type row struct {
	state    string
	attempts int64
	runAt    db.Time
	payload  string
	err      string
}

func jobs(t *testing.T, d *db.DB, kind string) (all []row) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, func(r db.Row) (v row, err error) {
			var payload []byte
			var message *string
			err = r.Scan(&v.state, &v.attempts, &v.runAt, &payload, &message)
			if v.payload = string(payload); message != nil {
				v.err = *message
			}
			return v, err
		}, `SELECT state, attempts, run_at, payload, last_error FROM jobs WHERE kind = $1 ORDER BY id LIMIT 1000`, kind)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRunsWhatWasCommitted(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		got := make(chan string, 10)
		r := &job.Runner{DB: d, Poll: time.Hour, Handlers: map[string]job.Handler{"greet": func(_ context.Context, p []byte) error {
			got <- string(p)
			return nil
		}}}
		stop := start(t, r)
		sentinel := errors.New("no")
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			return errors.Join(job.Enqueue(tx, "greet", "rolled back"), sentinel)
		})
		if !errors.Is(err, sentinel) {
			t.Fatal(err)
		}
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "greet", map[string]int{"n": 1}) })
		if p := <-got; p != `{"n":1}` {
			t.Errorf("got %s, want the payload as JSON", p)
		}
		stop()
		want := row{state: "done", attempts: 1, runAt: d.Now()}
		if all := jobs(t, d, "greet"); len(all) != 1 || all[0] != want {
			t.Errorf("got %+v, want only %+v, without its payload", all, want)
		}
	})
}

func TestLaterAndUnknownKindsWait(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		got := make(chan string, 10)
		handle := func(_ context.Context, p []byte) error { got <- string(p); return nil }
		write(t, d, func(tx *db.Tx) error {
			return errors.Join(job.Enqueue(tx, "unknown", 0), job.EnqueueAt(tx, tx.Now.Add(time.Hour), "a", 2), job.Enqueue(tx, "a", 1))
		})
		stop := start(t, &job.Runner{DB: d, Poll: time.Hour, Handlers: map[string]job.Handler{"a": handle}})
		if p := <-got; p != "1" {
			t.Errorf("first: got %s, want 1", p)
		}
		stop() // its end is recorded before the clock passes its lease
		c.move(time.Hour)
		start(t, &job.Runner{DB: d, Poll: time.Hour, Handlers: map[string]job.Handler{"a": handle}})
		if p := <-got; p != "2" {
			t.Errorf("then: got %s, want 2", p)
		}
		if all := jobs(t, d, "unknown"); all[0].state != "ready" || all[0].attempts != 0 {
			t.Errorf("unknown kind: got %+v, want it untouched", all[0])
		}
	})
}

// A failing job comes again with growing pauses, up to a number of attempts.
func TestRetriesThenDies(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		tried := make(chan int, 10)
		n := 0
		r := &job.Runner{DB: d, Attempts: 3, Poll: time.Hour, Handlers: map[string]job.Handler{"bad": func(context.Context, []byte) error {
			n++
			tried <- n
			return fmt.Errorf("no %d \x00\xff %s", n, strings.Repeat("é", 600))
		}}}
		stop := start(t, r)
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "bad", "secret") })
		for want := 1; want <= 3; want++ {
			if got := <-tried; got != want {
				t.Fatalf("attempt %d, want %d", got, want)
			}
			stop()
			all := jobs(t, d, "bad")
			if want == 3 {
				break
			}
			pause := all[0].runAt.Std().Sub(c.now())
			base := 5 * time.Second << (want - 1)
			if all[0].state != "ready" || pause < base*3/4 || pause > base*5/4 || !strings.HasPrefix(all[0].err, fmt.Sprintf("no %d ??", want)) {
				t.Errorf("after attempt %d: got %+v in %v, want it ready in about %v", want, all[0], pause, base)
			}
			c.move(base * 2)
			stop = start(t, r)
		}
		all := jobs(t, d, "bad")
		if all[0].state != "dead" || all[0].attempts != 3 || all[0].payload != `"secret"` || len(all[0].err) > 500 {
			t.Errorf("at last: got %+v, want it dead with its payload", all[0])
		}
		if s := r.Stats(); s.Failed != 3 || s.Dead != 1 || s.Done != 0 && s.Running != 0 {
			t.Errorf("got %+v, want 3 failed, 1 dead", s)
		}
		counts(t, d, job.Counts{Dead: 1, Ready: 1}) // ready: the pruning
	})
}

func counts(t *testing.T, d *db.DB, want job.Counts) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		got, err := job.Count(tx)
		if got != want {
			t.Errorf("counts: got %+v, want %+v", got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPermanentErrorAndPanic(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		tried := make(chan string, 10)
		stop := start(t, &job.Runner{DB: d, Handlers: map[string]job.Handler{
			"hopeless": func(context.Context, []byte) error {
				tried <- ""
				return fmt.Errorf("wrapped: %w", job.Permanent(errors.New("never")))
			},
			"panics": func(context.Context, []byte) error { tried <- ""; panic("ouch") },
			"fine":   func(context.Context, []byte) error { tried <- ""; return nil },
		}})
		write(t, d, func(tx *db.Tx) error {
			return errors.Join(job.Enqueue(tx, "hopeless", 1), job.Enqueue(tx, "panics", 1), job.Enqueue(tx, "fine", 1))
		})
		for range 3 {
			<-tried
		}
		stop()
		for kind, want := range map[string]string{"hopeless": "dead", "panics": "ready", "fine": "done"} {
			if all := jobs(t, d, kind); all[0].state != want || all[0].attempts != 1 {
				t.Errorf("%s: got %+v, want %s", kind, all[0], want)
			}
		}
	})
}

// A process that is to stop gives its jobs back, uncounted.
func TestStopGivesBack(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		begun := make(chan struct{})
		stop := start(t, &job.Runner{DB: d, Handlers: map[string]job.Handler{"long": func(ctx context.Context, _ []byte) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		}}})
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "long", 1) })
		<-begun
		stop()
		if all := jobs(t, d, "long"); all[0].state != "ready" || all[0].attempts != 0 {
			t.Errorf("got %+v, want it ready, uncounted", all[0])
		}
	})
}

// When a process dies its jobs run again elsewhere once the lease has expired,
// not before; what the dead one says afterwards is not heard.
func TestLeaseExpires(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		first, release := make(chan struct{}), make(chan struct{})
		// With one worker, which is busy, it cannot be the one that takes the job again.
		stopDead := start(t, &job.Runner{DB: d, Workers: 1, Handlers: map[string]job.Handler{"once": func(context.Context, []byte) error {
			close(first)
			<-release
			return nil
		}}})
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "once", 1) })
		<-first

		second, again, looked := make(chan struct{}), make(chan struct{}), make(chan struct{})
		stop := start(t, &job.Runner{DB: d, Attempts: 2, Handlers: map[string]job.Handler{
			"once": func(context.Context, []byte) error {
				close(second)
				<-again
				return errors.New("not yet")
			},
			"other": func(context.Context, []byte) error { close(looked); return nil },
		}})
		// A round of the second runner while the lease still holds.
		c.move(time.Minute)
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "other", 1) })
		<-looked
		select {
		case <-second:
			t.Fatal("the job ran twice at a time")
		default:
		}
		c.move(time.Minute)
		write(t, d, poke)
		<-second
		close(release)
		stopDead() // it records its end, too late
		if all := jobs(t, d, "once"); all[0].state != "running" || all[0].attempts != 2 {
			t.Errorf("got %+v, want it running for the second time", all[0])
		}
		close(again)
		stop()
		if all := jobs(t, d, "once"); all[0].state != "dead" {
			t.Errorf("got %+v, want the second one's word to count", all[0])
		}
	})
}

// A job that takes its process down every time is dead in the end.
func TestExpiredTooOften(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		ran := make(chan struct{}, 1)
		write(t, d, func(tx *db.Tx) error {
			if err := job.Enqueue(tx, "killer", 1); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE jobs SET state = 'running', attempts = 12, lease_until = $1`, tx.Now); err != nil {
				return err
			}
			return job.Enqueue(tx, "other", 1)
		})
		stop := start(t, &job.Runner{DB: d, Handlers: map[string]job.Handler{
			"killer": func(context.Context, []byte) error { t.Error("it ran again"); return nil },
			"other":  func(context.Context, []byte) error { ran <- struct{}{}; return nil },
		}})
		<-ran
		stop()
		if all := jobs(t, d, "killer"); all[0].state != "dead" {
			t.Errorf("got %+v, want it dead", all[0])
		}
	})
}

// Many runners, each on a handle of its own as processes are, do each job once.
func TestRunnersShare(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			const n = 300
			url := url(t)
			d := dbtest.Open(t, url, db.Options{})
			var mu sync.Mutex
			ran := map[string]int{}
			var all sync.WaitGroup
			all.Add(n)
			handle := func(_ context.Context, p []byte) error {
				mu.Lock()
				defer mu.Unlock()
				if ran[string(p)]++; ran[string(p)] == 1 {
					all.Done()
				}
				return nil
			}
			for range 4 {
				start(t, &job.Runner{DB: dbtest.Open(t, url, db.Options{}), Poll: 20 * time.Millisecond, Handlers: map[string]job.Handler{"count": handle}})
			}
			write(t, d, func(tx *db.Tx) error {
				for i := range n {
					if err := job.Enqueue(tx, "count", i); err != nil {
						return err
					}
				}
				return nil
			})
			all.Wait()
			mu.Lock()
			defer mu.Unlock()
			for p, times := range ran {
				if times != 1 {
					t.Errorf("job %s ran %d times, want once", p, times)
				}
			}
		})
	}
}

// A periodic task runs once an interval over all processes, and again after
// the process that ran it died.
func TestPeriodic(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		var ran atomic.Int64
		told := make(chan struct{}, 100)
		task := func(context.Context) error {
			if ran.Add(1) == 2 {
				told <- struct{}{}
				return errors.New("not this time")
			}
			told <- struct{}{}
			return nil
		}
		marker := make(chan struct{}, 10)
		var stops []func()
		runners := []*job.Runner{}
		for range 3 {
			r := &job.Runner{DB: d, Handlers: map[string]job.Handler{"marker": func(context.Context, []byte) error { marker <- struct{}{}; return nil }}}
			r.Every("sweep", time.Hour, task)
			runners = append(runners, r)
			stops = append(stops, start(t, r))
		}
		rest := func() {
			for _, stop := range stops {
				stop()
			}
			stops = nil
		}
		<-told
		rest()
		all := jobs(t, d, "every sweep")
		if ran.Load() != 1 || len(all) != 1 || all[0].state != "ready" || all[0].runAt.Std().Sub(c.now()) != time.Hour {
			t.Fatalf("first: ran %d times, got %+v, want once and again in an hour", ran.Load(), all)
		}
		c.move(time.Hour)
		for _, r := range runners {
			stops = append(stops, start(t, r))
		}
		<-told
		rest()
		if all := jobs(t, d, "every sweep"); ran.Load() != 2 || all[0].state != "ready" || all[0].runAt.Std().Sub(c.now()) > 7*time.Second {
			t.Errorf("after a failure: ran %d times, got %+v, want another attempt soon", ran.Load(), all)
		}
		c.move(time.Minute)
		stops = append(stops, start(t, runners[0]))
		<-told
		rest()
		if all := jobs(t, d, "every sweep"); ran.Load() != 3 || all[0].attempts != 0 {
			t.Errorf("in the end: ran %d times, got %+v", ran.Load(), all)
		}
		shorter := &job.Runner{DB: d, Handlers: runners[0].Handlers}
		shorter.Every("sweep", time.Minute, task)
		stop := start(t, shorter)
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "marker", 1) })
		<-marker
		stop()
		if all := jobs(t, d, "every sweep"); all[0].runAt.Std().Sub(c.now()) > time.Minute {
			t.Errorf("a shorter interval: got %+v, want it within the minute", all)
		}
	})
}

func TestPruned(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock) {
		write(t, d, func(tx *db.Tx) error {
			for _, j := range []struct {
				kind, state string
				age         time.Duration
			}{{"old done", "done", job.KeptDone + time.Minute}, {"new done", "done", time.Hour},
				{"old dead", "dead", job.KeptDead + time.Minute}, {"new dead", "dead", job.KeptDone + time.Minute}} {
				b, _ := json.Marshal(1)
				if _, err := tx.Exec(`INSERT INTO jobs (kind, payload, state, run_at, attempts, created_at, finished_at) VALUES ($1, $2, $3, 0, 1, 0, $4)`,
					j.kind, b, j.state, tx.Now.Add(-j.age)); err != nil {
					return err
				}
			}
			return nil
		})
		ran := make(chan struct{}, 1)
		r := &job.Runner{DB: d, Workers: 1, Handlers: map[string]job.Handler{"after": func(context.Context, []byte) error { ran <- struct{}{}; return nil }}}
		stop := start(t, r)
		write(t, d, func(tx *db.Tx) error { return job.Enqueue(tx, "after", 1) })
		<-ran // by now the pruning is queued
		write(t, d, func(tx *db.Tx) error { return job.EnqueueAt(tx, tx.Now.Add(time.Minute), "after", 1) })
		c.move(time.Minute)
		write(t, d, poke)
		<-ran // one worker: the pruning came first
		stop()
		var left []string
		for _, kind := range []string{"old done", "new done", "old dead", "new dead"} {
			if len(jobs(t, d, kind)) > 0 {
				left = append(left, kind)
			}
		}
		if want := []string{"new done", "new dead"}; !slices.Equal(left, want) {
			t.Errorf("left: got %v, want %v", left, want)
		}
	})
}
