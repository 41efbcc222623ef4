package pace_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/pace"
)

func TestAhead(t *testing.T) {
	now := db.At(time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC))
	in := func(days float64) db.Time { return now.Add(time.Duration(days * 24 * float64(time.Hour))) }
	for _, c := range []struct {
		left    int64
		perDay  float64
		reset   db.Time
		days    float64 // -1 is null
		say     string
		warning string
	}{
		{100, 0, 0, -1, "Not at this pace.", ""},
		{100, -3, 0, -1, "Not at this pace.", ""},
		{100, 40, 0, 2.5, "At this pace: 2 days.", "At this pace: 2 days."},
		{100, 100, 0, 1, "At this pace: 1 day.", "At this pace: 1 day."},
		{100, 101, 0, .99, "At this pace: less than a day.", "At this pace: less than a day."},
		{0, 5, 0, 0, "It has run out.", ""},
		{-9, 0, in(3), 0, "It has run out.", ""},
		{100, 40, in(2.5), -1, "Not before it begins anew.", ""},
		{100, 40, in(2.6), 2.5, "At this pace: 2 days.", "At this pace: 2 days."},
		{36501, 10, 0, -1, "Not at this pace.", ""},
		{1 << 62, 1e-9, 0, -1, "Not at this pace.", ""},
	} {
		o := pace.Ahead(now, c.left, c.perDay, c.reset)
		switch {
		case o.Sentence != c.say || o.Warning() != c.warning || (o.DaysLeft == nil) != (c.days < 0):
			t.Errorf("%+v: got %+v, warning %q", c, o, o.Warning())
		case c.days >= 0 && (*o.DaysLeft != c.days || c.days > 0 && *o.RunsOutAt != in(float64(c.left)/c.perDay)):
			t.Errorf("%+v: got %v, %v", c, *o.DaysLeft, *o.RunsOutAt)
		}
	}
}
