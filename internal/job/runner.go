package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Runner claims jobs and runs them. Any number of runners, in any number of
// processes, work on one database; a job is with one of them at a time, for as
// long as its lease.
type Runner struct {
	DB *db.DB
	// Handlers by kind. Jobs of other kinds are left to other processes.
	Handlers map[string]Handler
	// Workers bounds the jobs at a time; 0 is 8.
	Workers int
	// Lease is how long a claim holds; 0 is 2 minutes. A handler's context ends
	// after three quarters of it.
	Lease time.Duration
	// Attempts is how often a job is tried before it is dead; 0 is 12, about
	// four hours.
	Attempts int
	// Poll is how often to look without being woken; 0 is 2 s.
	Poll time.Duration
	// Log takes what went wrong; slog.Default() where nil. Payloads are never logged.
	Log *slog.Logger

	every   map[string]periodic
	done    atomic.Int64
	failed  atomic.Int64
	died    atomic.Int64
	running atomic.Int64
}

type periodic struct {
	interval time.Duration
	f        func(ctx context.Context) error
}

// Kept is how long finished jobs stay: done ones, and dead ones.
const (
	KeptDone = 24 * time.Hour
	KeptDead = 30 * 24 * time.Hour
)

// Stats are figures of one Runner since it was made.
type Stats struct {
	Running int64 // now
	Done    int64
	Failed  int64 // attempts that failed, the last ones included
	Dead    int64 // jobs given up
}

// Stats reads the figures.
func (r *Runner) Stats() Stats {
	return Stats{Running: r.running.Load(), Done: r.done.Load(), Failed: r.failed.Load(), Dead: r.died.Load()}
}

// Every runs f once an interval over all processes, first at once. A failure
// is tried again after a growing pause. Call it before Run.
func (r *Runner) Every(name string, interval time.Duration, f func(ctx context.Context) error) {
	if r.every == nil {
		r.every = map[string]periodic{}
	}
	r.every["every "+name] = periodic{interval, f}
}

// Run works until ctx ends; then it waits for the handlers to return. A job
// that was broken off by that is ready again for the next one.
func (r *Runner) Run(ctx context.Context) error {
	r.defaults()
	wake := make(chan struct{}, 1)
	defer r.DB.Subscribe(topic, func(string) { signal(wake) })()
	kinds := slices.Sorted(maps.Keys(r.Handlers))
	kinds = append(kinds, slices.Sorted(maps.Keys(r.every))...)
	free := make(chan struct{}, r.Workers)
	var working sync.WaitGroup
	defer working.Wait()
	scheduled := false
	for ctx.Err() == nil {
		if !scheduled {
			scheduled = r.report(ctx, "schedule periodic tasks", r.schedule(ctx))
		}
		jobs := r.take(ctx, kinds, r.Workers-len(free))
		for _, c := range jobs {
			free <- struct{}{}
			working.Go(func() {
				r.run(ctx, c)
				<-free
				signal(wake)
			})
		}
		if len(jobs) == 0 {
			r.wait(ctx, wake, kinds, len(free) == r.Workers)
		}
	}
	return nil
}

func (r *Runner) defaults() {
	set(&r.Workers, 8)
	set(&r.Lease, 2*time.Minute)
	set(&r.Attempts, 12)
	set(&r.Poll, 2*time.Second)
	if r.Log == nil {
		r.Log = slog.Default()
	}
	r.Every("prune jobs", time.Hour, r.prune)
}

func set[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (r *Runner) schedule(ctx context.Context) error {
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		for _, name := range slices.Sorted(maps.Keys(r.every)) {
			if err := schedule(tx, name, tx.Now.Add(r.every[name].interval)); err != nil {
				return err
			}
		}
		return nil
	})
}

// take claims up to n jobs. Idle, it only reads.
func (r *Runner) take(ctx context.Context, kinds []string, n int) (jobs []claimed) {
	if n <= 0 {
		return nil
	}
	if at, err := r.next(ctx, kinds); errors.Is(err, db.ErrNoRows) || err == nil && at > r.DB.Now() {
		return nil
	} else if !r.report(ctx, "look for jobs", err) {
		return nil
	}
	err := r.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if _, err = recoverExpired(tx, int64(r.Attempts)); err != nil {
			return err
		}
		jobs, err = claim(tx, kinds, n, tx.Now.Add(r.Lease))
		return err
	})
	if !r.report(ctx, "claim jobs", err) {
		return nil
	}
	return jobs
}

func (r *Runner) next(ctx context.Context, kinds []string) (at db.Time, err error) {
	err = r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		at, err = next(tx, kinds)
		return err
	})
	return at, err
}

// wait returns when there may be something to do: a notice, a worker that is
// free again, the time of the next job, or at the latest after Poll.
func (r *Runner) wait(ctx context.Context, wake <-chan struct{}, kinds []string, full bool) {
	d := r.Poll
	if !full {
		if at, err := r.next(ctx, kinds); err == nil {
			d = min(d, max(at.Std().Sub(r.DB.Now().Std()), 10*time.Millisecond))
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}

// run does one job and records how it ended.
func (r *Runner) run(ctx context.Context, c claimed) {
	r.running.Add(1)
	defer r.running.Add(-1)
	err := r.call(ctx, c)
	stopped := ctx.Err() != nil && errors.Is(err, context.Canceled)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	// One that cannot be recorded runs again when its lease expires.
	e := r.DB.Write(last, func(tx *db.Tx) error { return finish(tx, c, r.end(tx, c, err, stopped)) })
	r.report(ctx, "record a job", e)
	switch {
	case err == nil:
		r.done.Add(1)
	case !stopped:
		r.failed.Add(1)
		dead := r.over(c, err)
		if dead {
			r.died.Add(1)
		}
		r.Log.Warn("a job failed", "kind", c.kind, "job", c.id, "attempt", c.attempts, "dead", dead, "error", err)
	}
}

// over says whether a failed job is given up.
func (r *Runner) over(c claimed, err error) bool {
	return c.single == nil && (isPermanent(err) || c.attempts >= int64(r.Attempts))
}

// end decides what becomes of a job.
func (r *Runner) end(tx *db.Tx, c claimed, err error, stopped bool) end {
	task := r.every[c.kind]
	switch {
	case stopped:
		return end{state: "ready", runAt: tx.Now, attempts: c.attempts - 1}
	case err == nil && c.single != nil:
		return end{state: "ready", runAt: tx.Now.Add(task.interval)}
	case err == nil:
		return end{state: "done", runAt: tx.Now, attempts: c.attempts}
	case r.over(c, err):
		return end{state: "dead", runAt: tx.Now, attempts: c.attempts, err: brief(err)}
	}
	d := pause(c.attempts)
	d = d*3/4 + rand.N(d/2)
	if c.single != nil {
		d = min(d, task.interval)
	}
	return end{state: "ready", runAt: tx.Now.Add(d), attempts: c.attempts, err: brief(err)}
}

// brief is what is stored of an error.
func brief(err error) *string {
	s := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\x00", "?")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "")
	}
	return &s
}

// call runs the handler; a panic is an error.
func (r *Runner) call(ctx context.Context, c claimed) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Lease*3/4)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if c.single != nil {
		return r.every[c.kind].f(ctx)
	}
	return r.Handlers[c.kind](ctx, c.payload)
}

// prune deletes what finished long ago.
func (r *Runner) prune(ctx context.Context) error {
	for state, kept := range map[string]time.Duration{"done": KeptDone, "dead": KeptDead} {
		for n := int64(pruneBatch); n == pruneBatch; {
			err := r.DB.Write(ctx, func(tx *db.Tx) error {
				gone, err := prune(tx, state, tx.Now.Add(-kept))
				tx.AfterCommit(func() { n = gone })
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// report logs an error and says whether all is well.
func (r *Runner) report(ctx context.Context, what string, err error) bool {
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("jobs wait", "while", what, "error", err)
	}
	return err == nil
}
