package usage

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/quota"
)

// Period is the month that counts.
type Period = quota.Period

// Month is the month that a moment lies in, and its key.
func Month(at db.Time, zone *time.Location) (Period, int64) { return quota.Month(at, zone) }

// window is where something counts: its hour, its day, its month, by the
// calendar of the billing time zone.
type window struct {
	hour  db.Time // when it begins
	day   int64   // days since 1970
	month int64   // likewise, of its first day
}

func windowOf(at db.Time, zone *time.Location) window {
	t := at.Std().In(zone)
	return window{hour: hourOf(at, zone), day: quota.Day(t.Date()), month: quota.Day(t.Year(), t.Month(), 1)}
}

// sinceHour is from when on moments up to at count in its hour: from its
// beginning, or from where the zone changed its offset by less than an hour and
// so let two hours overlap.
func sinceHour(at db.Time, zone *time.Location) db.Time {
	begins := hourOf(at, zone)
	if changed, _ := at.Std().In(zone).ZoneBounds(); !changed.IsZero() {
		begins = max(begins, db.At(changed))
	}
	return begins
}

// endOf is the last day of a month.
func endOf(month int64) int64 {
	first := time.Unix(month*24*60*60, 0).UTC()
	return quota.Day(first.Year(), first.Month()+1, 0)
}

// hourOf is the beginning of the hour on the zone's clocks. An hour that clocks
// show twice is two.
func hourOf(at db.Time, zone *time.Location) db.Time {
	_, offset := at.Std().In(zone).Zone()
	const hour = int64(time.Hour / time.Microsecond)
	local := int64(at) + int64(offset)*int64(time.Second/time.Microsecond)
	past := local % hour
	if past < 0 {
		past += hour
	}
	return at - db.Time(past)
}
