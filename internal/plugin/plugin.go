// Package plugin keeps the catalogue of what the product can do and which of
// it an organization has. The catalogue ships with the binary and is brought in
// once; from then on it belongs to the superadmins.
package plugin

import (
	"regexp"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// MaxCatalogue bounds the number of plugins, so that the whole catalogue can be
// held at once.
const MaxCatalogue = 1000

// Plugin is one capability, as it is answered.
type Plugin struct {
	ID             id.Plugin `json:"id"`
	Key            string    `json:"key" example:"ecommerce" doc:"Names the plugin everywhere; never changes"`
	Name           string    `json:"name" example:"E-commerce"`
	Description    string    `json:"description"`
	Category       string    `json:"category" example:"commerce"`
	Version        string    `json:"version" example:"6.4.0" doc:"Of the plugin"`
	Core           bool      `json:"core" doc:"Part of the product, rather than added by the operator"`
	DependsOn      []string  `json:"depends_on" nullable:"false" doc:"Keys of the plugins that must be enabled with it"`
	DefaultEnabled bool      `json:"default_enabled" doc:"Whether new organizations have it"`
	CreatedAt      db.Time   `json:"created_at"`
	UpdatedAt      db.Time   `json:"updated_at"`
	Row            int64     `json:"-"` // version of the row
}

// Revision moves with every change of a settable field.
func (p Plugin) Revision() int64 { return p.Row }

// List gives the plugins whose key, name or category contains q, newest first.
func List(tx *db.Tx, q string, r page.Request) (page.List[Plugin], error) {
	return list(tx, q, r)
}

// Detail gives one plugin; fault.Missing where there is none.
func Detail(tx *db.Tx, key string) (Plugin, error) {
	return get(tx, key)
}

// Lock keeps every other transaction from changing the catalogue until this one
// ends. It gives the plugin's version.
func Lock(tx *db.Tx, key string) (int64, error) {
	p, err := lock(tx, key)
	return p.Row, err
}

// lock takes the whole catalogue: what a plugin may depend on is decided over
// all of it.
func lock(tx *db.Tx, key string) (Plugin, error) {
	if err := lockCatalogue(tx); err != nil {
		return Plugin{}, err
	}
	return get(tx, key)
}

// Create adds a plugin. A key that another has is the conflict key_taken.
func Create(tx *db.Tx, actor audit.Actor, in New) (Plugin, error) {
	if err := lockCatalogue(tx); err != nil {
		return Plugin{}, err
	}
	p, err := in.plugin(tx)
	if err != nil {
		return Plugin{}, err
	}
	p, created, err := insert(tx, p)
	if err != nil {
		return Plugin{}, err
	}
	if !created {
		return Plugin{}, fault.New(fault.Conflict, "key_taken", "Another plugin has this key; choose another.")
	}
	return p, record(tx, actor, "plugin.created", nil, &p)
}

// Update changes what in gives and leaves the rest. A new dependency is asked
// for when an organization's plugins are next set; none loses anything now.
func Update(tx *db.Tx, actor audit.Actor, key string, in Patch) (Plugin, error) {
	before, err := lock(tx, key)
	if err != nil {
		return Plugin{}, err
	}
	after, err := in.apply(tx, before)
	if err != nil {
		return Plugin{}, err
	}
	if changes, err := diff(&before, &after); len(changes) == 0 || err != nil {
		return before, err
	}
	if after, err = update(tx, after); err != nil {
		return Plugin{}, err
	}
	if err := reach(tx, key); err != nil {
		return Plugin{}, err
	}
	return after, record(tx, actor, "plugin.updated", &before, &after)
}

// Delete removes a plugin that nothing names: no organization has it, no plugin
// depends on it, no partner group allows it by name, and no open registration
// request was approved with it; otherwise it is the conflict in_use, with how
// many do.
func Delete(tx *db.Tx, actor audit.Actor, key string) error {
	before, err := lock(tx, key)
	if err != nil {
		return err
	}
	in, err := usesOf(tx, key)
	if err != nil {
		return err
	}
	c, err := load(tx)
	if err != nil {
		return err
	}
	if dependents := c.dependents(key); in != (uses{}) || len(dependents) > 0 {
		return inUse().With("organization_count", in.organizations).With("required_by", dependents).
			With("partner_group_count", in.groups).With("request_count", in.requests)
	}
	if err := remove(tx, key); err != nil {
		return err
	}
	effect.Add(tx, effect.Plugins, 1)
	return record(tx, actor, "plugin.deleted", &before, nil)
}

func inUse() *fault.Error {
	return fault.New(fault.Conflict, "in_use", "Organizations have this plugin enabled, other plugins depend on it, or partner groups or approved requests name it.")
}

// reach counts the organizations that have the plugin, for a dry run.
func reach(tx *db.Tx, key string) error {
	if !effect.Wanted(tx) {
		return nil
	}
	n, err := users(tx, key)
	effect.Add(tx, effect.Organizations, n)
	return err
}

// diff is audit.Diff with the field version, which here is the plugin's own.
func diff(before, after *Plugin) (audit.Changes, error) {
	changes, err := audit.Diff(before, after)
	if err != nil {
		return nil, err
	}
	var c audit.Change
	if before != nil {
		c.Old = before.Version
	}
	if after != nil {
		c.New = after.Version
	}
	if c.Old != c.New {
		changes["version"] = c
	}
	return changes, nil
}

func record(tx *db.Tx, actor audit.Actor, action string, before, after *Plugin) error {
	changes, err := diff(before, after)
	if err != nil {
		return err
	}
	tx.Publish("entitlement", "")
	p := after
	if p == nil {
		p = before
	}
	_, err = audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Changes: changes,
		Target: audit.Target{Type: "plugin", ID: int64(p.ID), Name: p.Key},
	})
	return err
}

var keys = regexp.MustCompile(`^[a-z][a-z0-9_-]{1,63}$`)
