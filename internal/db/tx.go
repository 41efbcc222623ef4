package db

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Row is one row of a result, to be scanned once.
type Row interface{ Scan(dest ...any) error }

// statements is what a Tx runs on: a connection inside a transaction, or the
// connections for reading.
type statements interface {
	exec(ctx context.Context, query string, args []any) (changed int64, err error)
	query(ctx context.Context, query string, args []any) (rows, error)
}

// rows is the result of a query; Close gives back what it holds.
type rows interface {
	Row
	Next() bool
	Err() error
	Close() error
}

// Tx is the one handle through which SQL runs. Inside Write it is a
// transaction; inside Read each statement sees what was committed before it
// and changes are refused. A Tx belongs to one goroutine and dies with its
// closure.
//
// After a statement that failed, a transaction is dead on both engines:
// further statements are refused and nothing of it commits. So return at once;
// where a row may exist already, say ON CONFLICT.
type Tx struct {
	// Now is the clock of everything this transaction writes.
	Now Time

	ctx    context.Context
	db     *store
	on     statements
	write  bool
	failed error // the first statement that failed
	values map[any]any
	after  []func()
	topics []Notice
	held   []change // of Together; nil outside of it
}

// Context bounds the statements of the transaction. It is the writer's, not a
// request's: one client's disconnect cannot end a shared transaction.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Engine says which database this is, for the few places that may differ.
func (tx *Tx) Engine() Engine { return tx.db.engine }

// Value gives what SetValue kept under key in this transaction, else what the
// handle has attached, or nil.
func (tx *Tx) Value(key any) any {
	if v, ok := tx.values[key]; ok {
		return v
	}
	v, _ := tx.db.attached.Load(key)
	return v
}

// SetValue keeps something for the length of the transaction, such as the
// number of audit rows written so far. Use a private type as key.
func (tx *Tx) SetValue(key, value any) {
	if tx.values == nil {
		tx.values = map[any]any{}
	}
	tx.values[key] = value
}

// AfterCommit runs f once the transaction is durable, before Write answers, on
// the goroutine that called Write; never after a rollback. f must not block and
// must not use tx.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// MaxPayload is the longest payload that Publish takes, in bytes.
const MaxPayload = 2000

// Publish tells subscribers of topic once the transaction is durable: in this
// process before Write answers, and in every other process on the same
// PostgreSQL while Run runs. It is a hint that may be lost when a process dies:
// whoever must not miss anything reads the database. A payload longer than
// MaxPayload is a mistake of the program and panics.
func (tx *Tx) Publish(topic, payload string) {
	if len(topic)+len(payload) > MaxPayload {
		panic(fmt.Sprintf("db: a notice of %d bytes on %s", len(payload), topic))
	}
	tx.topics = append(tx.topics, Notice{Topic: topic, Payload: payload})
}

// committed does what waited for the commit.
func (tx *Tx) committed() {
	for _, f := range tx.after {
		f()
	}
	for _, n := range tx.topics {
		tx.db.hub.deliver(n)
	}
	if len(tx.topics) > 0 && tx.db.wire != nil {
		tx.db.wire.send(tx.topics)
	}
}

// end makes the Tx useless: its closure has returned.
func (tx *Tx) end() { tx.on = ended{} }

type ended struct{}

func (ended) exec(context.Context, string, []any) (int64, error) { return 0, errEnded }
func (ended) query(context.Context, string, []any) (rows, error) { return nil, errEnded }

// start checks what both engines must agree on before a statement runs.
func (tx *Tx) start(query string, args []any) error {
	if tx.db.trace != nil {
		tx.db.trace(query, args)
	}
	if tx.failed != nil {
		return fmt.Errorf("%w: %w", errDead, tx.failed)
	}
	if steers(query) {
		return tx.broken(query, errSteers)
	}
	return storable(args)
}

// steers reports a statement that would begin, end or divide the transaction,
// which is shared and not its closure's to steer.
func steers(query string) bool {
	word := query
	for {
		word = strings.TrimLeft(word, " \t\r\n;")
		switch {
		case strings.HasPrefix(word, "--"):
			_, word, _ = strings.Cut(word, "\n")
			continue
		case strings.HasPrefix(word, "/*"):
			_, word, _ = strings.Cut(word, "*/")
			continue
		}
		break
	}
	end := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })
	if end >= 0 {
		word = word[:end]
	}
	if len(word) < len("END") || len(word) > len("SAVEPOINT") {
		return false
	}
	switch strings.ToUpper(word) {
	case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE":
		return true
	}
	return false
}

// broken notes a statement that failed.
func (tx *Tx) broken(query string, err error) error {
	err = &failure{query, err}
	if tx.write && tx.failed == nil {
		tx.failed = err
	}
	return err
}

// storable refuses text that only one of the engines takes.
func storable(args []any) error {
	for _, a := range args {
		switch v := a.(type) {
		case string:
			if !clean(v) {
				return badText()
			}
		case *string:
			if v != nil && !clean(*v) {
				return badText()
			}
		case nil, int64, int, bool, Time, []byte:
		default:
			if v := reflect.Indirect(reflect.ValueOf(a)); v.Kind() == reflect.String && !clean(v.String()) {
				return badText()
			}
		}
	}
	return nil
}

func clean(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if !tx.write {
		return 0, errReadOnly
	}
	if err := tx.start(query, args); err != nil {
		return 0, err
	}
	changed, err := tx.on.exec(tx.ctx, query, args)
	if err != nil {
		return 0, tx.broken(query, err)
	}
	return changed, nil
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

// One runs a query for its first row; ErrNoRows where there is none. scan must
// not use the transaction.
func One[T any](tx *Tx, scan func(Row) (T, error), query string, args ...any) (T, error) {
	var zero T
	if err := tx.start(query, args); err != nil {
		return zero, err
	}
	rows, err := tx.on.query(tx.ctx, query, args)
	if err != nil {
		return zero, tx.broken(query, err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, tx.broken(query, err)
		}
		return zero, ErrNoRows
	}
	v, err := scan(rows)
	if err != nil {
		return zero, fmt.Errorf("%w\nin %s", err, query)
	}
	// A statement that changes rows is finished only when all were read.
	for tx.write && rows.Next() {
	}
	if err := rows.Err(); err != nil {
		return zero, tx.broken(query, err)
	}
	return v, nil
}

// All runs a query for all its rows; none is an empty slice. The query holds
// a LIMIT wherever its result could grow. scan must not use the transaction.
func All[T any](tx *Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	return Upto(tx, 0, scan, query, args...)
}

// Upto is All with room for n rows made at once, for pages of wide rows.
func Upto[T any](tx *Tx, n int, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	if err := tx.start(query, args); err != nil {
		return nil, err
	}
	rows, err := tx.on.query(tx.ctx, query, args)
	if err != nil {
		return nil, tx.broken(query, err)
	}
	defer rows.Close()
	all := make([]T, 0, n)
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%w\nin %s", err, query)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, tx.broken(query, err)
	}
	return all, nil
}
