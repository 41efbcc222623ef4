package org

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// MaxName is the longest name of an organization, in characters.
const MaxName = 200

// Create makes an organization whole: slug, limits, plugins, its owner's
// membership, its credit account, its place in the admin's count. The policy
// of the admin's group binds a reseller, not the platform. A slug held by
// anybody but in.Request is fault slug_taken.
func Create(tx *db.Tx, actor audit.Actor, in New) (Organization, error) {
	limits, err := in.check(tx)
	if err != nil {
		return Organization{}, err
	}
	group, err := lockReseller(tx, in.Admin, "admin_id")
	if err != nil {
		return Organization{}, err
	}
	if actor.Tier < audit.Platform && in.Admin != 0 {
		if err := checkRoom(tx, in.Admin, group, 0, Limits{}, limits, true); err != nil {
			return Organization{}, err
		}
	}
	o, ok, err := insert(tx, in, limits)
	if err == nil && !ok {
		err = SlugTaken(tx, in.Slug)
	}
	if err == nil {
		err = ClaimForOrganization(tx, in.Slug, o, in.Request)
	}
	if err == nil {
		err = equip(tx, actor, o, in, limits, group)
	}
	if err != nil {
		return Organization{}, err
	}
	return created(tx, actor, o)
}

// check validates and fills in what the settings decide.
func (in *New) check(tx *db.Tx) (Limits, error) {
	var v fault.Validation
	in.Name = text.Name("name", in.Name, MaxName, &v)
	CheckSlug("slug", in.Slug, &v)
	standard, err := defaults(tx)
	if err != nil {
		return Limits{}, err
	}
	or := func(given *int64, standard int64) int64 {
		if given != nil {
			return *given
		}
		return standard
	}
	l := Limits{
		StorageLimitGB:   or(in.StorageLimitGB, standard.StorageLimitGB),
		MaxUsers:         or(in.MaxUsers, standard.MaxUsers),
		BandwidthLimitGB: or(in.BandwidthLimitGB, standard.BandwidthLimitGB),
		CreditLimit:      or(in.CreditLimit, standard.CreditLimit),
	}
	l.check(&v)
	return l, v.Err()
}

// equip gives a new organization what lies beside its row.
func equip(tx *db.Tx, actor audit.Actor, o id.Organization, in New, l Limits, group id.Group) error {
	if err := openAccount(tx, actor, o, in.Admin, l.CreditLimit); err != nil {
		return err
	}
	if err := enablePlugins(tx, actor, o, in.Plugins, group); err != nil {
		return err
	}
	if in.Admin != 0 {
		if err := countOrganization(tx, in.Admin, 1); err != nil {
			return err
		}
	}
	if in.OwnerUser == 0 {
		return nil
	}
	return addMember(tx, o, in.OwnerUser, Owner)
}

// created records the new organization and gives it.
func created(tx *db.Tx, actor audit.Actor, organization id.Organization) (Organization, error) {
	o, err := detail(tx, organization)
	if err != nil {
		return o, err
	}
	changes, err := audit.Diff(Organization{}, o)
	if err != nil {
		return o, err
	}
	_, err = audit.Record(tx, o.event(actor, "organization.created", "", changes))
	tx.Publish("auth", "")
	return o, err
}

// event is the audit event of something done to the organization.
func (o Organization) event(actor audit.Actor, action, reason string, changes audit.Changes) audit.Event {
	return audit.Event{
		Actor: actor, Action: action, Reason: reason, Changes: changes,
		Target:       audit.Target{Type: "organization", ID: int64(o.ID), Name: o.Name},
		Organization: o.ID, Admin: id.Val(o.AdminID),
	}
}
