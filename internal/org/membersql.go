package org

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const selectMember = `SELECT m.user_id, u.email, u.name, m.role, m.created_at, m.updated_at, m.version
	FROM memberships m JOIN users u ON u.id = m.user_id `

func scanMember(r db.Row) (m Member, err error) {
	return m, r.Scan(&m.UserID, &m.Email, &m.Name, &m.Role, &m.CreatedAt, &m.UpdatedAt, &m.Version)
}

func member(tx *db.Tx, organization id.Organization, user id.User) (Member, error) {
	return db.One(tx, scanMember, selectMember+`WHERE m.organization_id = $1 AND m.user_id = $2`, organization, user)
}

// where makes the condition of a list of an organization's members.
func (f MemberFilter) where(organization id.Organization) (string, []any) {
	c := conditions{}
	c.add(`m.organization_id = ` + c.arg(organization))
	if f.Role != "" {
		c.add(`m.role = ` + c.arg(string(f.Role)))
	}
	if f.Q != "" {
		like := text.Like(f.Q)
		c.add(`EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id
			AND (u.name_key LIKE ` + c.arg(like) + ` ESCAPE '\' OR u.email_key LIKE ` + c.arg(like) + ` ESCAPE '\'))`)
	}
	return `WHERE ` + strings.Join(c.all, ` AND `), c.args
}

func listMembers(tx *db.Tx, organization id.Organization, f MemberFilter, r page.Request) (page.List[Member], error) {
	where, args := f.where(organization)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM memberships m `+where, args...)
	if err != nil {
		return page.List[Member]{}, err
	}
	n := len(args)
	if r.After != (page.Position{}) {
		where += fmt.Sprintf(` AND (m.created_at, m.user_id) < ($%d, $%d)`, n+1, n+2)
		args = append(args, r.After.At, r.After.ID)
	}
	rows, err := db.All(tx, scanMember, selectMember+where+
		` ORDER BY m.created_at DESC, m.user_id DESC`+r.Rows(), args...)
	if err != nil {
		return page.List[Member]{}, err
	}
	return page.Of(r, rows, total, func(m Member) page.Position {
		return page.Position{At: int64(m.CreatedAt), ID: int64(m.UserID)}
	}), nil
}

func owners(tx *db.Tx, organization id.Organization) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM memberships WHERE organization_id = $1 AND role = 'owner'`, organization)
}

func insertMember(tx *db.Tx, organization id.Organization, user id.User, role Role) (bool, error) {
	n, err := tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version)
		VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT DO NOTHING`, organization, user, string(role), tx.Now, tx.Now)
	return n == 1, err
}

func takeSeat(tx *db.Tx, organization id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET members = members + 1 WHERE id = $1`, organization)
	return err
}

func setRole(tx *db.Tx, organization id.Organization, user id.User, role Role) error {
	_, err := tx.Exec(`UPDATE memberships SET role = $1, version = version + 1, updated_at = $2 WHERE organization_id = $3 AND user_id = $4`,
		string(role), tx.Now, organization, user)
	return err
}

// deleteMember ends a membership and gives its seat back. An owner_user_id has
// to be a member, so it goes first; settleOwner finds the next.
func deleteMember(tx *db.Tx, organization id.Organization, user id.User) error {
	_, err := tx.Exec(`UPDATE organizations SET members = members - 1, owner_user_id = NULLIF(owner_user_id, $1) WHERE id = $2`, user, organization)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2`, organization, user)
	return err
}

// settleOwner keeps owner_user_id with who is it while that user is an owner,
// and hands it to the one of longest standing otherwise.
func settleOwner(tx *db.Tx, organization id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET owner_user_id = (SELECT m.user_id FROM memberships m
			WHERE m.organization_id = organizations.id AND m.role = 'owner' ORDER BY m.created_at, m.user_id LIMIT 1)
		WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM memberships m
			WHERE m.organization_id = organizations.id AND m.user_id = organizations.owner_user_id AND m.role = 'owner')`, organization)
	return err
}
