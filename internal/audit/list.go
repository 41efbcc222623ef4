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
// Call Settle before the transaction, so that the list holds what the caller
// has done.
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
}

func (l *listing) page(r page.Request) (rows []Entry, total int64, err error) {
	if l.streams, err = streams(l.tx, l.parts, l.f); err != nil || len(l.streams) == 0 {
		return nil, 0, err
	}
	low, high := int64(0), int64(end)
	if l.f.timed() || r.Offset > 0 && r.After.ID == 0 && l.f.Actor == 0 && !l.arithmetic() {
		if err := l.count(); err != nil {
			return nil, 0, err
		}
	}
	if l.f.timed() {
		if low, high = span(l.buckets); low >= high {
			return nil, 0, nil
		}
	}
	if total, err = l.total(low, high); err != nil {
		return nil, 0, err
	}
	some, err := l.start(r, low, high)
	if err != nil || !some {
		return nil, total, err
	}
	limit := r.Limit + 1
	if l.onlyActor() && r.After.ID == 0 {
		// So many there are: the index need not be read to its end for more.
		limit = int(min(int64(limit), total-r.Offset))
	}
	rows, err = merge(l.tx, l.streams, limit)
	return rows, total, err
}

// arithmetic reports that a number of the log is also an offset.
func (l *listing) arithmetic() bool { return l.f.plain() && len(l.parts) == 1 && l.parts[0].whole() }

// onlyActor reports that nothing but the actor is filtered.
func (l *listing) onlyActor() bool {
	f := l.f
	f.Actor = 0
	return l.f.Actor != 0 && f.plain()
}

// total is how many events match.
func (l *listing) total(low, high int64) (total int64, err error) {
	switch {
	case l.f.Actor != 0 && !l.onlyActor():
		for _, t := range l.streams {
			t.low, t.high = low, high
			n, err := t.count(l.tx)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	case l.buckets != nil:
		for _, b := range l.buckets {
			total += b.n
		}
		return total, nil
	}
	for _, p := range l.parts {
		var n int64
		switch {
		case l.f.Actor != 0:
			n, err = sumActor(l.tx, p, l.f.Actor)
		case l.f.plain() && p.whole():
			n, err = head(l.tx, p.scope())
		default:
			n, err = sum(l.tx, p, l.f)
		}
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// start moves the streams to where the page begins; some is false when it is
// behind the last event.
func (l *listing) start(r page.Request, low, high int64) (some bool, err error) {
	rest := int64(0)
	switch {
	case r.After.ID != 0:
		high = min(high, r.After.At)
	case r.Offset == 0:
	case l.arithmetic():
		top, err := head(l.tx, l.parts[0].scope())
		l.streams[0].high = top - r.Offset
		return top > r.Offset, err
	case l.f.Actor != 0:
		rest = r.Offset
	default:
		h, n, ok := skip(l.buckets, r.Offset)
		if !ok {
			return false, nil
		}
		high, rest = min(high, h), n
	}
	for i := range l.streams {
		if err := l.streams[i].bound(l.tx, low, high); err != nil {
			return false, err
		}
	}
	if rest == 0 {
		return true, nil
	}
	return nth(l.tx, l.streams, rest)
}

// count reads the buckets that match. Those of days of which only a piece is
// wanted are counted again, event by event.
func (l *listing) count() error {
	l.buckets = []bucket{}
	for _, p := range l.parts {
		all, err := buckets(l.tx, p, l.f)
		if err != nil {
			return err
		}
		for _, b := range all {
			if l.broken(b.day) {
				if b.n, err = l.recount(p, b); err != nil {
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
func (l *listing) recount(p part, b bucket) (n int64, err error) {
	begin := db.Time(b.day) * daily
	for _, t := range l.streams {
		if t.part.scope() != p.scope() || t.part.admin != p.admin {
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

// span is where the events of buckets lie.
func span(all []bucket) (low, high int64) {
	low = end
	for _, b := range all {
		low, high = min(low, b.first), max(high, b.last+1)
	}
	return low, high
}
