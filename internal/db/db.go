// Package db is the one door to the database: SQLite or PostgreSQL, behind
// one text of SQL. Read runs queries; Write runs a closure whose every effect
// commits or rolls back together. All differences between the engines live
// here and nowhere else.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
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
	reads  statements // what Read runs on
	writer writer
	clock  func() time.Time
	hub    hub
	wire   *wire // to the other processes; nil on SQLite
}

// writer runs closures in transactions; it differs per engine.
type writer interface {
	write(ctx context.Context, f func(*Tx) error) error
	ping(ctx context.Context) error
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
	if r, ok := d.reads.(*readers); ok {
		r.close()
	}
	err := d.writer.close()
	if e := d.read.Close(); err == nil {
		err = e
	}
	return err
}

// Now is the clock of the database handle, for what is not in a transaction.
func (d *DB) Now() Time { return At(d.clock()) }

// Read runs f with a Tx on the connections for reading. Each statement sees
// what was committed before it; there is no snapshot over several.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	tx := &Tx{Now: d.Now(), ctx: ctx, db: d, on: d.reads}
	return refusal(f(tx))
}

// Write runs f in a transaction and answers after the commit it depends on.
// Whatever f returns rolls its effects back and is answered as it is. f may
// run more than once and touches nothing outside tx before it returns. A
// commit whose outcome cannot be known answers fault.Unavailable with the code
// result_unknown.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return refusal(d.writer.write(ctx, f))
}

// Ping probes a write that leaves nothing behind: a store that only reads, or
// whose disk is full, does not pass.
func (d *DB) Ping(ctx context.Context) error { return refusal(d.writer.ping(ctx)) }

// protect turns a panic of f into its error, and what f ignored into one.
func protect(f func(*Tx) error, tx *Tx) (err error) {
	defer tx.end()
	defer func() {
		if r := recover(); r != nil {
			err = &Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	return tx.failed
}
