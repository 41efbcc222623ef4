package db_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// refused opens url and wants an error that names every one of the words.
func refused(t *testing.T, url string, words ...string) {
	t.Helper()
	d, err := db.Open(context.Background(), url, db.Options{})
	if err == nil {
		_ = d.Close()
		t.Errorf("%s was opened", url)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: got %v, want it to say %q", url, err, w)
		}
	}
}

func TestOpenRefusesWhatCanLose(t *testing.T) {
	refused(t, dbtest.EmptyPostgresURL(t)+"&options=-c%20synchronous_commit%3Doff", "synchronous_commit=off")
	c, err := dbtest.Start("fsync=off", "full_page_writes=off")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	refused(t, c.URL("postgres"), "fsync=off", "full_page_writes=off")
}

func TestOpenRefusesARoleThatNoPolicyHolds(t *testing.T) {
	above := dbtest.Superuser(dbtest.PostgresURL(t))
	refused(t, above, "superuser", "BYPASSRLS", "--allow-bypass-rls")
	d, err := db.Open(context.Background(), above, db.Options{Unconfined: true})
	if err != nil {
		t.Fatalf("told that it may: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesAnotherEncoding(t *testing.T) {
	c, err := dbtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	url, err := c.Database("latin", "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, url, "LATIN1", "UTF8")
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	refused(t, "mysql://x", "sqlite:", "postgres://")
	refused(t, "sqlite:"+filepath.Join(dir, "absent", "x.db"))
	refused(t, "sqlite::memory:", "wal")
	refused(t, "postgres://u:hunter2@localhost:99999/x")
	if _, err := db.Open(context.Background(), "postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", db.Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
	if err := os.WriteFile("text.db", []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:text.db", "open text.db: ")
}

// A path is a path: nothing in it can weaken the connection.
func TestAPathSetsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b%?_pragma=synchronous(OFF)&x#y.db")
	s := newScratch(t, dbtest.Open(t, "sqlite:"+path, db.Options{}))
	for pragma, want := range map[string]int64{"synchronous": 2, "foreign_keys": 1} {
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			got, err := db.One(tx, db.Int64, "PRAGMA "+pragma)
			if got != want {
				t.Errorf("%s: got %d, want %d", pragma, got, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: got %v %v, want mode 0600", info, err)
	}
}

func TestPlannerIsToldUnlessItWas(t *testing.T) {
	for _, c := range []struct{ options, want string }{{"", "1.1"}, {"&options=-c%20random_page_cost%3D2.5", "2.5"}} {
		d := dbtest.Open(t, dbtest.EmptyPostgresURL(t)+c.options, db.Options{})
		err := d.Read(context.Background(), func(tx *db.Tx) error {
			got, err := db.One(tx, db.String, `SELECT current_setting('random_page_cost')`)
			if got != c.want {
				t.Errorf("with %q: got %s, want %s", c.options, got, c.want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
