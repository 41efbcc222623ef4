// Package db is the one door to the database: SQLite or PostgreSQL, behind
// one text of SQL. Read runs queries; Write runs a closure whose every effect
// commits or rolls back together. All differences between the engines live
// here and nowhere else.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// Engine names a database engine.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	read   *sql.DB
	writer writer
	clock  func() time.Time
	hub    hub

	stmts sync.Map // query text → *sql.Stmt on the read pool (SQLite only)
}

// writer runs closures in transactions; it differs per engine.
type writer interface {
	write(ctx context.Context, f func(*Tx) error) error
	close() error
}

// Options of Open; the zero value is what production uses.
type Options struct {
	// Clock gives tx.Now; time.Now where nil.
	Clock func() time.Time
	// Queue bounds the writes that may wait; 0 is 4,096. Beyond it Write
	// refuses with fault.Unavailable.
	Queue int
	// Connections bounds the PostgreSQL pool; 0 is 32.
	Connections int
}

// Open connects to url, sqlite:PATH or postgres://…, and checks that it is
// durable: SQLite must run WAL with synchronous=FULL, PostgreSQL with fsync.
// It does not migrate; see Migrate.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Queue == 0 {
		o.Queue = 4096
	}
	if o.Connections == 0 {
		o.Connections = 32
	}
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(url, "sqlite:"), o)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url, o)
	}
	return nil, fmt.Errorf("db: the address must begin with sqlite: or postgres://")
}

// Engine says which database this is.
func (d *DB) Engine() Engine { return d.engine }

// Close ends all connections. Nothing may use the DB any more.
func (d *DB) Close() error {
	err := d.writer.close()
	if e := d.read.Close(); err == nil {
		err = e
	}
	return err
}

// Now is the clock of the database handle, for what is not in a transaction.
func (d *DB) Now() Time { return At(d.clock()) }

// Read runs f with a Tx on the read pool. Each statement sees what was
// committed before it; there is no snapshot over several.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	tx := &Tx{Now: d.Now(), ctx: ctx, db: d, on: pool{d}}
	return d.refusal(f(tx))
}

// Write runs f in a transaction and answers after the commit it depends on.
// Whatever f returns rolls its effects back and is answered as it is. f may
// run more than once and touches nothing outside tx before it returns. A
// commit whose outcome cannot be known answers fault.Unavailable with the code
// result_unknown.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return d.refusal(d.writer.write(ctx, f))
}

// unavailable is the refusal while the store is away.
func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "store_unavailable", "The database does not answer; try again shortly.").
		After(time.Second).Because(cause)
}

// overloaded is the refusal when too many writes wait.
func overloaded() error {
	return fault.New(fault.Unavailable, "overloaded", "Too many changes are waiting; try again shortly.").After(time.Second)
}

// unknown is the refusal after a commit that failed: it may have happened.
func unknown(cause error) error {
	return fault.New(fault.Unavailable, "result_unknown",
		"The change may or may not have been made. Look before trying again, or repeat it with its Idempotency-Key.").
		After(time.Second).Because(cause)
}

// Notice is something published: see Tx.Publish.
type Notice struct{ Topic, Payload string }

// hub hands notices to the subscribers of this process.
type hub struct {
	mu   sync.Mutex // guards subs
	subs map[string]map[*func(string)]struct{}
}

// Subscribe calls f for every notice on topic until cancel is called. f runs
// on the publisher's goroutine: it must not block.
func (d *DB) Subscribe(topic string, f func(payload string)) (cancel func()) {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	if d.hub.subs == nil {
		d.hub.subs = map[string]map[*func(string)]struct{}{}
	}
	if d.hub.subs[topic] == nil {
		d.hub.subs[topic] = map[*func(string)]struct{}{}
	}
	key := &f
	d.hub.subs[topic][key] = struct{}{}
	return func() {
		d.hub.mu.Lock()
		defer d.hub.mu.Unlock()
		delete(d.hub.subs[topic], key)
	}
}

func (h *hub) deliver(n Notice) {
	h.mu.Lock()
	fs := make([]func(string), 0, len(h.subs[n.Topic]))
	for f := range h.subs[n.Topic] {
		fs = append(fs, *f)
	}
	h.mu.Unlock()
	for _, f := range fs {
		f(n.Payload)
	}
}

// committed does what waited for the commit.
func (tx *Tx) committed() {
	for _, f := range tx.after {
		f()
	}
	for _, n := range tx.topics {
		tx.db.hub.deliver(n)
	}
}

// pool runs the statements of Read on the read pool.
type pool struct{ db *DB }

func (p pool) exec(context.Context, string, []any) (sql.Result, error) { return nil, errReadOnly }

func (p pool) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if p.db.engine == Postgres {
		return p.db.read.QueryContext(ctx, query, args...)
	}
	stmt, err := p.db.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// prepared keeps one statement per text; database/sql prepares it once on each
// connection. The texts are constants of the code, so the map stays small.
func (d *DB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := d.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := d.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := d.stmts.LoadOrStore(query, s); loaded {
		s.Close()
		return other.(*sql.Stmt), nil
	}
	return s, nil
}
