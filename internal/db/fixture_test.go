package db_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// scratch is a database with one small table of its own: t (id, word, n, flag).
type scratch struct {
	*testing.T
	*db.DB
}

func each(t *testing.T, f func(s scratch)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(newScratch(t, d)) })
}

func onPostgres(t *testing.T, f func(s scratch)) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) { f(newScratch(t, d)) })
}

func newScratch(t *testing.T, d *db.DB) scratch {
	s := scratch{t, d}
	ddl := `CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, word TEXT COLLATE "C", n BIGINT, flag BOOLEAN)`
	if d.Engine() == db.SQLite {
		ddl = strings.NewReplacer("BIGINT", "INTEGER", "BOOLEAN", "INTEGER", ` COLLATE "C"`, "").Replace(ddl) + " STRICT"
	}
	s.exec(ddl)
	return s
}

// try runs one statement in a write of its own.
func (s scratch) try(query string, args ...any) error {
	return s.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

func (s scratch) exec(query string, args ...any) {
	s.Helper()
	if err := s.try(query, args...); err != nil {
		s.Fatalf("%s %v: %v", query, args, err)
	}
}

func (s scratch) insert(n int64) {
	s.Helper()
	s.exec(`INSERT INTO t (id, n) VALUES ($1, $2)`, n, n)
}

// numbers runs a query of one column.
func (s scratch) numbers(query string, args ...any) []int64 {
	s.Helper()
	got, err := read(s, db.Int64, query, args...)
	if err != nil {
		s.Fatalf("%s %v: %v", query, args, err)
	}
	return got
}

// words is numbers of text.
func (s scratch) words(query string, args ...any) []string {
	s.Helper()
	got, err := read(s, db.String, query, args...)
	if err != nil {
		s.Fatalf("%s %v: %v", query, args, err)
	}
	return got
}

func (s scratch) ids() []int64 {
	s.Helper()
	return s.numbers(`SELECT id FROM t ORDER BY id LIMIT 1000`)
}

func read[T any](s scratch, scan func(db.Row) (T, error), query string, args ...any) (all []T, err error) {
	err = s.Read(context.Background(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, scan, query, args...)
		return err
	})
	return all, err
}

// await returns once done holds; a signal that is only seen by looking.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

var errOwn = errors.New("the closure's own refusal")
