package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

func openPostgres(ctx context.Context, url string, o Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the PostgreSQL address cannot be read")
	}
	cfg.MaxConns = int32(o.Connections)
	cfg.MaxConnIdleTime = settle
	cfg.ConnConfig.ConnectTimeout = 3 * time.Second
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	var fsync string
	if err := p.QueryRow(ctx, "SHOW fsync").Scan(&fsync); err != nil {
		p.Close()
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if fsync != "on" {
		p.Close()
		return nil, fmt.Errorf("db: PostgreSQL runs with fsync=%s; it must be on, or answered writes could be lost", fsync)
	}
	d := &DB{engine: Postgres, read: stdlib.OpenDBFromPool(p), clock: o.Clock}
	d.reads = direct{d.read}
	d.wire = &wire{pool: p, hub: &d.hub, self: rand.Text(), waiting: map[Notice]struct{}{}, wake: make(chan struct{}, 1)}
	d.writer = &poolWriter{db: d, pool: p, limit: int64(o.Queue)}
	return d, nil
}

// poolWriter runs each closure in its own READ COMMITTED transaction.
type poolWriter struct {
	db      *DB
	pool    *pgxpool.Pool
	limit   int64
	waiting atomic.Int64
}

// Bounds of a write on PostgreSQL.
const (
	writeDeadline = 30 * time.Second // of one attempt, waiting for locks included
	writeAttempts = 12               // on serialization failures and deadlocks
)

func (w *poolWriter) write(ctx context.Context, f func(*Tx) error) error {
	if w.waiting.Add(1) > w.limit {
		w.waiting.Add(-1)
		return overloaded()
	}
	defer w.waiting.Add(-1)
	var err error
	for attempt := range writeAttempts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = w.attempt(ctx, f)
		if !conflicted(err) {
			return err
		}
		pause := time.NewTimer(time.Duration(mathrand.Int64N(int64(2*time.Millisecond) << min(attempt, 6))))
		<-pause.C
	}
	return unavailable(err)
}

func (w *poolWriter) attempt(ctx context.Context, f func(*Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeDeadline)
	defer cancel()
	t, err := w.db.read.BeginTx(ctx, nil)
	if err != nil {
		return &failure{"BEGIN", err}
	}
	tx := &Tx{Now: w.db.Now(), ctx: ctx, db: w.db, on: inTx{t}, write: true}
	if err := protect(f, tx); err != nil {
		_ = t.Rollback()
		return err
	}
	if err := t.Commit(); err != nil {
		if conflicted(err) {
			return err
		}
		return unknown(err)
	}
	tx.committed()
	return nil
}

func (w *poolWriter) close() error {
	w.pool.Close()
	return nil
}

type inTx struct{ tx *sql.Tx }

func (t inTx) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, query, args...)
}

func (t inTx) query(ctx context.Context, query string, args []any) (result, error) {
	rows, err := t.tx.QueryContext(ctx, query, args...)
	return result{Rows: rows}, err
}

// ping writes and rolls back.
func (w *poolWriter) ping(ctx context.Context) error {
	err := w.attempt(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO throttle (subject, failures, blocked_until, updated_at) VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING`, "probe"); err != nil {
			return err
		}
		return errProbe
	})
	if errors.Is(err, errProbe) {
		return nil
	}
	return err
}
