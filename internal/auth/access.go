package auth

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

// MaxAccessMinutes is the longest that a grant lasts: a working day.
const MaxAccessMinutes = 480

// MaxAccessReason is the longest reason of a grant, in characters.
const MaxAccessReason = 500

// Access is leave to act inside an organization as one of its members, for a
// while and for a reason. Whoever has it is the actor of all that is done
// under it, the member the one on whose behalf.
//
// It ends before its time when somebody ends it, when the operator loses the
// role or the session by which it was given or sets another password, when the
// member is removed, and when the organization moves to another admin. What
// ended it once does not bring it back.
type Access struct {
	ID             id.Grant        `json:"id"`
	OrganizationID id.Organization `json:"organization_id"`
	UserID         id.User         `json:"user_id" doc:"The member acted for"`
	Member         Named           `json:"member"`
	Operator       Named           `json:"operator" doc:"Who acts"`
	Reason         string          `json:"reason"`
	Minutes        int64           `json:"minutes"`
	CreatedAt      db.Time         `json:"created_at"`
	ExpiresAt      db.Time         `json:"expires_at"`
	EndedAt        *db.Time        `json:"ended_at" doc:"When it ended before its time"`
	EndedBecause   *Ending         `json:"ended_because" doc:"What ended it: ended, session_ended, password_changed, staff_removed, member_removed, organization_moved"`
	Active         bool            `json:"active" doc:"Neither ended nor expired"`
}

// Named is a person as others see it.
type Named struct {
	ID    id.User `json:"id"`
	Name  string  `json:"name"`
	Email string  `json:"email"`
}

// Ending says what ended a grant before its time.
type Ending string

// The endings.
const (
	AccessEnded       Ending = "ended" // by who held it, the platform or an owner
	SessionEnded      Ending = "session_ended"
	PasswordChanged   Ending = "password_changed"
	StaffRemoved      Ending = "staff_removed"
	MemberRemoved     Ending = "member_removed"
	OrganizationMoved Ending = "organization_moved"
)

// AccessRequest asks for a grant.
type AccessRequest struct {
	Reason  string   `json:"reason" minLength:"1" maxLength:"2000" example:"Ticket 4711: their import fails" doc:"At most 500 characters; the organization's owners read it"`
	Minutes int64    `json:"minutes" minimum:"1" maximum:"480" example:"30" doc:"How long, from now"`
	UserID  *id.User `json:"user_id,omitempty" required:"false" doc:"The member to act for; absent: the organization's owner"`
}

// IssuedAccess is a new grant with its token.
type IssuedAccess struct {
	Access
	AccessToken string `json:"access_token" doc:"Send it as Bearer. Shown this once; it cannot be refreshed and ends with the grant."`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds until it ends."`
}

func (in *AccessRequest) check() error {
	var v fault.Validation
	in.Reason = text.Prose("reason", in.Reason, MaxAccessReason, &v)
	if in.Reason == "" && v.Err() == nil {
		v.Add("reason", "required", "Say why: the organization's owners read it.")
	}
	if in.Minutes < 1 || in.Minutes > MaxAccessMinutes {
		v.Add("minutes", "out_of_range", "Use 1 to %d minutes.", MaxAccessMinutes)
	}
	return v.Err()
}

// GrantAccess lets p, a superadmin or the staff of the organization's admin,
// act in it as one of its members. A user who is no active member is 422
// unknown_reference, whoever else it is. The owners and the member are told.
//
// What could end the grant takes turns with it by the locks of admin,
// organization and operator, so that none that begins dead or outlives its
// cause comes to be.
func GrantAccess(tx *db.Tx, actor audit.Actor, p *Principal, organization id.Organization, admin id.Admin, in AccessRequest) (IssuedAccess, error) {
	if err := in.check(); err != nil {
		return IssuedAccess{}, err
	}
	owner, err := lockForAccess(tx, p, organization, admin)
	if err != nil {
		return IssuedAccess{}, err
	}
	member := owner
	if in.UserID != nil {
		member = *in.UserID
	}
	if err := mayActFor(tx, actor, organization, member); err != nil {
		return IssuedAccess{}, err
	}
	token, d := newToken(grantPrefix)
	a := Access{OrganizationID: organization, UserID: member, Operator: Named{ID: actor.UserID()}, Reason: in.Reason,
		CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(time.Duration(in.Minutes) * time.Minute)}
	if a.ID, err = insertAccess(tx, a, admin, p.Session, actor.Tier >= audit.Platform, d); err != nil {
		return IssuedAccess{}, err
	}
	if _, err := actingByGrant(tx, a.ID); err != nil { // a role, the session or the admin went a moment ago
		return IssuedAccess{}, missing(err)
	}
	if a, err = accessOf(tx, organization, a.ID); err != nil {
		return IssuedAccess{}, err
	}
	if err := recordAccess(tx, actor, "access.granted", a, admin); err != nil {
		return IssuedAccess{}, err
	}
	return IssuedAccess{Access: a, AccessToken: token, TokenType: "Bearer", ExpiresIn: int(in.Minutes) * 60}, tellAccess(tx, a, admin)
}

// mayActFor refuses who is no active member, and the operator itself.
func mayActFor(tx *db.Tx, actor audit.Actor, organization id.Organization, member id.User) error {
	if member == 0 {
		return fault.InvalidField("user_id", "required", "The organization has no owner; name a member.")
	}
	is, err := activeMember(tx, organization, member)
	switch {
	case err != nil:
		return err
	case !is:
		return fault.UnknownReference("user_id")
	case member == actor.UserID():
		return fault.InvalidField("user_id", "invalid_reference", "This is you: you are a member already.")
	}
	return nil
}

// Accesses lists an organization's grants, newest first.
func Accesses(tx *db.Tx, organization id.Organization, r page.Request) (page.List[Access], error) {
	rows, err := listAccess(tx, organization, r)
	if err != nil {
		return page.List[Access]{}, err
	}
	total, err := countAccess(tx, organization)
	return page.Of(r, rows, total, func(a Access) page.Position { return page.Position{At: int64(a.CreatedAt), ID: int64(a.ID)} }), err
}

// AccessOf gives a grant of an organization; one of another is 404.
func AccessOf(tx *db.Tx, organization id.Organization, grant id.Grant) (Access, error) {
	a, err := accessOf(tx, organization, grant)
	return a, missing(err)
}

// EndAccess ends a grant early: by who holds it, a superadmin, or an owner of
// the organization. One that is over stays as it is.
func EndAccess(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, grant id.Grant) error {
	a, err := accessOf(tx, organization, grant)
	if err != nil {
		return missing(err)
	}
	if actor.Tier == audit.Reseller && a.Operator.ID != actor.UserID() {
		owns, err := ownerOf(tx, organization, actor.UserID())
		if err == nil && !owns {
			err = fault.New(fault.Forbidden, "forbidden", "Who holds the grant, an owner of the organization or the platform may end it.")
		}
		if err != nil {
			return err
		}
	}
	return endAccess(tx, actor, a, admin)
}

// endAccess ends and records, unless the grant is over.
func endAccess(tx *db.Tx, actor audit.Actor, a Access, admin id.Admin) error {
	n, err := endGrants(tx, AccessEnded, `id = $4`, a.ID)
	if err != nil || n == 0 {
		return err
	}
	effect.Add(tx, effect.Users, 1)
	a.EndedAt = &tx.Now
	return recordAccess(tx, actor, "access.ended", a, admin)
}

// leave ends the grant that p acts by.
func leave(tx *db.Tx, actor audit.Actor, p *Principal) error {
	a, err := accessOf(tx, p.Active, p.Acting.Grant)
	if err != nil {
		return missing(err)
	}
	_, admin := p.Tenant()
	return endAccess(tx, actor, a, admin)
}

// EndAccessToMember ends all grants to act for a member who is removed.
func EndAccessToMember(tx *db.Tx, organization id.Organization, member id.User) error {
	_, err := endGrants(tx, MemberRemoved, `organization_id = $4 AND user_id = $5`, organization, member)
	return err
}

// EndAccessTo ends all grants into an organization that changes its admin.
func EndAccessTo(tx *db.Tx, organization id.Organization) error {
	_, err := endGrants(tx, OrganizationMoved, `organization_id = $4`, organization)
	return err
}

// EndAccessOfStaff ends the grants that a person had as staff of an admin.
func EndAccessOfStaff(tx *db.Tx, admin id.Admin, staff id.User) error {
	_, err := endGrants(tx, StaffRemoved, `operator_id = $4 AND admin_id = $5 AND NOT platform`, staff, admin)
	return err
}

func recordAccess(tx *db.Tx, actor audit.Actor, action string, a Access, admin id.Admin) error {
	e := audit.Event{Actor: actor, Action: action, Target: audit.Target{Type: "access", ID: int64(a.ID), Name: a.Member.Name},
		Organization: a.OrganizationID, Admin: admin}
	if a.EndedAt == nil {
		e.Reason = a.Reason
		e.Changes = audit.Changes{"user_id": {New: a.UserID}, "minutes": {New: a.Minutes}, "expires_at": {New: a.ExpiresAt}}
	} else {
		e.Changes = audit.Changes{"ended_at": {New: *a.EndedAt}}
	}
	_, err := audit.Record(tx, e)
	return err
}

// tellAccess tells the owners and the member, but for who acts.
func tellAccess(tx *db.Tx, a Access, admin id.Admin) error {
	users, err := ownersOf(tx, a.OrganizationID)
	if err != nil {
		return err
	}
	users = slices.DeleteFunc(append(users, a.UserID), func(u id.User) bool { return u == a.Operator.ID })
	o, err := organizationNamed(tx, a.OrganizationID)
	if err != nil {
		return fmt.Errorf("read the organization of a grant: %w", err)
	}
	return notify.Send(tx, notify.Message{Users: users, Kind: "access.granted", Title: "Somebody acts for a member",
		Body: fmt.Sprintf("%s (%s) may act in %s as %s until %s. Reason: %s", a.Operator.Name, a.Operator.Email, o.Name, a.Member.Name,
			a.ExpiresAt.Std().UTC().Format("2006-01-02 15:04 UTC"), a.Reason),
		Target: notify.Target{Type: "access", ID: int64(a.ID)}, Organization: a.OrganizationID, Admin: admin})
}

// lockForAccess takes the locks of what could end a grant, in the order in
// which all take them, and gives the organization's owner.
func lockForAccess(tx *db.Tx, p *Principal, organization id.Organization, admin id.Admin) (id.User, error) {
	if admin != 0 {
		if err := lockAdminRow(tx, admin); err != nil {
			return 0, err
		}
	}
	owner, err := lockOrganization(tx, organization)
	if err != nil {
		return 0, missing(err)
	}
	if _, err := lockUser(tx, p.User.ID); err != nil {
		return 0, missing(err)
	}
	err = lockSession(tx, p.Session)
	if errors.Is(err, db.ErrNoRows) {
		err = errInvalidToken()
	}
	return owner, err
}
