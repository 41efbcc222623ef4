package audit

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/page"
)

// List answers what of the log v sees and f leaves, newest first. Neither the
// page, at whatever depth, nor the total counts or joins events: the dense
// numbers and the roll-ups tell. Only a filter by actor together with another,
// and the broken days at the ends of a span of time, are counted one by one.
//
// Run it by Settled, so that the list holds what the caller has done.
func List(tx *db.Tx, v Visibility, f Filter, r page.Request) (page.List[Entry], error) {
	if err := f.Check(); err != nil {
		return page.List[Entry]{}, err
	}
	l := listing{tx: tx, parts: v.parts(f), f: f}
	rows, total, err := l.page(r)
	if err != nil {
		return page.List[Entry]{}, err
	}
	return page.Of(r, rows, total, func(e Entry) page.Position {
		return page.Position{At: e.seq, ID: int64(e.ID)}
	}), nil
}

// listing is one list being answered.
type listing struct {
	tx      *db.Tx
	parts   []part
	f       Filter
	streams []stream
	buckets []bucket // where they are needed
	tallies []tally  // one for each part
}

func (l *listing) page(r page.Request) (rows []Entry, total int64, err error) {
	if !l.talliesFirst(r) {
		if err := look(l.tx); err != nil {
			return nil, 0, err
		}
	}
	if l.streams, err = streams(l.tx, l.parts, l.f); err != nil || len(l.streams) == 0 {
		return nil, 0, err
	}
	if l.f.timed() || r.Offset > 0 && r.After.ID == 0 && l.f.Actor == 0 && !l.arithmetic() {
		if err := l.count(); err != nil {
			return nil, 0, err
		}
	}
	if err := l.tally(); err != nil {
		return nil, 0, err
	}
	for _, y := range l.tallies {
		total += y.n
	}
	some, err := l.start(r)
	if err != nil || !some {
		return nil, total, err
	}
	limit := int64(r.Limit) + 1
	if r.After.ID == 0 {
		// So many there are: no index need be read to its end for more.
		limit = min(limit, total-r.Offset)
	}
	rows, err = merge(l.tx, l.streams, limit)
	return rows, total, err
}

// talliesFirst reports that the first statement will be a tally's, by head or
// sum, which tell what waits.
func (l *listing) talliesFirst(r page.Request) bool {
	_, prefix := l.f.prefix()
	return !prefix && !l.f.timed() && l.f.Actor == 0 && (r.Offset == 0 || r.After.ID != 0 || l.arithmetic())
}

// arithmetic reports that a number of the log is also an offset.
func (l *listing) arithmetic() bool { return l.f.plain() && len(l.parts) == 1 && l.parts[0].whole() }

// onlyActor reports that nothing but the actor is filtered.
func (l *listing) onlyActor() bool {
	f := l.f
	f.Actor = 0
	return l.f.Actor != 0 && f.plain()
}

// tally counts the matching events of each part, and bounds what is read to
// them: events that come meanwhile are not of this list.
func (l *listing) tally() (err error) {
	l.tallies = make([]tally, len(l.parts))
	for i, p := range l.parts {
		y := tally{high: end}
		switch {
		case l.buckets != nil:
			y = span(l.buckets, i)
		case l.onlyActor():
			y, err = sumActor(l.tx, p, l.f.Actor)
		case l.f.Actor != 0:
			y.high, err = head(l.tx, "p")
		case l.f.plain() && p.whole():
			y.n, err = head(l.tx, p.scope())
		default:
			y, err = sum(l.tx, p, l.f)
		}
		if err != nil {
			return err
		}
		l.tallies[i] = y
	}
	if l.f.Actor == 0 || l.onlyActor() {
		return nil
	}
	for i := range l.tallies { // no roll-up knows both: one by one
		l.tallies[i].n = 0
	}
	for _, t := range l.streams {
		y := &l.tallies[t.of]
		if err := t.bound(l.tx, y.low, y.high); err != nil {
			return err
		}
		n, err := t.count(l.tx)
		if err != nil {
			return err
		}
		y.n += n
	}
	return nil
}

// start moves the streams to where the page begins and drops those without an
// event; some is false when it is behind the last event.
func (l *listing) start(r page.Request) (some bool, err error) {
	high, rest := int64(end), int64(0)
	switch {
	case r.After.ID != 0:
		high = r.After.At
	case l.arithmetic():
		top := l.tallies[0].n
		l.streams[0].high = top - r.Offset
		return top > r.Offset, nil
	case r.Offset == 0:
	case l.f.Actor != 0:
		rest = r.Offset
	default:
		h, n, ok := skip(l.buckets, r.Offset)
		if !ok {
			return false, nil
		}
		high, rest = h, n
	}
	var moved []stream
	for _, t := range l.streams {
		y := l.tallies[t.of]
		if y.n == 0 || y.low >= high {
			continue
		}
		if high == end && l.f.plain() && t.part.whole() {
			t.high = y.n
		} else if err := t.bound(l.tx, y.low, min(y.high, high)); err != nil {
			return false, err
		}
		moved = append(moved, t)
	}
	l.streams = moved
	if rest == 0 || len(moved) == 0 {
		return len(moved) > 0, nil
	}
	return nth(l.tx, l.streams, rest)
}

// count reads the buckets that match. Those of days of which only a piece is
// wanted are counted again, event by event.
func (l *listing) count() error {
	l.buckets = []bucket{}
	for i, p := range l.parts {
		all, err := buckets(l.tx, p, l.f)
		if err != nil {
			return err
		}
		for _, b := range all {
			b.of = i
			if l.broken(b.day) {
				if b.n, err = l.recount(b); err != nil {
					return err
				}
			}
			if b.n > 0 {
				l.buckets = append(l.buckets, b)
			}
		}
	}
	return nil
}

const daily = db.Time(24 * time.Hour / time.Microsecond)

// broken reports a day of which the filter wants only a piece.
func (l *listing) broken(d int64) bool {
	begin := db.Time(d) * daily
	return l.f.From > begin || l.f.To != 0 && l.f.To < begin+daily
}

// recount counts what is wanted of a bucket of one day.
func (l *listing) recount(b bucket) (n int64, err error) {
	begin := db.Time(b.day) * daily
	for _, t := range l.streams {
		if t.of != b.of {
			continue
		}
		t.filter.From = max(t.filter.From, begin)
		t.filter.To = begin + daily
		if l.f.To != 0 {
			t.filter.To = min(l.f.To, begin+daily)
		}
		if err := t.bound(l.tx, b.first, b.last+1); err != nil {
			return 0, err
		}
		some, err := t.count(l.tx)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, nil
}

// span sums up the buckets of one part.
func span(all []bucket, of int) tally {
	y := tally{low: end}
	for _, b := range all {
		if b.of == of {
			y = tally{n: y.n + b.n, low: min(y.low, b.first), high: max(y.high, b.last+1)}
		}
	}
	return y
}
