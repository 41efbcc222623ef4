package org

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Role is what a member may do in its organization.
type Role string

// The roles, from the strongest.
const (
	Owner     Role = "owner"
	Manager   Role = "manager"
	PlainUser Role = "member"
)

// addMember makes a membership and takes its seat, whatever the limit.
func addMember(tx *db.Tx, organization id.Organization, user id.User, role Role) error {
	if err := insertMember(tx, organization, user, role); err != nil {
		return err
	}
	return takeSeat(tx, organization)
}
