package usage

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/quota"
)

// rollup is a table that sums what was counted by steps of the zone's calendar.
// The tables have the same columns; only what begins_at names a step by differs,
// and it is said here alone: of an hour its first moment, of a day the days since
// 1970.
type rollup struct {
	table string
	key   func(w window) int64                         // names the step in which something counts
	at    func(key int64, zone *time.Location) db.Time // where the step begins
	next  func(key int64, zone *time.Location) int64   // the step after it
	prior func(key int64, zone *time.Location) int64   // the step before it
	most  int                                          // steps of one history
}

// hourly has the hour that clocks show twice as two, so a month has up to 745.
var hourly = rollup{
	table: "usage_hours",
	key:   func(w window) int64 { return int64(w.hour) },
	at:    func(key int64, _ *time.Location) db.Time { return db.Time(key) },
	next:  func(key int64, zone *time.Location) int64 { return int64(nextHour(db.Time(key), zone)) },
	prior: func(key int64, zone *time.Location) int64 { return int64(hourOf(db.Time(key)-1, zone)) },
	most:  31*24 + 1,
}

var daily = rollup{
	table: "usage_days",
	key:   func(w window) int64 { return w.day },
	at:    quota.Begins,
	next:  func(key int64, _ *time.Location) int64 { return key + 1 },
	prior: func(key int64, _ *time.Location) int64 { return key - 1 },
	most:  366,
}

// rollups are all of them: what counts, counts in each.
var rollups = [...]*rollup{&hourly, &daily}

// nextHour is where the hour after one begins: an hour later, but where the
// zone changes its offset by less.
func nextHour(at db.Time, zone *time.Location) db.Time {
	next := hourOf(at.Add(time.Hour), zone)
	if next <= at {
		return at.Add(time.Hour)
	}
	return next
}

// grid is a sequence of steps that follow each other.
type grid struct {
	*rollup
	zone *time.Location
	keys []int64 // of each step, and of the one after the last
}

// gridFrom has so many steps from one on.
func gridFrom(r *rollup, zone *time.Location, key int64, n int) grid {
	g := grid{rollup: r, zone: zone, keys: []int64{key}}
	for range n {
		key = r.next(key, zone)
		g.keys = append(g.keys, key)
	}
	return g
}

// gridOver has the steps that a span touches.
func gridOver(r *rollup, zone *time.Location, from, to db.Time) (grid, error) {
	g := gridFrom(r, zone, r.key(windowOf(from, zone)), 1)
	for g.begins(g.steps()) < to {
		if g.steps() == r.most {
			return g, tooLong(r.most)
		}
		g.keys = append(g.keys, r.next(g.keys[g.steps()], zone))
	}
	return g, nil
}

// before is the grid of as many steps just before.
func (g grid) before() grid {
	b := g
	b.keys = make([]int64, len(g.keys))
	n := g.steps()
	b.keys[n] = g.keys[0]
	for i := n - 1; i >= 0; i-- {
		b.keys[i] = g.prior(b.keys[i+1], g.zone)
	}
	return b
}

func (g grid) steps() int { return len(g.keys) - 1 }

// begins is where a step begins, and where the one before it ends.
func (g grid) begins(i int) db.Time { return g.at(g.keys[i], g.zone) }
