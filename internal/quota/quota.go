// Package quota says how much of a meter an organization may use, who sets
// that bound, and tells the people concerned when use crosses it.
//
// The effective limit is the least along organization → the bounds of its
// admin's partner group (unless the group oversells) → platform, and the level
// that gave it is named. A limit is hard (beyond it is refused) or soft (beyond
// it is marked). Months begin at midnight in the billing time zone; a period is
// computed from the clock and never reset by a timer.
package quota

import (
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Topic is what is published when something changed that an entitlement rests
// on: with the id of an organization, or with "" when it may be any. Packages
// below this one publish it by name.
const Topic = "entitlement"

// Changed says that tx changes what an organization may do, has or uses.
func Changed(tx *db.Tx, organization id.Organization) {
	tx.Publish(Topic, strconv.FormatInt(int64(organization), 10))
}

// ChangedAll is Changed for what bears on many organizations.
func ChangedAll(tx *db.Tx) { tx.Publish(Topic, "") }

// The built-in meters.
const (
	Storage   = "storage_bytes"   // a gauge
	Bandwidth = "bandwidth_bytes" // a monthly counter
	Seats     = "seats"           // members and open invitations
)

// Unlimited is the value of a limit that does not bound.
const Unlimited int64 = -1

// Gigabyte is what a GB of the limits is, in bytes.
const Gigabyte int64 = 1_000_000_000

// Kind is how a meter adds up.
type Kind string

// The kinds.
const (
	Counter Kind = "counter" // grows through a month
	Gauge   Kind = "gauge"   // stands at something until it is set anew
	People  Kind = "seats"   // counted with the membership itself
)

// Mode is what a limit does.
type Mode string

// The modes.
const (
	Hard Mode = "hard" // beyond it is refused
	Soft Mode = "soft" // beyond it is marked
)

// Valid reports one of the two modes.
func (m Mode) Valid() bool { return m == Hard || m == Soft }

// Level is who decides.
type Level string

// The levels, from the nearest.
const (
	ByOrganization Level = "organization"
	ByAdmin        Level = "admin"
	ByGroup        Level = "group"
	ByPlatform     Level = "platform"
)

// Meter is what can be measured, as far as a decision needs it.
type Meter struct {
	Key    string
	Name   string
	Kind   Kind
	Unit   string
	Plugin string // who alone may report it; "" is every plugin
	Limit  int64  // the platform's, of one organization
	Mode   Mode
}

// Limit is how much of a meter may be used, and by whose word.
type Limit struct {
	Limit int64 // Unlimited, or in the meter's unit
	By    Level // who set the least; "" when Unlimited
	Mode  Mode
}

// Allows reports whether so much in all is within the limit.
func (l Limit) Allows(total int64) bool { return l.Limit == Unlimited || total <= l.Limit }

// Period is the month that counts; To is its first moment that does not.
type Period struct {
	From db.Time `json:"from"`
	To   db.Time `json:"to"`
}

// Month is the month that a moment lies in, and its key: the days from 1970 to
// its first, by the calendar of the zone.
func Month(at db.Time, zone *time.Location) (Period, int64) {
	t := at.Std().In(zone)
	key := Day(t.Year(), t.Month(), 1)
	return Period{From: Begins(key, zone), To: Begins(Day(t.Year(), t.Month()+1, 1), zone)}, key
}

const secondsOfDay = 24 * 60 * 60

// Day is the number of days from 1970 to a date.
func Day(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsOfDay
}

// Begins is the first moment of a day in the zone, also where midnight is
// skipped or comes twice.
func Begins(day int64, zone *time.Location) db.Time {
	date := time.Unix(day*secondsOfDay, 0).UTC()
	t := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, zone)
	if Day(t.Date()) < day {
		_, t = t.ZoneBounds()
	}
	for Day(t.Add(-1).Date()) == day {
		t = t.Add(-30 * time.Minute)
	}
	return db.At(t)
}
