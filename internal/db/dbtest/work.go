package dbtest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Statement is one that was heard of through db.Options.Trace.
type Statement struct {
	Query string
	Args  []any
}

// Work runs statements that read, on the database at url, and counts what each
// costs in a measure that no clock and no other process bears on: on PostgreSQL
// the rows that its scans look at, on SQLite the steps of its virtual machine,
// of which every row that is looked at takes some and the depth of an index
// none. Whatever grows with a table shows. PostgreSQL plans by its statistics, so
// run ANALYZE before.
func Work(ctx context.Context, url string, all []Statement) ([]int64, error) {
	if file, lite := strings.CutPrefix(url, "sqlite:"); lite {
		return steps(file, all)
	}
	conn, err := pgx.Connect(ctx, Superuser(url))
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	defer conn.Close(ctx)
	counts := make([]int64, len(all))
	for i, s := range all {
		var text string
		if err := conn.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+s.text()).Scan(&text); err != nil {
			return nil, fmt.Errorf("explain %s: %w", s.Query, err)
		}
		var plans []struct{ Plan Node }
		if err := json.Unmarshal([]byte(text), &plans); err != nil {
			return nil, fmt.Errorf("read a plan: %w", err)
		}
		counts[i] = plans[0].Plan.rows()
	}
	return counts, nil
}

// text is the statement with its parameters written into it.
func (s Statement) text() string {
	text := s.Query
	for i := len(s.Args); i > 0; i-- {
		text = strings.ReplaceAll(text, "$"+strconv.Itoa(i), literal(s.Args[i-1]))
	}
	return text
}

func literal(a any) string {
	v := reflect.ValueOf(a)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid, reflect.Pointer:
		return "NULL"
	case reflect.String:
		return "'" + strings.ReplaceAll(v.String(), "'", "''") + "'"
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	default:
		return strconv.FormatInt(v.Int(), 10)
	}
}

// rows is how many rows the scans of a plan looked at.
func (n Node) rows() (sum int64) {
	if n.Table != "" {
		sum = int64(n.Touched())
	}
	for _, below := range n.Plans {
		sum += below.rows()
	}
	return sum
}

// steps counts on a connection of its own, below the driver, which does not
// tell.
func steps(file string, all []Statement) ([]int64, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	var pinned runtime.Pinner
	defer pinned.Unpin()
	handle, statement := new(uintptr), new(uintptr)
	pinned.Pin(handle)
	pinned.Pin(statement)
	name, err := libc.CString(file)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(tls, name)
	if code := sqlite3.Xsqlite3_open_v2(tls, name, uintptr(unsafe.Pointer(handle)), sqlite3.SQLITE_OPEN_READWRITE, 0); code != sqlite3.SQLITE_OK { //nolint:gosec // it is pinned
		return nil, fmt.Errorf("count steps: open %s: code %d", file, code)
	}
	defer sqlite3.Xsqlite3_close_v2(tls, *handle)
	counts := make([]int64, len(all))
	for i, s := range all {
		text, err := libc.CString(s.text())
		if err != nil {
			return nil, err
		}
		code := sqlite3.Xsqlite3_prepare_v2(tls, *handle, text, -1, uintptr(unsafe.Pointer(statement)), 0) //nolint:gosec // it is pinned
		libc.Xfree(tls, text)
		for code = max(code, sqlite3.SQLITE_OK); code == sqlite3.SQLITE_OK || code == sqlite3.SQLITE_ROW; {
			code = sqlite3.Xsqlite3_step(tls, *statement)
		}
		if code == sqlite3.SQLITE_DONE {
			counts[i] = int64(sqlite3.Xsqlite3_stmt_status(tls, *statement, sqlite3.SQLITE_STMTSTATUS_VM_STEP, 0))
		}
		sqlite3.Xsqlite3_finalize(tls, *statement)
		if code != sqlite3.SQLITE_DONE {
			return nil, fmt.Errorf("count steps: code %d in %s", code, s.Query)
		}
	}
	return counts, nil
}
