package partner

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/id"
)

// touch counts and names whom a change of the group reaches, and has brands
// resolved anew, as the policy has a say in them.
func touch(tx *db.Tx, group id.Group) error {
	tx.Publish("branding", "")
	tx.Publish("entitlement", "")
	if !effect.Wanted(tx) {
		return nil
	}
	organizations, users, err := reach(tx, group)
	if err != nil {
		return err
	}
	effect.Add(tx, effect.Organizations, organizations)
	effect.Add(tx, effect.Users, users)
	g, err := get(tx, group)
	if err != nil {
		return err
	}
	effect.Add(tx, effect.Admins, g.MemberCount)
	admins, err := members(tx, group)
	effect.Name(tx, admins...)
	return err
}

// Exceed says, in a dry run, which admins of a group are beyond a policy, and
// by how much: that of their own group, or of one that they move to. only is
// the one admin to look at, zero is all. An admin is beyond it by what it has,
// not by what the policy lets it do from now on: nothing is undone.
func Exceed(tx *db.Tx, policy, of id.Group, only id.Admin) error {
	if !effect.Wanted(tx) {
		return nil
	}
	p, err := get(tx, policy)
	if err != nil {
		return err
	}
	for _, find := range []func(*db.Tx, Group, id.Group, id.Admin) ([]effect.Excess, error){overBounds, overPlugins, overBrand, overCredit} {
		over, err := find(tx, p, of, only)
		if err != nil {
			return err
		}
		effect.Exceed(tx, over...)
	}
	return nil
}

// shares is what an admin's organizations have been given together.
type shares struct {
	admin         effect.Party
	organizations int64
	given         [3]int64 // storage, users, bandwidth
	unlimited     [3]int64 // how many organizations have no limit of it
}

// beyond lists the bounds of a policy that the shares pass.
func (s shares) beyond(p Group) (over []effect.Excess) {
	if m := p.MaxOrganizations; m != nil && s.organizations > *m {
		over = append(over, effect.Beyond(s.admin, "max_organizations", *m, s.organizations))
	}
	for i, b := range []struct {
		field string
		bound *int64
	}{{"max_storage_gb", p.MaxStorageGB}, {"max_users", p.MaxUsers}, {"max_bandwidth_gb", p.MaxBandwidthGB}} {
		switch {
		case b.bound == nil:
		case s.unlimited[i] > 0:
			over = append(over, effect.Excess{Party: s.admin, Field: b.field, Limit: *b.bound, Used: -1, Over: -1})
		case s.given[i] > *b.bound:
			over = append(over, effect.Beyond(s.admin, b.field, *b.bound, s.given[i]))
		}
	}
	return over
}
