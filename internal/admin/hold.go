package admin

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
)

// Suspension asks for a hold on an admin.
type Suspension struct {
	Reason    string   `json:"reason" maxLength:"2000" example:"Payment overdue" doc:"At most 500 characters; its people are told"`
	ExpiresAt *db.Time `json:"expires_at,omitempty" required:"false" doc:"When it ends by itself; absent or null: not"`
}

// Suspend puts the platform's hold on the admin. It reaches all its
// organizations without touching their own holds. Where the hold is in force
// already, nothing changes and nothing is recorded.
func Suspend(tx *db.Tx, actor audit.Actor, admin id.Admin, in Suspension) (Admin, error) {
	var v fault.Validation
	reason := reasonOf(in.Reason, &v)
	if in.ExpiresAt != nil && *in.ExpiresAt <= tx.Now {
		v.Add("expires_at", "in_the_past", "Give a time that lies ahead.")
	}
	if err := v.Err(); err != nil {
		return Admin{}, err
	}
	before, err := lock(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	placed, err := hold.Place(tx, hold.Subject{Admin: admin}, hold.Platform, reason, actor.UserID(), in.ExpiresAt)
	if err != nil || !placed {
		return before, err
	}
	return turn(tx, actor, before, "admin.suspended", reason, notify.Message{
		Kind: "admin.suspended", Title: "Account suspended",
		Body: fmt.Sprintf("%s and its organizations are suspended. Reason: %s", before.Name, reason),
	})
}

// Reactivate lifts the holds that the caller's tier may lift: the platform's,
// for quota and for billing. Where there is none, nothing changes and nothing
// is recorded.
func Reactivate(tx *db.Tx, actor audit.Actor, admin id.Admin) (Admin, error) {
	if actor.Tier < audit.Platform {
		return Admin{}, fault.Denied()
	}
	before, err := lock(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	lifted, err := hold.Lift(tx, hold.Subject{Admin: admin}, []hold.Source{hold.Platform, hold.Quota, hold.Billing}, actor.UserID())
	if err != nil || lifted == 0 {
		return before, err
	}
	return turn(tx, actor, before, "admin.reactivated", "", notify.Message{
		Kind: "admin.reactivated", Title: "Account reactivated",
		Body: fmt.Sprintf("%s and its organizations are no longer suspended by it.", before.Name),
	})
}

// turn does what follows a change of holds: brands and domains resolve anew,
// the effects are counted, the change recorded, and the admin's people and the
// owners of its organizations told.
func turn(tx *db.Tx, actor audit.Actor, before Admin, action, reason string, m notify.Message) (Admin, error) {
	after, err := Detail(tx, before.ID)
	if err != nil {
		return Admin{}, err
	}
	tx.Publish("branding", "")
	if err := reach(tx, after); err != nil {
		return Admin{}, err
	}
	if err := record(tx, actor, action, reason, &before, &after); err != nil {
		return Admin{}, err
	}
	m.Users, err = concerned(tx, before.ID)
	if err != nil || len(m.Users) == 0 {
		return after, err
	}
	m.Target, m.Admin = notify.Target{Type: "admin", ID: int64(before.ID)}, before.ID
	return after, notify.Send(tx, m)
}

// reach counts whom a suspension of the admin hits, for a dry run: its
// organizations, all people of these and of the admin, verified domains, the
// credits that cannot be used meanwhile, keys and open invitations.
func reach(tx *db.Tx, a Admin) error {
	if !effect.Wanted(tx) {
		return nil
	}
	r, err := counted(tx, a.ID)
	if err != nil {
		return err
	}
	effect.Add(tx, effect.Organizations, a.OrganizationCount)
	effect.Add(tx, effect.Users, r.users)
	effect.Add(tx, effect.Domains, r.domains)
	effect.Add(tx, effect.Credits, r.credits)
	effect.Add(tx, effect.APIKeys, r.keys)
	effect.Add(tx, effect.Invitations, r.invitations)
	return nil
}
