package auth

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// PrincipalOf gives a user as a request of theirs would be known at this
// moment, without a session: "my organization" is the only one, or none. A
// disabled user, whom no request is known as, is given too: see its Status.
// Nobody with this id is fault.Missing.
func PrincipalOf(tx *db.Tx, user id.User) (*Principal, User, error) {
	u, err := UserByID(tx, user)
	if err != nil {
		return nil, u, err
	}
	l, err := personByUser(tx, user)
	if errors.Is(err, db.ErrNoRows) {
		return nil, u, missing(err)
	}
	return l.principal, u, err
}

// Held describes every role of p.
func (p *Principal) Held() []RoleHeld {
	roles := []RoleHeld{}
	if p.User.Superadmin {
		roles = append(roles, RoleHeld{Role: "superadmin"})
	}
	for _, a := range p.Admins {
		roles = append(roles, RoleHeld{Role: "admin", AdminID: id.Ref(a.Admin), Suspended: a.Hold != Free})
	}
	for _, m := range p.Memberships {
		roles = append(roles, RoleHeld{Role: m.Role.String(), OrganizationID: id.Ref(m.Organization), Suspended: m.Hold != Free})
	}
	return roles
}

// InScope says whether target lies in p's tenancy for an object of this kind:
// what Judge finds for a permission that every role has.
func InScope(o Object, p *Principal, target Target) bool {
	return Judge(Permission{Object: o, Roles: Superadmin | Admin | Owner | Manager | Member, Held: true}, p, target).Err == nil
}
