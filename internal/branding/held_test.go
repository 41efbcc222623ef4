package branding_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/hold"
)

// The verified host of somebody suspended says so on the next request, and no
// other host does.
func TestTheHostOfSomebodyOnHold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, "held", true)
		s := branding.New(d)
		check := func(when, host string, want bool) {
			t.Helper()
			got, err := s.Current(ctx, host, branding.Caller{})
			if err != nil || (got.Stopped != branding.Nobody) != want {
				t.Errorf("%s, %s: got %+v %v, want %v", when, host, got, err, want)
			}
		}
		owner, on := domain.Owner{Admin: a}, hold.Subject{Admin: a}
		write(t, d, func(tx *db.Tx) error { _, err := domain.Set(tx, owner, "held.example.com"); return err })
		write(t, d, func(tx *db.Tx) error {
			_, err := hold.Place(tx, on, hold.Platform, "overdue", 0, nil)
			return err
		})
		check("unverified", "held.example.com", false)
		write(t, d, func(tx *db.Tx) error { _, err := domain.Confirm(tx, owner); return err })
		check("held", "held.example.com", true)
		check("held", "other.example.com", false)
		write(t, d, func(tx *db.Tx) error {
			_, err := hold.Lift(tx, on, hold.Sources, 0)
			return err
		})
		check("lifted", "held.example.com", false)
	})
}
