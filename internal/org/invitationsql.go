package org

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

// stateNow is the state as it is at $1: an open invitation that is over has
// expired, whether or not somebody noted it yet.
const stateNow = `CASE WHEN state = 'open' AND expires_at <= $1 THEN 'expired' ELSE state END`

const selectInvitation = `SELECT id, email, role, ` + stateNow + `, invited_by, expires_at, created_at,
	CASE WHEN state = 'open' AND expires_at <= $2 THEN expires_at ELSE ended_at END FROM invitations `

func scanInvitation(r db.Row) (i Invitation, err error) {
	err = r.Scan(&i.ID, &i.Email, &i.Role, &i.State, &i.InvitedBy, &i.ExpiresAt, &i.CreatedAt, &i.EndedAt)
	i.UpdatedAt = i.CreatedAt
	if i.EndedAt != nil {
		i.UpdatedAt = *i.EndedAt
	}
	return i, err
}

func findInvitation(tx *db.Tx, organization id.Organization, invitation id.Invitation) (Invitation, error) {
	return db.One(tx, scanInvitation, selectInvitation+`WHERE organization_id = $3 AND id = $4`, tx.Now, tx.Now, organization, invitation)
}

// where makes the condition of a list of an organization's invitations, after
// the two times that selectInvitation begins with.
func (f InvitationFilter) where(tx *db.Tx, organization id.Organization) (string, []any) {
	c := conditions{args: []any{tx.Now, tx.Now}}
	c.add(`organization_id = ` + c.arg(organization))
	if f.State != "" {
		c.add(`CASE WHEN state = 'open' AND expires_at <= ` + c.arg(tx.Now) + ` THEN 'expired' ELSE state END = ` + c.arg(string(f.State)))
	}
	if f.Q != "" {
		c.add(`email_key LIKE ` + c.arg(text.Like(f.Q)) + ` ESCAPE '\'`)
	}
	return `WHERE ` + strings.Join(c.all, ` AND `), c.args
}

func listInvitations(tx *db.Tx, organization id.Organization, f InvitationFilter, r page.Request) (page.List[Invitation], error) {
	where, args := f.where(tx, organization)
	total, err := db.One(tx, func(r db.Row) (n int64, err error) {
		var first, second db.Time
		return n, r.Scan(&first, &second, &n)
	}, `SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), COUNT(*) FROM invitations `+where, args...)
	if err != nil {
		return page.List[Invitation]{}, err
	}
	n := len(args)
	if r.After != (page.Position{}) {
		where += fmt.Sprintf(` AND (created_at, id) < ($%d, $%d)`, n+1, n+2)
		args = append(args, r.After.At, r.After.ID)
	}
	rows, err := db.All(tx, scanInvitation, selectInvitation+where+
		` ORDER BY created_at DESC, id DESC`+r.Rows(), args...)
	if err != nil {
		return page.List[Invitation]{}, err
	}
	return page.Of(r, rows, total, func(i Invitation) page.Position {
		return page.Position{At: int64(i.CreatedAt), ID: int64(i.ID)}
	}), nil
}

func memberByEmail(tx *db.Tx, organization id.Organization, key string) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM users u JOIN memberships m ON m.user_id = u.id
		WHERE u.email_key = $1 AND m.organization_id = $2`, key, organization)
	return n > 0, err
}

func insertInvitation(tx *db.Tx, organization id.Organization, i Invitation, key string, tokenHash, mailHash []byte) (id.Invitation, error) {
	n, err := tx.Insert(`INSERT INTO invitations (organization_id, email, email_key, role, token_hash, mail_hash, state, invited_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
		organization, i.Email, key, string(i.Role), tokenHash, mailHash, i.InvitedBy, i.CreatedAt, i.ExpiresAt)
	return id.Invitation(n), err
}

// reserveSeat counts one more invited person where there is room: members and
// invited together stay within the limit, whoever comes at the same time.
func reserveSeat(tx *db.Tx, organization id.Organization, limit int64) (bool, error) {
	n, err := tx.Exec(`UPDATE organizations SET invited = invited + 1
		WHERE id = $1 AND (max_users = -1 OR members + invited < max_users) AND ($2 = -1 OR members + invited < $3)`, organization, limit, limit)
	return n == 1, err
}

func freeSeats(tx *db.Tx, organization id.Organization, n int64) error {
	_, err := tx.Exec(`UPDATE organizations SET invited = invited - $1 WHERE id = $2`, n, organization)
	return err
}

func fillSeat(tx *db.Tx, organization id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET invited = invited - 1, members = members + 1 WHERE id = $1`, organization)
	return err
}

func endInvitation(tx *db.Tx, organization id.Organization, invitation id.Invitation, state InvitationState) error {
	_, err := tx.Exec(`UPDATE invitations SET state = $1, ended_at = $2 WHERE organization_id = $3 AND id = $4 AND state = 'open'`,
		string(state), tx.Now, organization, invitation)
	return err
}

func expireInvitations(tx *db.Tx, organization id.Organization) (int64, error) {
	return tx.Exec(`UPDATE invitations SET state = 'expired', ended_at = expires_at
		WHERE organization_id = $1 AND state = 'open' AND expires_at <= $2`, organization, tx.Now)
}

func withExpired(tx *db.Tx, limit int) ([]id.Organization, error) {
	return db.All(tx, func(r db.Row) (o id.Organization, err error) { return o, r.Scan(&o) },
		`SELECT DISTINCT organization_id FROM invitations WHERE state = 'open' AND expires_at <= $1 ORDER BY organization_id LIMIT $2`, tx.Now, limit)
}

func findOffer(tx *db.Tx, hash []byte) (offer, error) {
	return db.One(tx, func(r db.Row) (o offer, err error) {
		o.State = Open
		return o, r.Scan(&o.ID, &o.organization, &o.Email, &o.Role, &o.InvitedBy, &o.CreatedAt, &o.ExpiresAt, &o.mailed)
	}, `SELECT id, organization_id, email, role, invited_by, created_at, expires_at, mail_hash = $1 FROM invitations
		WHERE (token_hash = $2 OR mail_hash = $3) AND state = 'open' AND expires_at > $4`, hash, hash, hash, tx.Now)
}

func nameOf(tx *db.Tx, organization id.Organization) (string, error) {
	return db.One(tx, db.String, `SELECT name FROM organizations WHERE id = $1`, organization)
}
