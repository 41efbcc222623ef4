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
// moment: first the row of the user and session, then that of the target if one
// is asked for, then a row an admin, then a row an organization; of who acts for
// a member the one organization, and then a row of who it is.
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
	whoByUser = `WITH who AS (
		SELECT CAST($1 AS BIGINT) AS now, u.id AS user_id, u.email, u.name, u.superadmin, CAST(NULL AS BIGINT) AS session_id,
			CAST(NULL AS BIGINT) AS organization_id, CAST(0 AS BIGINT) AS last_used_at, CAST(0 AS BIGINT) AS expires_at
		FROM users u WHERE u.id = $2)`
	// A grant stands for its member while everything that it was given by is
	// still so: the operator, the session and the role, the member and the
	// organization's admin.
	whoByGrant = `WITH who AS (
		SELECT CAST($1 AS BIGINT) AS now, u.id AS user_id, u.email, u.name, s.id AS session_id, g.organization_id, s.last_used_at,
			CASE WHEN g.expires_at < s.expires_at THEN g.expires_at ELSE s.expires_at END AS expires_at,
			g.id AS grant_id, op.id AS operator_id, op.email AS operator_email, op.name AS operator_name
		FROM access_grants g JOIN sessions s ON s.id = g.session_id AND s.user_id = g.operator_id
		JOIN users op ON op.id = g.operator_id JOIN users u ON u.id = g.user_id
		JOIN organizations o ON o.id = g.organization_id
		JOIN memberships m ON m.organization_id = g.organization_id AND m.user_id = g.user_id
		WHERE g.ended_at IS NULL AND g.expires_at > $2 AND s.expires_at > $3 AND s.revoked_at IS NULL
		AND op.status = 'active' AND u.status = 'active' AND o.admin_id IS NOT DISTINCT FROM g.admin_id
		AND (g.platform AND op.superadmin OR NOT g.platform AND EXISTS (
			SELECT 1 FROM admin_users au WHERE au.admin_id = g.admin_id AND au.user_id = g.operator_id)) AND `
	actingOf = `)
		SELECT 0 AS kind, user_id AS a, session_id AS b, email AS word, name, FALSE AS flag, FALSE AS other,
			expires_at AS until, last_used_at AS last_used, organization_id AS active, 0 AS ord
		FROM who
		UNION ALL
		SELECT 2, m.organization_id, a.id, m.role, '', ` + organizationHeld + `, ` + adminHeld + `, 0, 0, NULL, m.organization_id
		FROM who w JOIN memberships m ON m.user_id = w.user_id AND m.organization_id = w.organization_id
		JOIN organizations o ON o.id = m.organization_id LEFT JOIN admins a ON a.id = o.admin_id
		UNION ALL
		SELECT 3, operator_id, grant_id, operator_email, operator_name, FALSE, FALSE, 0, 0, NULL, 0 FROM who
		ORDER BY kind, ord LIMIT 3`
	rolesOf = `
		SELECT 0 AS kind, user_id AS a, session_id AS b, email AS word, name, superadmin AS flag, FALSE AS other,
			expires_at AS until, last_used_at AS last_used, organization_id AS active, 0 AS ord
		FROM who
		UNION ALL
		SELECT 1, au.admin_id, NULL, au.role, '', ` + adminHeld + `, FALSE, 0, 0, NULL, au.admin_id
		FROM who w JOIN admin_users au ON au.user_id = w.user_id JOIN admins a ON a.id = au.admin_id
		UNION ALL
		SELECT 2, m.organization_id, a.id, m.role, '', ` + organizationHeld + `, ` + adminHeld + `, 0, 0, NULL, m.organization_id
		FROM who w JOIN memberships m ON m.user_id = w.user_id JOIN organizations o ON o.id = m.organization_id LEFT JOIN admins a ON a.id = o.admin_id`
	inOrder = `
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
	target    Target
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
	rows, err := db.All(tx, scanPrincipal, whoByToken+rolesOf+inOrder, tx.Now, hash, tx.Now, tx.Now)
	if err != nil {
		return loaded{}, err
	}
	return person(rows)
}

func personBySession(tx *db.Tx, session id.Session, at Place) (loaded, error) {
	query, args := whoBySession+rolesOf, []any{tx.Now, session, tx.Now}
	if columns, from, arg := at.source("$4"); from != "" {
		query += `
		UNION ALL
		SELECT 0, ` + columns + `, '', '', FALSE, FALSE, 0, 0, NULL, 1 FROM who w JOIN ` + from
		args = append(args, arg)
	}
	rows, err := db.All(tx, scanPrincipal, query+inOrder, args...)
	if err != nil {
		return loaded{}, err
	}
	return person(rows)
}

func personByUser(tx *db.Tx, user id.User) (loaded, error) {
	rows, err := db.All(tx, scanPrincipal, whoByUser+rolesOf+inOrder, tx.Now, user)
	if err != nil {
		return loaded{}, err
	}
	return person(rows)
}

func actingByToken(tx *db.Tx, hash []byte) (loaded, error) {
	return acting(tx, `g.hash = $4`, hash)
}

func actingByGrant(tx *db.Tx, grant id.Grant) (loaded, error) {
	return acting(tx, `g.id = $4`, grant)
}

func acting(tx *db.Tx, which string, key any) (loaded, error) {
	rows, err := db.All(tx, scanPrincipal, whoByGrant+which+actingOf, tx.Now, tx.Now, tx.Now, key)
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
	var target Target
	for _, r := range rows[1:] {
		switch r.kind {
		case 0:
			target = Target{Exists: true, Organization: id.Organization(id.Val(r.a)), Admin: id.Admin(id.Val(r.b))}
		case 1:
			p.Admins = append(p.Admins, AdminRole{Admin: id.Admin(id.Val(r.a)), Owner: r.word == "owner", Hold: holdOf(false, r.flag)})
		case 2:
			p.Memberships = append(p.Memberships, Membership{Organization: id.Organization(id.Val(r.a)), Admin: id.Admin(id.Val(r.b)),
				Role: ParseRole(r.word), Hold: holdOf(r.flag, r.other)})
		case 3:
			p.Acting = &Acting{Grant: id.Grant(id.Val(r.b)), By: UserInfo{ID: id.User(id.Val(r.a)), Email: r.word, Name: r.name}}
		}
	}
	p.Active = p.active(id.Organization(id.Val(who.active)))
	p.scope = p.reach()
	return loaded{principal: p, target: target, until: who.until, lastUsed: who.lastUsed}, nil
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
	l.principal.scope = l.principal.reach()
	if until != nil {
		l.until = *until
	}
	if lastUsed != nil {
		l.lastUsed = *lastUsed
	}
	return l, nil
}

// Column is what an object is found by in its own table: "" where the place
// names nothing that could exist.
func (p Place) Column() (column string, value any) {
	n, isID := p.number()
	switch {
	case p.Object != Organization && p.Object != Reseller:
	case isID:
		return "id", n
	case p.Object == Organization && p.Text != "" && len(p.Text) <= maxPlace && !digits(p.Text):
		return "slug", p.Text
	}
	return "", nil
}

// source says where a target is read: its organization and admin, and the rest
// of the FROM clause; "" as from Column.
func (p Place) source(param string) (columns, from string, arg any) {
	column, arg := p.Column()
	switch {
	case column == "":
		return "", "", nil
	case p.Object == Organization:
		return "t.id, t.admin_id", "organizations t ON t." + column + " = " + param, arg
	}
	return "NULL, t.id", "admins t ON t." + column + " = " + param, arg
}

// query reads the target alone; "" as from source.
func (p Place) query() (query string, arg any) {
	columns, from, arg := p.source("$1")
	if from == "" {
		return "", nil
	}
	return "SELECT " + columns + " FROM (SELECT 1 AS one) w JOIN " + from, arg
}

func scanTarget(r db.Row) (Target, error) {
	t := Target{Exists: true}
	var organization *id.Organization
	var admin *id.Admin
	err := r.Scan(&organization, &admin)
	t.Organization, t.Admin = id.Val(organization), id.Val(admin)
	return t, err
}

func digits(s string) bool {
	for _, r := range []byte(s) {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
