package usage

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
)

// A gauge stands at the sum of what each plugin says of it. Of one plugin's
// events the last that set it counts, by its own time, and the deltas after
// that; one that came too late for that still counts in the hour and day in
// which it happened, and in those after it up to the next that set the gauge. A
// plugin should either set or move its gauge: a setting that arrives after a
// later delta replaces it.

// share is a plugin's part of a gauge.
type share struct {
	value int64
	setAt db.Time
}

// apply takes an event in, unless a later one has set the gauge since.
func (s *share) apply(c *counted) {
	switch {
	case c.own < s.setAt:
	case c.delta:
		s.value += c.amount
	default:
		s.value, s.setAt = c.amount, c.own
	}
}

// gauge counts the events of one plugin's share, in the order they came.
func (t *tally) gauge(k shareKey, r *row) error {
	before, err := readShare(t.tx, k)
	if err != nil {
		return err
	}
	after := before
	for _, c := range t.gauges[k] {
		after.apply(c)
	}
	if err := storeShare(t.tx, k, after); err != nil {
		return err
	}
	if diff := after.value - before.value; diff != 0 {
		if r.used, err = moveCurrent(t.tx, r.rowKey, diff); err != nil {
			return err
		}
	}
	if err := t.levels(hours, k, int64(t.now.hour), func(c *counted) int64 { return int64(hourOf(c.at, t.known.zone)) }); err != nil {
		return err
	}
	return t.levels(days, k, t.now.day, func(c *counted) int64 { return windowOf(c.at, t.known.zone).day })
}

// levels counts the events in one roll-up: first those that belong to what is
// over, then the others together.
func (t *tally) levels(table string, k shareKey, now int64, begins func(*counted) int64) error {
	var open []*counted
	for _, c := range t.gauges[k] {
		b := begins(c)
		if b >= now {
			open = append(open, c)
			continue
		}
		if err := t.level(table, bucketKey{k.organization, k.meter, b, k.plugin}, []*counted{c}); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return nil
	}
	return t.level(table, bucketKey{k.organization, k.meter, now, k.plugin}, open)
}

// level is a row of a gauge's roll-up.
type level struct {
	bucketKey
	value, peak             int64
	setAt                   db.Time
	events, late, corrected int64
}

// level counts events of one hour or day. What they move moves all that came
// after, up to the next that set the gauge.
func (t *tally) level(table string, k bucketKey, events []*counted) error {
	l, err := lastLevel(t.tx, table, k)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if l.bucketKey != k { // the one before: this one begins where it ended
		l = level{bucketKey: k, value: l.value, peak: l.value, setAt: l.setAt}
	}
	for _, c := range events {
		l.events++
		if c.late {
			l.late++
		}
		s := share{l.value, l.setAt}
		s.apply(c)
		diff := s.value - l.value
		if c.at != c.own {
			l.corrected += diff
		}
		l.value, l.setAt, l.peak = s.value, s.setAt, max(l.peak, s.value)
		if diff != 0 && c.at < t.now.hour {
			if err := moveLevels(t.tx, table, k, c.own, diff); err != nil {
				return err
			}
		}
	}
	return storeLevel(t.tx, table, l)
}
