package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
)

// tenants makes organizations 1 to n, each with a hold of its own.
func tenants(t *testing.T, d *db.DB, n int) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		for i := range n {
			o, err := tx.Insert(`INSERT INTO organizations (name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
				VALUES ('O', 'o', $1, 'active', -1, -1, -1, 0, 0, 1, $2, $3) RETURNING id`, fmt.Sprint("o", i), tx.Now, tx.Now)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO holds (organization_id, source, reason, placed_at) VALUES ($1, 'quota', 'r', $2)`, o, tx.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func of(o ...id.Organization) db.Scope { return db.Tenant(db.Reach{Organizations: o}) }

// TestConnectionsSpeakForOneScopeAtATime: handles of several scopes share a few
// connections, with queries that fail, results left half-read and transactions
// rolled back in between; each sees its own rows, always.
func TestConnectionsSpeakForOneScopeAtATime(t *testing.T) {
	d := dbtest.Open(t, dbtest.PostgresURL(t), db.Options{Connections: 3})
	tenants(t, d, 3)
	scopes := []struct {
		db.Scope
		want int64
	}{{db.Platform, 3}, {of(1), 1}, {of(2, 3), 2}, {of(9), 0}, {db.Scope{}, 0}}
	ctx := context.Background()
	var all sync.WaitGroup
	for w := range 12 {
		all.Go(func() {
			for i := range 60 {
				s := scopes[(w+i)%len(scopes)]
				held := d.In(s.Scope)
				count := func(tx *db.Tx) error {
					n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM holds`)
					if err == nil && n != s.want {
						t.Errorf("%v: got %d holds, want %d", s.Scope, n, s.want)
					}
					return err
				}
				run, broken := held.Read, held.Read
				if i%2 == 0 {
					run = held.Write
				}
				if i%3 == 0 {
					broken = held.Write
				}
				if err := run(ctx, count); err != nil {
					t.Error(err)
				}
				if err := broken(ctx, func(tx *db.Tx) error {
					_, err := db.One(tx, db.Int64, `SELECT 1 / (COUNT(*) - COUNT(*)) FROM holds`)
					return err
				}); err == nil {
					t.Error("a division by zero gave a number")
				}
				if err := held.Read(ctx, func(tx *db.Tx) error {
					_, err := db.One(tx, db.Int64, `SELECT n FROM generate_series(1, 1000) n`) // the rest is never read
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestAForeignRowCannotBeWritten: the database refuses what the program forgot
// to check, and nothing of the transaction stays.
func TestAForeignRowCannotBeWritten(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		tenants(t, d, 2)
		ctx := context.Background()
		err := d.In(of(1)).Write(ctx, func(tx *db.Tx) error {
			if n, err := tx.Exec(`UPDATE holds SET reason = 'x' WHERE organization_id = 2`); n != 0 || err != nil {
				t.Errorf("another's hold: got %d changed, %v", n, err)
			}
			_, err := tx.Exec(`INSERT INTO holds (organization_id, source, reason, placed_at) VALUES (2, 'billing', 'r', $1)`, tx.Now)
			return err
		})
		if err == nil {
			t.Error("a hold was placed on another tenant")
		}
		if n, err := count(d, `SELECT COUNT(*) FROM holds`); n != 2 || err != nil {
			t.Errorf("got %d holds, %v, want 2", n, err)
		}
	})
}

func count(d *db.DB, query string) (n int64, err error) {
	err = d.Read(context.Background(), func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Int64, query)
		return err
	})
	return n, err
}
