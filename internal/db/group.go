package db

import (
	"context"
	"database/sql"
	"errors"
	"runtime/debug"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// groupWriter is SQLite's single writer. Whoever finds it idle becomes the
// leader: it takes every closure that is waiting, runs each in a savepoint of
// one transaction, commits once and answers all; then it hands the lead to the
// next one waiting. There is no timer and no goroutine of its own: alone, a
// write is one transaction without a savepoint.
type groupWriter struct {
	db    *store
	pool  *sql.DB
	limit int
	line  *line // used by the leader alone; nil until opened, and after it broke

	mu     sync.Mutex // guards what follows
	queue  []*pending
	busy   bool // somebody leads
	closed bool
}

// pending is a closure waiting for its turn.
type pending struct {
	ctx     context.Context
	f       func(*Tx) error
	tx      Tx
	err     error
	skipped bool      // its context ended before it ran
	settled bool      // err is final
	wake    chan turn // nil for one that leads at once
}

// turn is what a waiting closure is woken for.
type turn bool

const (
	answered turn = false
	leads    turn = true
)

func newGroupWriter(d *store, pool *sql.DB, limit int) *groupWriter {
	pool.SetMaxOpenConns(1)
	return &groupWriter{db: d, pool: pool, limit: limit}
}

// Whose rows are whose is PostgreSQL's to guard: SQLite has no such policies.
func (w *groupWriter) write(ctx context.Context, _ Scope, f func(*Tx) error) error {
	p := &pending{ctx: ctx, f: f}
	t, err := w.enter(p)
	if err != nil {
		return err
	}
	if t == answered {
		if t, err = w.wait(p); err != nil {
			return err
		}
	}
	if t == leads {
		w.lead()
	}
	if p.err == nil {
		p.tx.committed()
	}
	return p.err
}

// enter queues p and says whether it leads.
func (w *groupWriter) enter(p *pending) (turn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return answered, unavailable(errClosed)
	}
	if len(w.queue) >= w.limit {
		return answered, overloaded()
	}
	w.queue = append(w.queue, p)
	if !w.busy {
		w.busy = true
		return leads, nil
	}
	p.wake = make(chan turn, 1)
	return answered, nil
}

// wait returns when p was answered or is to lead, or when its context ends
// while nobody has taken it yet.
func (w *groupWriter) wait(p *pending) (turn, error) {
	select {
	case t := <-p.wake:
		return t, nil
	case <-p.ctx.Done():
		if w.leave(p) {
			return answered, p.ctx.Err()
		}
		return <-p.wake, nil
	}
}

// leave takes p out of the queue, unless it was taken or told to lead.
func (w *groupWriter) leave(p *pending) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, q := range w.queue {
		if q == p && len(p.wake) == 0 {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			return true
		}
	}
	return false
}

// lead runs everything that waits now and passes the lead on, even when a
// closure ends its goroutine, as t.FailNow does.
func (w *groupWriter) lead() {
	w.mu.Lock()
	batch := w.queue
	w.queue = nil
	w.mu.Unlock()
	defer func() {
		if !settled(batch) {
			w.hangUp()
			answer(batch, unavailable(errLost))
		}
		w.handOver()
		for _, p := range batch {
			if p.wake != nil {
				p.wake <- answered
			}
		}
	}()
	w.run(batch)
}

// handOver makes the first one waiting the leader.
func (w *groupWriter) handOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy = len(w.queue) > 0; w.busy {
		w.queue[0].wake <- leads
	}
}

// patience is how often the rest of a batch is run again together; beyond it
// each closure runs alone, so a full disk does not make a long queue longer.
const patience = 3

// run works until each closure has its answer. When one of them ends the
// shared transaction (a full disk does), it alone is answered with that and the
// others run again in a new one.
func (w *groupWriter) run(batch []*pending) {
	ctx := context.Background()
	todo := append(make([]*pending, 0, len(batch)), batch...)
	for losses := 0; len(todo) > 0; {
		n := len(todo)
		if losses >= patience {
			n = 1
		}
		if lost := w.transact(ctx, todo[:n]); lost != nil {
			losses++
			w.db.count.retries.Add(1)
		}
		todo = unsettled(todo)
	}
}

// transact runs the closures in one transaction. lost is the one under which
// the transaction ended; it is settled then, the others are not.
func (w *groupWriter) transact(ctx context.Context, batch []*pending) (lost *pending) {
	if batch = alive(batch); len(batch) == 0 {
		return nil
	}
	if err := w.begin(ctx); err != nil {
		answer(batch, unavailable(err))
		return nil
	}
	alone, good := len(batch) == 1, 0
	for _, p := range batch {
		if p.err = p.ctx.Err(); p.err != nil {
			p.skipped = true
			continue
		}
		if err := w.one(ctx, p, alone); err != nil {
			w.rollback(ctx)
			p.err, p.settled = unavailable(errors.Join(p.err, err)), true
			return p
		}
		if p.err == nil {
			good++
		}
	}
	if good == 0 {
		w.rollback(ctx)
		settle(batch)
		return nil
	}
	if _, err := w.line.exec(ctx, "COMMIT", nil); err != nil {
		return w.failed(batch, alone, err)
	}
	w.db.count.commits.Add(1)
	w.db.count.closures.Add(int64(good))
	settle(batch)
	return nil
}

// begin opens the transaction, on a new connection where the old one broke.
func (w *groupWriter) begin(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	if _, err := w.line.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		w.hangUp()
		return err
	}
	return nil
}

// one runs a closure, in a savepoint unless it is alone. The error is that of a
// transaction that is no longer open; the closure's own is p.err.
func (w *groupWriter) one(ctx context.Context, p *pending, alone bool) error {
	if !alone {
		if _, err := w.line.exec(ctx, "SAVEPOINT closure", nil); err != nil {
			return err
		}
	}
	p.tx = Tx{Now: w.db.Now(), ctx: ctx, db: w.db, on: w, write: true}
	p.err = protect(p.f, &p.tx)
	if alone {
		return nil
	}
	if p.err != nil {
		if _, err := w.line.exec(ctx, "ROLLBACK TO closure", nil); err != nil {
			return err
		}
	}
	if _, err := w.line.exec(ctx, "RELEASE closure", nil); err != nil {
		return errors.Join(errLost, err)
	}
	return nil
}

// failed answers for a COMMIT that failed. Where no transaction was open, the
// closure had lost it. Otherwise nobody knows what a power cut would leave: all
// are told so, refusals too, because they may rest on what another wrote.
func (w *groupWriter) failed(batch []*pending, alone bool, err error) (lost *pending) {
	var lite *sqlite.Error
	if alone && errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_ERROR {
		w.rollback(context.Background())
		batch[0].err, batch[0].settled = unavailable(errors.Join(errLost, err)), true
		return batch[0]
	}
	w.hangUp()
	w.db.count.unknown.Add(1)
	for _, p := range batch {
		if crashed := (*Panic)(nil); !p.skipped && !errors.As(p.err, &crashed) {
			p.err = unknown(err)
		}
	}
	settle(batch)
	return nil
}

// rollback ends the transaction; a connection that cannot is not used again.
func (w *groupWriter) rollback(ctx context.Context) {
	_, err := w.line.exec(ctx, "ROLLBACK", nil)
	var lite *sqlite.Error
	if err != nil && (!errors.As(err, &lite) || lite.Code() != sqlite3.SQLITE_ERROR) {
		w.hangUp()
	}
}

// ready opens the connection where there is none.
func (w *groupWriter) ready(ctx context.Context) (err error) {
	if w.line == nil {
		w.line, err = dial(ctx, w.pool)
	}
	return err
}

func (w *groupWriter) hangUp() {
	if w.line != nil {
		w.line.hangUp()
		w.line = nil
	}
}

// protect runs f and turns a panic into its error. A transaction with a failed
// statement is not committed, whatever f says.
func protect(f func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		tx.end()
		if r := recover(); r != nil {
			err = &Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	if err = f(tx); err == nil && tx.failed != nil {
		err = errors.Join(errDead, tx.failed)
	}
	return err
}

// answer settles all that are not settled yet with one error.
func answer(batch []*pending, err error) {
	for _, p := range batch {
		if !p.settled {
			p.err, p.settled = err, true
		}
	}
}

// settle makes the answers of all final.
func settle(batch []*pending) {
	for _, p := range batch {
		p.settled = true
	}
}

func settled(batch []*pending) bool {
	for _, p := range batch {
		if !p.settled {
			return false
		}
	}
	return true
}

// unsettled keeps, in place, those without an answer.
func unsettled(batch []*pending) []*pending {
	rest := batch[:0]
	for _, p := range batch {
		if !p.settled {
			rest = append(rest, p)
		}
	}
	return rest
}

// alive settles those whose context has ended and gives the others.
func alive(batch []*pending) []*pending {
	ended := false
	for _, p := range batch {
		if err := p.ctx.Err(); err != nil {
			p.err, p.skipped, p.settled, ended = err, true, true, true
		}
	}
	if !ended {
		return batch
	}
	return unsettled(append([]*pending(nil), batch...))
}

func (w *groupWriter) exec(ctx context.Context, query string, args []any) (int64, error) {
	return w.line.exec(ctx, query, args)
}

func (w *groupWriter) query(ctx context.Context, query string, args []any) (rows, error) {
	return w.line.query(ctx, query, args)
}

func (w *groupWriter) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

func (w *groupWriter) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.hangUp()
	return w.pool.Close()
}
