package audit

import (
	"errors"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// sentence is a query under construction: ? stands for the next argument.
type sentence struct {
	text strings.Builder
	args []any
}

func (s *sentence) add(text string, args ...any) {
	for i, piece := range strings.Split(text, "?") {
		if i > 0 {
			s.args = append(s.args, args[i-1])
			s.text.WriteString("$" + strconv.Itoa(len(s.args)))
		}
		s.text.WriteString(piece)
	}
}

// without leaves out the rows of some admins.
func (s *sentence) without(column string, admins []id.Admin) {
	if len(admins) == 0 {
		return
	}
	args := make([]any, len(admins))
	for i, a := range admins {
		args[i] = int64(a)
	}
	s.add(" AND "+column+" NOT IN (?"+strings.Repeat(", ?", len(admins)-1)+")", args...)
}

// somethingWaits is a column of a statement that looks.
const somethingWaits = `EXISTS (SELECT 1 FROM audit_pending)`

// head is how many events a scope has.
func head(tx *db.Tx, scope string) (int64, error) {
	if looks(tx) {
		return db.One(tx, func(r db.Row) (n int64, err error) {
			var waits bool
			if err = r.Scan(&n, &waits); err == nil && waits {
				err = errWaits
			}
			return n, err
		}, `SELECT COALESCE((SELECT next_seq FROM audit_heads WHERE scope = $1), 0), `+somethingWaits, scope)
	}
	n, err := db.One(tx, db.Int64, `SELECT next_seq FROM audit_heads WHERE scope = $1`, scope)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// rollups adds the condition for the buckets of part that match f, as far as
// buckets know it.
func (s *sentence) rollups(p part, f Filter) {
	s.add(" WHERE scope = ?", p.scope())
	if prefix, is := f.prefix(); is {
		s.add(" AND action >= ? AND action < ?", prefix, after(prefix))
	} else if f.Action != "" {
		s.add(" AND action = ?", f.Action)
	}
	if f.TargetType != "" {
		s.add(" AND target_type = ?", f.TargetType)
	}
	if f.Outcome != "" {
		s.add(" AND outcome = ?", string(f.Outcome))
	}
	s.within(p)
	if f.From != 0 {
		s.add(" AND day >= ?", day(f.From))
	}
	if f.To != 0 {
		s.add(" AND day <= ?", day(f.To-1))
	}
}

// within narrows an organization's buckets to those of its part.
func (s *sentence) within(p part) {
	if !p.whole() {
		if p.admin != 0 {
			s.add(" AND admin_id = ?", int64(p.admin))
		}
		s.without("admin_id", p.without)
	}
}

// after is the first text behind all that begin with prefix, which ends in a
// dot.
func after(prefix string) string { return prefix[:len(prefix)-1] + "/" }

// tally is how many events match, and between which of the platform's numbers
// they lie: from low to before high.
type tally struct{ n, low, high int64 }

// sum counts the events of part that match f by the buckets.
func sum(tx *db.Tx, p part, f Filter) (tally, error) {
	waits := "FALSE"
	if looks(tx) {
		waits = somethingWaits
	}
	var s sentence
	s.add(`SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT), COALESCE(MIN(first_seq), 0), COALESCE(MAX(last_seq) + 1, 0), ` + waits + ` FROM audit_rollups`)
	s.rollups(p, f)
	return db.One(tx, func(r db.Row) (y tally, err error) {
		var waits bool
		if err = r.Scan(&y.n, &y.low, &y.high, &waits); err == nil && waits {
			err = errWaits
		}
		return y, err
	}, s.text.String(), s.args...)
}

// bucket is a run of matching events of one part: their number, and between
// which of the platform's numbers they lie.
type bucket struct {
	of                  int // which of the list's parts
	day, first, last, n int64
}

func buckets(tx *db.Tx, p part, f Filter) ([]bucket, error) {
	var s sentence
	s.add(`SELECT day, MIN(first_seq), MAX(last_seq), CAST(SUM(n) AS BIGINT) FROM audit_rollups`)
	s.rollups(p, f)
	s.add(` GROUP BY block, day`)
	return db.All(tx, func(r db.Row) (b bucket, err error) {
		return b, r.Scan(&b.day, &b.first, &b.last, &b.n)
	}, s.text.String(), s.args...)
}

// nextAction is the first action of a scope after one and before another, or
// "".
func nextAction(tx *db.Tx, scope, last, end string) (string, error) {
	a, err := db.One(tx, db.String, `SELECT action FROM audit_rollups WHERE scope = $1 AND action > $2 AND action < $3 ORDER BY action LIMIT 1`, scope, last, end)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return a, err
}

// sumActor counts the events of one actor in part.
func sumActor(tx *db.Tx, p part, actor int64) (tally, error) {
	var s sentence
	s.add(`SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT), COALESCE(MAX(last_seq) + 1, 0) FROM audit_actors WHERE scope = ? AND actor_id = ?`, p.scope(), actor)
	s.within(p)
	return db.One(tx, func(r db.Row) (y tally, err error) {
		return y, r.Scan(&y.n, &y.high)
	}, s.text.String(), s.args...)
}

// columns of audit_events that hold a part's own numbers and name its scope.
func (p part) columns() (own, scope string, n int64) {
	switch {
	case p.organization != 0:
		return "organization_seq", "organization_id", int64(p.organization)
	case p.admin != 0:
		return "admin_seq", "admin_id", int64(p.admin)
	}
	return "seq", "", 0
}

// ownAt is the own number of a part's event with a platform's number.
func ownAt(tx *db.Tx, p part, seq int64) (int64, error) {
	own, scope, n := p.columns()
	return db.One(tx, db.Int64, `SELECT `+own+` FROM audit_events WHERE seq = $1 AND `+scope+` + 0 = $2`, seq, n)
}

// seqAt is the platform's number of a part's event with an own number.
func seqAt(tx *db.Tx, p part, own int64) (int64, error) {
	column, scope, n := p.columns()
	return db.One(tx, db.Int64, `SELECT seq FROM audit_events WHERE `+scope+` = $1 AND `+column+` = $2`, n, own)
}

// from adds the source of a stream: the one index that holds its events in
// order, between its bounds, then what the index does not know. A condition
// that must not choose the index is written so that it cannot.
//
// The bounds of an index of two columns are row values for PostgreSQL, which
// would otherwise take the order of seq for enough and scan all. SQLite keeps
// seq as its row's own number, and of such a row value uses the first half
// only: it would walk from the newest event down to the page.
func (s *sentence) from(engine db.Engine, t stream) {
	own, scope, n := t.part.columns()
	s.add(" FROM audit_events WHERE ")
	if scope != "" && t.by != "actor_id" {
		s.add(scope+" = ? AND ", n)
	}
	switch t.by {
	case "":
		s.add(own+" >= ? AND "+own+" < ?", t.low, t.high)
	default:
		if t.by == "outcome" {
			s.add("outcome <> 'ok' AND ")
		}
		if engine == db.SQLite {
			s.add(t.by+" = ? AND seq >= ? AND seq < ?", t.value, t.low, t.high)
			break
		}
		s.add("("+t.by+", seq) >= (?, ?) AND ("+t.by+", seq) < (?, ?)", t.value, t.low, t.value, t.high)
	}
	if scope != "" && t.by == "actor_id" {
		s.add(" AND "+scope+" + 0 = ?", n)
	}
	s.beyond(engine, t)
}

// beyond adds what a stream's index does not know.
func (s *sentence) beyond(engine db.Engine, t stream) {
	f := t.filter
	equal := func(column string, value any) {
		if engine == db.SQLite {
			s.add(" AND +"+column+" = ?", value)
			return
		}
		// No index serves this, but PostgreSQL's statistics do: of an expression it
		// would expect next to nothing, and sort where it need only walk.
		s.add(" AND "+column+" IS NOT DISTINCT FROM ?", value)
	}
	if t.part.organization != 0 && t.part.admin != 0 {
		equal("admin_id", int64(t.part.admin))
	}
	s.without("COALESCE(admin_id, 0)", t.part.without)
	if prefix, is := f.prefix(); is {
		s.add(" AND action || '' >= ? AND action || '' < ?", prefix, after(prefix))
	} else if f.Action != "" && t.by != "action" {
		equal("action", f.Action)
	}
	if f.TargetType != "" && t.by != "target_type" {
		equal("target_type", f.TargetType)
	}
	if f.Outcome != "" && t.by != "outcome" {
		equal("outcome", string(f.Outcome))
	}
	if f.From != 0 {
		s.add(" AND occurred_at >= ?", f.From)
	}
	if f.To != 0 {
		s.add(" AND occurred_at < ?", f.To)
	}
}

// newest adds the order of a stream's index, newest first.
func (s *sentence) newest(t stream) {
	own, _, _ := t.part.columns()
	s.add(" ORDER BY ")
	if t.by == "" {
		s.add(own)
	} else {
		s.add(t.by + " DESC, seq")
	}
	s.add(" DESC LIMIT ")
}

// read gives the newest entries of a stream.
func (t stream) read(tx *db.Tx, limit int64) ([]Entry, error) {
	var s sentence
	s.add(`SELECT seq, id, body`)
	s.from(tx.Engine(), t)
	s.newest(t)
	s.add(strconv.FormatInt(limit, 10)) // written out, as in page.Request.Rows
	return db.Upto(tx, int(limit), func(r db.Row) (e Entry, err error) {
		return e, r.Scan(&e.seq, &e.ID, &e.body)
	}, s.text.String(), s.args...)
}

// place is where an event stands: in the stream's index, and in the platform's
// order.
type place struct{ key, seq int64 }

// places gives where the newest events of a stream stand.
func (t stream) places(tx *db.Tx, limit, offset int64) ([]place, error) {
	key, _, _ := t.part.columns()
	if t.by != "" {
		key = "seq"
	}
	var s sentence
	s.add(`SELECT ` + key + `, seq`)
	s.from(tx.Engine(), t)
	s.newest(t)
	s.add("? OFFSET ?", limit, offset)
	return db.All(tx, func(r db.Row) (p place, err error) {
		return p, r.Scan(&p.key, &p.seq)
	}, s.text.String(), s.args...)
}

// count counts a stream's events between its bounds, one by one.
func (t stream) count(tx *db.Tx) (int64, error) {
	var s sentence
	s.add(`SELECT COUNT(*)`)
	s.from(tx.Engine(), t)
	return db.One(tx, db.Int64, s.text.String(), s.args...)
}

// window adds the condition for the buckets of a part between two days.
func (s *sentence) window(p part, first, last int64) {
	s.add(" WHERE scope = ? AND day >= ? AND day <= ?", p.scope(), first, last)
	s.within(p)
}

type actionCount struct {
	action, targetType string
	n                  int64
}

// sumActions counts by action and target type. The grouping is written so that
// the index by day is the one to use.
func sumActions(tx *db.Tx, p part, first, last int64) ([]actionCount, error) {
	var s sentence
	s.add(`SELECT action || '', target_type || '', CAST(SUM(n) AS BIGINT) FROM audit_rollups`)
	s.window(p, first, last)
	s.add(` GROUP BY action || '', target_type || ''`)
	return db.All(tx, func(r db.Row) (c actionCount, err error) {
		return c, r.Scan(&c.action, &c.targetType, &c.n)
	}, s.text.String(), s.args...)
}

type dayCount struct{ day, n int64 }

func sumDays(tx *db.Tx, p part, first, last int64) ([]dayCount, error) {
	var s sentence
	s.add(`SELECT day, CAST(SUM(n) AS BIGINT) FROM audit_rollups`)
	s.window(p, first, last)
	s.add(` GROUP BY day`)
	return db.All(tx, func(r db.Row) (c dayCount, err error) {
		return c, r.Scan(&c.day, &c.n)
	}, s.text.String(), s.args...)
}

type actorCount struct {
	kind        string
	id, n, last int64
}

// sumActors counts by actor, the busiest first; limit 0 gives all.
func sumActors(tx *db.Tx, p part, first, last int64, limit int) ([]actorCount, error) {
	var s sentence
	s.add(`SELECT actor_type || '', actor_id, CAST(SUM(n) AS BIGINT) AS total, MAX(last_seq) AS latest FROM audit_actors`)
	s.window(p, first, last)
	s.add(` GROUP BY actor_type || '', actor_id ORDER BY total DESC, latest DESC`)
	if limit > 0 {
		s.add(` LIMIT ?`, int64(limit))
	}
	return db.All(tx, func(r db.Row) (c actorCount, err error) {
		return c, r.Scan(&c.kind, &c.id, &c.n, &c.last)
	}, s.text.String(), s.args...)
}

// entry is the event with a platform's number.
func entry(tx *db.Tx, seq int64) (Entry, error) {
	return db.One(tx, func(r db.Row) (e Entry, err error) {
		return e, r.Scan(&e.seq, &e.ID, &e.body)
	}, `SELECT seq, id, body FROM audit_events WHERE seq = $1`, seq)
}
