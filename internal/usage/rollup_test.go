package usage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/usage"
)

// A month of hours fits into one history, also the one with an hour that comes
// twice; days that a zone skips are none. Each step begins where the one before
// ends.
func TestSteps(t *testing.T) {
	each(t, time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC), func(t *testing.T, d *db.DB) {
		o := organization(t, d, -1, -1, -1, 1, 0)
		for _, c := range []struct {
			zone, from, to string
			step           usage.Step
			steps          int
			code           string
		}{
			{"UTC", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", usage.Hourly, 744, ""},
			{"Europe/Berlin", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00", usage.Hourly, 745, ""},
			{"Europe/Berlin", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:01+01:00", usage.Hourly, 0, "out_of_range"},
			{"Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", usage.Hourly, 23, ""},
			{"Australia/Lord_Howe", "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30", usage.Hourly, 25, ""},
			{"UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", usage.Daily, 365, ""},
			{"UTC", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", usage.Daily, 366, ""},
			{"UTC", "2024-01-01T00:00:00Z", "2025-01-01T00:00:01Z", usage.Daily, 0, "out_of_range"},
			{"UTC", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", usage.Hourly, 0, "out_of_range"},
			{"America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", usage.Daily, 1, ""},
		} {
			from, to := db.At(at(c.from)), db.At(at(c.to))
			var h usage.History
			write(t, d, func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE settings SET billing_timezone = $1`, c.zone)
				return err
			})
			err := d.Read(ctx, func(tx *db.Tx) (err error) {
				h, err = usage.HistoryOf(tx, o, usage.Query{Meter: usage.BandwidthMeter, Step: c.step, From: &from, To: &to})
				return err
			})
			if fault.Code(err) != c.code || len(h.Data) != c.steps {
				t.Errorf("%s from %s to %s: got %d steps, %v, want %d, %q", c.zone, c.from, c.to, len(h.Data), err, c.steps, c.code)
				continue
			}
			for i, p := range h.Data {
				if p.From >= p.To || i > 0 && p.From != h.Data[i-1].To || i == 0 && p.From != h.Previous.To {
					t.Errorf("%s: step %d is from %s to %s, after %s", c.zone, i, p.From, p.To, h.Previous.To)
				}
			}
			if c.steps > 0 && (h.From != from || h.To != to) {
				t.Errorf("%s: got %s to %s, want %s to %s", c.zone, h.From, h.To, from, to)
			}
		}
	})
}

// Where a zone sets its clocks back by half an hour, two hours overlap: what
// happened in the first counts there, also when it is told in the second.
func TestHoursThatOverlap(t *testing.T) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, url(t), at("2026-04-04T15:03:31Z"))
			write(t, w.d, func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE settings SET billing_timezone = 'Australia/Lord_Howe'`)
				tx.Publish("entitlement", "")
				return err
			})
			o := w.organization(-1, -1)
			for n, told := range []string{"2026-04-04T14:39:03Z", "2026-04-04T15:01:00Z"} {
				value := int64(n + 1)
				w.report(sent{ID: told, Source: "ecommerce", Type: usage.BandwidthMeter, Subject: fmt.Sprint(o), Time: at(told), Value: &value})
			}
			from, to := db.At(at("2026-04-04T14:00:00Z")), db.At(at("2026-04-04T15:30:00Z"))
			h := w.history(o, usage.Query{Meter: usage.BandwidthMeter, Step: usage.Hourly, From: &from, To: &to})
			if len(h.Data) != 2 || h.Data[0].Value != 1 || h.Data[1].Value != 2 {
				t.Errorf("got %+v, want 1 in the first hour and 2 in the second", h.Data)
			}
		})
	}
}
