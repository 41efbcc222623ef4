package org

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// MaxReason is the longest reason, in characters.
const MaxReason = 500

// StatusChange asks for a status. It is a view on the holds: suspending places
// the caller's, activating lifts the caller's.
type StatusChange struct {
	Status    Status        `json:"status" enum:"active,suspended,archived" example:"suspended"`
	Reason    string        `json:"reason,omitempty" required:"false" maxLength:"2000" example:"Payment overdue" doc:"At most 500 characters; the owners are told"`
	ExpiresAt *db.Time      `json:"expires_at,omitempty" required:"false" doc:"With suspended: when it ends by itself; absent or null: not"`
	Sources   []hold.Source `json:"sources,omitempty" required:"false" enum:"platform,admin,quota,billing" doc:"With active: holds to lift besides the caller's own; a superadmin may name admin"`
}

func (in *StatusChange) check(tx *db.Tx, actor audit.Actor) error {
	var v fault.Validation
	switch {
	case in.ExpiresAt == nil:
	case in.Status != Suspended:
		v.Add("expires_at", "not_applicable", "A time goes with the status suspended only.")
	case *in.ExpiresAt <= tx.Now:
		v.Add("expires_at", "in_the_past", "Give a time that lies ahead.")
	}
	if in.Status != Active && in.Status != Suspended && in.Status != Archived {
		v.Add("status", "unknown_value", "Use active, suspended or archived.")
	}
	in.Reason = text.Prose("reason", in.Reason, MaxReason, &v)
	for _, s := range in.Sources {
		switch {
		case !s.Valid():
			v.Add("sources", "unknown_value", "Use platform, admin, quota or billing.")
		case in.Status != Active:
			v.Add("sources", "not_applicable", "Sources go with the status active only.")
		case actor.Tier < audit.Platform && s != hold.Admin:
			return fault.DeniedField("sources")
		}
	}
	return v.Err()
}

// SetStatus suspends, reactivates or archives. A reseller places and lifts
// holds of the source admin; a superadmin places platform and lifts platform,
// quota and billing, and those in Sources. While holds remain the organization
// is answered as suspended, with them. What is so already changes nothing and
// records nothing. Archived is final for all but a superadmin: 409
// invalid_transition.
func SetStatus(tx *db.Tx, actor audit.Actor, organization id.Organization, in StatusChange) (Organization, error) {
	if err := in.check(tx, actor); err != nil {
		return Organization{}, err
	}
	if _, _, err := lock(tx, organization); err != nil {
		return Organization{}, err
	}
	before, err := Detail(tx, organization)
	if err != nil {
		return before, err
	}
	if in.Status != Archived {
		if err := before.Status.open(actor); err != nil {
			return before, err
		}
	}
	changed, err := in.apply(tx, actor, before)
	if err != nil || !changed {
		return before, err
	}
	if err := touch(tx, organization); err != nil {
		return before, err
	}
	after, err := Detail(tx, organization)
	if err != nil {
		return before, err
	}
	return after, in.finish(tx, actor, before, after)
}

// open refuses to change what is archived: that is final for all but a
// superadmin. What takes away, such as revoking, needs no asking.
func (s Status) open(actor audit.Actor) error {
	if s != Archived || actor.Tier >= audit.Platform {
		return nil
	}
	return fault.New(fault.Conflict, "invalid_transition", "The organization is archived; the platform alone changes it or brings it back.").
		With("current_status", Archived).With("allowed", []Status{})
}

// checkOpen is open for who has locked the organization without reading it.
func checkOpen(tx *db.Tx, actor audit.Actor, organization id.Organization) error {
	if actor.Tier != audit.Reseller { // others are let in to no archived organization, or to all
		return nil
	}
	status, err := statusOf(tx, organization)
	if err != nil {
		return err
	}
	return status.open(actor)
}

// apply brings holds and the archived mark to what is asked, and reports
// whether anything was not so before.
func (in StatusChange) apply(tx *db.Tx, actor audit.Actor, o Organization) (changed bool, err error) {
	if archived := in.Status == Archived; archived != (o.Status == Archived) {
		status := Active
		if archived {
			status = Archived
		}
		if err := archive(tx, o.ID, status); err != nil {
			return false, err
		}
		changed = true
	}
	on := hold.Subject{Organization: o.ID}
	switch in.Status {
	case Suspended:
		placed, err := hold.Place(tx, on, source(actor), in.Reason, actor.UserID(), in.ExpiresAt)
		return changed || placed, err
	case Active:
		lifted, err := hold.Lift(tx, on, in.lifts(actor), actor.UserID())
		return changed || lifted > 0, err
	}
	return changed, nil
}

// source is what the actor's holds are called.
func source(actor audit.Actor) hold.Source {
	if actor.Tier >= audit.Platform {
		return hold.Platform
	}
	return hold.Admin
}

// lifts are the holds that activating ends.
func (in StatusChange) lifts(actor audit.Actor) []hold.Source {
	if actor.Tier < audit.Platform {
		return []hold.Source{hold.Admin}
	}
	all := append([]hold.Source{hold.Platform, hold.Quota, hold.Billing}, in.Sources...)
	slices.Sort(all)
	return slices.Compact(all)
}

// finish records and tells a change of status and drops what is cached of it.
func (in StatusChange) finish(tx *db.Tx, actor audit.Actor, before, after Organization) error {
	tx.Publish("auth", "")
	tx.Publish(domain.Topic, "")
	if err := reach(tx, after); err != nil {
		return err
	}
	if err := freeze(tx, after); err != nil {
		return err
	}
	changes, err := audit.Diff(before.since(after), after)
	if err != nil {
		return err
	}
	verb, title := "reactivated", "Organization reactivated"
	switch in.Status {
	case Suspended:
		verb, title = "suspended", "Organization suspended"
	case Archived:
		verb, title = "archived", "Organization archived"
	}
	body := fmt.Sprintf("%s was %s.", after.Name, verb)
	if in.Status == Active && after.EffectiveStatus != Active {
		body = fmt.Sprintf("A hold on %s was lifted; it stays suspended for other reasons.", after.Name)
	}
	if in.Reason != "" {
		body += " Reason: " + in.Reason
	}
	if err := tell(tx, actor, after, "organization."+verb, title, body); err != nil {
		return err
	}
	return after.record(tx, actor, "organization."+verb, in.Reason, changes)
}
