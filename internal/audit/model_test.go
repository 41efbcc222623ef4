package audit_test

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

const daily = 24 * time.Hour

// model is the log as a plain slice, oldest first.
type model struct {
	t      *testing.T
	d      *db.DB
	events []audit.Past
}

func pick[T any](r *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(r, label) }

func drawEvent(r *rapid.T) audit.Event {
	return audit.Event{
		Actor:        audit.Actor{Type: pick(r, "kind", audit.User, audit.User, audit.APIKey, audit.System), Name: "N", ID: int64(pick(r, "actor", 0, 1, 2, 3))},
		Action:       pick(r, "action", "organization.created", "organization.suspended", "admin.created", "admin.edited", "organizations.listed", "login"),
		Target:       audit.Target{Type: pick(r, "type", "organization", "admin", "user"), ID: 1},
		Organization: pick[id.Organization](r, "organization", 0, 1, 2, 3),
		Admin:        pick[id.Admin](r, "admin", 0, 1, 2),
		Outcome:      pick(r, "outcome", audit.OK, audit.OK, audit.OK, audit.Denied, audit.Failed),
	}
}

// write adds some events, in one transaction or each in its own.
func (m *model) write(r *rapid.T) {
	n := rapid.IntRange(1, 12).Draw(r, "n")
	var some []audit.Past
	now := m.d.Now()
	for range n {
		ago := rapid.IntRange(0, 40*24).Draw(r, "hours ago")
		some = append(some, audit.Past{At: now.Add(-time.Duration(ago) * time.Hour), Event: drawEvent(r)})
	}
	if rapid.Bool().Draw(r, "in order") {
		sort.SliceStable(some, func(i, j int) bool { return some[i].At < some[j].At })
	}
	if rapid.Bool().Draw(r, "imported") {
		m.write1(func(tx *db.Tx) error { return audit.Import(tx, some) })
		m.events = append(m.events, some...)
		return
	}
	for _, e := range some {
		m.write1(func(tx *db.Tx) error {
			e.At = tx.Now
			_, err := audit.Record(tx, e.Event)
			return err
		})
		m.events = append(m.events, e)
	}
	m.settle()
}

func (m *model) write1(f func(*db.Tx) error) {
	m.t.Helper()
	if err := m.d.Write(context.Background(), f); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) settle() {
	if err := audit.Settle(context.Background(), m.d); err != nil {
		m.t.Fatal(err)
	}
}

// reach is the tenancy that the database holds such a caller to.
func reach(v audit.Visibility) db.Scope {
	if v.All {
		return db.Platform
	}
	return db.Tenant(db.Reach{Admins: v.Admins, Organizations: v.Organizations})
}

func drawView(r *rapid.T) audit.Visibility {
	return audit.Visibility{
		All:           rapid.IntRange(0, 3).Draw(r, "all") == 0,
		Admins:        rapid.SliceOfN(rapid.SampledFrom([]id.Admin{1, 2, 9}), 0, 2).Draw(r, "admins"),
		Organizations: rapid.SliceOfN(rapid.SampledFrom([]id.Organization{1, 2, 3, 9}), 0, 3).Draw(r, "organizations"),
	}
}

func drawFilter(r *rapid.T, now db.Time) (f audit.Filter) {
	some := func(label string, of int) bool { return rapid.IntRange(1, of).Draw(r, label) == 1 }
	if some("by action", 2) {
		f.Action = pick(r, "action", "organization.created", "admin.edited", "organization.*", "admin.*", "none.*", "login", "none")
	}
	if some("by type", 3) {
		f.TargetType = pick(r, "type", "organization", "admin", "settings")
	}
	if some("by actor", 4) {
		f.Actor = pick[int64](r, "actor", 1, 2, 77)
	}
	if some("by organization", 4) {
		f.Organization = pick[id.Organization](r, "organization", 1, 2, 77)
	}
	if some("by admin", 4) {
		f.Admin = pick[id.Admin](r, "admin", 1, 2, 77)
	}
	if some("by outcome", 3) {
		f.Outcome = pick(r, "outcome", audit.OK, audit.Denied, audit.Failed)
	}
	if some("from", 4) {
		f.From = now.Add(-time.Duration(rapid.IntRange(20*24, 41*24).Draw(r, "from")) * time.Hour)
	}
	if some("to", 4) {
		f.To = now.Add(-time.Duration(rapid.IntRange(-24, 19*24).Draw(r, "to")) * time.Hour)
	}
	return f
}

// match gives the events that v sees and f leaves, newest first.
func (m *model) match(v audit.Visibility, f audit.Filter) (seqs []int64) {
	for i, e := range slices.Backward(m.events) {
		if (v.All || e.Admin != 0 && slices.Contains(v.Admins, e.Admin) || e.Organization != 0 && slices.Contains(v.Organizations, e.Organization)) &&
			(f.Action == "" || f.Action == e.Action || strings.HasSuffix(f.Action, "*") && strings.HasPrefix(e.Action, f.Action[:len(f.Action)-1])) &&
			(f.TargetType == "" || f.TargetType == e.Target.Type) && (f.Actor == 0 || f.Actor == e.Actor.ID) &&
			(f.Organization == 0 || f.Organization == e.Organization) && (f.Admin == 0 || f.Admin == e.Admin) &&
			(f.Outcome == "" || f.Outcome == e.Outcome) && (f.From == 0 || e.At >= f.From) && (f.To == 0 || e.At < f.To) {
			seqs = append(seqs, int64(i))
		}
	}
	return seqs
}

func (m *model) list(v audit.Visibility, f audit.Filter, r page.Request) (l page.List[audit.Entry]) {
	m.t.Helper()
	err := m.d.In(reach(v)).Read(context.Background(), func(tx *db.Tx) (err error) {
		l, err = audit.List(tx, v, f, r)
		return err
	})
	if err != nil {
		m.t.Fatalf("list %+v %+v %+v: %v", v, f, r, err)
	}
	return l
}

// check compares one page, and the pages that its cursors lead to.
func (m *model) check(r *rapid.T) {
	v, f := drawView(r), drawFilter(r, m.d.Now())
	want := m.match(v, f)
	q := page.Request{Limit: rapid.IntRange(1, 20).Draw(r, "limit")}
	if rapid.Bool().Draw(r, "deep") {
		q.Offset = int64(rapid.IntRange(0, len(want)+2).Draw(r, "offset"))
	}
	at := int(q.Offset)
	for range 3 {
		l := m.list(v, f, q)
		wanted := want[min(at, len(want)):min(at+q.Limit, len(want))]
		got := []int64{}
		for _, e := range l.Data {
			got = append(got, e.Seq())
		}
		if !slices.Equal(got, wanted) || l.Pagination.Total != int64(len(want)) || l.Pagination.HasMore != (at+q.Limit < len(want)) {
			m.t.Fatalf("%+v %+v %+v: got %v of %d (more: %t), want %v of %d", v, f, q, got, l.Pagination.Total, l.Pagination.HasMore, wanted, len(want))
		}
		if !l.Pagination.HasMore {
			return
		}
		at += q.Limit
		after, err := page.ParseCursor(l.Pagination.NextCursor)
		if err != nil {
			m.t.Fatal(err)
		}
		q = page.Request{Limit: q.Limit, After: after}
	}
}

// stats compares the statistics.
func (m *model) stats(r *rapid.T) {
	v, days := drawView(r), rapid.IntRange(1, 45).Draw(r, "days")
	var got audit.Stats
	var today int64
	err := m.d.In(reach(v)).Read(context.Background(), func(tx *db.Tx) (err error) {
		today = int64(tx.Now) / int64(daily/time.Microsecond)
		got, err = audit.Statistics(tx, v, days)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	actions, dates, actors, total := map[string]int64{}, map[string]int64{}, map[[2]any]int64{}, int64(0)
	for _, i := range m.match(v, audit.Filter{}) {
		e := m.events[i]
		if d := int64(e.At) / int64(daily/time.Microsecond); d > today-int64(days) && d <= today {
			actions[e.Action]++
			dates[e.At.Std().Format(time.DateOnly)]++
			actors[[2]any{e.Actor.Type, e.Actor.ID}]++
			total++
		}
	}
	if got.Total != total || len(got.ByAction) != len(actions) || len(got.ByDay) != days || len(got.TopActors) != min(10, len(actors)) {
		m.t.Fatalf("%+v, %d days: got %+v, want total %d of %v", v, days, got, total, actions)
	}
	for i, a := range got.ByAction {
		if a.Count != actions[a.Action] || i > 0 && a.Count > got.ByAction[i-1].Count {
			m.t.Fatalf("got %v, want %v", got.ByAction, actions)
		}
	}
	for _, d := range got.ByDay {
		if d.Count != dates[d.Date] {
			m.t.Fatalf("got %v, want %v", got.ByDay, dates)
		}
	}
	for _, a := range got.TopActors {
		if n := id.Val(a.ID); a.Count != actors[[2]any{a.Type, n}] {
			m.t.Fatalf("got %+v, want %v", got.TopActors, actors)
		}
	}
}

// TestModel writes, lists and counts at random, beside a slice that does the
// same the slow way. The log grows from one round to the next.
func TestModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := &model{t: t, d: d}
		rapid.Check(t, func(r *rapid.T) {
			m.write(r)
			for range 8 {
				m.check(r)
			}
			m.stats(r)
		})
		verify(t, d, len(m.events))
	})
}

// verify recounts all that is kept about the events: dense numbers in every
// scope, heads and roll-ups.
func verify(t *testing.T, d *db.DB, events int) {
	t.Helper()
	read := func(what, query string, want int64) {
		t.Helper()
		err := d.Read(context.Background(), func(tx *db.Tx) error {
			got, err := db.One(tx, db.Int64, query)
			if err == nil && got != want {
				t.Errorf("%s: got %d, want %d", what, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	read("events", `SELECT COUNT(*) FROM audit_events`, int64(events))
	read("waiting", `SELECT COUNT(*) FROM audit_pending`, 0)
	read("head", `SELECT COALESCE(SUM(next_seq), 0) FROM audit_heads WHERE scope = 'p'`, int64(events))
	read("highest number", `SELECT COALESCE(MAX(seq) + 1, 0) FROM audit_events`, int64(events))
	read("ids twice", `SELECT COUNT(*) - COUNT(DISTINCT id) FROM audit_events`, 0)
	for _, s := range []struct{ letter, column, own string }{{"o", "organization_id", "organization_seq"}, {"a", "admin_id", "admin_seq"}} {
		read("scopes with holes or a wrong head: "+s.column, `SELECT COUNT(*) FROM (
			SELECT `+s.column+` AS c, COUNT(*) AS n, MIN(`+s.own+`) AS low, MAX(`+s.own+`) AS high FROM audit_events WHERE `+s.column+` IS NOT NULL GROUP BY `+s.column+`) AS x
			LEFT JOIN audit_heads AS h ON h.scope = '`+s.letter+`' || CAST(x.c AS TEXT)
			WHERE low <> 0 OR high <> n - 1 OR COALESCE(h.next_seq, -1) <> n`, 0)
	}
	read("roll-ups that do not add up", `SELECT COUNT(*) FROM audit_heads AS h WHERE
		next_seq <> (SELECT COALESCE(SUM(n), 0) FROM audit_rollups AS r WHERE r.scope = h.scope)
		OR next_seq <> (SELECT COALESCE(SUM(n), 0) FROM audit_actors AS r WHERE r.scope = h.scope)`, 0)
}

func decode(t *testing.T, e audit.Entry) map[string]any {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func adminIDs(ids ...id.Admin) []id.Admin                      { return ids }
func organizationIDs(ids ...id.Organization) []id.Organization { return ids }
