package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"sync"

	"modernc.org/sqlite" // also the driver "sqlite"
)

// pragmas hold for every SQLite connection. LIKE tells cases apart, as
// PostgreSQL's does. The journal is folded into the file every 16 MB.
const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=foreign_keys(1)&_pragma=case_sensitive_like(1)&_pragma=wal_autocheckpoint(4000)" +
	"&_pragma=journal_size_limit(67108864)&_txlock=immediate"

// writerCache is the page cache of the one connection that writes, 32 MB: rows
// that many tenants add at once lie on many pages. What a savepoint would need
// to roll back is kept in memory too: in a file it took a tenth of a write.
const writerCache = "&_pragma=cache_size(-32768)&_pragma=temp_store(MEMORY)"

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	// SQLite gives its journal the mode of the file: nobody else reads either.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	address := "file:" + (&url.URL{Path: path}).EscapedPath()
	w, err := sql.Open("sqlite", address+pragmas+writerCache)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	r, err := sql.Open("sqlite", address+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s := &store{engine: SQLite, url: address, read: r, clock: o.Clock, trace: o.Trace}
	writer := newGroupWriter(s, w, o.Queue)
	s.on, s.writer = newReaders(r, max(4, 2*runtime.NumCPU())), writer
	err = writer.ready(ctx)
	if err == nil {
		err = s.on.try(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &DB{store: s}, nil
}

// checkSQLite refuses a connection that is less durable than WAL with
// synchronous=FULL, or that would not keep the schema's rules.
func checkSQLite(ctx context.Context, conn *sql.Conn) error {
	var mode string
	var level, keys int
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("read journal_mode: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&keys); err != nil {
		return fmt.Errorf("read foreign_keys: %w", err)
	}
	if mode != "wal" || level < 2 {
		return fmt.Errorf("db: SQLite runs journal_mode=%s synchronous=%d; it needs wal and 2 (FULL), or answered writes could be lost", mode, level)
	}
	if keys != 1 {
		return errors.New("db: SQLite does not check foreign keys")
	}
	return nil
}

// statementsKept bounds the prepared statements of a connection. The texts are
// constants of the code, save for lists of values that differ in length.
const statementsKept = 512

// line is one SQLite connection with its prepared statements. One goroutine
// uses it at a time.
type line struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func dial(ctx context.Context, from *sql.DB) (*line, error) {
	conn, err := from.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkSQLite(ctx, conn); err != nil {
		conn.Close()
		return nil, err
	}
	return &line{conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// hangUp closes the connection for good.
func (l *line) hangUp() {
	for _, s := range l.stmts {
		s.Close()
	}
	_ = l.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = l.conn.Close()
}

func (l *line) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := l.stmts[query]; s != nil {
		return s, nil
	}
	for text, old := range l.stmts {
		if len(l.stmts) < statementsKept {
			break
		}
		delete(l.stmts, text)
		old.Close()
	}
	s, err := l.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	l.stmts[query] = s
	return s, nil
}

func (l *line) exec(ctx context.Context, query string, args []any) (int64, error) {
	s, err := l.stmt(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (l *line) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	s, err := l.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// readers are SQLite's connections for reading. The one used last is taken
// first: its pages and statements are warm.
type readers struct {
	pool  *sql.DB
	slots chan struct{} // one per connection in use

	mu     sync.Mutex // guards what follows
	idle   []*reader
	closed bool
}

type reader struct {
	*line
	of  *readers
	bad bool // to be closed instead of kept
}

func newReaders(pool *sql.DB, n int) *readers {
	pool.SetMaxOpenConns(n)
	return &readers{pool: pool, slots: make(chan struct{}, n)}
}

// try opens a connection and keeps it.
func (rs *readers) try(ctx context.Context) error {
	r, err := rs.acquire(ctx)
	if err == nil {
		r.release()
	}
	return err
}

func (rs *readers) acquire(ctx context.Context) (*reader, error) {
	select {
	case rs.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	rs.mu.Lock()
	if n := len(rs.idle); n > 0 {
		r := rs.idle[n-1]
		rs.idle = rs.idle[:n-1]
		rs.mu.Unlock()
		return r, nil
	}
	rs.mu.Unlock()
	l, err := dial(context.WithoutCancel(ctx), rs.pool)
	if err != nil {
		<-rs.slots
		return nil, err
	}
	return &reader{line: l, of: rs}, nil
}

func (r *reader) release() {
	r.of.mu.Lock()
	keep := !r.bad && !r.of.closed
	if keep {
		r.of.idle = append(r.of.idle, r)
	}
	r.of.mu.Unlock()
	if !keep {
		r.hangUp()
	}
	<-r.of.slots
}

// close ends the connections; one that is in use ends when it is released.
func (rs *readers) close() {
	rs.mu.Lock()
	idle := rs.idle
	rs.idle, rs.closed = nil, true
	rs.mu.Unlock()
	for _, r := range idle {
		r.hangUp()
	}
}

func (rs *readers) exec(context.Context, string, []any) (int64, error) { return 0, errReadOnly }

// read is the result of a reader's query, which gives the reader back.
type read struct {
	*sql.Rows
	from *reader
}

func (r read) Close() error {
	err := r.Rows.Close()
	r.from.release()
	return err
}

// query hands the driver a context that cannot end: one that can costs two
// goroutines a statement, a quarter of a point read. The wait for a connection
// does end with ctx.
func (rs *readers) query(ctx context.Context, query string, args []any) (rows, error) {
	r, err := rs.acquire(ctx)
	if err != nil {
		return nil, err
	}
	found, err := r.query(context.WithoutCancel(ctx), query, args)
	if err != nil {
		r.bad = damaged(err)
		r.release()
		return nil, err
	}
	return read{found, r}, nil
}

// damaged reports an error after which a SQLite connection is not used again.
func damaged(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && away(err)
}
