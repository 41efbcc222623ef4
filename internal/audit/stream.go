package audit

import (
	"errors"
	"math"
	"sort"

	"github.com/tenantry/tenantry/internal/db"
)

// stream is one index range that holds matching events in the platform's order:
// a list is the merge of its streams.
type stream struct {
	part   part
	of     int // which of the list's parts
	filter Filter
	// by is the column whose index is read, and value what it holds; without
	// one the part's own numbers are read.
	by    string
	value any
	// low and high bound what is read, in the numbers of the index: the
	// platform's, or without by the part's own. high is not included.
	low, high int64
}

// end is behind every number.
const end = math.MaxInt64

// streams chooses how to read the parts: one stream for each, or one for each
// action of a prefix.
func streams(tx *db.Tx, parts []part, f Filter) ([]stream, error) {
	var all []stream
	for i, p := range parts {
		s := stream{part: p, of: i, filter: f, high: end}
		prefix, many := f.prefix()
		switch {
		case f.Actor != 0:
			s.by, s.value = "actor_id", f.Actor
		case f.Outcome != "" && f.Outcome != OK:
			s.by, s.value = "outcome", string(f.Outcome)
		case many:
			actions, err := actionsOf(tx, p, prefix)
			if err != nil {
				return nil, err
			}
			for _, a := range actions {
				s.filter.Action, s.by, s.value = a, "action", a
				all = append(all, s)
			}
			continue
		case f.Action != "":
			s.by, s.value = "action", f.Action
		case f.TargetType != "":
			s.by, s.value = "target_type", f.TargetType
		}
		all = append(all, s)
	}
	return all, nil
}

// actionsOf are the actions of a part's scope that begin with prefix.
func actionsOf(tx *db.Tx, p part, prefix string) (actions []string, err error) {
	for last := prefix; ; {
		if last, err = nextAction(tx, p.scope(), last, after(prefix)); err != nil || last == "" {
			return actions, err
		}
		actions = append(actions, last)
	}
}

// bound narrows the stream to the platform's numbers from low to before high.
func (t *stream) bound(tx *db.Tx, low, high int64) (err error) {
	if t.by != "" {
		t.low, t.high = low, high
		return nil
	}
	if t.low, err = rank(tx, t.part, low); err != nil {
		return err
	}
	t.high, err = rank(tx, t.part, high)
	return err
}

// rank is how many events of the part's scope have a platform's number below
// seq. It costs a look-up where seq is one of them or follows one, else a few
// for a search by halves.
func rank(tx *db.Tx, p part, seq int64) (int64, error) {
	if seq == 0 || seq == end || p.scope() == "p" {
		return seq, nil
	}
	for before := range int64(2) { // at seq, or just before
		own, err := ownAt(tx, p, seq-before)
		if !errors.Is(err, db.ErrNoRows) {
			return own + before, err
		}
	}
	top, err := head(tx, p.scope())
	if err != nil {
		return 0, err
	}
	var failed error
	n := sort.Search(int(top), func(i int) bool {
		if failed != nil {
			return true
		}
		at, err := seqAt(tx, p, int64(i))
		failed = err
		return at >= seq
	})
	return int64(n), failed
}

// nth finds the event that skip others precede in the merge of streams, and
// moves all of them to it; ok is false where there is none.
func nth(tx *db.Tx, all []stream, skip int64) (ok bool, err error) {
	if len(all) == 1 {
		at, err := all[0].places(tx, 1, skip)
		if err != nil || len(at) == 0 {
			return false, err
		}
		all[0].high = at[0].key + 1
		return true, nil
	}
	var places []place
	for _, t := range all {
		some, err := t.places(tx, skip+1, 0)
		if err != nil {
			return false, err
		}
		places = append(places, some...)
	}
	if int64(len(places)) <= skip {
		return false, nil
	}
	sort.Slice(places, func(i, j int) bool { return places[i].seq > places[j].seq })
	for i := range all {
		low := all[i].low
		if err := all[i].bound(tx, 0, places[skip].seq+1); err != nil {
			return false, err
		}
		all[i].low = low
	}
	return true, nil
}

// merge reads the newest limit entries of all streams together.
func merge(tx *db.Tx, all []stream, limit int64) ([]Entry, error) {
	var rows []Entry
	for _, t := range all {
		some, err := t.read(tx, limit)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	if len(all) > 1 {
		sort.Slice(rows, func(i, j int) bool { return rows[i].seq > rows[j].seq })
	}
	return rows[:min(int(limit), len(rows))], nil
}

// skip finds the last place that surely has at most n matching events before it
// and across which no bucket reaches: reading may begin below high, and rest
// events remain to be skipped there. Where there are no more than n events, ok
// is false.
func skip(all []bucket, n int64) (high, rest int64, ok bool) {
	sort.Slice(all, func(i, j int) bool { return all[i].last > all[j].last })
	high, low := int64(end), int64(end)
	var before, since int64 // events above high, and from there down to here
	for _, b := range all {
		if b.last < low && before+since <= n {
			before, since, high = before+since, 0, b.last+1
		}
		low = min(low, b.first)
		since += b.n
	}
	return high, n - before, before+since > n
}
