package plugin

import (
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Entitlement is a plugin as an organization sees it.
type Entitlement struct {
	Plugin
	Enabled   bool     `json:"enabled"`
	EnabledAt *db.Time `json:"enabled_at"`
}

// Of gives the whole catalogue, each plugin with whether the organization has
// it, newest first.
func Of(tx *db.Tx, o id.Organization) ([]Entitlement, error) {
	l, err := PageOf(tx, o, page.Request{Limit: MaxCatalogue})
	return l.Data, err
}

// PageOf is Of, a page at a time.
func PageOf(tx *db.Tx, o id.Organization, r page.Request) (page.List[Entitlement], error) {
	return entitlements(tx, o, false, r)
}

// PageEnabled lists the plugins that the organization has.
func PageEnabled(tx *db.Tx, o id.Organization, r page.Request) (page.List[Entitlement], error) {
	return entitlements(tx, o, true, r)
}

// Enabled gives the keys of the plugins that the organization has, sorted.
func Enabled(tx *db.Tx, o id.Organization) ([]string, error) {
	return enabled(tx, o)
}

// Defaults gives the keys that a new organization starts with, sorted: what is
// enabled by default, and what that depends on, as far as allowed (nil allows
// all). What depends on a plugin that is not allowed is left out with it.
func Defaults(tx *db.Tx, allowed []string) ([]string, error) {
	c, err := load(tx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for key, p := range c {
		if p.DefaultEnabled {
			keys = append(keys, key)
		}
	}
	keys = c.closure(keys)
	if allowed != nil {
		keys = c.within(keys, allowed)
	}
	return keys, nil
}

// Check says what is wrong with keys as an organization's whole set: each must
// be in the catalogue, stand once, be among allowed (nil allows all), and have
// with it what it depends on. It reports under field.
func Check(tx *db.Tx, keys, allowed []string, field string) error {
	c, err := load(tx)
	if err != nil {
		return err
	}
	return c.check(keys, allowed, field)
}

func (c catalogue) check(keys, allowed []string, field string) error {
	var v fault.Validation
	if len(keys) > MaxCatalogue {
		return fault.InvalidField(field, "too_many", "Name at most %d plugins.", MaxCatalogue)
	}
	wanted := map[string]bool{}
	var unknown, twice, denied, missing bool
	for _, key := range keys {
		_, known := c[key]
		unknown = unknown || !known
		twice = twice || wanted[key]
		denied = denied || known && allowed != nil && !slices.Contains(allowed, key)
		wanted[key] = true
	}
	for key := range wanted {
		for _, d := range c[key].DependsOn {
			missing = missing || !wanted[d]
		}
	}
	if unknown {
		v.Add(field, "unknown_plugin", "Name plugins of the catalogue; see GET /api/tenants/available-plugins.")
	}
	if twice {
		v.Add(field, "duplicate", "Name each plugin once.")
	}
	if denied {
		v.Add(field, "plugin_not_allowed", "The partner group does not allow all of these plugins.")
	}
	if missing {
		v.Add(field, "dependency_missing", "Name with each plugin those that it depends on; see depends_on in the catalogue.")
	}
	return v.Err()
}

// Set makes keys the organization's whole set, after Check. The caller holds
// the organization's lock and records the change.
func Set(tx *db.Tx, o id.Organization, keys, allowed []string, field string) error {
	if err := Check(tx, keys, allowed, field); err != nil {
		return err
	}
	had, err := enabled(tx, o)
	if err != nil {
		return err
	}
	for _, key := range had {
		if !slices.Contains(keys, key) {
			if err := disable(tx, o, key); err != nil {
				return err
			}
		}
	}
	for _, key := range keys {
		if !slices.Contains(had, key) {
			if err := enable(tx, o, key, field); err != nil {
				return err
			}
		}
	}
	changed(tx, o)
	return nil
}
