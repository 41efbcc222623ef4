package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Lead is the right to be the only one, among all processes on a database, who
// does some work. On PostgreSQL it is a session advisory lock and the
// connection that holds it: what is written through Write runs on that very
// connection, so a leader that has lost it can commit nothing more, and the
// next one takes over as soon as the server has noticed. On SQLite, where one
// process writes, it is always granted.
//
// A Lead belongs to one goroutine and ends with Close.
type Lead struct {
	db   *DB
	conn *pgxpool.Conn // nil on SQLite
	key  int64
}

// Lead asks for the leadership named key; ok is false while somebody else has
// it. It does not wait.
func (d *DB) Lead(ctx context.Context, key int64) (l *Lead, ok bool, err error) {
	l = &Lead{db: d, key: key}
	if d.engine == SQLite {
		return l, true, nil
	}
	if l.conn, err = d.pool.Acquire(ctx); err != nil {
		return nil, false, refusal(err)
	}
	if err := l.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&ok); err != nil {
		l.discard()
		return nil, false, refusal(err)
	}
	if !ok {
		l.conn.Release()
		return nil, false, nil
	}
	return l, true, nil
}

// Write is DB.Write on the leader's own connection, without another attempt:
// after an error that is not f's the leadership is best given up.
func (l *Lead) Write(ctx context.Context, f func(*Tx) error) error {
	if l.conn == nil {
		return l.db.Write(ctx, f)
	}
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	t, err := l.db.scope.begin(ctx, l.conn)
	if err != nil {
		return refusal(err)
	}
	tx := &Tx{Now: l.db.Now(), ctx: ctx, db: l.db.store, on: inTx{t}, write: true}
	err = protect(f, tx)
	tx.end()
	if err != nil {
		return refusal(errors.Join(err, ignoreDone(t.Rollback(ctx))))
	}
	if err := t.Commit(ctx); err != nil {
		return unknown(err)
	}
	tx.committed()
	return nil
}

// Read is DB.Read on the leader's own connection, and so fails when that is
// lost.
func (l *Lead) Read(ctx context.Context, f func(*Tx) error) error {
	if l.conn == nil {
		return l.db.Read(ctx, f)
	}
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	tx := &Tx{Now: l.db.Now(), ctx: ctx, db: l.db.store, on: onConn{l.conn, l.db.scope}}
	err := f(tx)
	tx.end()
	return refusal(err)
}

// Close gives the leadership up. A connection that cannot say that it has let
// go of the lock is closed, which frees it as surely.
func (l *Lead) Close() error {
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var freed bool
	err := l.conn.QueryRow(ctx, "SELECT pg_advisory_unlock($1)", l.key).Scan(&freed)
	if err != nil || !freed {
		l.discard()
		return nil
	}
	l.conn.Release()
	return nil
}

// discard ends the connection itself instead of returning it to the pool.
func (l *Lead) discard() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Hijack().Close(ctx)
}

func ignoreDone(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}
