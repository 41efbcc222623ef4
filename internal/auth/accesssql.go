package auth

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

const selectAccess = `SELECT g.id, g.organization_id, g.user_id, u.name, u.email, op.id, op.name, op.email, g.reason,
		g.created_at, g.expires_at, g.ended_at, g.ended_because, g.ended_at IS NULL AND g.expires_at > $1
	FROM access_grants g JOIN users u ON u.id = g.user_id JOIN users op ON op.id = g.operator_id
	WHERE g.organization_id = $2 `

func scanAccess(r db.Row) (a Access, err error) {
	err = r.Scan(&a.ID, &a.OrganizationID, &a.UserID, &a.Member.Name, &a.Member.Email, &a.Operator.ID, &a.Operator.Name, &a.Operator.Email,
		&a.Reason, &a.CreatedAt, &a.ExpiresAt, &a.EndedAt, &a.EndedBecause, &a.Active)
	a.Member.ID = a.UserID
	a.Minutes = int64(a.ExpiresAt-a.CreatedAt) / 60_000_000
	return a, err
}

func accessOf(tx *db.Tx, o id.Organization, grant id.Grant) (Access, error) {
	return db.One(tx, scanAccess, selectAccess+`AND g.id = $3`, tx.Now, o, grant)
}

func listAccess(tx *db.Tx, o id.Organization, r page.Request) ([]Access, error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: 1 << 62, ID: 1}
	}
	return db.All(tx, scanAccess, selectAccess+`AND (g.created_at, g.id) < ($3, $4)
		ORDER BY g.created_at DESC, g.id DESC`+r.Rows(), tx.Now, o, after.At, after.ID)
}

func countAccess(tx *db.Tx, o id.Organization) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM access_grants WHERE organization_id = $1`, o)
}

func insertAccess(tx *db.Tx, a Access, admin id.Admin, session id.Session, platform bool, d digest) (id.Grant, error) {
	n, err := tx.Insert(`INSERT INTO access_grants (organization_id, admin_id, user_id, operator_id, session_id, platform, hash, reason, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		a.OrganizationID, id.Ref(admin), a.UserID, a.Operator.ID, session, platform, d[:], a.Reason, a.CreatedAt, a.ExpiresAt)
	return id.Grant(n), err
}

// endGrants ends the grants that are in force and meet a condition, whose
// parameters begin at $4, and has what is cached of them dropped.
func endGrants(tx *db.Tx, because Ending, which string, args ...any) (int64, error) {
	n, err := tx.Exec(`UPDATE access_grants SET ended_at = $1, ended_because = $2 WHERE ended_at IS NULL AND expires_at > $3 AND `+which,
		append([]any{tx.Now, string(because), tx.Now}, args...)...)
	if n > 0 {
		Changed(tx)
		effect.Add(tx, effect.Access, n)
	}
	return n, err
}

func grantLife(tx *db.Tx, d digest) (life, error) {
	return db.One(tx, scanLife, `SELECT created_at, expires_at FROM access_grants WHERE hash = $1`, d[:])
}

func activeMember(tx *db.Tx, o id.Organization, u id.User) (is bool, err error) {
	return db.One(tx, scanBool, `SELECT EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.organization_id = $1 AND m.user_id = $2 AND u.status = 'active')`, o, u)
}

func ownerOf(tx *db.Tx, o id.Organization, u id.User) (is bool, err error) {
	return db.One(tx, scanBool, `SELECT EXISTS (SELECT 1 FROM memberships WHERE organization_id = $1 AND user_id = $2 AND role = 'owner')`, o, u)
}

func scanBool(r db.Row) (b bool, err error) { return b, r.Scan(&b) }

func ownersOf(tx *db.Tx, o id.Organization) ([]id.User, error) {
	return db.All(tx, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT user_id FROM memberships WHERE organization_id = $1 AND role = 'owner' ORDER BY user_id LIMIT 1000`, o)
}

func lockAdminRow(tx *db.Tx, a id.Admin) error {
	_, err := tx.Exec(`UPDATE admins SET version = version WHERE id = $1`, a)
	return err
}

// lockOrganization locks the row and gives the owner of longest standing.
func lockOrganization(tx *db.Tx, o id.Organization) (id.User, error) {
	return db.One(tx, scanOptionalUser, `UPDATE organizations SET version = version WHERE id = $1 RETURNING owner_user_id`, o)
}

// lockSession locks a live session; ErrNoRows where it is none.
func lockSession(tx *db.Tx, session id.Session) error {
	_, err := db.One(tx, db.Int64, `UPDATE sessions SET last_used_at = last_used_at
		WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2 RETURNING id`, session, tx.Now)
	return err
}
