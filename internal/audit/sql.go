package audit

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// row is an event on its way into the log. The numbers are given by number.
type row struct {
	id           id.Event
	organization *id.Organization
	admin        *id.Admin
	at           db.Time
	action       string
	targetType   string
	outcome      string
	actorType    string
	actor        *int64
	body         string

	seq             int64
	organizationSeq *int64
	adminSeq        *int64
}

// wait leaves the event to the sequencer, on PostgreSQL. Its id goes into its
// body, so the sequence is asked in the same statement.
func wait(tx *db.Tx, r row, b body) (id.Event, error) {
	n, err := tx.Insert(`INSERT INTO audit_pending (id, organization_id, admin_id, occurred_at, action, target_type, outcome, actor_type, actor_id, body)
		SELECT n, CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS BIGINT),
			CAST($9 AS TEXT) || CAST(n AS TEXT) || CAST($10 AS TEXT)
		FROM (SELECT nextval(pg_get_serial_sequence('audit_pending', 'id')) AS n) AS next RETURNING id`,
		r.organization, r.admin, r.at, r.action, r.targetType, r.outcome, r.actorType, r.actor, b.before, b.after)
	return id.Event(n), err
}

// reserve takes n ids, on PostgreSQL.
func reserve(tx *db.Tx, n int) ([]int64, error) {
	return db.All(tx, db.Int64, `SELECT nextval(pg_get_serial_sequence('audit_pending', 'id')) FROM generate_series(1, CAST($1 AS BIGINT))`, int64(n))
}

// take removes up to n waiting events, on PostgreSQL.
func take(tx *db.Tx, n int) ([]row, error) {
	return db.All(tx, func(r db.Row) (row, error) {
		var v row
		return v, r.Scan(&v.id, &v.organization, &v.admin, &v.at, &v.action, &v.targetType, &v.outcome, &v.actorType, &v.actor, &v.body)
	}, `DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT $1)
		RETURNING id, organization_id, admin_id, occurred_at, action, target_type, outcome, actor_type, actor_id, body`, int64(n))
}

// waiting is the highest id that waits, or zero.
func waiting(tx *db.Tx) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COALESCE(MAX(id), 0) FROM audit_pending`)
}

// waits reports whether an event with an id up to last waits.
func waits(tx *db.Tx, last int64) (bool, error) {
	first, err := db.One(tx, db.Int64, `SELECT COALESCE(MIN(id), 0) FROM audit_pending`)
	return first > 0 && first <= last, err
}

// unled reports, on PostgreSQL, that nobody leads, and keeps it so until the
// transaction ends.
func unled(tx *db.Tx) (bool, error) {
	return db.One(tx, func(r db.Row) (ok bool, err error) { return ok, r.Scan(&ok) }, `SELECT pg_try_advisory_xact_lock($1)`, int64(leadership))
}

// lockHead locks the platform's head and gives its next number: whoever numbers
// holds it to the end of the transaction.
func lockHead(tx *db.Tx) (int64, error) {
	return db.One(tx, db.Int64, `INSERT INTO audit_heads (scope, next_seq) VALUES ('p', 0)
		ON CONFLICT (scope) DO UPDATE SET next_seq = audit_heads.next_seq RETURNING next_seq`)
}

// advance moves the platform's head from one number to another, and nothing
// when it is elsewhere.
func advance(tx *db.Tx, from, to int64) (bool, error) {
	n, err := tx.Exec(`UPDATE audit_heads SET next_seq = $1 WHERE scope = 'p' AND next_seq = $2`, to, from)
	return n == 1, err
}

// raise moves a scope's head by n and gives the number before.
func raise(tx *db.Tx, scope string, n int64) (int64, error) {
	next, err := db.One(tx, db.Int64, `INSERT INTO audit_heads (scope, next_seq) VALUES ($1, $2)
		ON CONFLICT (scope) DO UPDATE SET next_seq = audit_heads.next_seq + excluded.next_seq RETURNING next_seq`, scope, n)
	return next - n, err
}

// raiseAll is raise for many scopes in one statement, on PostgreSQL.
func raiseAll(tx *db.Tx, scopes []string, ns []int64) (map[string]int64, error) {
	before := map[string]int64{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var scope string
		var next int64
		err := r.Scan(&scope, &next)
		before[scope] = next
		return struct{}{}, err
	}, `INSERT INTO audit_heads (scope, next_seq) SELECT * FROM unnest(CAST($1 AS TEXT[]), CAST($2 AS BIGINT[]))
		ON CONFLICT (scope) DO UPDATE SET next_seq = audit_heads.next_seq + excluded.next_seq RETURNING scope, next_seq`, scopes, ns)
	for i, s := range scopes {
		before[s] -= ns[i]
	}
	return before, err
}

const eventColumns = `(seq, id, organization_id, organization_seq, admin_id, admin_seq, occurred_at, action, target_type, outcome, actor_type, actor_id, body)`

func insertEvent(tx *db.Tx, r *row) error {
	_, err := tx.Exec(`INSERT INTO audit_events `+eventColumns+` VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.seq, r.id, r.organization, r.organizationSeq, r.admin, r.adminSeq, r.at, r.action, r.targetType, r.outcome, r.actorType, r.actor, r.body)
	return err
}

// insertEvents is insertEvent for many, on PostgreSQL.
func insertEvents(tx *db.Tx, rows []row) error {
	var (
		seqs, ids, times                         = make([]int64, len(rows)), make([]int64, len(rows)), make([]int64, len(rows))
		orgs, orgSeqs, admins, adminSeqs, actors = make([]*int64, len(rows)), make([]*int64, len(rows)), make([]*int64, len(rows)), make([]*int64, len(rows)), make([]*int64, len(rows))
		actions, types, outcomes, kinds, bodies  = make([]string, len(rows)), make([]string, len(rows)), make([]string, len(rows)), make([]string, len(rows)), make([]string, len(rows))
	)
	for i, r := range rows {
		seqs[i], ids[i], times[i] = r.seq, int64(r.id), int64(r.at)
		orgs[i], orgSeqs[i], admins[i], adminSeqs[i], actors[i] = (*int64)(r.organization), r.organizationSeq, (*int64)(r.admin), r.adminSeq, r.actor
		actions[i], types[i], outcomes[i], kinds[i], bodies[i] = r.action, r.targetType, r.outcome, r.actorType, r.body
	}
	_, err := tx.Exec(`INSERT INTO audit_events `+eventColumns+`
		SELECT * FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS BIGINT[]), CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]),
			CAST($7 AS BIGINT[]), CAST($8 AS TEXT[]), CAST($9 AS TEXT[]), CAST($10 AS TEXT[]), CAST($11 AS TEXT[]), CAST($12 AS BIGINT[]), CAST($13 AS TEXT[]))`,
		seqs, ids, orgs, orgSeqs, admins, adminSeqs, times, actions, types, outcomes, kinds, actors, bodies)
	return err
}

const (
	intoRollups = `INSERT INTO audit_rollups (scope, action, target_type, outcome, block, day, admin_id, n, first_seq, last_seq) `
	addRollups  = ` ON CONFLICT (scope, action, target_type, outcome, block, day, admin_id)
		DO UPDATE SET n = audit_rollups.n + excluded.n, last_seq = excluded.last_seq`
	intoActors = `INSERT INTO audit_actors (scope, day, actor_type, actor_id, admin_id, n, last_seq) `
	addActors  = ` ON CONFLICT (scope, day, actor_type, actor_id, admin_id)
		DO UPDATE SET n = audit_actors.n + excluded.n, last_seq = excluded.last_seq`
)

func addRollup(tx *db.Tx, k rollupKey, v rollup) error {
	_, err := tx.Exec(intoRollups+`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`+addRollups,
		k.scope, k.action, k.targetType, k.outcome, k.block, k.day, k.admin, v.n, v.first, v.last)
	return err
}

func addActor(tx *db.Tx, k actorKey, v rollup) error {
	_, err := tx.Exec(intoActors+`VALUES ($1, $2, $3, $4, $5, $6, $7)`+addActors,
		k.scope, k.day, k.actorType, k.actor, k.admin, v.n, v.last)
	return err
}

// addAllRollups is addRollup for many, on PostgreSQL.
func addAllRollups(tx *db.Tx, keys []rollupKey, m map[rollupKey]rollup) error {
	text := make([][]string, 4)
	number := make([][]int64, 6)
	for _, k := range keys {
		v := m[k]
		for i, s := range []string{k.scope, k.action, k.targetType, k.outcome} {
			text[i] = append(text[i], s)
		}
		for i, n := range []int64{k.block, k.day, k.admin, v.n, v.first, v.last} {
			number[i] = append(number[i], n)
		}
	}
	_, err := tx.Exec(intoRollups+`SELECT * FROM unnest(CAST($1 AS TEXT[]), CAST($2 AS TEXT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]),
		CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]), CAST($8 AS BIGINT[]), CAST($9 AS BIGINT[]), CAST($10 AS BIGINT[]))`+addRollups,
		text[0], text[1], text[2], text[3], number[0], number[1], number[2], number[3], number[4], number[5])
	return err
}

// addAllActors is addActor for many, on PostgreSQL.
func addAllActors(tx *db.Tx, keys []actorKey, m map[actorKey]rollup) error {
	text := make([][]string, 2)
	number := make([][]int64, 5)
	for _, k := range keys {
		v := m[k]
		text[0], text[1] = append(text[0], k.scope), append(text[1], k.actorType)
		for i, n := range []int64{k.day, k.actor, k.admin, v.n, v.last} {
			number[i] = append(number[i], n)
		}
	}
	_, err := tx.Exec(intoActors+`SELECT * FROM unnest(CAST($1 AS TEXT[]), CAST($2 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS BIGINT[]),
		CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]))`+addActors,
		text[0], number[0], text[1], number[1], number[2], number[3], number[4])
	return err
}
