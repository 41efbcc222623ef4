package usage_test

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

// give adds credits to the organization.
func (w *world) give(o id.Organization, amount int64) {
	w.Helper()
	write(w.T, w.d, func(tx *db.Tx) error {
		_, err := credit.Add(tx, boss, o, amount, "", credit.Terms{}, credit.Reference{})
		return err
	})
}

// spend consumes credits, and refunds a part of them at once.
func (w *world) spend(o id.Organization, plugin string, amount, refund int64) {
	w.Helper()
	spent := w.ask(credit.Request{Organization: o, Consume: &credit.Spend{Amount: amount, Plugin: plugin}})
	if refund > 0 {
		w.ask(credit.Request{Of: spent, Refund: &credit.Refund{Amount: &refund}})
	}
}

// Each plugin's part, in credits and meters, of an organization, of an admin's
// organizations and of all: by days that end at midnight of the billing zone.
func TestByPlugin(t *testing.T) {
	eachWorld(t, at("2026-10-30T12:00:00Z"), func(w *world) {
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE settings SET billing_timezone = 'Europe/Berlin'`)
			return err
		})
		one, two := w.organization(-1, -1, "ecommerce", "calendar"), w.organization(-1, -1, "ecommerce", "calendar")
		w.admin(1, two)
		report := func(o id.Organization, plugin, meter string, value int64) {
			w.Helper()
			w.n++
			w.report(sent{ID: fmt.Sprint(w.n), Source: plugin, Type: meter, Subject: fmt.Sprint(o), Value: &value})
		}
		for _, o := range []id.Organization{one, two} {
			w.give(o, 1000)
		}
		for _, day := range []string{"2026-10-30T12:00:00Z", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z", "2026-11-14T12:00:00Z"} {
			w.set(at(day))
			for i, o := range []id.Organization{one, two} {
				report(o, "ecommerce", usage.BandwidthMeter, 100+int64(i))
				report(o, "calendar", usage.BandwidthMeter, 10)
				report(o, "calendar", usage.StorageMeter, int64(at(day).Day())*10)
				w.spend(o, "ecommerce", 20, 5)
			}
		}
		w.set(at("2026-11-15T12:00:00Z"))
		span := func(from, to string) usage.Span {
			f, t := db.At(at(from)), db.At(at(to))
			return usage.Span{From: &f, To: &t}
		}
		october, november := span("2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"), usage.Span{}
		lastDay := span("2026-10-31T12:00:00+01:00", "2026-10-31T13:00:00+01:00")
		for _, c := range []struct {
			what    string
			of      auth.Reach
			span    usage.Span
			credits int64
			want    string
		}{
			{"october of one", auth.Reach{Organizations: []id.Organization{one}}, october, 30, "calendar 0 bandwidth_bytes=20/2 storage_bytes=310/2; ecommerce 30 bandwidth_bytes=200/2; "},
			{"november of one", auth.Reach{Organizations: []id.Organization{one}}, november, 30, "calendar 0 bandwidth_bytes=20/2 storage_bytes=140/2; ecommerce 30 bandwidth_bytes=200/2; "},
			{"a day of one", auth.Reach{Organizations: []id.Organization{one}}, lastDay, 15, "calendar 0 bandwidth_bytes=10/1 storage_bytes=310/1; ecommerce 15 bandwidth_bytes=100/1; "},
			{"both months of one", auth.Reach{Organizations: []id.Organization{one}}, span("2026-10-01T00:00:00Z", "2026-11-15T12:00:00Z"), 60, "calendar 0 bandwidth_bytes=40/4 storage_bytes=140/4; ecommerce 60 bandwidth_bytes=400/4; "},
			{"october of the admin", auth.Reach{Admins: []id.Admin{1}}, october, 30, "calendar 0 bandwidth_bytes=20/2 storage_bytes=310/2; ecommerce 30 bandwidth_bytes=202/2; "},
			{"october of all", auth.Reach{All: true}, october, 60, "calendar 0 bandwidth_bytes=40/4 storage_bytes=620/4; ecommerce 60 bandwidth_bytes=402/4; "},
			{"october of the admin's own for another", auth.Reach{Admins: []id.Admin{2}}.Narrow(1), october, 0, ""},
			{"before there was anything", auth.Reach{All: true}, span("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), 0, ""},
		} {
			var got usage.PluginTotals
			err := w.d.Read(ctx, func(tx *db.Tx) (err error) { got, err = usage.ByPluginOf(tx, c.of, c.span); return err })
			text := ""
			for _, p := range got.Data {
				text += fmt.Sprint(p.Plugin, " ", p.Credits)
				for _, m := range p.Meters {
					text += fmt.Sprintf(" %s=%d/%d", m.Meter, m.Used, m.Events)
				}
				text += "; "
			}
			if err != nil || text != c.want || got.Credits != c.credits {
				w.Errorf("%s: got %d, %q, %v, want %d, %q", c.what, got.Credits, text, err, c.credits, c.want)
			}
		}
	})
}

// admin makes one, to whom organizations belong.
func (w *world) admin(n id.Admin, own ...id.Organization) {
	w.Helper()
	write(w.T, w.d, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO admins (id, name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
			VALUES ($1, 'A', 'a', 'a@b.co', '', $2, $3, 1, 0, 0)`, n, fmt.Sprint("r", n), len(own))
		for _, o := range own {
			_, oerr := tx.Exec(`UPDATE organizations SET admin_id = $1 WHERE id = $2`, n, o)
			err = cmp.Or(err, oerr)
		}
		return cmp.Or(err, credit.Open(tx, credit.Owner{Admin: n}))
	})
}

// ask has the ledger do one request of a service.
func (w *world) ask(q credit.Request) id.Transaction {
	w.Helper()
	q.Actor = audit.Actor{Type: audit.APIKey, ID: 1}
	var of id.Transaction
	write(w.T, w.d, func(tx *db.Tx) error {
		r, err := credit.Do(tx, []credit.Request{q})
		if err == nil {
			err = r[0].Err
		}
		if err == nil {
			of = r[0].Transaction.ID
		}
		return err
	})
	return of
}
