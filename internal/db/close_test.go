package db_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// A database that was closed in order is one file, so a copy of it is whole.
func TestCloseFoldsTheJournal(t *testing.T) {
	url := dbtest.EmptySQLiteURL(t)
	d, err := db.Open(t.Context(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var inside, all sync.WaitGroup
	inside.Add(3) // several connections at once
	for range 3 {
		all.Go(func() {
			err := d.Read(context.Background(), func(tx *db.Tx) error {
				_, err := db.One(tx, func(r db.Row) (n int64, err error) {
					inside.Done()
					inside.Wait() // each holds its connection until all have one
					return n, r.Scan(&n)
				}, `SELECT 1`)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + end); !os.IsNotExist(err) {
			t.Errorf("%s is left behind (%v)", end, err)
		}
	}
}
