package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// claimed is a job that this runner holds. attempts is its fence: who claims it
// next counts one further, and the former holder can no longer end it.
type claimed struct {
	id       int64
	kind     string
	payload  []byte
	single   *string
	attempts int64
}

func scanClaimed(r db.Row) (c claimed, err error) {
	return c, r.Scan(&c.id, &c.kind, &c.payload, &c.single, &c.attempts)
}

func enqueue(tx *db.Tx, at db.Time, kind string, payload any) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("write the job %s: %w", kind, err)
	}
	_, err = tx.Exec(`INSERT INTO jobs (kind, payload, state, run_at, attempts, created_at)
		VALUES ($1, $2, 'ready', $3, 0, $4)`, kind, b, at, tx.Now)
	if err == nil {
		tx.Publish(topic, kind)
	}
	return err
}

// among writes "kind IN ($n, …)" beginning at parameter first.
func among(kinds []string, first int) (text string, args []any) {
	var b strings.Builder
	b.WriteString("kind IN (")
	for i, k := range kinds {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
		args = append(args, k)
	}
	b.WriteString(")")
	return b.String(), args
}

// claim takes up to n due jobs of these kinds until the lease ends.
func claim(tx *db.Tx, kinds []string, n int, lease db.Time) ([]claimed, error) {
	in, args := among(kinds, 2)
	skip := ""
	if tx.Engine() == db.Postgres {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	query := fmt.Sprintf(`WITH due AS MATERIALIZED (
			SELECT id FROM jobs WHERE state = 'ready' AND run_at <= $1 AND %s ORDER BY run_at, id LIMIT $%d%s)
		UPDATE jobs SET state = 'running', attempts = jobs.attempts + 1, lease_until = $%d FROM due WHERE jobs.id = due.id
		RETURNING jobs.id, jobs.kind, jobs.payload, jobs.single, jobs.attempts`, in, len(args)+2, skip, len(args)+3)
	jobs, err := db.All(tx, scanClaimed, query, append(append([]any{tx.Now}, args...), n, lease)...)
	slices.SortFunc(jobs, func(a, b claimed) int { return int(a.id - b.id) })
	return jobs, err
}

// recoverExpired gives back what a dead process held; a job that ends its process
// every time is dead itself once its attempts are used up.
func recoverExpired(tx *db.Tx, attempts int64) (int64, error) {
	n, err := tx.Exec(`UPDATE jobs SET state = 'ready', lease_until = NULL, last_error = 'the lease expired'
		WHERE state = 'running' AND lease_until <= $1 AND (attempts < $2 OR single IS NOT NULL)`, tx.Now, attempts)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(`UPDATE jobs SET state = 'dead', lease_until = NULL, last_error = 'the lease expired', finished_at = $1
		WHERE state = 'running' AND lease_until <= $2 AND attempts >= $3 AND single IS NULL`, tx.Now, tx.Now, attempts)
	return n, err
}

// next is when there is something to do: a job comes due or a lease expires.
// ErrNoRows where nothing is queued.
func next(tx *db.Tx, kinds []string) (db.Time, error) {
	in, args := among(kinds, 1)
	at, err := db.One(tx, func(r db.Row) (at *db.Time, err error) { return at, r.Scan(&at) },
		`SELECT MIN(at) FROM (
			SELECT MIN(run_at) AS at FROM jobs WHERE state = 'ready' AND `+in+`
			UNION ALL SELECT MIN(lease_until) FROM jobs WHERE state = 'running') AS soon`, args...)
	if err != nil {
		return 0, err
	}
	if at == nil {
		return 0, db.ErrNoRows
	}
	return *at, nil
}

// end is how a job leaves the state running; it does nothing to a job whose
// lease was lost.
type end struct {
	state    string
	runAt    db.Time // of one that is ready again
	attempts int64
	err      *string
}

func finish(tx *db.Tx, c claimed, e end) error {
	var finished *db.Time
	payload := c.payload
	if e.state != "ready" {
		finished = &tx.Now
	}
	if e.state == "done" {
		payload = []byte{} // it may hold what was meant for one person
	}
	_, err := tx.Exec(`UPDATE jobs SET state = $1, payload = $2, run_at = $3, attempts = $4, last_error = $5, lease_until = NULL, finished_at = $6
		WHERE id = $7 AND state = 'running' AND attempts = $8`,
		e.state, payload, e.runAt, e.attempts, e.err, finished, c.id, c.attempts)
	return err
}

// schedule makes the one row of a periodic task, due at once; a row that waits
// for longer than the interval does no more.
func schedule(tx *db.Tx, name string, latest db.Time) error {
	_, err := tx.Exec(`INSERT INTO jobs (kind, payload, state, single, run_at, attempts, created_at)
		VALUES ($1, $2, 'ready', $3, $4, 0, $5)
		ON CONFLICT (single) WHERE single IS NOT NULL DO UPDATE SET run_at = $6 WHERE jobs.state = 'ready' AND jobs.run_at > $7`,
		name, []byte("null"), name, tx.Now, tx.Now, latest, latest)
	return err
}

// pruneBatch bounds what one transaction deletes.
const pruneBatch = 1000

func prune(tx *db.Tx, state string, before db.Time) (int64, error) {
	return tx.Exec(`DELETE FROM jobs WHERE id IN (
		SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1 AND state = $2 ORDER BY finished_at LIMIT $3)`,
		before, state, pruneBatch)
}

func count(tx *db.Tx) (c Counts, err error) {
	for state, n := range map[string]*int64{"ready": &c.Ready, "running": &c.Running, "dead": &c.Dead} {
		if *n, err = db.One(tx, db.Int64, `SELECT count(*) FROM (SELECT 1 AS one FROM jobs WHERE state = '`+state+`' LIMIT 100000) AS found`); err != nil {
			return c, err
		}
	}
	oldest, err := db.One(tx, db.Int64, `SELECT run_at FROM jobs WHERE state = 'ready' AND run_at <= $1 ORDER BY run_at, id LIMIT 1`, tx.Now)
	if errors.Is(err, db.ErrNoRows) {
		return c, nil
	}
	c.Delay = time.Duration(int64(tx.Now)-oldest) * time.Microsecond
	return c, err
}
