package db_test

import (
	"context"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

func TestWriteThenRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO audit_heads (scope, next_seq) VALUES ($1, $2)`, "p", 7)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			n, err := db.One(tx, db.Int64, `SELECT next_seq FROM audit_heads WHERE scope = $1`, "p")
			if n != 7 {
				t.Errorf("got %d, want 7", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
