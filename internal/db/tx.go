package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrNoRows is what One answers when nothing matched. Domain packages turn it
// into their own not-found fault.
var ErrNoRows = sql.ErrNoRows

// Row is one row of a result, to be scanned once.
type Row interface{ Scan(dest ...any) error }

// statements is what a Tx runs on: a connection inside a transaction, or the
// read pool.
type statements interface {
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
}

// Tx is the one handle through which SQL runs. Inside Write it is a
// transaction; inside Read each statement sees what was committed before it
// and changes are refused. A Tx belongs to one goroutine and dies with its
// closure.
type Tx struct {
	// Now is the clock of everything this transaction writes.
	Now Time

	ctx    context.Context
	db     *DB
	on     statements
	write  bool
	values map[any]any
	after  []func()
	topics []Notice
}

// Context bounds the statements of the transaction. It is the writer's, not a
// request's: one client's disconnect cannot end a shared transaction.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Engine says which database this is, for the few places that may differ.
func (tx *Tx) Engine() Engine { return tx.db.engine }

// Value gives what SetValue kept under key in this transaction, or nil.
func (tx *Tx) Value(key any) any { return tx.values[key] }

// SetValue keeps something for the length of the transaction, such as the
// number of audit rows written so far. Use a private type as key.
func (tx *Tx) SetValue(key, value any) {
	if tx.values == nil {
		tx.values = map[any]any{}
	}
	tx.values[key] = value
}

// AfterCommit runs f once the transaction is durable, before Write answers;
// never after a rollback. f must not block and must not use tx.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Publish tells subscribers of topic, in this process and every other one on
// the same database, once the transaction is durable. It is a hint that may be
// lost when a process dies: whoever must not miss anything reads the database.
func (tx *Tx) Publish(topic, payload string) {
	tx.topics = append(tx.topics, Notice{Topic: topic, Payload: payload})
}

var errReadOnly = errors.New("db: a change inside Read")

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if !tx.write {
		return 0, errReadOnly
	}
	res, err := tx.on.exec(tx.ctx, query, args)
	if err != nil {
		return 0, fmt.Errorf("%w\nin %s", err, query)
	}
	return res.RowsAffected()
}

// Insert runs an INSERT … RETURNING id and gives the id. With ON CONFLICT DO
// NOTHING it answers ErrNoRows when the row existed.
func (tx *Tx) Insert(query string, args ...any) (int64, error) {
	return One(tx, Int64, query, args...)
}

// Int64 scans a row of one number.
func Int64(r Row) (n int64, err error) { return n, r.Scan(&n) }

// String scans a row of one text.
func String(r Row) (s string, err error) { return s, r.Scan(&s) }

// One runs a query for its first row; ErrNoRows where there is none.
func One[T any](tx *Tx, scan func(Row) (T, error), query string, args ...any) (T, error) {
	var zero T
	rows, err := tx.on.query(tx.ctx, query, args)
	if err != nil {
		return zero, fmt.Errorf("%w\nin %s", err, query)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, fmt.Errorf("%w\nin %s", err, query)
		}
		return zero, ErrNoRows
	}
	v, err := scan(rows)
	if err != nil {
		return zero, fmt.Errorf("%w\nin %s", err, query)
	}
	return v, rows.Close()
}

// All runs a query for all its rows; none is an empty slice. The query holds
// a LIMIT wherever its result could grow.
func All[T any](tx *Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.on.query(tx.ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("%w\nin %s", err, query)
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%w\nin %s", err, query)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%w\nin %s", err, query)
	}
	return all, nil
}
