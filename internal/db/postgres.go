package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Bounds of a write on PostgreSQL, and of a read whose context has none.
const (
	writeDeadline    = 30 * time.Second // of all attempts, waiting for locks included; a request's own may be earlier
	statementTimeout = 30 * time.Second
	commitGrace      = 10 * time.Second // how much longer a COMMIT may take than what went before it
	poolWait         = 5 * time.Second  // for a connection
	writeAttempts    = 12               // on serialization failures and deadlocks
	reconnects       = 2                // of one write whose connection was lost before its commit
	idleFor          = 5 * time.Minute  // until a connection is closed
)

func openPostgres(ctx context.Context, url string, o Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("db: the PostgreSQL address cannot be read") // the cause may show the password
	}
	cfg.MaxConns = int32(o.Connections)
	cfg.MaxConnIdleTime = idleFor
	cfg.ConnConfig.ConnectTimeout = 3 * time.Second
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "tenantry"
	}
	cfg.AfterConnect = expectMemory
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if err := checkPostgres(ctx, p, o.Unconfined); err != nil {
		p.Close()
		return nil, err
	}
	s := &store{engine: Postgres, read: stdlib.OpenDBFromPool(p), pool: p, clock: o.Clock, trace: o.Trace, wire: newWire(p)}
	s.writer = &poolWriter{db: s, pool: p, limit: int64(o.Queue), slots: make(chan struct{}, max(1, o.Connections*3/4))}
	return &DB{store: s}, nil
}

// expectMemory tells the planner, unless the operator has told it otherwise,
// that a page read out of order costs about as much as one in order, as it does
// in memory and on solid-state disks. From the default, made for turning disks,
// it takes a whole scope by bitmap and sorts it to give a page that an index
// holds in order. Nor is a statement compiled (jit): policies let its estimate
// look as if that paid, which for short ones it never does.
func expectMemory(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config(name, CASE name WHEN 'jit' THEN 'off' ELSE '1.1' END, false) FROM pg_settings
		WHERE name IN ('random_page_cost', 'jit') AND source = 'default'`)
	return err
}

// checkPostgres refuses a server that could lose what it has answered, or that
// keeps text in another encoding, and a role that no policy holds.
func checkPostgres(ctx context.Context, p *pgxpool.Pool, unconfined bool) error {
	var fsync, pages, commit, encoding string
	var above bool
	err := p.QueryRow(ctx, `SELECT COALESCE(current_setting('fsync', true), 'on'), COALESCE(current_setting('full_page_writes', true), 'on'),
		COALESCE(current_setting('synchronous_commit', true), 'on'), COALESCE(current_setting('server_encoding', true), 'UTF8'),
		(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)`).
		Scan(&fsync, &pages, &commit, &encoding, &above)
	switch {
	case err != nil:
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	case fsync != "on" || pages != "on" || commit == "off":
		return fmt.Errorf("db: PostgreSQL runs with fsync=%s full_page_writes=%s synchronous_commit=%s; none may be off, or answered writes could be lost", fsync, pages, commit)
	case encoding != "UTF8":
		return fmt.Errorf("db: the PostgreSQL database is encoded in %s; it must be UTF8", encoding)
	case above && !unconfined:
		return errors.New("db: the PostgreSQL role is a superuser or has BYPASSRLS, so row-level security would not hold it; use a plain role that owns the database, or say --allow-bypass-rls")
	}
	return nil
}

// poolWriter runs each closure in its own READ COMMITTED transaction.
type poolWriter struct {
	db    *store
	pool  *pgxpool.Pool
	limit int64
	slots chan struct{} // one per write under way: reads keep the other connections
	queue atomic.Int64  // writes waiting or under way
}

func (w *poolWriter) write(ctx context.Context, scope Scope, f func(*Tx) error) error {
	deadline := time.Now().Add(writeDeadline)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := w.enter(ctx); err != nil {
		return err
	}
	defer w.leave()
	for attempt, lost := 0, 0; ; attempt++ {
		again, err := w.attempt(ctx, deadline, scope, f)
		switch {
		case again == never, attempt+1 == writeAttempts, time.Now().After(deadline):
			return err
		case again == reconnected:
			if lost++; lost > reconnects {
				return err
			}
		}
		w.db.count.retries.Add(1)
		pause(ctx, rand.N(2*time.Millisecond<<min(attempt, 6)))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// enter waits for a place, in a queue that is bounded in length and time.
func (w *poolWriter) enter(ctx context.Context) error {
	if w.queue.Add(1) > w.limit {
		w.queue.Add(-1)
		return overloaded()
	}
	select {
	case w.slots <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(poolWait)
	defer patience.Stop()
	var err error
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-patience.C:
		err = overloaded()
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.queue.Add(-1)
	return err
}

func (w *poolWriter) leave() {
	<-w.slots
	w.queue.Add(-1)
}

// retry says why an attempt is worth another one.
type retry int

const (
	never       retry = iota
	collided          // with another transaction
	reconnected       // its connection was lost, surely before the commit
)

// attempt runs f once. Its statements run until the deadline, whatever becomes
// of ctx; its commit gets longer, because to break it off is to know nothing.
func (w *poolWriter) attempt(ctx context.Context, deadline time.Time, scope Scope, f func(*Tx) error) (retry, error) {
	whole, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(commitGrace))
	defer cancel()
	part, cancel := context.WithDeadline(whole, deadline)
	defer cancel()
	conn, err := w.connect(part)
	if err != nil {
		return never, err
	}
	defer conn.Release()
	t, err := scope.begin(whole, conn)
	if err != nil {
		return w.after(&failure{"BEGIN", err})
	}
	committed := false
	defer func() {
		if !committed {
			_ = t.Rollback(whole)
		}
	}()
	tx := &Tx{Now: w.db.Now(), ctx: part, db: w.db, on: inTx{t}, write: true}
	if err := protect(f, tx); err != nil {
		if tx.failed != nil {
			if again, _ := w.after(tx.failed); again != never {
				return again, tx.failed
			}
		}
		return never, err
	}
	if err := part.Err(); err != nil {
		return never, err
	}
	committed = true
	if err := t.Commit(whole); err != nil {
		if conflicted(err) {
			return collided, &failure{"COMMIT", err}
		}
		w.db.count.unknown.Add(1)
		return never, unknown(err)
	}
	w.db.count.commits.Add(1)
	w.db.count.closures.Add(1)
	tx.committed()
	return never, nil
}

// connect takes a connection from the pool, for which it waits a bounded time.
func (w *poolWriter) connect(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, poolWait)
	defer cancel()
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return conn, nil
}

// after decides what a failed statement before the commit calls for.
func (w *poolWriter) after(err error) (retry, error) {
	var pg *pgconn.PgError
	switch {
	case conflicted(err):
		return collided, err
	case errors.As(err, &pg) && pg.Code == "25006":
		w.pool.Reset() // the primary is another server now
	case disconnected(err) && !errors.Is(err, context.DeadlineExceeded):
		return reconnected, err
	}
	return never, err
}

func (w *poolWriter) waiting() int { return int(max(0, w.queue.Load()-int64(len(w.slots)))) }

func (w *poolWriter) close() error {
	w.pool.Close()
	return nil
}
