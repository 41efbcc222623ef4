package hold

import (
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// An expired hold is lifted first, so that the unique index over holds in
// force has room for the new one.
func place(tx *db.Tx, on Subject, source Source, reason string, by id.User, expires *db.Time) (bool, error) {
	_, err := tx.Exec(`UPDATE holds SET lifted_at = expires_at
		WHERE (organization_id = $1 OR admin_id = $2) AND source = $3 AND lifted_at IS NULL AND expires_at <= $4`,
		id.Ref(on.Organization), id.Ref(on.Admin), string(source), tx.Now)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(`INSERT INTO holds (organization_id, admin_id, source, reason, placed_by, placed_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		id.Ref(on.Organization), id.Ref(on.Admin), string(source), reason, id.Ref(by), tx.Now, expires)
	return n == 1, err
}

func lift(tx *db.Tx, on Subject, sources []Source, by id.User) (int64, error) {
	if len(sources) == 0 {
		return 0, nil
	}
	args := []any{id.Ref(by), tx.Now, id.Ref(on.Organization), id.Ref(on.Admin)}
	marks := make([]string, len(sources))
	for i, s := range sources {
		args = append(args, string(s))
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return tx.Exec(`UPDATE holds SET lifted_by = $1, lifted_at = $2
		WHERE (organization_id = $3 OR admin_id = $4) AND lifted_at IS NULL
		AND source IN (`+strings.Join(marks, ", ")+`)`, args...)
}

func active(tx *db.Tx, on Subject) ([]Hold, error) {
	return db.All(tx, func(r db.Row) (h Hold, err error) {
		return h, r.Scan(&h.Source, &h.Reason, &h.By, &h.At, &h.ExpiresAt)
	}, `SELECT source, reason, placed_by, placed_at, expires_at FROM holds
		WHERE (organization_id = $1 OR admin_id = $2) AND lifted_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
		ORDER BY id LIMIT 20`, id.Ref(on.Organization), id.Ref(on.Admin), tx.Now)
}
