package org

import (
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/text"
)

// Patch is a merging PUT: an absent field stays; null clears custom_domain,
// gives the organization back to the platform (admin_id), and restores the
// settings' default of a limit and of the plugins.
type Patch struct {
	Name             patch.Field[string]   `json:"name,omitzero" required:"false" example:"New Name" doc:"All that an owner may change"`
	CustomDomain     patch.Field[string]   `json:"custom_domain,omitzero" required:"false" example:"app.example.com" doc:"A change is pending until verified; null clears"`
	EnabledPlugins   patch.Field[[]string] `json:"enabled_plugins,omitzero" required:"false" doc:"The whole set; null restores what is enabled by default"`
	CreditLimit      patch.Field[int64]    `json:"credit_limit,omitzero" required:"false" example:"10000" doc:"How far below zero the balance may go; null restores the default"`
	StorageLimitGB   patch.Field[int64]    `json:"storage_limit_gb,omitzero" required:"false" example:"50" doc:"-1 is unlimited; null restores the default"`
	MaxUsers         patch.Field[int64]    `json:"max_users,omitzero" required:"false" example:"100" doc:"-1 is unlimited; null restores the default"`
	BandwidthLimitGB patch.Field[int64]    `json:"bandwidth_limit_gb,omitzero" required:"false" example:"500" doc:"A month; -1 is unlimited; null restores the default"`
	AdminID          patch.Field[id.Admin] `json:"admin_id,omitzero" required:"false" example:"1" doc:"Superadmins only: transfers the organization with its credits; null is the platform"`
}

// LimitsPatch is any of the limits.
type LimitsPatch struct {
	CreditLimit      patch.Field[int64] `json:"credit_limit,omitzero" required:"false" example:"10000" doc:"null restores the default"`
	StorageLimitGB   patch.Field[int64] `json:"storage_limit_gb,omitzero" required:"false" example:"50" doc:"-1 is unlimited; null restores the default"`
	MaxUsers         patch.Field[int64] `json:"max_users,omitzero" required:"false" example:"100" doc:"-1 is unlimited; null restores the default"`
	BandwidthLimitGB patch.Field[int64] `json:"bandwidth_limit_gb,omitzero" required:"false" example:"500" doc:"-1 is unlimited; null restores the default"`
}

// CreditLimitPatch is the credit limit.
type CreditLimitPatch struct {
	CreditLimit patch.Field[int64] `json:"credit_limit" example:"10000" minimum:"0" doc:"null restores the default"`
}

// Edit changes an organization. An owner may change its name alone; a reseller
// all but admin_id, within its pool and its group's policy; a field that the
// actor may not set is 403 naming it, a limit beyond the pool 403
// limit_exceeded, and an archived organization 409 to all but a superadmin. own are the platform's host names, which nobody may claim.
func Edit(tx *db.Tx, actor audit.Actor, organization id.Organization, p Patch, own ...string) (Changed, error) {
	e := edit{tx: tx, actor: actor, p: p, own: own}
	return e.run(organization, "organization.updated")
}

// SetLimits is Edit of the limits.
func SetLimits(tx *db.Tx, actor audit.Actor, organization id.Organization, p LimitsPatch) (Changed, error) {
	e := edit{tx: tx, actor: actor, p: Patch{CreditLimit: p.CreditLimit, StorageLimitGB: p.StorageLimitGB,
		MaxUsers: p.MaxUsers, BandwidthLimitGB: p.BandwidthLimitGB}}
	return e.run(organization, "organization.limits_updated")
}

// SetCreditLimit is Edit of the credit limit, which must be given.
func SetCreditLimit(tx *db.Tx, actor audit.Actor, organization id.Organization, p CreditLimitPatch) (Changed, error) {
	if !p.CreditLimit.Set {
		return Changed{}, fault.InvalidField("credit_limit", "required", "Give the credit limit.")
	}
	e := edit{tx: tx, actor: actor, p: Patch{CreditLimit: p.CreditLimit}}
	return e.run(organization, "organization.credit_limit_updated")
}

// edit is one change on its way.
type edit struct {
	tx     *db.Tx
	actor  audit.Actor
	p      Patch
	own    []string      // host names of the platform
	policy partner.Group // of the admin, as far as it binds the actor
	before Organization
	after  Organization
}

func (e *edit) run(organization id.Organization, action string) (Changed, error) {
	if err := e.allowed(); err != nil {
		return Changed{}, err
	}
	if err := e.check(); err != nil {
		return Changed{}, err
	}
	err := e.load(organization)
	if err == nil {
		err = e.merge()
	}
	if err == nil {
		err = e.apply()
	}
	if err != nil {
		return Changed{}, err
	}
	return e.finish(action)
}

// allowed refuses fields that the actor's tier may not set.
func (e *edit) allowed() error {
	p := e.p
	if p.AdminID.Set && e.actor.Tier < audit.Platform {
		return fault.DeniedField("admin_id")
	}
	if e.actor.Tier >= audit.Reseller {
		return nil
	}
	for _, f := range []struct {
		set   bool
		field string
	}{
		{p.CustomDomain.Set, "custom_domain"}, {p.EnabledPlugins.Set, "enabled_plugins"}, {p.CreditLimit.Set, "credit_limit"},
		{p.StorageLimitGB.Set, "storage_limit_gb"}, {p.MaxUsers.Set, "max_users"}, {p.BandwidthLimitGB.Set, "bandwidth_limit_gb"},
	} {
		if f.set {
			return fault.DeniedField(f.field)
		}
	}
	return nil
}

// check validates what was sent and fills in the defaults that null restores.
func (e *edit) check() error {
	var v fault.Validation
	p := &e.p
	if p.Name.Null {
		v.Add("name", "required", "The name cannot be cleared.")
	} else if p.Name.Set {
		p.Name.Value = text.Name("name", p.Name.Value, MaxName, &v)
	}
	if p.CustomDomain.Given() {
		p.CustomDomain.Value = domain.Normalize("custom_domain", p.CustomDomain.Value, e.own, &v)
	}
	if p.AdminID.Given() && p.AdminID.Value == 0 { // nobody's id; null is the platform
		_ = v.Merge(fault.UnknownReference("admin_id"))
	}
	if err := p.restore(e.tx); err != nil {
		return err
	}
	Limits{CreditLimit: p.CreditLimit.Value, StorageLimitGB: p.StorageLimitGB.Value,
		MaxUsers: p.MaxUsers.Value, BandwidthLimitGB: p.BandwidthLimitGB.Value}.check(&v)
	return fault.Join(v.Err(), e.references())
}

// references refuses what names nothing; load and merge decide once it is
// locked.
func (e *edit) references() error {
	var v fault.Validation
	if id.Val(e.p.AdminID.Pointer(nil)) != 0 {
		if _, err := groupOf(e.tx, e.p.AdminID.Value); errors.Is(err, db.ErrNoRows) {
			_ = v.Merge(fault.UnknownReference("admin_id"))
		} else if err != nil {
			return err
		}
	}
	if !e.p.EnabledPlugins.Given() {
		return v.Err()
	}
	return fault.Join(v.Err(), plugin.Check(e.tx, e.p.EnabledPlugins.Value, nil, "enabled_plugins"))
}

// restore gives limits sent as null the settings' value.
func (p *Patch) restore(tx *db.Tx) error {
	if !p.CreditLimit.Null && !p.StorageLimitGB.Null && !p.MaxUsers.Null && !p.BandwidthLimitGB.Null {
		return nil
	}
	standard, err := defaults(tx)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		field *patch.Field[int64]
		value int64
	}{
		{&p.CreditLimit, standard.CreditLimit}, {&p.StorageLimitGB, standard.StorageLimitGB},
		{&p.MaxUsers, standard.MaxUsers}, {&p.BandwidthLimitGB, standard.BandwidthLimitGB},
	} {
		if f.field.Null {
			*f.field = patch.Of(f.value)
		}
	}
	return nil
}

// bound reports a change that the admin's pool and policy may refuse, or that
// moves the organization between admins: its admins must be locked.
func (e *edit) bound() bool {
	p := e.p
	reseller := e.actor.Tier < audit.Platform && (p.EnabledPlugins.Set || p.CreditLimit.Set || p.StorageLimitGB.Set || p.MaxUsers.Set || p.BandwidthLimitGB.Set)
	return reseller || p.AdminID.Set
}

// load locks what the change touches and reads what is there.
func (e *edit) load(organization id.Organization) error {
	var err error
	if e.bound() {
		var group id.Group
		if group, err = lockTree(e.tx, organization, e.p.AdminID.Value); err == nil && e.actor.Tier < audit.Platform {
			e.policy, err = policyOf(e.tx, group)
		}
	} else {
		_, _, err = lock(e.tx, organization)
	}
	if err != nil {
		return err
	}
	e.before, err = Detail(e.tx, organization)
	if err != nil {
		return err
	}
	e.after = e.before
	return e.before.Status.open(e.actor)
}

// merge works out the organization as it shall be, and whether it may.
func (e *edit) merge() error {
	p, o := e.p, &e.after
	o.Name = p.Name.Or(o.Name)
	o.StorageLimitGB, o.MaxUsers = p.StorageLimitGB.Or(o.StorageLimitGB), p.MaxUsers.Or(o.MaxUsers)
	o.BandwidthLimitGB, o.CreditLimit = p.BandwidthLimitGB.Or(o.BandwidthLimitGB), p.CreditLimit.Or(o.CreditLimit)
	o.AdminID, o.CustomDomain = p.AdminID.Pointer(o.AdminID), p.CustomDomain.Pointer(o.CustomDomain)
	if id.Val(o.AdminID) == 0 {
		o.AdminID = nil
	}
	if p.EnabledPlugins.Set {
		keys, err := e.plugins()
		if err != nil {
			return err
		}
		o.EnabledPlugins = keys
	}
	old := e.before.limits()
	return checkRoom(e.tx, id.Val(o.AdminID), e.policy, o.ID, &old, o.limits())
}

// plugins is the set to have. What the organization has already it may keep,
// whatever the policy says by now.
func (e *edit) plugins() ([]string, error) {
	keys := slices.Sorted(slices.Values(e.p.EnabledPlugins.Value))
	if e.p.EnabledPlugins.Null {
		var err error
		if keys, err = startingPlugins(e.tx, nil, e.policy); err != nil {
			return nil, err
		}
		slices.Sort(keys)
	}
	allowed := e.policy.AllowedPlugins
	if allowed != nil {
		allowed = slices.Concat(allowed, e.before.EnabledPlugins)
	}
	return keys, plugin.Check(e.tx, keys, allowed, "enabled_plugins")
}

// apply writes what differs.
func (e *edit) apply() error {
	b, o := e.before, e.after
	if from, to := id.Val(b.AdminID), id.Val(o.AdminID); from != to {
		if err := transfer(e.tx, o.ID, from, to); err != nil {
			return err
		}
		if err := auth.EndAccessTo(e.tx, o.ID); err != nil {
			return err
		}
	}
	if o.CreditLimit != b.CreditLimit {
		backing := credit.Backing{Admin: id.Val(o.AdminID), Oversell: e.policy.Oversell}
		// What the platform gave without cover, a reseller may lower without it.
		byAdmin := e.actor.Tier < audit.Platform && (b.backed || o.CreditLimit > b.CreditLimit)
		if err := credit.SetLimit(e.tx, e.actor, o.ID, o.CreditLimit, byAdmin, backing); err != nil {
			return err
		}
	}
	if !slices.Equal(o.EnabledPlugins, b.EnabledPlugins) {
		if err := plugin.Set(e.tx, o.ID, o.EnabledPlugins, nil, "enabled_plugins"); err != nil {
			return err
		}
		effect.Add(e.tx, effect.Plugins, differing(o.EnabledPlugins, b.EnabledPlugins))
	}
	if word(o.CustomDomain) != word(b.CustomDomain) {
		if _, err := domain.Set(e.tx, domain.Owner{Organization: o.ID}, word(o.CustomDomain)); err != nil {
			return err
		}
		effect.Add(e.tx, effect.Domains, 1)
	}
	return nil
}

// differing counts what is in one of the sets only.
func differing(a, b []string) (n int64) {
	for _, sets := range [][2][]string{{a, b}, {b, a}} {
		for _, key := range sets[0] {
			if !slices.Contains(sets[1], key) {
				n++
			}
		}
	}
	return n
}

// cross looks whether what is used crosses a threshold of changed limits.
func (e *edit) cross(o Organization) error {
	was, now := e.before.limits(), o.limits()
	was.CreditLimit = now.CreditLimit
	if was == now && id.Val(e.before.AdminID) == id.Val(o.AdminID) {
		return nil
	}
	return quota.LimitsChanged(e.tx, o.ID)
}

// finish stores, records and tells what changed, if anything did.
func (e *edit) finish(action string) (Changed, error) {
	changes, err := audit.Diff(e.before, e.after)
	if err != nil || len(changes) == 0 {
		return Changed{Organization: e.before}, err
	}
	if err := update(e.tx, e.after); err != nil {
		return Changed{}, err
	}
	o, err := Detail(e.tx, e.after.ID)
	if err != nil {
		return Changed{}, err
	}
	if changes, err = audit.Diff(e.before.since(o), o); err != nil {
		return Changed{}, err
	}
	warnings, err := shortfalls(e.tx, e.before, o)
	if err != nil {
		return Changed{}, err
	}
	if err := e.cross(o); err != nil {
		return Changed{}, err
	}
	if _, moved := changes["admin_id"]; moved {
		action = "organization.transferred"
		e.tx.Publish("auth", "")
		e.tx.Publish(domain.Topic, "")
	}
	if err := e.tell(o, changes); err != nil {
		return Changed{}, err
	}
	if err := reach(e.tx, o); err != nil {
		return Changed{}, err
	}
	return Changed{Organization: o, Warnings: warnings}, o.record(e.tx, e.actor, action, "", changes)
}
