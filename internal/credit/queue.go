package credit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// Queue runs what services ask for: all that wait at a moment in one
// transaction. Whoever finds it idle leads: it takes everything that waits,
// runs it and answers, then hands the lead on. There is no timer and no
// goroutine of its own: alone, a request is a transaction of its own. Any
// number of processes may each have a queue on one database.
type Queue struct {
	DB *db.DB
	// Admit decides afresh, inside the transaction, whether the callers of all
	// these submissions still may: an error for each that may not, ErrNext for
	// one that must not share the transaction with another. It may be nil.
	Admit func(tx *db.Tx, all []Submission) ([]error, error)

	mu      sync.Mutex // guards what follows
	waiting []*task
	busy    bool
}

// Submission is what one caller asks for at once.
type Submission struct {
	Requests []Request
	Caller   any // for Admit
	// Before runs ahead of the requests, in their transaction, and After when
	// they have been done. What Before answers with false, has been answered
	// already. Both may be nil.
	Before func(tx *db.Tx) (fresh bool, err error)
	After  func(tx *db.Tx, results []Result) error
}

// Bounds of a queue.
const (
	maxWaiting = 4096 // submissions
	maxBatch   = 2048 // requests of one transaction
	patience   = 30 * time.Second
)

// ErrNext puts a submission off to a transaction of its own, after this one.
var ErrNext = errors.New("credit: not in this transaction")

type task struct {
	Submission
	ctx     context.Context
	results []Result
	err     error
	wake    chan bool // true: lead
}

// Submit runs the requests of one caller and answers when they are durable. An
// error is of all of them: nothing was done, or nobody can know (the code
// result_unknown).
func (q *Queue) Submit(ctx context.Context, s Submission) ([]Result, error) {
	t := &task{Submission: s, ctx: ctx, wake: make(chan bool, 1)}
	leads, err := q.enter(t)
	if err != nil {
		return nil, err
	}
	if !leads {
		select {
		case leads = <-t.wake:
		case <-ctx.Done():
			if q.leave(t) {
				return nil, ctx.Err()
			}
			leads = <-t.wake
		}
	}
	if leads {
		q.lead()
	}
	return t.results, t.err
}

func (q *Queue) enter(t *task) (leads bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxWaiting {
		return false, fault.New(fault.Unavailable, "overloaded", "Too many requests are waiting; try again shortly.").After(time.Second)
	}
	q.waiting = append(q.waiting, t)
	leads = !q.busy
	q.busy = true
	return leads, nil
}

// leave takes t out, unless it was taken already or told to lead.
func (q *Queue) leave(t *task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == t && len(t.wake) == 0 {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// lead runs what waits now. The leader's own task is the first of it.
func (q *Queue) lead() {
	batch := q.take()
	mine := batch[0]
	defer func() {
		q.handOver()
		for _, t := range batch {
			if t != mine {
				t.wake <- false
			}
		}
	}()
	q.run(batch)
}

// take gives the first of what waits, as much as one transaction bears.
func (q *Queue) take() []*task {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, sum := 0, 0
	for n < len(q.waiting) && (n == 0 || sum+len(q.waiting[n].Requests) <= maxBatch) {
		sum += len(q.waiting[n].Requests)
		n++
	}
	batch := append([]*task(nil), q.waiting[:n]...)
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
	return batch
}

func (q *Queue) handOver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].wake <- true
	}
}

// run answers a batch. When it fails as a whole for no reason of the store,
// each submission runs alone, so that one spoils nothing for the others.
func (q *Queue) run(batch []*task) {
	err := q.together(batch)
	switch {
	case err == nil:
		for _, t := range batch {
			if errors.Is(t.err, ErrNext) {
				q.alone(t)
			}
		}
		return
	case len(batch) == 1 && !db.Duplicate(err), fault.Code(err) != "":
		for _, t := range batch {
			t.results, t.err = nil, err
		}
		return
	}
	for _, t := range batch {
		q.alone(t)
	}
}

// alone runs one submission in a transaction of its own. What another process
// did under the same reference meanwhile is found at the next attempt.
func (q *Queue) alone(t *task) {
	var err error
	for range 3 {
		if err = q.together([]*task{t}); !db.Duplicate(err) {
			break
		}
	}
	if err != nil {
		t.results, t.err = nil, err
	}
}

// together runs submissions in one transaction. It is the leader's context
// alone that does not end it: others wait for it too.
func (q *Queue) together(batch []*task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), patience)
	defer cancel()
	return q.DB.Write(ctx, func(tx *db.Tx) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("credit: panic: %v\n%s", r, debug.Stack())
			}
		}()
		return q.work(tx, batch)
	})
}

var errRefused = errors.New("credit: refused")

func (q *Queue) work(tx *db.Tx, batch []*task) error {
	all := make([]Submission, len(batch))
	for i, t := range batch {
		t.results, t.err, all[i] = nil, nil, t.Submission
	}
	refused := make([]error, len(batch))
	if q.Admit != nil {
		var err error
		if refused, err = q.Admit(tx, all); err != nil {
			return err
		}
	}
	var requests []Request
	var run []*task
	for i, t := range batch {
		if t.err = refused[i]; t.err == nil {
			t.err = t.begin(tx)
		}
		switch {
		case errors.Is(t.err, errRefused):
			t.err = nil
		case errors.Is(t.err, ErrNext):
		case t.err == nil:
			requests, run = append(requests, t.Requests...), append(run, t)
		case fault.Code(t.err) == "":
			return t.err
		}
	}
	results, err := Do(tx, requests)
	if err != nil {
		return err
	}
	for _, t := range run {
		n := len(t.Requests)
		t.results, results = results[:n:n], results[n:]
		if t.After != nil {
			if err := t.After(tx, t.results); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin runs Before; errRefused is for what was answered before.
func (t *task) begin(tx *db.Tx) error {
	if t.Before == nil {
		return nil
	}
	fresh, err := t.Before(tx)
	if err == nil && !fresh {
		err = errRefused
	}
	return err
}

// Sweep ends what is due in wallets that nobody touches: holds that have run
// out and credits that have expired. It gives how many wallets it touched; one
// that cannot be keeps no other waiting.
func Sweep(ctx context.Context, d *db.DB) (int, error) {
	var due []Owner
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		due, err = dueWallets(tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed error
	for _, of := range due {
		err := d.Write(ctx, func(tx *db.Tx) error {
			b, err := openBook(tx, of)
			if err != nil {
				return err
			}
			return b.flush()
		})
		if failed = errors.Join(failed, err); fault.Code(err) != "" || ctx.Err() != nil {
			break // of the store: it would be the next one's too
		}
	}
	return len(due), failed
}

// sweepEvery is how long what is due may stay in a wallet that nobody touches.
const sweepEvery = time.Second

// Tend sweeps until ctx ends; warn hears of what failed.
func Tend(ctx context.Context, d *db.DB, warn func(error)) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := Sweep(ctx, d); err != nil && ctx.Err() == nil {
			warn(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
