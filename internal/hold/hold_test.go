package hold_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

var ctx = context.Background()

func write[T any](t testing.TB, d *db.DB, f func(tx *db.Tx) (T, error)) (out T) {
	t.Helper()
	err := d.Write(ctx, func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tenants makes an admin with an organization.
func tenants(t testing.TB, d *db.DB) (a id.Admin, o id.Organization) {
	t.Helper()
	write(t, d, func(tx *db.Tx) (int, error) {
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('A', 'a', 'a@b.co', 'C', 'r', 0, 1, $1, $2) RETURNING id`, tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		a = id.Admin(n)
		n, err = tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ($1, 'O', 'o', 'o', 'active', -1, -1, -1, 0, 0, 1, $2, $3) RETURNING id`, n, tx.Now, tx.Now)
		o = id.Organization(n)
		return 0, err
	})
	return a, o
}

func place(t testing.TB, d *db.DB, on hold.Subject, s hold.Source, expires *db.Time) bool {
	t.Helper()
	return write(t, d, func(tx *db.Tx) (bool, error) { return hold.Place(tx, on, s, "because", 0, expires) })
}

func lift(t testing.TB, d *db.DB, on hold.Subject, sources ...hold.Source) int64 {
	t.Helper()
	return write(t, d, func(tx *db.Tx) (int64, error) { return hold.Lift(tx, on, sources, 0) })
}

func sources(t testing.TB, d *db.DB, on hold.Subject) string {
	t.Helper()
	return write(t, d, func(tx *db.Tx) (string, error) {
		all, err := hold.Active(tx, on)
		var names []hold.Source
		for _, h := range all {
			names = append(names, h.Source)
		}
		return fmt.Sprint(names), err
	})
}

// held asks by the condition that other packages join.
func held(t testing.TB, d *db.DB, o id.Organization) bool {
	t.Helper()
	return write(t, d, func(tx *db.Tx) (bool, error) {
		n, err := db.One(tx, db.Int64, `SELECT count(*) FROM organizations o WHERE o.id = $1 AND `+hold.Condition("o.id", "o.admin_id", "$2"), o, tx.Now)
		if err != nil {
			return false, err
		}
		m, err := db.One(tx, db.Int64, `SELECT count(*) FROM organizations o WHERE o.id = $1
			AND (`+hold.OrganizationCondition("o.id", "$2")+` OR `+hold.AdminCondition("o.admin_id", "$3")+`)`, o, tx.Now, tx.Now)
		if m != n {
			t.Errorf("the condition and its parts disagree: %d and %d", n, m)
		}
		return n == 1, err
	})
}

func TestHoldsAreASet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a, o := tenants(t, d)
		admin, org := hold.Subject{Admin: a}, hold.Subject{Organization: o}
		var told atomic.Int64
		defer d.Subscribe("auth", func(string) { told.Add(1) })()
		if held(t, d, o) {
			t.Error("held from the start")
		}
		if !place(t, d, org, hold.Admin, nil) || !place(t, d, org, hold.Platform, nil) || place(t, d, org, hold.Admin, nil) {
			t.Error("each source places once")
		}
		if got := sources(t, d, org); got != "[admin platform]" {
			t.Errorf("active: got %s", got)
		}
		if n := lift(t, d, org, hold.Admin, hold.Billing); n != 1 {
			t.Errorf("lifted %d, want 1", n)
		}
		if got := sources(t, d, org); got != "[platform]" || !held(t, d, o) {
			t.Errorf("what remains: got %s", got)
		}
		lift(t, d, org, hold.Sources...)
		if held(t, d, o) || lift(t, d, org, hold.Sources...) != 0 || lift(t, d, org) != 0 {
			t.Error("held after all were lifted")
		}
		place(t, d, admin, hold.Billing, nil)
		if !held(t, d, o) || sources(t, d, org) != "[]" {
			t.Error("an admin's hold reaches its organization and leaves its own holds alone")
		}
		lift(t, d, admin, hold.Billing)
		if held(t, d, o) {
			t.Error("held after the admin's hold was lifted")
		}
		if got := told.Load(); got != 6 {
			t.Errorf("told of %d changes, want 6: refusals and repetitions tell nobody", got)
		}
	})
}

func TestExpiredIsNone(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
			d := dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return now }})
			_, o := tenants(t, d)
			org := hold.Subject{Organization: o}
			end := db.At(now.Add(time.Hour))
			place(t, d, org, hold.Quota, &end)
			if !held(t, d, o) {
				t.Error("not held before the end")
			}
			now = now.Add(time.Hour)
			if held(t, d, o) || sources(t, d, org) != "[]" || lift(t, d, org, hold.Quota) != 0 {
				t.Error("held at the end")
			}
			if !place(t, d, org, hold.Quota, nil) || sources(t, d, org) != "[quota]" {
				t.Error("an expired hold leaves no room for the next")
			}
			err := d.Write(ctx, func(tx *db.Tx) error { _, err := hold.Place(tx, org, hold.Billing, "r", 0, &end); return err })
			if fault.Code(err) != "in_the_past" {
				t.Errorf("an end that has passed: got %v, want in_the_past", err)
			}
		})
	}
}

func TestPagesOfHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a, o := tenants(t, d)
		place(t, d, hold.Subject{Organization: o}, hold.Admin, nil)
		place(t, d, hold.Subject{Organization: o}, hold.Quota, nil)
		place(t, d, hold.Subject{Admin: a}, hold.Billing, nil)
		orgs := write(t, d, func(tx *db.Tx) (map[id.Organization][]hold.Hold, error) {
			return hold.OfOrganizations(tx, []id.Organization{o, o + 1})
		})
		admins := write(t, d, func(tx *db.Tx) (map[id.Admin][]hold.Hold, error) { return hold.OfAdmins(tx, []id.Admin{a}) })
		if len(orgs) != 1 || len(orgs[o]) != 2 || orgs[o][0].Source != hold.Admin || len(admins[a]) != 1 {
			t.Errorf("got %+v and %+v", orgs, admins)
		}
		if none := write(t, d, func(tx *db.Tx) (map[id.Admin][]hold.Hold, error) { return hold.OfAdmins(tx, nil) }); len(none) != 0 {
			t.Errorf("of nobody: got %+v", none)
		}
	})
}

func TestNoSubject(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, on := range []hold.Subject{{}, {Organization: 1, Admin: 1}} {
			err := d.Write(ctx, func(tx *db.Tx) error { _, err := hold.Place(tx, on, hold.Admin, "r", 0, nil); return err })
			if err == nil || fault.Code(err) != "" {
				t.Errorf("on %+v: got %v, want an internal error", on, err)
			}
		}
	})
}

func TestRacesPlaceAndLiftOnce(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		a, _ := tenants(t, d)
		on := hold.Subject{Admin: a}
		count := func(f func(tx *db.Tx) (int64, error)) int64 {
			var n atomic.Int64
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					var one int64
					err := d.Write(ctx, func(tx *db.Tx) (err error) {
						one, err = f(tx)
						return err
					})
					if err != nil {
						t.Error(err)
					}
					n.Add(one)
				})
			}
			all.Wait()
			return n.Load()
		}
		placed := count(func(tx *db.Tx) (int64, error) {
			yes, err := hold.Place(tx, on, hold.Platform, "r", 0, nil)
			if yes {
				return 1, err
			}
			return 0, err
		})
		lifted := count(func(tx *db.Tx) (int64, error) { return hold.Lift(tx, on, hold.Sources, 0) })
		if placed != 1 || lifted != 1 {
			t.Errorf("20 at once: placed %d and lifted %d, want 1 and 1", placed, lifted)
		}
	})
}
