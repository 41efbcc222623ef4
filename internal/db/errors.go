package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenantry/tenantry/internal/fault"
)

// ErrNoRows is what One answers when nothing matched. Domain packages turn it
// into their own not-found fault.
var ErrNoRows = sql.ErrNoRows

var (
	errReadOnly = errors.New("db: a change inside Read")
	errEnded    = errors.New("db: the transaction is over")
	errDead     = errors.New("db: a statement of this transaction failed before; nothing after it counts")
	errSteers   = errors.New("db: a closure does not begin or end the transaction that it shares")
	errLost     = errors.New("db: the transaction ended under its closure")
	errClosed   = errors.New("db: closed")
)

// Panic is the error of a closure that panicked. Its transaction was rolled
// back; others of the same group commit are not affected.
type Panic struct {
	Value any
	Stack []byte
}

// Error gives the value and the stack, for the log.
func (p *Panic) Error() string { return fmt.Sprintf("panic in a write: %v\n%s", p.Value, p.Stack) }

// failure is a statement that the engine refused or could not finish.
type failure struct {
	query string
	err   error
}

func (f *failure) Error() string { return f.err.Error() + "\nin " + f.query }
func (f *failure) Unwrap() error { return f.err }

// unavailable is the refusal while the store is away.
func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "store_unavailable", "The database does not answer; try again shortly.").
		After(time.Second).Because(cause)
}

// overloaded is the refusal when too many wait.
func overloaded() error {
	return fault.New(fault.Unavailable, "overloaded", "Too many requests are waiting; try again shortly.").After(time.Second)
}

// late is the refusal when a lock or the engine took longer than the deadline.
func late(cause error) error {
	return fault.New(fault.Unavailable, "timeout", "This took too long and was given up; nothing was changed. Try again shortly.").
		After(time.Second).Because(cause)
}

// unknown is the refusal after a commit that failed: it may have happened.
func unknown(cause error) error {
	return fault.New(fault.Unavailable, "result_unknown",
		"The change may or may not have been made. Look before trying again, or repeat it with its Idempotency-Key.").
		After(time.Second).Because(cause)
}

// badText is the refusal of what PostgreSQL cannot store and SQLite would.
func badText() error {
	return fault.New(fault.BadRequest, "invalid_text", "Text must be UTF-8 without NUL characters.")
}

// refusal turns the errors of a store that is away or too slow into the fault
// that says so. Refusals of the closure itself pass as they are.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return late(err)
	}
	if f := (*failure)(nil); errors.As(err, &f) && away(f.err) {
		return unavailable(err)
	}
	return err
}

// away reports that the store, not the statement, is to blame.
func away(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "53", "57", "58": // connection, resources, operator, system
			return true
		}
		switch pg.Code {
		case "25006", "55P03", "40001", "40P01": // read-only standby, lock timeout, still in conflict
			return true
		}
		return false
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
			sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
			return true
		}
		return false
	}
	return disconnected(err)
}

// disconnected reports that the connection ended before an answer came.
func disconnected(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" || pg.Code == "57P02" || pg.Code == "57P03" || pg.Code[:2] == "08"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

// conflicted reports a failure that a new attempt can mend.
func conflicted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
