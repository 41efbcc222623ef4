package audit

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Bounds of the statistics.
const (
	DefaultDays = 30
	MaxDays     = 365
	topActors   = 10
)

// Stats is what happened in the last days, today included, by days of UTC.
type Stats struct {
	Days         int           `json:"days"`
	Total        int64         `json:"total"`
	ByAction     []ActionCount `json:"by_action" doc:"The most frequent first."`
	ByTargetType []TypeCount   `json:"by_target_type" doc:"The most frequent first."`
	ByDay        []DayCount    `json:"by_day" doc:"Every day, the oldest first; days without events count 0."`
	TopActors    []ActorCount  `json:"top_actors" doc:"The ten busiest, under the name they had last."`
}

// ActionCount is how often something was done.
type ActionCount struct {
	Action string `json:"action"`
	Count  int64  `json:"count"`
}

// TypeCount is how often something was done to a type of thing.
type TypeCount struct {
	TargetType string `json:"target_type"`
	Count      int64  `json:"count"`
}

// DayCount is how much was done on a day.
type DayCount struct {
	Date  string `json:"date" format:"date"`
	Count int64  `json:"count"`
}

// ActorCount is how much somebody did.
type ActorCount struct {
	Person
	Count int64 `json:"count"`
}

// Statistics counts what v sees, from the roll-ups: the cost grows with days,
// kinds of action and actors, never with events. Run it by Settled.
func Statistics(tx *db.Tx, v Visibility, days int) (Stats, error) {
	if days < 1 || days > MaxDays {
		return Stats{}, fault.InvalidField("days", "out_of_range", "Give 1 to %d days.", MaxDays)
	}
	if err := look(tx); err != nil {
		return Stats{}, err
	}
	last := day(tx.Now)
	first := last - int64(days) + 1
	parts := v.parts(Filter{})
	s := Stats{Days: days}
	if err := s.actions(tx, parts, first, last); err != nil {
		return Stats{}, err
	}
	if err := s.days(tx, parts, first, last); err != nil {
		return Stats{}, err
	}
	return s, s.actors(tx, parts, first, last)
}

func (s *Stats) actions(tx *db.Tx, parts []part, first, last int64) error {
	actions, types := map[string]int64{}, map[string]int64{}
	for _, p := range parts {
		some, err := sumActions(tx, p, first, last)
		if err != nil {
			return err
		}
		for _, c := range some {
			actions[c.action] += c.n
			types[c.targetType] += c.n
			s.Total += c.n
		}
	}
	s.ByAction, s.ByTargetType = []ActionCount{}, []TypeCount{}
	for _, k := range frequent(actions) {
		s.ByAction = append(s.ByAction, ActionCount{k, actions[k]})
	}
	for _, k := range frequent(types) {
		s.ByTargetType = append(s.ByTargetType, TypeCount{k, types[k]})
	}
	return nil
}

// frequent gives the keys, those that count most first.
func frequent(m map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
}

func (s *Stats) days(tx *db.Tx, parts []part, first, last int64) error {
	s.ByDay = make([]DayCount, last-first+1)
	for i := range s.ByDay {
		s.ByDay[i].Date = (db.Time(first+int64(i)) * daily).Std().Format(time.DateOnly)
	}
	for _, p := range parts {
		some, err := sumDays(tx, p, first, last)
		if err != nil {
			return err
		}
		for _, c := range some {
			s.ByDay[c.day-first].Count += c.n
		}
	}
	return nil
}

func (s *Stats) actors(tx *db.Tx, parts []part, first, last int64) error {
	limit := 0
	if len(parts) == 1 {
		limit = topActors
	}
	type who struct {
		kind string
		id   int64
	}
	sums := map[who]actorCount{}
	for _, p := range parts {
		some, err := sumActors(tx, p, first, last, limit)
		if err != nil {
			return err
		}
		for _, c := range some {
			k := who{c.kind, c.id}
			c.n, c.last = c.n+sums[k].n, max(c.last, sums[k].last)
			sums[k] = c
		}
	}
	top := slices.SortedFunc(maps.Values(sums), func(a, b actorCount) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(b.last, a.last))
	})
	s.TopActors = []ActorCount{}
	for _, c := range top[:min(topActors, len(top))] {
		e, err := entry(tx, c.last)
		if err != nil {
			return err
		}
		if e, err = e.Open(); err != nil {
			return err
		}
		e.Actor.ID, e.Actor.Type = id.Ref(c.id), ActorType(c.kind)
		s.TopActors = append(s.TopActors, ActorCount{e.Actor, c.n})
	}
	return nil
}
