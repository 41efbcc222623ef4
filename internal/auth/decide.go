package auth

import (
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Target is the thing in the path of a request, as far as deciding needs it.
type Target struct {
	Exists       bool
	Organization id.Organization
	Admin        id.Admin // of the organization, or the admin itself
}

// Decide says whether p may do what permission allows on target, and in which
// tier. A role that never may is 403, whatever the target; then a target
// outside the tenancy is 404, as if absent; then a role too weak on this target
// is 403; then holds. It allocates nothing unless it refuses.
func Decide(permission Permission, p *Principal, target Target) (audit.Tier, error) {
	v := Judge(permission, p, target)
	return v.Tier, v.Err
}

// Verdict is a decision with what it rests on.
type Verdict struct {
	Tier audit.Tier
	// Role let the caller in; zero where none did, or none was needed.
	Role Role
	// Hold is what stopped a role that otherwise may, Free where none did. The
	// caller may be in by another role.
	Hold Hold
	Err  error // nil lets in
}

// Judge is Decide with its reasons.
func Judge(permission Permission, p *Principal, target Target) Verdict {
	switch {
	case permission.Public:
		return Verdict{Tier: audit.Tenant}
	case p == nil || p.Kind == Anonymous:
		return Verdict{Err: fault.New(fault.Unauthenticated, "unauthenticated", "Sign in, or send an API key, as a Bearer token.")}
	case p.Kind == KeyHolder:
		return judgeKey(permission, &p.Key, target)
	case permission.Personal && p.Acting != nil:
		return Verdict{Err: errActing()}
	case permission.Self:
		return Verdict{Tier: selfTier(p)}
	case permission.Roles&p.Roles() == 0:
		return Verdict{Err: fault.Denied()}
	case permission.Roles&Superadmin != 0 && p.User.Superadmin:
		if permission.Object != Nothing && !target.Exists {
			return Verdict{Err: fault.Missing()}
		}
		return Verdict{Tier: audit.Platform, Role: Superadmin}
	}
	return judgePerson(permission, p, target)
}

// errActing refuses what is the person's own to whoever acts for it.
func errActing() error {
	return fault.New(fault.Forbidden, "not_while_acting", "Whoever acts for a member may not do this: it is the member's own, or would outlive the leave to act.")
}

// judgeKey is Judge for services. A platform-wide key reaches every tenant,
// another one only its organization.
func judgeKey(permission Permission, k *KeyInfo, target Target) Verdict {
	if permission.Roles&ServiceKey == 0 || !k.may(permission.Scope) {
		return Verdict{Err: fault.Denied()}
	}
	if permission.Object != Nothing {
		reached := k.Organization == 0 ||
			permission.Object == Organization && k.Organization == target.Organization
		if !target.Exists || !reached {
			return Verdict{Err: fault.Missing()}
		}
	}
	if k.Hold != Free && !permission.Held {
		return Verdict{Hold: k.Hold, Err: k.Hold.Refusal()}
	}
	return Verdict{Tier: audit.Tenant, Role: ServiceKey}
}

// selfTier is the tier in which a person deals with what is its own.
func selfTier(p *Principal) audit.Tier {
	switch {
	case p.User.Superadmin:
		return audit.Platform
	case len(p.Admins) > 0:
		return audit.Reseller
	}
	return audit.Tenant
}

// judgePerson looks at each role that p holds on the target, the staff of its
// admin first: any one that may is enough, and a hold on one role does not
// stop another.
func judgePerson(permission Permission, p *Principal, target Target) Verdict {
	if permission.Object != Nothing && !target.Exists {
		return Verdict{Err: fault.Missing()}
	}
	var v Verdict
	reached := false
	for i := range p.Admins {
		a := &p.Admins[i]
		if permission.Object != Nothing && a.Admin != target.Admin {
			continue
		}
		reached = true
		switch {
		case permission.Roles&Admin == 0:
		case a.Hold != Free && permission.Write:
			v.Hold = a.Hold
		default:
			v.Tier, v.Role = audit.Reseller, Admin
			return v
		}
	}
	for i := range p.Memberships {
		m := &p.Memberships[i]
		if permission.Object == Reseller || permission.Object == Organization && m.Organization != target.Organization {
			continue
		}
		reached = true
		switch {
		case permission.Roles&m.Role == 0:
		case m.Hold != Free && !permission.Held:
			if v.Hold == Free {
				v.Hold = m.Hold
			}
		default:
			v.Tier, v.Role = audit.Tenant, m.Role
			return v
		}
	}
	switch {
	case !reached:
		v.Err = fault.Missing()
	case v.Hold != Free:
		v.Err = v.Hold.Refusal()
	default:
		v.Err = fault.Denied()
	}
	return v
}

// Refusal is the 403 that a hold is answered with.
func (h Hold) Refusal() error {
	if h == AdminSuspended {
		return fault.New(fault.Forbidden, string(h), "The account that manages this is suspended. Ask its provider.")
	}
	return fault.New(fault.Forbidden, string(h), "The organization is suspended. Ask its owner or provider.")
}

// Roles is the union of the roles that p holds anywhere at this moment.
func (p *Principal) Roles() Role {
	switch p.Kind {
	case KeyHolder:
		return ServiceKey
	case Anonymous:
		return 0
	}
	var r Role
	if p.User.Superadmin {
		r |= Superadmin
	}
	if len(p.Admins) > 0 {
		r |= Admin
	}
	for i := range p.Memberships {
		r |= p.Memberships[i].Role
	}
	return r
}

// Reach is what of a list a caller sees: all of it, or the organizations of
// these admins together with these organizations.
type Reach struct {
	All           bool
	Admins        []id.Admin
	Organizations []id.Organization
}

// Visible gives p's reach for a list under permission: only the roles that the
// permission names count, and none that a hold stops.
func Visible(permission Permission, p *Principal) Reach {
	var r Reach
	if p == nil || p.Kind == Anonymous {
		return r
	}
	if p.Kind == KeyHolder {
		if permission.Roles&ServiceKey != 0 && p.Key.may(permission.Scope) && (p.Key.Hold == Free || permission.Held) {
			r.All = p.Key.Organization == 0
			if !r.All {
				r.Organizations = []id.Organization{p.Key.Organization}
			}
		}
		return r
	}
	if permission.Roles&Superadmin != 0 && p.User.Superadmin {
		return Reach{All: true}
	}
	for _, a := range p.Admins {
		if permission.Roles&Admin != 0 && (a.Hold == Free || !permission.Write) {
			r.Admins = append(r.Admins, a.Admin)
		}
	}
	for _, m := range p.Memberships {
		if permission.Roles&m.Role != 0 && (m.Hold == Free || permission.Held) {
			r.Organizations = append(r.Organizations, m.Organization)
		}
	}
	return r
}

// Narrow is the part of the reach that belongs to one admin: nothing where that
// is another's. Zero narrows nothing.
func (r Reach) Narrow(to id.Admin) Reach {
	switch {
	case to == 0:
		return r
	case r.All || slices.Contains(r.Admins, to):
		return Reach{Admins: []id.Admin{to}}
	}
	return Reach{}
}

// Tenant is the tenant that p itself belongs to, where what it does to its own
// account and what it is denied are kept: the active organization, else the
// first admin, else the first organization. Both are zero for platform staff
// and platform-wide keys.
func (p *Principal) Tenant() (id.Organization, id.Admin) {
	if p.Kind == KeyHolder {
		return p.Key.Organization, p.Key.Admin
	}
	if p.User.Superadmin {
		return 0, 0
	}
	for _, m := range p.Memberships {
		if m.Organization == p.Active {
			return m.Organization, m.Admin
		}
	}
	if len(p.Admins) > 0 {
		return 0, p.Admins[0].Admin
	}
	if len(p.Memberships) > 0 {
		return p.Memberships[0].Organization, p.Memberships[0].Admin
	}
	return 0, 0
}

// Actor is p as the domain packages are told of it, in the tier that Decide
// gave: whoever acts for another is the actor, the other one OnBehalfOf. The caller adds address, user agent and request id.
func (p *Principal) Actor(tier audit.Tier) audit.Actor {
	a := audit.Actor{Type: audit.Nobody, Tier: tier}
	switch p.Kind {
	case Person:
		who := p.User
		if p.Acting != nil {
			a.OnBehalfOf = &audit.Party{Type: audit.User, ID: int64(who.ID), Name: who.Name, Email: who.Email}
			who = p.Acting.By
		}
		a.Type, a.ID, a.Name, a.Email = audit.User, int64(who.ID), who.Name, who.Email
	case KeyHolder:
		a.Type, a.ID, a.Name = audit.APIKey, int64(p.Key.ID), p.Key.Name
	}
	a.Organization, a.Admin = p.Tenant()
	return a
}
