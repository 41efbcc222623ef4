package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// How many events a log has of which some blocks are full, with a busy admin and
// quiet ones, a frequent action and rare ones. SQLite's plans do not ask how many.
const (
	large = 60_000
	block = 1 << 14
)

var actions = []string{"organization.edited", "organization.suspended", "member.invited", "credits.added", "admin.edited", "user.signed_in"}

func history(now db.Time, i, of int) audit.Past {
	e := audit.Event{
		Actor:  audit.Actor{Type: audit.User, ID: int64(1 + i%97), Name: "N"},
		Action: "user.signed_in", Target: audit.Target{Type: "user", ID: 1}, Admin: 1, Organization: id.Organization(1 + i%11),
	}
	switch {
	case i%10 == 0:
		e.Action, e.Target.Type = actions[i/10%5], strings.Split(actions[i/10%5], ".")[0]
	case i%1000 == 1:
		e.Action = "user.deleted"
	}
	if i%7 == 0 {
		e.Admin, e.Organization = id.Admin(2+i/7%40), id.Organization(100+i/7%40)
	}
	if i%501 == 0 {
		e.Outcome = audit.Denied
	}
	return audit.Past{At: now.Add(-time.Duration(of-i) * 50 * 24 * time.Hour / time.Duration(of)), Event: e}
}

// statement is one that a list ran.
type statement struct {
	query string
	args  []any
}

// watched opens url so that what its reads run is kept.
func watched(t *testing.T, url string) (d *db.DB, taken func() []statement) {
	var seen []statement
	d = dbtest.Open(t, url, db.Options{Trace: func(q string, args []any) { seen = append(seen, statement{q, args}) }})
	return d, func() []statement {
		s := seen
		seen = nil
		return s
	}
}

func fill(t *testing.T, d *db.DB, n int) *model {
	m := &model{t: t, d: d}
	now := d.Now()
	for i := 0; i < n; i += 2000 {
		some := make([]audit.Past, min(2000, n-i))
		for j := range some {
			some[j] = history(now, i+j, n)
		}
		m.write1(func(tx *db.Tx) error { return audit.Import(tx, some) })
		m.events = append(m.events, some...)
	}
	return m
}

// shapes are lists of every kind. walk is how many events one may touch beyond
// its page: what a filtered deep offset walks in its last block.
func shapes(m *model) (all []shape) {
	views := map[string]audit.Visibility{
		"superadmin": {All: true}, "busy admin": {Admins: adminIDs(1)}, "quiet admin": {Admins: adminIDs(7)},
		"owner": {Organizations: organizationIDs(3)}, "several": {Admins: adminIDs(7, 9), Organizations: organizationIDs(3, 4, 105)},
	}
	filters := []audit.Filter{
		{}, {Action: "user.signed_in"}, {Action: "organization.suspended"}, {Action: "organization.*"}, {TargetType: "user"}, {TargetType: "credits"},
		{Action: "user.deleted", TargetType: "user"}, {Outcome: audit.Denied}, {Organization: 3}, {Admin: 1}, {Admin: 7},
	}
	for name, v := range views {
		for _, f := range filters {
			all = append(all,
				shape{name, v, f, page.Request{Limit: 50}, 0},
				shape{name, v, f, page.Request{Limit: 50, Offset: int64(len(m.match(v, f))) * 2 / 3}, block})
		}
	}
	return all
}

type shape struct {
	who  string
	v    audit.Visibility
	f    audit.Filter
	r    page.Request
	walk int
}

// scope is what a connection of this caller speaks for.
func (s shape) scope() string {
	if s.v.All {
		return "platform"
	}
	list := func(ids string) string { return strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(ids) }
	return "tenant 0 " + list(fmt.Sprint(s.v.Organizations)) + " " + list(fmt.Sprint(s.v.Admins)) + " {}"
}

func (s shape) String() string { return fmt.Sprintf("%s %+v at %d", s.who, s.f, s.r.Offset) }

// check runs the list and compares it with the model.
func (s shape) check(m *model) {
	m.t.Helper()
	want := m.match(s.v, s.f)
	l := m.list(s.v, s.f, s.r)
	at := int(s.r.Offset)
	rows := want[min(at, len(want)):min(at+s.r.Limit, len(want))]
	if l.Pagination.Total != int64(len(want)) || len(l.Data) != len(rows) || len(rows) > 0 && l.Data[0].Seq() != rows[0] {
		m.t.Errorf("%v: got %d rows of %d, want %d of %d", s, len(l.Data), l.Pagination.Total, len(rows), len(want))
	}
}

// TestPlansSQLite: no list scans or sorts the log.
func TestPlansSQLite(t *testing.T) {
	url := dbtest.SQLiteURL(t)
	d, taken := watched(t, url)
	m := fill(t, d, block+2000)
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	explain := func(what any) {
		for _, s := range taken() {
			for _, step := range dbtest.Steps(t, raw, s.query, s.args...) {
				of := strings.Contains(s.query, "audit_events")
				if strings.HasPrefix(step, "SCAN") || of && strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%v: %s\nin %s", what, step, s.query)
				}
				// An index without a bound of the number is walked from its top to the page.
				if strings.Contains(step, "audit_events") && !strings.Contains(step, "seq<?") && !strings.Contains(step, "seq=?") && !strings.Contains(step, "rowid") {
					t.Errorf("%v: no bound in %s\nin %s", what, step, s.query)
				}
			}
		}
	}
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			if _, err := raw.Exec("ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		taken()
		for _, s := range shapes(m) {
			s.check(m)
			explain(s)
		}
		m.statistics(audit.Visibility{All: true}, 30)
		explain("statistics")
	}
	verify(t, d, block+2000)
}

func (m *model) statistics(v audit.Visibility, days int) (s audit.Stats) {
	m.t.Helper()
	err := m.d.Read(context.Background(), func(tx *db.Tx) (err error) {
		s, err = audit.Statistics(tx, v, days)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// others are the events of others that PostgreSQL may leave out of a page: it
// takes the platform's index where most of it, or next to nothing, is in scope.
const others = 128

// TestPlansPostgres counts the rows that each list touches: those of its page,
// and what a filtered offset walks in one block. It does so without and with
// the planner's statistics, with a plan for the arguments and for any.
func TestPlansPostgres(t *testing.T) {
	url := dbtest.PostgresURL(t)
	d, taken := watched(t, url)
	m := fill(t, d, large)
	raw, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	for _, setting := range []string{
		"SET random_page_cost = 1.1", // as every connection of the database has it
		"SET plan_cache_mode = force_generic_plan",
		"ANALYZE",
		"SET plan_cache_mode = force_custom_plan",
	} {
		if _, err := raw.Exec(setting); err != nil {
			t.Fatal(err)
		}
		taken()
		for _, s := range shapes(m) {
			s.check(m)
			if _, err := raw.Exec("SELECT set_config('tenantry.scope', $1, false)", s.scope()); err != nil {
				t.Fatal(err)
			}
			streams := 1 + 3*len(s.v.Admins) + 3*len(s.v.Organizations) // of a prefix one each action
			if strings.HasSuffix(s.f.Action, "*") {
				streams *= 3
			}
			for _, q := range taken() {
				p := postgresPlan(t, raw, q)
				if bound := s.r.Limit + 1 + s.walk + others; p.events > bound || p.scanned || p.sorted {
					t.Errorf("%s\n%v: touched %d events (at most %d), scan %t, sort %t\nin %s", setting, s, p.events, bound, p.scanned, p.sorted, q.query)
				}
				if p.rollups > 3000*streams {
					t.Errorf("%s\n%v: touched %d buckets\nin %s", setting, s, p.rollups, q.query)
				}
			}
		}
		m.statistics(audit.Visibility{All: true}, 30)
		if _, err := raw.Exec("SET tenantry.scope = 'platform'"); err != nil {
			t.Fatal(err)
		}
		for _, q := range taken() {
			if p := postgresPlan(t, raw, q); p.events > 1 || p.scanned && p.rollups > 20_000 {
				t.Errorf("%s\nstatistics touched %d events\nin %s", setting, p.events, q.query)
			}
		}
	}
	verify(t, d, large)
}

// touched is what a plan did with the tables.
type touched struct {
	events, rollups int
	scanned, sorted bool // the log, whole
}

func postgresPlan(t *testing.T, raw *sql.DB, s statement) (p touched) {
	t.Helper()
	p.add(dbtest.Explain(t, raw, s.query, s.args...))
	return p
}

// add sums up what a node and those below it touched, and says whether the log
// is among them.
func (p *touched) add(n dbtest.Node) (log bool) {
	rows := n.Touched()
	switch n.Table {
	case "audit_events":
		log = true
		p.events += rows
		p.scanned = p.scanned || n.Type == "Seq Scan"
	case "audit_rollups", "audit_actors":
		p.rollups += rows
	}
	for _, below := range n.Plans {
		log = p.add(below) || log
	}
	p.sorted = p.sorted || log && strings.Contains(n.Type, "Sort")
	return log
}
