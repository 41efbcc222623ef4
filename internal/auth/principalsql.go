package auth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// A principal is read by one statement, so that its roles and holds are of one
// moment: first the row of the user and session, then a row an admin, then a
// row an organization.
const (
	whoByToken = `WITH who AS (
		SELECT CAST($1 AS BIGINT) AS now, u.id AS user_id, u.email, u.name, u.superadmin, s.id AS session_id, s.organization_id, s.last_used_at,
			CASE WHEN t.expires_at < s.expires_at THEN t.expires_at ELSE s.expires_at END AS expires_at
		FROM access_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
		WHERE t.hash = $2 AND t.expires_at > $3 AND s.expires_at > $4 AND s.revoked_at IS NULL AND u.status = 'active')`
	whoBySession = `WITH who AS (
		SELECT CAST($1 AS BIGINT) AS now, u.id AS user_id, u.email, u.name, u.superadmin, s.id AS session_id, s.organization_id, s.last_used_at,
			s.expires_at
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $2 AND s.expires_at > $3 AND s.revoked_at IS NULL AND u.status = 'active')`
	rolesOf = `
		SELECT 0 AS kind, user_id AS a, session_id AS b, email AS word, name, superadmin AS flag, FALSE AS other,
			expires_at AS until, last_used_at AS last_used, organization_id AS active, 0 AS ord
		FROM who
		UNION ALL
		SELECT 1, au.admin_id, NULL, au.role, '', ` + adminHeld + `, FALSE, 0, 0, NULL, au.admin_id
		FROM who w JOIN admin_users au ON au.user_id = w.user_id JOIN admins a ON a.id = au.admin_id
		UNION ALL
		SELECT 2, m.organization_id, a.id, m.role, '', ` + organizationHeld + `, ` + adminHeld + `, 0, 0, NULL, m.organization_id
		FROM who w JOIN memberships m ON m.user_id = w.user_id JOIN organizations o ON o.id = m.organization_id LEFT JOIN admins a ON a.id = o.admin_id
		ORDER BY kind, ord LIMIT 2000`
	// In the two below, w is who, o the organization, a its admin.
	organizationHeld = `(o.status = 'archived' OR EXISTS (SELECT 1 FROM holds h WHERE h.organization_id = o.id AND h.lifted_at IS NULL
			AND (h.expires_at IS NULL OR h.expires_at > w.now)))`
	adminHeld = `EXISTS (SELECT 1 FROM holds h WHERE h.admin_id = a.id AND h.lifted_at IS NULL
			AND (h.expires_at IS NULL OR h.expires_at > w.now))`
)

// loaded is a principal with what the cache must know of it.
type loaded struct {
	principal *Principal
	until     db.Time // when the token ends; 0 is never
	lastUsed  db.Time // as stored
}

// principalRow is a row of rolesOf.
type principalRow struct {
	kind            int
	a, b, active    *int64
	word, name      string
	flag, other     bool
	until, lastUsed db.Time
}

func scanPrincipal(r db.Row) (p principalRow, err error) {
	var ord int64
	return p, r.Scan(&p.kind, &p.a, &p.b, &p.word, &p.name, &p.flag, &p.other, &p.until, &p.lastUsed, &p.active, &ord)
}

func personByToken(tx *db.Tx, hash []byte) (loaded, error) {
	rows, err := db.All(tx, scanPrincipal, whoByToken+rolesOf, tx.Now, hash, tx.Now, tx.Now)
	if err != nil {
		return loaded{}, err
	}
	return person(rows)
}

func personBySession(tx *db.Tx, session id.Session) (loaded, error) {
	rows, err := db.All(tx, scanPrincipal, whoBySession+rolesOf, tx.Now, session, tx.Now)
	if err != nil {
		return loaded{}, err
	}
	return person(rows)
}

// person puts the rows together.
func person(rows []principalRow) (loaded, error) {
	if len(rows) == 0 || rows[0].kind != 0 {
		return loaded{}, db.ErrNoRows
	}
	who := rows[0]
	p := &Principal{Kind: Person, Session: id.Session(id.Val(who.b)),
		User: UserInfo{ID: id.User(id.Val(who.a)), Email: who.word, Name: who.name, Superadmin: who.flag}}
	for _, r := range rows[1:] {
		switch r.kind {
		case 1:
			p.Admins = append(p.Admins, AdminRole{Admin: id.Admin(id.Val(r.a)), Owner: r.word == "owner", Hold: holdOf(false, r.flag)})
		case 2:
			p.Memberships = append(p.Memberships, Membership{Organization: id.Organization(id.Val(r.a)), Admin: id.Admin(id.Val(r.b)),
				Role: ParseRole(r.word), Hold: holdOf(r.flag, r.other)})
		}
	}
	p.Active = p.active(id.Organization(id.Val(who.active)))
	return loaded{principal: p, until: who.until, lastUsed: who.lastUsed}, nil
}

func holdOf(organization, admin bool) Hold {
	switch {
	case organization:
		return OrganizationSuspended
	case admin:
		return AdminSuspended
	}
	return Free
}

const keyColumns = `SELECT k.id, k.name, k.organization_id, o.admin_id, k.scopes, k.expires_at, k.last_used_at,
		(o.id IS NOT NULL AND ` + organizationHeld + `), ` + adminHeld + `
	FROM api_keys k JOIN (SELECT CAST($1 AS BIGINT) AS now) w ON TRUE
	LEFT JOIN organizations o ON o.id = k.organization_id LEFT JOIN admins a ON a.id = o.admin_id
	WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND `

func keyByHash(tx *db.Tx, hash []byte) (loaded, error) {
	return db.One(tx, scanKeyHolder, keyColumns+`k.hash = $3`, tx.Now, tx.Now, hash)
}

func keyByID(tx *db.Tx, k id.Key) (loaded, error) {
	return db.One(tx, scanKeyHolder, keyColumns+`k.id = $3`, tx.Now, tx.Now, k)
}

// keysByID reads several keys by one statement; those that have ended are not
// there.
func keysByID(tx *db.Tx, keys []id.Key) ([]loaded, error) {
	args := []any{tx.Now, tx.Now}
	marks := make([]string, len(keys))
	for i, k := range keys {
		args = append(args, k)
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return db.All(tx, scanKeyHolder, keyColumns+`k.id IN (`+strings.Join(marks, ", ")+`) ORDER BY k.id`, args...)
}

func scanKeyHolder(r db.Row) (loaded, error) {
	var k KeyInfo
	var organization *id.Organization
	var admin *id.Admin
	var scopes string
	var until, lastUsed *db.Time
	var held, adminHeld bool
	if err := r.Scan(&k.ID, &k.Name, &organization, &admin, &scopes, &until, &lastUsed, &held, &adminHeld); err != nil {
		return loaded{}, err
	}
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return loaded{}, fmt.Errorf("read the scopes of an API key: %w", err)
	}
	k.Organization, k.Admin, k.Hold = id.Val(organization), id.Val(admin), holdOf(held, adminHeld)
	l := loaded{principal: &Principal{Kind: KeyHolder, Key: k, Active: k.Organization}}
	if until != nil {
		l.until = *until
	}
	if lastUsed != nil {
		l.lastUsed = *lastUsed
	}
	return l, nil
}

func organizationTarget(tx *db.Tx, o id.Organization) (Target, error) {
	return db.One(tx, scanOrganizationTarget, `SELECT id, admin_id FROM organizations WHERE id = $1`, o)
}

func organizationTargetBySlug(tx *db.Tx, slug string) (Target, error) {
	return db.One(tx, scanOrganizationTarget, `SELECT id, admin_id FROM organizations WHERE slug = $1`, slug)
}

func scanOrganizationTarget(r db.Row) (Target, error) {
	t := Target{Exists: true}
	var admin *id.Admin
	err := r.Scan(&t.Organization, &admin)
	t.Admin = id.Val(admin)
	return t, err
}

func adminTarget(tx *db.Tx, a id.Admin) (Target, error) {
	return db.One(tx, func(r db.Row) (Target, error) {
		t := Target{Exists: true}
		return t, r.Scan(&t.Admin)
	}, `SELECT id FROM admins WHERE id = $1`, a)
}
