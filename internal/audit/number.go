package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Topic is what is published when events wait for their numbers, and again
// when they have them.
const Topic = "audit"

// Done is published when something was done and recorded: whoever shows it
// may read it anew. Visibility.Concerns reads its notices.
const Done = "done"

// block is how many of a scope's events one bucket of the roll-ups spans at
// most, and so how far a deep offset ever walks.
const block = 1 << 14

// day is the number of the UTC day, counted from 1970.
func day(t db.Time) int64 {
	const length = 24 * 60 * 60 * 1_000_000
	d := int64(t) / length
	if t < 0 && int64(t)%length != 0 {
		d--
	}
	return d
}

// Past is an event with the time at which it happened, for Import.
type Past struct {
	At db.Time
	Event
}

// Import writes a history in the order given, numbered at once on both
// engines: for demonstrations and benchmarks. On PostgreSQL no other event gets
// its numbers until tx ends, so it should hold some thousands at most.
func Import(tx *db.Tx, events []Past) error {
	rows := make([]row, len(events))
	bodies := make([]body, len(events))
	for i, e := range events {
		var err error
		if rows[i], bodies[i], err = prepare(e.Event, e.At); err != nil {
			return err
		}
	}
	return enter(tx, rows, bodies)
}

// prepare makes the row of an event, but for its id.
func prepare(e Event, at db.Time) (row, body, error) {
	if !slices.Contains(Types, e.Target.Type) {
		return row{}, body{}, fmt.Errorf("audit: %s is of a %q, which is none of Types", e.Action, e.Target.Type)
	}
	if e.Outcome == "" {
		e.Outcome = OK
	}
	b, err := write(e, at)
	return row{organization: id.Ref(e.Organization), admin: id.Ref(e.Admin), at: at, action: e.Action, targetType: e.Target.Type,
		outcome: string(e.Outcome), actorType: string(e.Actor.Type), actor: id.Ref(e.Actor.ID)}, b, err
}

func record(tx *db.Tx, e Event) (id.Event, error) {
	r, b, err := prepare(e, tx.Now)
	if err != nil {
		return 0, err
	}
	if tx.Engine() == db.Postgres {
		r.id, err = wait(tx, r, b)
	} else {
		one := []row{r}
		err = enter(tx, one, []body{b})
		r.id = one[0].id
	}
	if err != nil {
		return 0, err
	}
	tx.SetValue(recordedKey{}, append(Recorded(tx), r.id))
	tx.Publish(Topic, "")
	if e.Outcome == OK || e.Outcome == "" {
		tx.Publish(Done, scopeNotice(e.Organization, e.Admin))
	}
	return r.id, nil
}

// enter gives rows their ids and numbers and writes them. On SQLite an id is
// the platform's number plus one: there is one writer, and it never takes back
// what it has committed.
func enter(tx *db.Tx, rows []row, bodies []body) error {
	if len(rows) == 0 {
		return nil
	}
	head, err := lockHead(tx)
	if err != nil {
		return err
	}
	var ids []int64
	if tx.Engine() == db.Postgres {
		if ids, err = reserve(tx, len(rows)); err != nil {
			return err
		}
	}
	for i := range rows {
		rows[i].id = id.Event(head + int64(i) + 1)
		if ids != nil {
			rows[i].id = id.Event(ids[i])
		}
		rows[i].body = bodies[i].with(rows[i].id)
	}
	return number(tx, head, rows)
}

var errHeadMoved = errors.New("audit: another sequencer has numbered these events")

// number gives rows, in their order, the next dense numbers of all their scopes,
// writes them, and keeps heads and roll-ups in step. head is the platform's
// next number, locked by the caller; that it is still there is checked.
func number(tx *db.Tx, head int64, rows []row) error {
	ok, err := advance(tx, head, head+int64(len(rows)))
	if err != nil {
		return err
	}
	if !ok {
		return errHeadMoved
	}
	if err := assign(tx, head, rows); err != nil {
		return err
	}
	if tx.Engine() == db.Postgres {
		if err := insertEvents(tx, rows); err != nil {
			return err
		}
	} else {
		for i := range rows {
			if err := insertEvent(tx, &rows[i]); err != nil {
				return err
			}
		}
	}
	return rollUp(tx, rows)
}

func organizationScope(n id.Organization) string { return "o" + strconv.FormatInt(int64(n), 10) }
func adminScope(n id.Admin) string               { return "a" + strconv.FormatInt(int64(n), 10) }

// assign sets the numbers of rows.
func assign(tx *db.Tx, head int64, rows []row) error {
	counts := map[string]int64{}
	for i := range rows {
		if o := rows[i].organization; o != nil {
			counts[organizationScope(*o)]++
		}
		if a := rows[i].admin; a != nil {
			counts[adminScope(*a)]++
		}
	}
	next, err := raiseHeads(tx, counts)
	if err != nil {
		return err
	}
	give := func(scope string) *int64 {
		n := next[scope]
		next[scope]++
		return &n
	}
	for i := range rows {
		r := &rows[i]
		r.seq = head + int64(i)
		if r.organization != nil {
			r.organizationSeq = give(organizationScope(*r.organization))
		}
		if r.admin != nil {
			r.adminSeq = give(adminScope(*r.admin))
		}
	}
	return nil
}

// raiseHeads moves the heads of scopes and gives what they were.
func raiseHeads(tx *db.Tx, counts map[string]int64) (map[string]int64, error) {
	scopes := slices.Sorted(maps.Keys(counts))
	ns := make([]int64, len(scopes))
	for i, s := range scopes {
		ns[i] = counts[s]
	}
	if tx.Engine() == db.Postgres {
		return raiseAll(tx, scopes, ns)
	}
	before := make(map[string]int64, len(scopes))
	for i, s := range scopes {
		var err error
		if before[s], err = raise(tx, s, ns[i]); err != nil {
			return nil, err
		}
	}
	return before, nil
}

// rollupKey and actorKey name a bucket of the roll-ups, rollup is what it holds.
type (
	rollupKey struct {
		scope, action, targetType, outcome string
		block, day, admin                  int64
	}
	actorKey struct {
		scope     string
		day       int64
		actorType string
		actor     int64
		admin     int64
	}
	rollup struct{ n, first, last int64 }
)

func count[K comparable](m map[K]rollup, k K, seq int64) {
	v, known := m[k]
	if !known {
		v.first = seq
	}
	m[k] = rollup{v.n + 1, v.first, seq}
}

// rollUp adds rows to the roll-ups.
func rollUp(tx *db.Tx, rows []row) error {
	events, actors := map[rollupKey]rollup{}, map[actorKey]rollup{}
	for _, r := range rows {
		add := func(scope string, own, admin int64) {
			d := day(r.at)
			count(events, rollupKey{scope, r.action, r.targetType, r.outcome, own / block, d, admin}, r.seq)
			count(actors, actorKey{scope, d, r.actorType, id.Val(r.actor), admin}, r.seq)
		}
		add("p", r.seq, 0)
		if r.admin != nil {
			add(adminScope(*r.admin), *r.adminSeq, 0)
		}
		if r.organization != nil {
			add(organizationScope(*r.organization), *r.organizationSeq, int64(id.Val(r.admin)))
		}
	}
	return storeRollups(tx, events, actors)
}

func storeRollups(tx *db.Tx, events map[rollupKey]rollup, actors map[actorKey]rollup) error {
	if tx.Engine() == db.Postgres {
		ek, ak := slices.Collect(maps.Keys(events)), slices.Collect(maps.Keys(actors))
		sort.Slice(ek, func(i, j int) bool { return events[ek[i]].first < events[ek[j]].first })
		sort.Slice(ak, func(i, j int) bool { return actors[ak[i]].first < actors[ak[j]].first })
		if err := addAllRollups(tx, ek, events); err != nil {
			return err
		}
		return addAllActors(tx, ak, actors)
	}
	for k, v := range events {
		if err := addRollup(tx, k, v); err != nil {
			return err
		}
	}
	for k, v := range actors {
		if err := addActor(tx, k, v); err != nil {
			return err
		}
	}
	return nil
}
