package org

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/text"
)

// MaxName is the longest name of an organization, in characters.
const MaxName = 200

// New is an organization to be made.
type New struct {
	Name             string
	Slug             string
	Admin            id.Admin // zero is the platform
	OwnerUser        id.User  // becomes owner; zero leaves it without members
	StorageLimitGB   *int64   // nil takes the settings' default, as for all limits
	MaxUsers         *int64
	BandwidthLimitGB *int64
	CreditLimit      *int64
	Plugins          *[]string  // nil takes what is enabled by default
	Request          id.Request // whose slug it takes over; zero is none
}

// Create makes an organization whole: slug, limits, plugins, its owner's
// membership, its credit account, its place in the admin's count. The policy
// of the admin's group binds a reseller and the product by itself, not a
// superadmin. A slug held by anybody but in.Request is 409 slug_taken.
func Create(tx *db.Tx, actor audit.Actor, in New) (Organization, error) {
	limits, err := in.check(tx)
	if err != nil {
		return Organization{}, err
	}
	policy, err := lockReseller(tx, in.Admin)
	if err != nil {
		return Organization{}, err
	}
	if actor.Tier < audit.Platform || actor.Type == audit.System {
		if err := checkRoom(tx, in.Admin, policy, 0, nil, limits); err != nil {
			return Organization{}, err
		}
	} else {
		policy.AllowedPlugins = nil
	}
	o, ok, err := insert(tx, in, limits)
	if err == nil && !ok {
		err = SlugTaken(tx, in.Slug)
	}
	if err == nil {
		err = ClaimForOrganization(tx, in.Slug, o, in.Request)
	}
	if err == nil {
		err = equip(tx, actor, o, in, limits, policy)
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
	l, err := defaults(tx)
	if err != nil {
		return l, err
	}
	for _, f := range []struct{ given, into *int64 }{
		{in.StorageLimitGB, &l.StorageLimitGB}, {in.MaxUsers, &l.MaxUsers},
		{in.BandwidthLimitGB, &l.BandwidthLimitGB}, {in.CreditLimit, &l.CreditLimit},
	} {
		if f.given != nil {
			*f.into = *f.given
		}
	}
	l.check(&v)
	return l, v.Err()
}

// lockReseller locks the admin that a body names, if it names one, and gives
// its group's policy.
func lockReseller(tx *db.Tx, admin id.Admin) (partner.Group, error) {
	if admin == 0 {
		return partner.Group{}, nil
	}
	group, ok, err := lockAdmin(tx, admin)
	if err == nil && !ok {
		err = fault.UnknownReference("admin_id")
	}
	if err != nil {
		return partner.Group{}, err
	}
	return policyOf(tx, group)
}

// equip gives a new organization what lies beside its row.
func equip(tx *db.Tx, actor audit.Actor, o id.Organization, in New, l Limits, policy partner.Group) error {
	if in.Admin != 0 {
		if err := countOrganization(tx, in.Admin, 1); err != nil {
			return err
		}
	}
	if in.OwnerUser != 0 {
		if _, err := addMember(tx, o, in.OwnerUser, RoleOwner); err != nil {
			return err
		}
		if err := settleOwner(tx, o); err != nil {
			return err
		}
	}
	keys, err := startingPlugins(tx, in.Plugins, policy)
	if err != nil {
		return err
	}
	if err := plugin.Set(tx, o, keys, policy.AllowedPlugins, "enabled_plugins"); err != nil {
		return err
	}
	return openAccount(tx, actor, o, in.Admin, l.CreditLimit, policy)
}

// startingPlugins are those asked for, or the defaults that the policy allows.
func startingPlugins(tx *db.Tx, asked *[]string, policy partner.Group) ([]string, error) {
	if asked != nil {
		return *asked, nil
	}
	return plugin.Defaults(tx, policy.AllowedPlugins)
}

// openAccount makes the organization's wallet. A limit that a reseller gives
// rests on its pool.
func openAccount(tx *db.Tx, actor audit.Actor, o id.Organization, admin id.Admin, limit int64, policy partner.Group) error {
	if actor.Tier >= audit.Platform {
		return credit.OpenWithLimit(tx, o, limit)
	}
	if err := credit.Open(tx, credit.Owner{Organization: o}); err != nil {
		return err
	}
	return credit.SetLimit(tx, actor, o, limit, true, credit.Backing{Admin: admin, Oversell: policy.Oversell})
}

// created records the new organization and gives it.
func created(tx *db.Tx, actor audit.Actor, organization id.Organization) (Organization, error) {
	o, err := Detail(tx, organization)
	if err != nil {
		return o, err
	}
	changes, err := audit.Diff(nil, &o)
	if err != nil {
		return o, err
	}
	tx.Publish("auth", "")
	return o, o.record(tx, actor, "organization.created", "", changes)
}

// record writes the event of something done to the organization.
func (o Organization) record(tx *db.Tx, actor audit.Actor, action, reason string, changes audit.Changes) error {
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Reason: reason, Changes: changes,
		Target:       audit.Target{Type: "organization", ID: int64(o.ID), Name: o.Name},
		Organization: o.ID, Admin: id.Val(o.AdminID),
	})
	return err
}
