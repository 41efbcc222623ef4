package auth

import (
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Kind says how a caller is known.
type Kind int

// The kinds of principal.
const (
	Anonymous Kind = iota
	Person         // a user with an access token
	KeyHolder      // a service with an API key
)

// Scope is what an API key may do.
type Scope string

// The scopes of API keys.
const (
	ScopeEntitlements Scope = "entitlements:read"
	ScopeUsageWrite   Scope = "usage:write"
	ScopeUsageRead    Scope = "usage:read"
	ScopeCreditsSpend Scope = "credits:spend"
	ScopeAuditRead    Scope = "audit:read"
	ScopeIntrospect   Scope = "tokens:introspect"
)

// Principal is who calls, with every role held at this moment.
type Principal struct {
	Kind        Kind
	User        UserInfo
	Session     id.Session
	Key         KeyInfo
	Admins      []AdminRole
	Memberships []Membership
	// Active is "my organization": what switch chose, or the only membership.
	Active id.Organization
	// Acting is set while somebody acts for User, under a grant: Session is
	// then that person's, and the one membership all that the grant opens.
	Acting *Acting

	scope db.Scope // as Scope gives it, made once when p is loaded
}

// Acting is who acts for a member, and by what leave.
type Acting struct {
	Grant id.Grant
	By    UserInfo
}

// UserInfo is what a request knows of its user.
type UserInfo struct {
	ID         id.User
	Email      string
	Name       string
	Superadmin bool
}

// KeyInfo is what a request knows of its API key.
type KeyInfo struct {
	ID           id.Key
	Name         string
	Organization id.Organization // zero is platform-wide
	Admin        id.Admin        // of the organization
	Scopes       []Scope
	Hold         Hold
}

// may reports whether a key has a scope. Who checks entitlements or reports
// usage may read it.
func (k *KeyInfo) may(s Scope) bool {
	return slices.Contains(k.Scopes, s) ||
		s == ScopeUsageRead && (slices.Contains(k.Scopes, ScopeEntitlements) || slices.Contains(k.Scopes, ScopeUsageWrite))
}

// Hold says whether something stops the holder of a role.
type Hold string

// What can stop a role, named as the error code that is answered.
const (
	Free                  Hold = ""
	OrganizationSuspended Hold = "organization_suspended"
	AdminSuspended        Hold = "admin_suspended"
)

// AdminRole is belonging to an admin.
type AdminRole struct {
	Admin id.Admin
	Owner bool
	Hold  Hold // AdminSuspended or Free
}

// Membership is belonging to an organization.
type Membership struct {
	Organization id.Organization
	Admin        id.Admin // the organization's admin, zero is the platform
	Role         Role     // Owner, Manager or Member
	Hold         Hold     // of the organization or its admin
}

// ParseRole reads a member's role as it is stored; what is none is no role.
func ParseRole(s string) Role {
	switch s {
	case "owner":
		return Owner
	case "manager":
		return Manager
	case "member":
		return Member
	}
	return 0
}

// active is "my organization" of a person: the chosen one while p may still be
// in it, else the only membership.
func (p *Principal) active(chosen id.Organization) id.Organization {
	if p.MayChoose(chosen) {
		return chosen
	}
	var oldest id.Organization
	for _, m := range p.Memberships {
		if oldest == 0 || m.Organization < oldest {
			oldest = m.Organization
		}
	}
	return oldest
}

// MayChoose reports whether o can be p's active organization: it is a member,
// or a superadmin, for whom the caller knows that o exists.
func (p *Principal) MayChoose(o id.Organization) bool {
	if o == 0 {
		return false
	}
	_, member := p.Member(o)
	return member || p.User.Superadmin
}

// Member gives p's membership of o.
func (p *Principal) Member(o id.Organization) (Membership, bool) {
	for _, m := range p.Memberships {
		if m.Organization == o {
			return m, true
		}
	}
	return Membership{}, false
}
