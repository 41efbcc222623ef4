// Package db is the one door to the database: SQLite or PostgreSQL, behind
// one text of SQL. Read runs queries; Write runs a closure whose every effect
// commits or rolls back together. All differences between the engines live
// here and nowhere else.
//
// What was answered is durable: SQLite runs WAL with synchronous=FULL and many
// closures share one commit; PostgreSQL must run with fsync. While the store is
// away, every call answers fault.Unavailable, and works again by itself once
// the store is back.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Engine names a database engine.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is a handle of an open database. It is safe for concurrent use. What its
// statements may touch is its scope: see Scope.
type DB struct {
	*store
	scope Scope
}

// store is the open database that all handles share.
type store struct {
	engine Engine
	url    string // of SQLite: the address without its pragmas
	read   *sql.DB
	pool   *pgxpool.Pool // nil on SQLite
	on     *readers      // what Read runs on; nil on PostgreSQL
	writer writer
	clock  func() time.Time
	trace  func(query string, args []any) // may be nil
	hub    hub
	wire   *wire // to the other processes; nil on SQLite
	count  counters

	attached sync.Map // see Attach
}

// writer runs closures in transactions; it differs per engine.
type writer interface {
	write(ctx context.Context, scope Scope, f func(*Tx) error) error
	waiting() int
	close() error
}

// Options of Open; the zero value is what production uses.
type Options struct {
	// Clock gives tx.Now; time.Now where nil.
	Clock func() time.Time
	// Queue bounds the writes that may wait; 0 is 4,096. Beyond it Write
	// refuses with fault.Unavailable.
	Queue int
	// Connections bounds the PostgreSQL pool; 0 is 32. Writes use at most
	// three quarters of it.
	Connections int
	// Unconfined lets a PostgreSQL role work for which row-level security does
	// not hold: a superuser, or one with BYPASSRLS.
	Unconfined bool
	// Trace, where set, hears of every statement before it runs, on the
	// goroutine that runs it: for tests of how statements are executed.
	Trace func(query string, args []any)
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
func (s *store) Engine() Engine { return s.engine }

// Close ends all connections. Nothing may use a handle any more.
func (s *store) Close() error {
	if s.wire != nil {
		s.wire.flush(time.Second)
	}
	if s.on != nil {
		s.on.close() // before the writer, whose end folds the WAL into the file
	}
	err := s.writer.close()
	if e := s.read.Close(); err == nil {
		err = e
	}
	return err
}

// Now is the clock of the database handle, for what is not in a transaction.
func (s *store) Now() Time { return At(s.clock()) }

// Read runs f with a Tx on the connections for reading. Each statement sees
// what was committed before it; there is no snapshot over several.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return refusal(err)
	}
	if d.engine == Postgres {
		if _, bounded := ctx.Deadline(); !bounded {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, statementTimeout)
			defer cancel()
		}
	}
	tx := &Tx{Now: d.Now(), ctx: ctx, db: d.store}
	if d.engine == Postgres {
		tx.on = shared{d.pool, d.scope}
	} else {
		tx.on = d.on
	}
	err := f(tx)
	tx.end()
	return refusal(err)
}

// Write runs f in a transaction and answers after the commit it depends on.
// Whatever f returns rolls its effects back and is answered as it is. f may
// run more than once and touches nothing outside tx before it returns.
//
// A commit whose outcome cannot be known answers fault.Unavailable with the
// code result_unknown; a full queue overloaded; a store that is away
// store_unavailable; a lock not had before ctx's deadline deadline_exceeded. A
// panic of f is answered as *Panic. When ctx ends before f runs, f is skipped;
// once it runs, the end of ctx no longer interrupts it.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return refusal(err)
	}
	return refusal(d.writer.write(ctx, d.scope, f))
}

// Ping shows that the database takes writes: it commits a tiny one, so a full
// disk or a store gone read-only is noticed. It needs the schema.
func (d *DB) Ping(ctx context.Context) error {
	return d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO probes (id, probed_at) VALUES (1, $1)
			ON CONFLICT (id) DO UPDATE SET probed_at = EXCLUDED.probed_at`, tx.Now)
		return err
	})
}

// Stats are figures of one DB since Open.
type Stats struct {
	Waiting   int   // writes in the queue now
	Closures  int64 // writes committed
	Commits   int64 // transactions they took: fewer than closures under group commit
	Retries   int64 // transactions run again after a conflict or a lost connection
	Unknown   int64 // commits whose outcome is unknown
	Listening bool  // notices of other processes arrive
}

type counters struct {
	closures, commits, retries, unknown atomic.Int64
}

// Stats reads the figures.
func (s *store) Stats() Stats {
	return Stats{
		Waiting:   s.writer.waiting(),
		Closures:  s.count.closures.Load(),
		Commits:   s.count.commits.Load(),
		Retries:   s.count.retries.Load(),
		Unknown:   s.count.unknown.Load(),
		Listening: s.wire != nil && s.wire.listening.Load(),
	}
}
