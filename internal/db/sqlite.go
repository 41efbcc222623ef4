package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	w, err := sql.Open("sqlite", "file:"+path+pragmas+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	conn, err := w.Conn(ctx)
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := checkSQLite(ctx, conn); err != nil {
		w.Close()
		return nil, err
	}
	r, err := sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	n := max(4, 2*runtime.NumCPU())
	r.SetMaxOpenConns(n)
	r.SetMaxIdleConns(n)
	rs, err := openReaders(ctx, r, n)
	if err != nil {
		w.Close()
		r.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d := &DB{engine: SQLite, read: r, reads: rs, clock: o.Clock}
	d.writer = &groupWriter{db: d, pool: w, conn: conn, limit: o.Queue, stmts: map[string]*sql.Stmt{}}
	return d, nil
}

// checkSQLite refuses anything less durable than WAL with synchronous=FULL.
func checkSQLite(ctx context.Context, conn *sql.Conn) error {
	var mode string
	var level int
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("read journal_mode: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	if mode != "wal" || level < 2 {
		return fmt.Errorf("db: SQLite runs journal_mode=%s synchronous=%d; it needs wal and 2 (FULL), or answered writes could be lost", mode, level)
	}
	return nil
}

// groupWriter is SQLite's single writer. Whoever finds it idle becomes the
// leader: it takes every closure that is waiting, runs each in a savepoint of
// one transaction, commits once and answers all; then it hands the lead to the
// next one waiting. There is no timer and no goroutine of its own: alone, a
// write is one transaction.
type groupWriter struct {
	db    *DB
	pool  *sql.DB
	conn  *sql.Conn            // used by the leader alone
	stmts map[string]*sql.Stmt // prepared on conn; used by the leader alone
	limit int

	mu    sync.Mutex // guards queue and busy
	queue []*pending
	busy  bool
}

// pending is a closure waiting for its turn.
type pending struct {
	ctx  context.Context
	f    func(*Tx) error
	tx   *Tx
	err  error
	done chan struct{} // closed when err is final
	lead chan struct{} // closed when this one is to lead
}

// answer is the closure's result; what waited for the commit is done first.
func (p *pending) answer() error {
	if p.err == nil {
		p.tx.committed()
	}
	return p.err
}

func (w *groupWriter) write(ctx context.Context, f func(*Tx) error) error {
	p := &pending{ctx: ctx, f: f, done: make(chan struct{}), lead: make(chan struct{})}
	w.mu.Lock()
	if len(w.queue) >= w.limit {
		w.mu.Unlock()
		return overloaded()
	}
	w.queue = append(w.queue, p)
	leads := !w.busy
	w.busy = true
	w.mu.Unlock()
	if !leads {
		select {
		case <-p.done:
			return p.answer()
		case <-p.lead:
		}
	}
	w.leadOnce()
	return p.answer()
}

// leadOnce runs everything that waits now and passes the lead on.
func (w *groupWriter) leadOnce() {
	w.mu.Lock()
	batch := w.queue
	w.queue = nil
	w.mu.Unlock()
	w.runBatch(batch)
	for _, p := range batch {
		close(p.done)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.busy = false
		return
	}
	close(w.queue[0].lead)
}

// runBatch runs the closures until each has its answer. When one of them ends
// the shared transaction (a full disk does), it alone is answered with that
// and the others run again in a new one.
func (w *groupWriter) runBatch(batch []*pending) {
	ctx := context.Background()
	for len(batch) > 0 {
		if _, err := w.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
			answer(batch, unavailable(err))
			return
		}
		ran, lost := w.runAll(ctx, batch)
		if lost != nil {
			_, _ = w.exec(ctx, "ROLLBACK", nil)
			lost.err = unavailable(lost.err)
			batch = without(batch, lost)
			continue
		}
		if _, err := w.exec(ctx, "COMMIT", nil); err != nil {
			_, _ = w.exec(ctx, "ROLLBACK", nil)
			answer(ran, unknown(err))
			return
		}
		return
	}
}

// runAll runs each closure in a savepoint. ran are those with effects to
// commit; lost is the one under which the transaction ended.
func (w *groupWriter) runAll(ctx context.Context, batch []*pending) (ran []*pending, lost *pending) {
	for _, p := range batch {
		if p.err = p.ctx.Err(); p.err != nil {
			continue
		}
		if _, err := w.exec(ctx, "SAVEPOINT closure", nil); err != nil {
			p.err = err
			return nil, p
		}
		p.tx = &Tx{Now: w.db.Now(), ctx: ctx, db: w.db, on: w, write: true}
		p.err = protect(p.f, p.tx)
		if p.err != nil {
			if _, err := w.exec(ctx, "ROLLBACK TO closure", nil); err != nil {
				return nil, p
			}
		} else {
			ran = append(ran, p)
		}
		if _, err := w.exec(ctx, "RELEASE closure", nil); err != nil {
			p.err = errors.Join(errLost, err)
			return nil, p
		}
	}
	return ran, nil
}

func answer(batch []*pending, err error) {
	for _, p := range batch {
		p.err = err
	}
}

func without(batch []*pending, gone *pending) (rest []*pending) {
	for _, p := range batch {
		if p != gone && p.ctx.Err() == nil {
			rest = append(rest, p)
		} else if p != gone {
			p.err = p.ctx.Err()
		}
	}
	return rest
}

func (w *groupWriter) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

func (w *groupWriter) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (w *groupWriter) query(ctx context.Context, query string, args []any) (result, error) {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return result{}, err
	}
	rows, err := s.QueryContext(ctx, args...)
	return result{Rows: rows}, err
}

// ping takes the write lock and touches the file's header, then undoes it.
func (w *groupWriter) ping(ctx context.Context) error {
	err := w.write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO throttle (subject, failures, blocked_until, updated_at) VALUES ($1, 0, 0, 0)`, "probe"); err != nil {
			return err
		}
		return errProbe
	})
	if errors.Is(err, errProbe) {
		return nil
	}
	return err
}

func (w *groupWriter) close() error {
	for _, s := range w.stmts {
		s.Close()
	}
	if err := w.conn.Close(); err != nil {
		return err
	}
	return w.pool.Close()
}

// settle is how long a connection may idle before it is replaced.
const settle = 5 * time.Minute

// release gives the connection back to its pool, for a migration.
func (w *groupWriter) release() error {
	for _, s := range w.stmts {
		s.Close()
	}
	clear(w.stmts)
	return w.conn.Close()
}

// acquire takes the connection again; it cannot fail but with the pool closed.
func (w *groupWriter) acquire(ctx context.Context) {
	if c, err := w.pool.Conn(ctx); err == nil {
		w.conn = c
	}
}
