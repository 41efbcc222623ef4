package org

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

func insertMember(tx *db.Tx, organization id.Organization, user id.User, role Role) error {
	_, err := tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, 1)`,
		organization, user, string(role), tx.Now, tx.Now)
	return err
}

func takeSeat(tx *db.Tx, organization id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET members = members + 1 WHERE id = $1`, organization)
	return err
}
