package usage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/usage"
)

// told gives the kinds of what a user was told, oldest first.
func (w *world) told(u id.User) (kinds []string) {
	w.Helper()
	err := w.d.Read(ctx, func(tx *db.Tx) error {
		l, err := notify.List(tx, u, false, page.Request{Limit: 200})
		for i := range l.Data {
			kinds = append(kinds, l.Data[len(l.Data)-1-i].Kind)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return kinds
}

// Each threshold is told once a month, in the commit that crosses it, to the
// organization's owner, its admin's people and the superadmins.
func TestThresholds(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(1, 1, "ecommerce")
		var people [4]id.User // superadmin, owner, staff of the admin, member
		write(w.T, w.d, func(tx *db.Tx) error {
			for i := range people {
				u, err := auth.CreateUser(tx, auth.NewUser{Email: fmt.Sprintf("p%d@b.co", i), Name: "P", Superadmin: i == 0, EmailVerified: true})
				if err != nil {
					return err
				}
				people[i] = u.ID
			}
			for _, q := range []string{
				`INSERT INTO admins (id, name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at) VALUES (1, 'A', 'a', 'a@b.co', '', 'r', 1, 1, 0, 0)`,
				fmt.Sprintf(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES (1, %d, 'owner', 0)`, people[2]),
				fmt.Sprintf(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES (%d, %d, 'owner', 0, 0, 1), (%d, %d, 'member', 0, 0, 1)`, o, people[1], o, people[3]),
				`UPDATE organizations SET admin_id = 1`,
			} {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			return nil
		})
		step := 0
		set := func(bytes int64, want ...string) {
			w.Helper()
			step++
			w.forward(1e9)
			w.report(sent{ID: fmt.Sprint("s", step), Source: "ecommerce", Type: usage.StorageMeter, Subject: fmt.Sprint(o), Value: &bytes})
			for i, u := range people {
				got := strings.Join(w.told(u), " ")
				if i == 3 {
					want = nil
				}
				if got != strings.Join(want, " ") {
					w.Errorf("step %d, person %d: got %q, want %q", step, i, got, strings.Join(want, " "))
				}
			}
		}
		const warning, exceeded, back = "usage.warning", "usage.exceeded", "usage.back"
		set(799_999_999)
		set(800_000_000, warning)
		set(999_999_999, warning)
		set(1_000_000_000, warning, exceeded)
		set(750_000_000, warning, exceeded)
		set(749_999_999, warning, exceeded, back)
		set(2_000_000_000, warning, exceeded, back) // each once a month
		w.set(at("2026-12-01T00:00:00Z"))
		set(900_000_000, warning, exceeded, back, warning)
		set(100, warning, exceeded, back, warning, back)
		// A limit that is lowered crosses too.
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET storage_limit_gb = 0`)
			if err == nil {
				err = quota.LimitsChanged(tx, o)
			}
			return err
		})
		if got := w.told(people[1]); got[len(got)-1] != exceeded {
			w.Errorf("lowered: got %v", got)
		}
		// The sentence of a warning tells how long it lasts.
		w.set(at("2026-12-11T00:00:00Z"))
		for day := range 8 {
			w.set(at(fmt.Sprintf("2026-12-%02dT12:00:00Z", 11+day)))
			w.counted(o, usage.BandwidthMeter, 105_000_000)
		}
		var body string
		err := w.d.Read(ctx, func(tx *db.Tx) error {
			l, err := notify.List(tx, people[1], false, page.Request{Limit: 1})
			body = l.Data[0].Body
			return err
		})
		if err != nil || body != "Acme uses 0.84 GB of 1 GB. At this pace: 1 day." {
			w.Errorf("got %q, %v", body, err)
		}
	})
}

func TestForecastAndParts(t *testing.T) {
	eachWorld(t, at("2026-11-02T00:00:00Z"), func(w *world) {
		o := w.organization(10, 10, "ecommerce")
		for day := range 10 {
			w.set(at(fmt.Sprintf("2026-11-%02dT00:00:00Z", 2+day)))
			w.counted(o, usage.BandwidthMeter, 700_000_000)
			w.counted(o, usage.StorageMeter, int64(day)*100_000_000)
		}
		w.set(at("2026-11-12T00:00:00Z"))
		var f usage.Forecast
		var parts usage.PluginUsage
		err := w.d.Read(ctx, func(tx *db.Tx) (err error) {
			if f, err = usage.ForecastOf(tx, o); err == nil {
				parts, err = usage.ByPlugin(tx, o, usage.Span{})
			}
			return err
		})
		if err != nil || len(f.Data) != 2 {
			w.Fatalf("got %+v, %v", f, err)
		}
		if b := f.Data[0]; b.PerDay != 700_000_000 || b.DaysLeft == nil || *b.DaysLeft != 4.29 || b.Sentence != "At this pace: 4 days." {
			w.Errorf("bandwidth: got %+v", b)
		}
		if s := f.Data[1]; s.PerDay != 83_333_333.33 && s.PerDay != 100_000_000 || s.DaysLeft == nil {
			w.Errorf("storage: got %+v", s)
		}
		if len(parts.Data) != 1 || len(parts.Data[0].Meters) != 2 || parts.Data[0].Meters[0].Used != 7_000_000_000 || parts.Data[0].Meters[0].Events != 10 || parts.Data[0].Meters[1].Used != 900_000_000 {
			w.Errorf("got %+v", parts)
		}
		for i := range 3 {
			w.counted(w.organization(1, 1), usage.BandwidthMeter, int64(i+1)*5_000_000_000)
		}
		var first, second page.List[usage.Top]
		err = w.d.Read(ctx, func(tx *db.Tx) (err error) {
			if first, err = usage.TopOf(tx, auth.Reach{All: true}, usage.BandwidthMeter, page.Request{Limit: 2}); err != nil {
				return err
			}
			after, err := page.ParseCursor(first.Pagination.NextCursor)
			if err != nil {
				return err
			}
			second, err = usage.TopOf(tx, auth.Reach{All: true}, usage.BandwidthMeter, page.Request{Limit: 2, After: after})
			return err
		})
		if err != nil || first.Data[0].Used != 15_000_000_000 || first.Data[1].Used != 10_000_000_000 || second.Data[0].Used != 7_000_000_000 || first.Pagination.Total != 4 {
			w.Errorf("got %+v, %+v, %v", first, second, err)
		}
		var none page.List[usage.Top]
		err = w.d.Read(ctx, func(tx *db.Tx) (err error) {
			none, err = usage.TopOf(tx, auth.Reach{Admins: []id.Admin{7}}, usage.BandwidthMeter, page.Request{Limit: 2})
			return err
		})
		if err != nil || len(none.Data) != 0 {
			w.Errorf("another admin's: got %+v, %v", none, err)
		}
	})
}
