// Package dbtest gives each test a fresh, migrated database on both engines: a
// SQLite file and a PostgreSQL database of its own, cloned from a migrated
// template on a throw-away cluster that the test process starts itself from
// the installed binaries. A missing PostgreSQL fails the test; it never skips.
package dbtest

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
)

// Each runs f once per engine, as a subtest named after it.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t, SQLiteURL(t), db.Options{})) })
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, PostgresURL(t), db.Options{})) })
}

// Postgres runs f on PostgreSQL alone: for races between several connections.
func Postgres(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, PostgresURL(t), db.Options{})) })
}

// Open opens and migrates url and closes it with the test.
func Open(t testing.TB, url string, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := d.Migrate(context.Background()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return d
}

// SQLiteURL names a file that does not exist yet.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

var databases atomic.Int64

// PostgresURL makes a database of its own for the test, already migrated.
func PostgresURL(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := c.clone(name); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	return c.url(name)
}
