// Package dbtest gives each test a fresh, migrated database on both engines: a
// SQLite file and a PostgreSQL database of its own, cloned from a migrated
// template on a throw-away cluster that the test process starts itself from
// the installed binaries. Tests may run in parallel. A missing PostgreSQL fails
// the test; it never skips.
package dbtest

import (
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/secret"
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

// Open opens and migrates url, under a key of zeros, and closes it with the
// test. The handle reaches every tenant's rows, as the background work of the
// product does.
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
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	secret.Use(d, box)
	return d.In(db.Platform)
}

// sqliteTemplate is a migrated SQLite file, of which the others are copies.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tenantry-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	file := filepath.Join(dir, "migrated.db")
	d, err := db.Open(ctx, "sqlite:"+file, db.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.Migrate(ctx), d.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// SQLiteURL makes a file of its own for the test, already migrated.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	b, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("SQLite for tests: %v", err)
	}
	url := EmptySQLiteURL(t)
	if err := os.WriteFile(strings.TrimPrefix(url, "sqlite:"), b, 0o600); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	return url
}

// EmptySQLiteURL names a file that does not exist yet.
func EmptySQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Copy makes a database of its own that begins as a copy of another, which
// nobody has open: what many tests begin in is made once.
func Copy(t testing.TB, of string) string {
	t.Helper()
	file, lite := strings.CutPrefix(of, "sqlite:")
	if !lite {
		u, err := neturl.Parse(of)
		if err != nil {
			t.Fatalf("copy a test database: %v", err)
		}
		return postgres(t, "TEMPLATE "+strings.TrimPrefix(u.Path, "/"))
	}
	b, err := os.ReadFile(file)
	url := EmptySQLiteURL(t)
	if err == nil {
		err = os.WriteFile(strings.TrimPrefix(url, "sqlite:"), b, 0o600) //nolint:gosec // a file of the test's own folder
	}
	if err != nil {
		t.Fatalf("copy a test database: %v", err)
	}
	return url
}

var databases atomic.Int64

// PostgresURL makes a database of its own for the test, already migrated.
func PostgresURL(t testing.TB) string { return postgres(t, "TEMPLATE migrated") }

// Superuser is the address of a test's PostgreSQL as a role that no policy
// holds, for tests that look at what the policies keep apart.
func Superuser(url string) string { return strings.Replace(url, "//"+plainRole+"@", "//postgres@", 1) }

// EmptyPostgresURL makes a database without any table.
func EmptyPostgresURL(t testing.TB) string { return postgres(t, "") }

func postgres(t testing.TB, options string) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	url, err := c.Database(fmt.Sprintf("test_%d", databases.Add(1)), options)
	if err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	return url
}
