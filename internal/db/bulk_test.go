package db_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// Many rows go in and are changed at once, with values and without, whatever
// their number; ids that were reserved are nobody else's.
func TestManyRowsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		type row struct {
			id, at  int64
			error   *string
			payload []byte
		}
		for i, n := range []int{0, 1, 2, 3, 63, 64, 65, 200, 0, 1, 64, 65, 200} {
			together := i >= 8
			kind := fmt.Sprint("bulk", n, together)
			err := d.Write(context.Background(), func(tx *db.Tx) error {
				ids, err := tx.Reserve(db.Want{Table: "jobs", N: n}, db.Want{Table: "notifications", N: 1})
				if err != nil {
					return err
				}
				if len(ids[0]) != n || len(ids[1]) != 1 || !slices.IsSorted(ids[0]) {
					t.Errorf("reserved %d: got %v", n, ids)
				}
				var rows, changes [][]any
				for i, id := range ids[0] {
					why := fmt.Sprint("why ", i)
					last := &why
					if i%2 == 0 {
						last = nil
					}
					rows = append(rows, []any{id, kind, []byte{byte(i)}, "ready", int64(0), tx.Now, tx.Now, last})
					changes = append(changes, []any{id, int64(i), last})
				}
				both := func() error {
					if err := tx.InsertMany("jobs", []string{"id", "kind", "payload", "state", "attempts", "run_at", "created_at", "last_error"}, rows); err != nil {
						return err
					}
					return tx.UpdateMany("jobs", []string{"attempts", "last_error"}, changes)
				}
				if together {
					return tx.Together(both)
				}
				return both()
			})
			if err != nil {
				t.Fatalf("%d rows: %v", n, err)
			}
			var got []row
			err = d.Read(context.Background(), func(tx *db.Tx) (err error) {
				got, err = db.All(tx, func(r db.Row) (v row, err error) { return v, r.Scan(&v.id, &v.at, &v.error, &v.payload) },
					`SELECT id, attempts, last_error, payload FROM jobs WHERE kind = $1 ORDER BY id`, kind)
				return err
			})
			if err != nil || len(got) != n {
				t.Fatalf("%d rows: got %d, %v", n, len(got), err)
			}
			for i, v := range got {
				if v.at != int64(i) || (v.error == nil) != (i%2 == 0) || v.error != nil && *v.error != fmt.Sprint("why ", i) || v.payload[0] != byte(i) {
					t.Errorf("row %d of %d: got %+v", i, n, v)
				}
			}
		}
		// The next id that the table gives itself lies beyond what was reserved.
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			next, err := tx.Insert(`INSERT INTO jobs (kind, payload, state, attempts, run_at, created_at) VALUES ('one', $1, 'ready', 0, $2, $3) RETURNING id`, []byte{1}, tx.Now, tx.Now)
			if err != nil {
				return err
			}
			most, err := db.One(tx, db.Int64, `SELECT MAX(id) FROM jobs WHERE kind <> 'one'`)
			if err == nil && next <= most {
				t.Errorf("the next id: got %d, want more than %d", next, most)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What goes together fails together: for a row that is not there, and for one
// that the schema refuses, whatever went before.
func TestTogetherFailsAsOne(t *testing.T) {
	columns := []string{"id", "kind", "payload", "state", "attempts", "run_at", "created_at"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for what, f := range map[string]func(*db.Tx) error{
			"a row that is not there": func(tx *db.Tx) error {
				return tx.UpdateMany("jobs", []string{"attempts"}, [][]any{{int64(1 << 40), int64(1)}})
			},
			"a row that is there": func(tx *db.Tx) error {
				return tx.InsertMany("jobs", columns, [][]any{{int64(1 << 41), "together", []byte{1}, "ready", int64(0), tx.Now, tx.Now}})
			},
		} {
			err := d.Write(context.Background(), func(tx *db.Tx) error {
				return tx.Together(func() error {
					if err := tx.InsertMany("jobs", columns, [][]any{{int64(1 << 41), "together", []byte{1}, "ready", int64(0), tx.Now, tx.Now}}); err != nil {
						return err
					}
					return f(tx)
				})
			})
			if err == nil {
				t.Errorf("%s: no error", what)
			}
			err = d.Read(context.Background(), func(tx *db.Tx) error {
				n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM jobs WHERE kind = 'together'`)
				if n != 0 {
					t.Errorf("%s: got %d rows, want 0", what, n)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}
