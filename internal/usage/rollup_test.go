package usage_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
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
