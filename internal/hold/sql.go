package hold

import (
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Condition is the text of an SQL condition for queries of other packages: a
// hold is in force on the organization or on its admin. organization, admin
// and now are SQL expressions, such as columns and the place of tx.Now; a NULL
// admin is not held. Each part is one look-up in a small partial index.
func Condition(organization, admin, now string) string {
	return "(" + OrganizationCondition(organization, now) + " OR " + AdminCondition(admin, now) + ")"
}

// OrganizationCondition is Condition for the organization's own holds alone.
func OrganizationCondition(organization, now string) string {
	return "EXISTS (SELECT 1 FROM holds WHERE holds.organization_id = " + organization + inForce(now) + ")"
}

// AdminCondition is Condition for the holds of an admin alone.
func AdminCondition(admin, now string) string {
	return "EXISTS (SELECT 1 FROM holds WHERE holds.admin_id = " + admin + inForce(now) + ")"
}

func inForce(now string) string {
	return " AND holds.lifted_at IS NULL AND (holds.expires_at IS NULL OR holds.expires_at > " + now + ")"
}

// key is the column and value that name the subject.
func (s Subject) key() (column string, value int64) {
	if s.Admin != 0 {
		return "admin_id", int64(s.Admin)
	}
	return "organization_id", int64(s.Organization)
}

// An expired hold is lifted first, so that the unique index over holds in
// force has room for the new one.
func place(tx *db.Tx, on Subject, source Source, reason string, by id.User, expires *db.Time) (bool, error) {
	column, value := on.key()
	_, err := tx.Exec(`UPDATE holds SET lifted_at = expires_at
		WHERE `+column+` = $1 AND source = $2 AND lifted_at IS NULL AND expires_at <= $3`, value, string(source), tx.Now)
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
	column, value := on.key()
	args := []any{id.Ref(by), tx.Now, value, tx.Now}
	marks := make([]string, len(sources))
	for i, s := range sources {
		args = append(args, string(s))
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return tx.Exec(`UPDATE holds SET lifted_by = $1, lifted_at = $2
		WHERE `+column+` = $3 AND lifted_at IS NULL AND (expires_at IS NULL OR expires_at > $4)
		AND source IN (`+strings.Join(marks, ", ")+`)`, args...)
}

func active(tx *db.Tx, on Subject) ([]Hold, error) {
	column, value := on.key()
	return db.All(tx, func(r db.Row) (h Hold, err error) {
		return h, r.Scan(&h.Source, &h.Reason, &h.By, &h.At, &h.ExpiresAt)
	}, `SELECT source, reason, placed_by, placed_at, expires_at FROM holds
		WHERE `+column+` = $1 AND lifted_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
		ORDER BY id LIMIT 20`, value, tx.Now)
}

func activeOf[T id.Any](tx *db.Tx, column string, ids []T) (map[T][]Hold, error) {
	all := map[T][]Hold{}
	if len(ids) == 0 {
		return all, nil
	}
	args := make([]any, 0, len(ids)+1)
	marks := make([]string, len(ids))
	for i, v := range ids {
		args = append(args, int64(v))
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	args = append(args, tx.Now)
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var of int64
		var h Hold
		err := r.Scan(&of, &h.Source, &h.Reason, &h.By, &h.At, &h.ExpiresAt)
		all[T(of)] = append(all[T(of)], h)
		return struct{}{}, err
	}, `SELECT `+column+`, source, reason, placed_by, placed_at, expires_at FROM holds
		WHERE `+column+` IN (`+strings.Join(marks, ", ")+`) AND lifted_at IS NULL
		AND (expires_at IS NULL OR expires_at > $`+strconv.Itoa(len(args))+`)
		ORDER BY id LIMIT 1000`, args...)
	return all, err
}
