package usage_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/usage"
)

func (w *world) check(o id.Organization, in usage.Check) usage.Decision {
	w.Helper()
	d, err := w.s.Check(ctx, o, in)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// wants holds a decision.
func (w *world) wants(what string, d usage.Decision, allowed bool, code string, by quota.Level) {
	w.Helper()
	level := quota.Level("")
	if d.DecidedBy != nil {
		level = *d.DecidedBy
	}
	if d.Allowed != allowed || d.Code != code || level != by {
		w.Errorf("%s: got %v %s by %q, want %v %s by %q", what, d.Allowed, d.Code, level, allowed, code, by)
	}
}

// What this process commits shows in its next check, without any time passing.
func TestCheckSeesWhatWasCommitted(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(10, 1, "calendar", "ecommerce")
		shop := usage.Check{Plugin: "ecommerce"}
		set := func(f func(tx *db.Tx) error) { w.Helper(); write(w.T, w.d, f) }
		w.wants("enabled", w.check(o, shop), true, "ok", "")
		set(func(tx *db.Tx) error { return plugin.Set(tx, o, []string{"calendar"}, nil, "plugins") })
		w.wants("disabled", w.check(o, shop), false, "plugin_disabled", quota.ByOrganization)
		set(func(tx *db.Tx) error { return plugin.Set(tx, o, []string{"calendar", "ecommerce"}, nil, "plugins") })
		w.wants("unknown", w.check(o, usage.Check{Plugin: "nothing"}), false, "unknown_plugin", quota.ByPlatform)
		for source, by := range map[hold.Source]quota.Level{hold.Platform: quota.ByPlatform, hold.Admin: quota.ByAdmin, hold.Billing: quota.ByPlatform} {
			set(func(tx *db.Tx) error {
				_, err := hold.Place(tx, hold.Subject{Organization: o}, source, "x", 0, nil)
				return err
			})
			w.wants("held", w.check(o, shop), false, "organization_suspended", by)
			set(func(tx *db.Tx) error {
				_, err := hold.Lift(tx, hold.Subject{Organization: o}, []hold.Source{source}, 0)
				return err
			})
			w.wants("lifted", w.check(o, shop), true, "ok", "")
		}
		month := at("2026-12-01T00:00:00Z")
		band := usage.Check{Plugin: "ecommerce", Meter: new(usage.BandwidthMeter), Quantity: new(int64(400_000_000))}
		if d := w.check(o, band); !d.Allowed || *d.Limit != 1_000_000_000 || *d.Used != 0 || *d.Remaining != 1_000_000_000 || *d.ResetAt != db.At(month) || *d.Mode != quota.Hard || *d.DecidedBy != quota.ByOrganization {
			w.Errorf("got %+v", d)
		}
		w.counted(o, usage.BandwidthMeter, 700_000_000)
		w.wants("no room", w.check(o, band), false, "limit_exceeded", quota.ByOrganization)
		soft := func(tx *db.Tx) error {
			_, err := usage.SetLimit(tx, boss, o, 0, usage.BandwidthMeter, usage.LimitPatch{Mode: patch.Of("soft")})
			return err
		}
		set(soft)
		w.wants("soft", w.check(o, band), true, "limit_exceeded", quota.ByOrganization)
		w.set(month) // the next month begins by the clock alone
		w.wants("the next month", w.check(o, band), true, "ok", quota.ByOrganization)
		pay := usage.Check{Plugin: "ecommerce", Amount: new(int64(5))}
		w.wants("no credits", w.check(o, pay), false, "insufficient_credits", quota.ByOrganization)
		set(func(tx *db.Tx) error {
			_, err := credit.Add(tx, boss, o, 5, "x", credit.Terms{}, credit.Reference{})
			return err
		})
		if d := w.check(o, pay); !d.Allowed || *d.Remaining != 5 {
			w.Errorf("credits: got %+v", d)
		}
		if _, err := w.s.Check(ctx, o, usage.Check{Plugin: "ecommerce", Meter: new("nothing")}); fault.Code(err) != "unknown_meter" {
			w.Errorf("got %v", err)
		}
		if _, err := w.s.Check(ctx, 999, shop); !fault.Is(err, fault.NotFound) {
			w.Errorf("nobody: got %v", err)
		}
	})
}

// The least of organization, group and platform holds, and is named.
func TestEffectiveLimits(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(10, 10, "ecommerce")
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO partner_groups (id, name, name_key, credit_discount_bp, max_storage_gb, may_hide_powered_by, oversell, version, created_at, updated_at) VALUES (1, 'G', 'g', 0, 5, TRUE, FALSE, 1, 0, 0)`)
			if err == nil {
				_, err = tx.Exec(`INSERT INTO admins (id, name, name_key, contact_email, company_name, partner_group_id, referral_code, organization_count, version, created_at, updated_at) VALUES (1, 'A', 'a', 'a@b.co', '', 1, 'r', 1, 1, 0, 0)`)
			}
			if err == nil {
				_, err = tx.Exec(`UPDATE organizations SET admin_id = 1 WHERE id = $1`, o)
			}
			return err
		})
		holds := func(what string, limit int64, by quota.Level) {
			w.Helper()
			l := w.limit(o, usage.StorageMeter)
			if l.Limit == nil || *l.Limit != limit || *l.DecidedBy != by {
				w.Errorf("%s: got %+v, want %d by %s", what, l, limit, by)
			}
		}
		holds("group", 5e9, quota.ByGroup)
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := usage.UpdateMeter(tx, boss, usage.StorageMeter, usage.MeterPatch{Limit: patch.Of(int64(3e9))})
			return err
		})
		holds("platform", 3e9, quota.ByPlatform)
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET storage_limit_gb = 2 WHERE id = $1`, o)
			return err
		})
		holds("organization", 2e9, quota.ByOrganization)
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET storage_limit_gb = -1 WHERE id = $1`, o)
			if err == nil {
				_, err = tx.Exec(`UPDATE partner_groups SET oversell = TRUE, max_storage_gb = 1`)
			}
			return err
		})
		holds("a group that oversells", 3e9, quota.ByPlatform)
	})
}

// A hundred ask for room where there is room for ten.
func TestReservationRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, s: usage.New(d), clock: &clock{}}
		write(t, d, plugin.Seed)
		o := w.organization(1, 1, "ecommerce")
		var mu sync.Mutex
		got := map[string]int{}
		var all []id.Reservation
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				var r usage.Reserved
				err := d.Write(ctx, func(tx *db.Tx) (err error) {
					r, err = usage.Reserve(tx, o, usage.NewReservation{Plugin: "ecommerce", Meter: usage.StorageMeter, Quantity: 100_000_000})
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				got[fault.Code(err)]++
				if err == nil {
					all = append(all, r.ID)
				}
			})
		}
		wg.Wait()
		if got[""] != 10 || got["limit_exceeded"] != 90 {
			t.Fatalf("got %v, want 10 and 90 limit_exceeded", got)
		}
		// Each ends once, whoever asks for it at the same time.
		ends := map[string]int{}
		for _, n := range all {
			for _, f := range []func(tx *db.Tx) error{
				func(tx *db.Tx) error {
					_, err := usage.Commit(tx, o, n, usage.Commitment{Quantity: new(int64(50_000_000))})
					return err
				},
				func(tx *db.Tx) error { _, err := usage.Commit(tx, o, n, usage.Commitment{}); return err },
			} {
				wg.Go(func() {
					err := d.Write(ctx, f)
					mu.Lock()
					defer mu.Unlock()
					ends[fault.Code(err)]++
				})
			}
		}
		wg.Wait()
		if l := w.limit(o, usage.StorageMeter); ends[""] != 10 || ends["invalid_transition"] != 10 || l.Reserved != 0 || l.Used < 500_000_000 || l.Used > 1_000_000_000 {
			t.Errorf("got %v, %+v", ends, l)
		}
	})
}

func TestReservationsEnd(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(1, 1, "ecommerce")
		reserve := func(n int64) (r usage.Reserved, err error) {
			err = w.d.Write(ctx, func(tx *db.Tx) (err error) {
				r, err = usage.Reserve(tx, o, usage.NewReservation{Plugin: "ecommerce", Meter: usage.StorageMeter, Quantity: n})
				return err
			})
			return r, err
		}
		end := func(f func(tx *db.Tx) (usage.Reservation, error)) (r usage.Reservation, err error) {
			err = w.d.Write(ctx, func(tx *db.Tx) (err error) { r, err = f(tx); return err })
			return r, err
		}
		r, err := reserve(600_000_000)
		if err != nil || *r.Remaining != 400_000_000 {
			w.Fatalf("got %+v, %v", r, err)
		}
		over := func(n id.Reservation, quantity int64) (usage.Reservation, error) {
			return end(func(tx *db.Tx) (usage.Reservation, error) {
				return usage.Commit(tx, o, n, usage.Commitment{Quantity: &quantity})
			})
		}
		if _, err := over(r.ID, 1_000_000_001); fault.Code(err) != "limit_exceeded" {
			w.Errorf("more than there is room for: got %v", err)
		}
		if c, err := over(r.ID, 1_000_000_000); err != nil || c.State != usage.Committed || *c.Committed != 1_000_000_000 {
			w.Errorf("more than was set aside, with room: got %+v, %v", c, err)
		}
		if _, err := reserve(1); fault.Code(err) != "limit_exceeded" {
			w.Errorf("full: got %v", err)
		}
		w.report(sent{ID: "less", Source: "ecommerce", Type: usage.StorageMeter, Subject: fmt.Sprint(o), Delta: new(int64(-500_000_000))})
		if r, err = reserve(500_000_000); err != nil {
			w.Fatal(err)
		}
		w.forward(14 * 60e9)
		if _, err := reserve(1); fault.Code(err) != "limit_exceeded" {
			w.Errorf("before it is over: got %v", err)
		}
		w.forward(61e9)
		if d := w.check(o, usage.Check{Plugin: "ecommerce", Meter: new(usage.StorageMeter)}); !d.Allowed {
			w.Errorf("after it is over: got %+v", d)
		}
		if _, err := over(r.ID, 1); fault.Code(err) != "invalid_transition" {
			w.Errorf("one that is over: got %v", err)
		}
		if err := usage.ExpireReservations(ctx, w.d); err != nil {
			w.Fatal(err)
		}
		if r, err = reserve(500_000_000); err != nil {
			w.Fatal(err)
		}
		var together sync.WaitGroup
		for range 8 {
			together.Go(func() {
				got, err := end(func(tx *db.Tx) (usage.Reservation, error) { return usage.Release(tx, o, r.ID) })
				if err != nil || got.State != usage.Released {
					w.Errorf("release: got %+v, %v", got, err)
				}
			})
		}
		together.Wait()
		if l := w.limit(o, usage.StorageMeter); l.Reserved != 0 || l.Used != 500_000_000 {
			w.Errorf("got %+v", l)
		}
	})
}
