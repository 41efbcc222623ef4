package org

import (
	"errors"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Role is what a member may do in its organization.
type Role string

// The roles, from the strongest.
const (
	RoleOwner   Role = "owner"
	RoleManager Role = "manager"
	RoleMember  Role = "member"
)

// Valid reports one of the three roles.
func (r Role) Valid() bool { return r == RoleOwner || r == RoleManager || r == RoleMember }

// Member is a user of an organization.
type Member struct {
	UserID    id.User `json:"user_id"`
	Email     string  `json:"email"`
	Name      string  `json:"name"`
	Role      Role    `json:"role" enum:"owner,manager,member"`
	CreatedAt db.Time `json:"created_at" doc:"Since when a member"`
	UpdatedAt db.Time `json:"updated_at"`
	Version   int64   `json:"-"`
}

// Revision is the version that If-Match compares.
func (m Member) Revision() int64 { return m.Version }

// MemberChange is a member's new role.
type MemberChange struct {
	Role Role `json:"role" enum:"owner,manager,member" example:"manager"`
}

// MemberFilter narrows a list of members; zero values filter nothing.
type MemberFilter struct {
	Role Role
	Q    string // contained in name or address
}

// Members lists an organization's members, newest first.
func Members(tx *db.Tx, organization id.Organization, f MemberFilter, r page.Request) (page.List[Member], error) {
	return listMembers(tx, organization, f, r)
}

// MemberOf gives one member; fault.Missing where the user is none.
func MemberOf(tx *db.Tx, organization id.Organization, user id.User) (Member, error) {
	m, err := member(tx, organization, user)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return m, err
}

// LockMember keeps every other transaction from changing the organization's
// members until this one ends, and gives this one's version.
func LockMember(tx *db.Tx, organization id.Organization, user id.User) (int64, error) {
	if _, _, err := lock(tx, organization); err != nil {
		return 0, err
	}
	m, err := MemberOf(tx, organization, user)
	return m.Version, err
}

// ChangeRole gives a member another role. A manager neither touches owners nor
// makes them; the last owner stays one: 409 last_owner.
func ChangeRole(tx *db.Tx, actor audit.Actor, organization id.Organization, user id.User, in MemberChange) (Member, error) {
	if !in.Role.Valid() {
		return Member{}, fault.InvalidField("role", "unknown_value", "Use owner, manager or member.")
	}
	before, admin, err := lockMember(tx, actor, organization, user)
	if err != nil || before.Role == in.Role {
		return before, err
	}
	if err := checkOpen(tx, actor, organization); err != nil {
		return before, err
	}
	if err := mayMake(tx, actor, organization, in.Role); err != nil {
		return before, err
	}
	if err := keepOwner(tx, organization, before); err != nil {
		return before, err
	}
	if err := setRole(tx, organization, user, in.Role); err != nil {
		return before, err
	}
	if err := settleOwner(tx, organization); err != nil {
		return before, err
	}
	after, err := MemberOf(tx, organization, user)
	if err != nil {
		return before, err
	}
	changes, err := audit.Diff(before, after)
	if err != nil {
		return before, err
	}
	return after, memberChanged(tx, actor, organization, admin, "member.role_changed", after, changes)
}

// RemoveMember ends a membership and frees its seat. A member may leave by
// itself where its role may remove members. The last owner stays.
func RemoveMember(tx *db.Tx, actor audit.Actor, organization id.Organization, user id.User) error {
	m, admin, err := lockMember(tx, actor, organization, user)
	if err != nil {
		return err
	}
	if err := keepOwner(tx, organization, m); err != nil {
		return err
	}
	if err := deleteMember(tx, organization, user); err != nil {
		return err
	}
	if err := seated(tx, organization); err != nil {
		return err
	}
	if err := settleOwner(tx, organization); err != nil {
		return err
	}
	if err := auth.EndAccessToMember(tx, organization, user); err != nil {
		return err
	}
	return memberChanged(tx, actor, organization, admin, "member.removed", m, audit.Changes{"role": {Old: m.Role, New: nil}})
}

// lockMember locks the organization and reads the member, if the actor may
// touch it.
func lockMember(tx *db.Tx, actor audit.Actor, organization id.Organization, user id.User) (Member, id.Admin, error) {
	_, admin, err := lock(tx, organization)
	if err != nil {
		return Member{}, 0, err
	}
	m, err := MemberOf(tx, organization, user)
	if err == nil && actor.OnBehalfOf != nil && actor.As() == user {
		err = fault.New(fault.Forbidden, "not_while_acting", "Whoever acts for a member does not change that member's place.")
	}
	if err != nil || m.Role != RoleOwner {
		return m, admin, err
	}
	owns, err := ownsOrAbove(tx, actor, organization)
	if err == nil && !owns {
		err = fault.New(fault.Forbidden, "forbidden", "A manager may not change an owner.")
	}
	return m, admin, err
}

// mayMake refuses a manager who makes an owner.
func mayMake(tx *db.Tx, actor audit.Actor, organization id.Organization, role Role) error {
	if role != RoleOwner {
		return nil
	}
	owns, err := ownsOrAbove(tx, actor, organization)
	if err == nil && !owns {
		err = fault.New(fault.Forbidden, "forbidden", "A manager may not make an owner.")
	}
	return err
}

// ownsOrAbove reports an owner of the organization, the staff of its admin, or
// of the platform.
func ownsOrAbove(tx *db.Tx, actor audit.Actor, organization id.Organization) (bool, error) {
	if actor.Tier > audit.Tenant {
		return true, nil
	}
	m, err := member(tx, organization, actor.As())
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return m.Role == RoleOwner, err
}

// keepOwner refuses to take away the last owner. The organization is locked.
func keepOwner(tx *db.Tx, organization id.Organization, m Member) error {
	if m.Role != RoleOwner {
		return nil
	}
	n, err := owners(tx, organization)
	if err == nil && n < 2 {
		err = fault.New(fault.Conflict, "last_owner", "This is the only owner. Make somebody else an owner first.")
	}
	return err
}

// memberChanged does what follows a change of a membership.
func memberChanged(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, action string, m Member, changes audit.Changes) error {
	tx.Publish("auth", "")
	effect.Add(tx, effect.Users, 1)
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Changes: changes,
		Target:       audit.Target{Type: "member", ID: int64(m.UserID), Name: m.Name},
		Organization: organization, Admin: admin,
	})
	return err
}

// addMember makes a membership and takes its seat, whatever the limit. It is
// false where the user is a member already.
func addMember(tx *db.Tx, organization id.Organization, user id.User, role Role) (bool, error) {
	added, err := insertMember(tx, organization, user, role)
	if err != nil || !added {
		return false, err
	}
	if err := takeSeat(tx, organization); err != nil {
		return true, err
	}
	return true, seated(tx, organization)
}
