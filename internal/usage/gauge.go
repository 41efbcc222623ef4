package usage

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
)

// A gauge stands at the sum of what each plugin says of it. An event that sets
// it says what it stood at in the end of its hour; one that moves it, by how
// much it moved in that hour. Either moves all that came after by as much, up to
// the next time that it was set: so it does not matter how late they come.

// share is a plugin's part of a gauge.
type share struct {
	value int64
	setAt db.Time
}

// takes reports whether an event still bears on it: nothing has set it since.
func (s *share) takes(c *counted) bool { return c.own >= s.setAt }

// shift moves it by what an event moved.
func (s *share) shift(c *counted, by int64) {
	if !s.takes(c) {
		return
	}
	s.value += by
	if !c.delta {
		s.setAt = c.own
	}
}

// gauge counts the events of one plugin's share, in the order they came.
func (t *tally) gauge(k shareKey, r *row) error {
	now, err := readShare(t.tx, k)
	if err != nil {
		return err
	}
	before, events := now.value, t.gauges[k]
	moves := make([]move, len(events))
	for i, c := range events {
		moves[i] = move{counted: c, window: windowOf(c.at, t.known.zone)}
	}
	for _, r := range rollups { // the hours first: they tell what an event moves
		if err := t.levels(r, k, moves); err != nil {
			return err
		}
	}
	for i := range moves {
		if m := &moves[i]; m.counts {
			now.shift(m.counted, m.by)
		}
	}
	if err := storeShare(t.tx, k, now); err != nil || now.value == before {
		return err
	}
	r.used, err = moveCurrent(t.tx, r.rowKey, now.value-before)
	return err
}

// move is an event of a gauge with what it moves, which its hour tells.
type move struct {
	*counted
	window window
	known  bool
	counts bool // it was not set again in the same hour
	by     int64
}

// levels counts the events in one roll-up, those of one step that follow each
// other together.
func (t *tally) levels(r *rollup, k shareKey, moves []move) error {
	for len(moves) > 0 {
		first, n := r.key(moves[0].window), 1
		for n < len(moves) && r.key(moves[n].window) == first {
			n++
		}
		if err := t.level(r.table, bucketKey{k.organization, k.meter, first, k.plugin}, moves[:n]); err != nil {
			return err
		}
		moves = moves[n:]
	}
	return nil
}

// level is a row of a gauge's roll-up.
type level struct {
	bucketKey
	share
	peak                    int64
	events, late, corrected int64
}

// level counts events of one step, and moves the steps after it.
func (t *tally) level(table string, k bucketKey, moves []move) error {
	l, err := lastLevel(t.tx, table, k)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if l.bucketKey != k { // the one before: this one begins where it ended
		l = level{bucketKey: k, share: l.share, peak: l.value}
	}
	for i := range moves {
		m := &moves[i]
		m.learn(&l.share)
		l.events++
		if m.late {
			l.late++
		}
		if !m.counts {
			continue
		}
		before := l.value
		l.shift(m.counted, m.by)
		l.peak = max(l.peak, l.value)
		if m.at != m.own {
			l.corrected += l.value - before
		}
		if m.at < t.since && (m.by != 0 || !m.delta) {
			if err := moveLevels(t.tx, table, k, m.counted, m.by); err != nil {
				return err
			}
		}
	}
	return storeLevel(t.tx, table, l)
}

// learn works out, in the first roll-up, what an event moves.
func (m *move) learn(s *share) {
	if m.known {
		return
	}
	m.known, m.counts = true, s.takes(m.counted)
	if m.by = m.amount; !m.delta {
		m.by -= s.value
	}
}
