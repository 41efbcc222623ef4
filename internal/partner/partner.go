// Package partner keeps partner groups: tiers of admins, each with the discount
// at which its admins buy credits and the policy that bounds what they may do.
// Superadmins are not bound by a policy. A group's discount is copied into
// every grant, so changing it rewrites no history.
package partner

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
)

// Group is a partner group as it is answered. A nil bound binds nothing; nil
// AllowedPlugins allows every plugin.
type Group struct {
	ID                    id.Group `json:"id" example:"1"`
	Name                  string   `json:"name" example:"Gold Partners" doc:"Unique, whatever the case of its letters"`
	Description           *string  `json:"description" example:"Premium partner tier"`
	CreditDiscountPercent Percent  `json:"credit_discount_percent" example:"20" doc:"What its admins save on every credit granted to them"`
	MaxOrganizations      *int64   `json:"max_organizations" doc:"How many organizations an admin may own; null: any number"`
	MaxStorageGB          *int64   `json:"max_storage_gb" doc:"Most storage that an admin's organizations may be given together, in GB; null: any amount"`
	MaxUsers              *int64   `json:"max_users" doc:"Most users that an admin's organizations may be given together; null: any number"`
	MaxBandwidthGB        *int64   `json:"max_bandwidth_gb" doc:"Most monthly bandwidth that an admin's organizations may be given together, in GB; null: any amount"`
	AllowedPlugins        []string `json:"allowed_plugins" doc:"Keys of the plugins that its admins may enable; null: all" nullable:"true"`
	MayHidePoweredBy      bool     `json:"may_hide_powered_by" doc:"Whether its admins may leave out the platform's own name"`
	Oversell              bool     `json:"oversell" doc:"Whether its admins may promise more credit than they have"`
	MemberCount           int64    `json:"member_count" doc:"How many admins are in the group"`
	CreatedAt             db.Time  `json:"created_at"`
	UpdatedAt             db.Time  `json:"updated_at"`
	Version               int64    `json:"-"`
}

// Revision moves with every change of a settable field.
func (g Group) Revision() int64 { return g.Version }

// List gives the groups whose name contains q, newest first.
func List(tx *db.Tx, q string, r page.Request) (page.List[Group], error) {
	return list(tx, q, r)
}

// Detail gives one group; fault.Missing where there is none.
func Detail(tx *db.Tx, group id.Group) (Group, error) {
	return get(tx, group)
}

// Lock keeps every other transaction from changing the group, or who is in it,
// until this one ends. It gives the group's version.
func Lock(tx *db.Tx, group id.Group) (int64, error) {
	g, err := lock(tx, group)
	return g.Version, err
}

// Create makes a group. A name that another has is the conflict name_taken.
func Create(tx *db.Tx, actor audit.Actor, in New) (Group, error) {
	g, err := in.group(tx)
	if err != nil {
		return Group{}, err
	}
	g, created, err := insert(tx, g)
	if err != nil {
		return Group{}, err
	}
	if !created {
		return Group{}, nameTaken()
	}
	return g, record(tx, actor, "partner_group.created", nil, &g)
}

// Update changes what p gives and leaves the rest. A new policy binds what its
// admins do from now on; it undoes nothing.
func Update(tx *db.Tx, actor audit.Actor, group id.Group, p Patch) (Group, error) {
	before, err := lock(tx, group)
	if err != nil {
		return Group{}, err
	}
	after, err := p.apply(tx, before)
	if err != nil {
		return Group{}, err
	}
	if same, err := unchanged(before, after); same || err != nil {
		return before, err
	}
	if free, err := claimName(tx, before, after); err != nil || !free {
		return Group{}, orTaken(err)
	}
	if after, err = update(tx, after); err != nil {
		return Group{}, err
	}
	if err := touch(tx, group); err != nil {
		return Group{}, err
	}
	if err := Exceed(tx, group, group, 0); err != nil {
		return Group{}, err
	}
	if after.bounds() != before.bounds() {
		if err := quota.GroupLimitsChanged(tx, group); err != nil {
			return Group{}, err
		}
	}
	return after, record(tx, actor, "partner_group.updated", &before, &after)
}

// bounds are what limits of organizations follow from; -2 is none.
func (g Group) bounds() (b struct {
	storage, users, bandwidth int64
	oversell                  bool
}) {
	or := func(n *int64) int64 {
		if n == nil {
			return -2
		}
		return *n
	}
	b.storage, b.users, b.bandwidth, b.oversell = or(g.MaxStorageGB), or(g.MaxUsers), or(g.MaxBandwidthGB), g.Oversell
	return b
}

// Delete removes a group. Its admins move to reassignTo, each with an event of
// its own; with none given, a group that has any is the conflict in_use, with
// member_count.
func Delete(tx *db.Tx, actor audit.Actor, group, reassignTo id.Group) error {
	before, err := lockPair(tx, group, reassignTo)
	if err != nil {
		return err
	}
	if before.MemberCount > 0 && reassignTo == 0 {
		return fault.New(fault.Conflict, "in_use", "The group has admins; move them first, or name another group in reassign_to.").
			With("member_count", before.MemberCount)
	}
	if err := touch(tx, group); err != nil {
		return err
	}
	if reassignTo != 0 {
		if err := Exceed(tx, reassignTo, group, 0); err != nil {
			return err
		}
		if err := reassign(tx, actor, group, reassignTo); err != nil {
			return err
		}
		if err := quota.GroupLimitsChanged(tx, reassignTo); err != nil {
			return err
		}
	}
	if err := remove(tx, group); err != nil {
		return err
	}
	changes, err := audit.Diff(&before, nil)
	if err != nil {
		return err
	}
	if reassignTo != 0 {
		changes["reassign_to"] = audit.Change{New: reassignTo}
	}
	return recordChanges(tx, actor, "partner_group.deleted", before, changes)
}

// reassign moves the admins of a group to another, and tells each of them so in
// its log.
func reassign(tx *db.Tx, actor audit.Actor, from, to id.Group) error {
	moved, err := move(tx, from, to)
	if err != nil {
		return err
	}
	for _, a := range moved {
		_, err := audit.Record(tx, audit.Event{
			Actor: actor, Action: "admin.updated", Admin: a.id,
			Target:  audit.Target{Type: "admin", ID: int64(a.id), Name: a.name},
			Changes: audit.Changes{"partner_group_id": {Old: from, New: to}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lockPair locks the group to delete and the one that takes its admins, in the
// order of their ids, so that two deletions cannot wait for each other.
func lockPair(tx *db.Tx, group, other id.Group) (Group, error) {
	if other == group {
		return Group{}, fault.InvalidField("reassign_to", "invalid_reference", "Name another group than the one to delete.")
	}
	if other != 0 && other < group {
		if err := lockTarget(tx, other); err != nil {
			return Group{}, err
		}
	}
	g, err := lock(tx, group)
	if err == nil && other > group {
		err = lockTarget(tx, other)
	}
	return g, err
}

func lockTarget(tx *db.Tx, group id.Group) error {
	_, err := lock(tx, group)
	if fault.Is(err, fault.NotFound) {
		return fault.UnknownReference("reassign_to")
	}
	return err
}

func unchanged(before, after Group) (bool, error) {
	changes, err := audit.Diff(before, after)
	return len(changes) == 0, err
}

func record(tx *db.Tx, actor audit.Actor, action string, before, after *Group) error {
	changes, err := audit.Diff(before, after)
	if err != nil {
		return err
	}
	g := after
	if g == nil {
		g = before
	}
	return recordChanges(tx, actor, action, *g, changes)
}

func recordChanges(tx *db.Tx, actor audit.Actor, action string, g Group, changes audit.Changes) error {
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Changes: changes,
		Target: audit.Target{Type: "partner_group", ID: int64(g.ID), Name: g.Name},
	})
	return err
}

func nameTaken() error {
	return fault.New(fault.Conflict, "name_taken", "Another partner group has this name; choose another.")
}

// orTaken is err, or the refusal of a name that was not free.
func orTaken(err error) error {
	if err != nil {
		return err
	}
	return nameTaken()
}
