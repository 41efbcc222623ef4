package partner

import (
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/text"
)

// Limits of the fields: characters, GB or a number of things, and plugins.
const (
	MaxName        = 100
	MaxDescription = 1000
	MaxBound       = 1_000_000_000
	MaxPlugins     = 200
)

// New is what a group is made from.
type New struct {
	Name                  string   `json:"name" maxLength:"400" example:"Gold Partners" doc:"At most 100 characters; unique, whatever the case of its letters"`
	Description           *string  `json:"description,omitempty" required:"false" example:"Premium partner tier" doc:"At most 1,000 characters"`
	CreditDiscountPercent Percent  `json:"credit_discount_percent,omitempty" required:"false" example:"20" doc:"0 to 100 with at most two decimals; 0 when absent"`
	MaxOrganizations      *int64   `json:"max_organizations,omitempty" required:"false" minimum:"0" doc:"How many organizations an admin may own; absent or null: any number"`
	MaxStorageGB          *int64   `json:"max_storage_gb,omitempty" required:"false" minimum:"0" doc:"Most storage of an admin's organizations together, in GB; absent or null: any amount"`
	MaxUsers              *int64   `json:"max_users,omitempty" required:"false" minimum:"0" doc:"Most users of an admin's organizations together; absent or null: any number"`
	MaxBandwidthGB        *int64   `json:"max_bandwidth_gb,omitempty" required:"false" minimum:"0" doc:"Most monthly bandwidth of an admin's organizations together, in GB; absent or null: any amount"`
	AllowedPlugins        []string `json:"allowed_plugins,omitzero" required:"false" nullable:"true" doc:"Keys of the plugins that its admins may enable; absent or null: all"`
	MayHidePoweredBy      *bool    `json:"may_hide_powered_by,omitempty" required:"false" doc:"true when absent"`
	Oversell              *bool    `json:"oversell,omitempty" required:"false" doc:"false when absent"`
}

// Patch is a merging PUT: an absent field stays; null unbinds a bound, allows
// all plugins, clears the description.
type Patch struct {
	Name                  patch.Field[string]   `json:"name,omitzero" required:"false" example:"Gold Partners"`
	Description           patch.Field[string]   `json:"description,omitzero" required:"false" example:"Premium partner tier"`
	CreditDiscountPercent patch.Field[Percent]  `json:"credit_discount_percent,omitzero" required:"false" example:"20" doc:"0 to 100 with at most two decimals"`
	MaxOrganizations      patch.Field[int64]    `json:"max_organizations,omitzero" required:"false" doc:"null: any number"`
	MaxStorageGB          patch.Field[int64]    `json:"max_storage_gb,omitzero" required:"false" doc:"null: any amount"`
	MaxUsers              patch.Field[int64]    `json:"max_users,omitzero" required:"false" doc:"null: any number"`
	MaxBandwidthGB        patch.Field[int64]    `json:"max_bandwidth_gb,omitzero" required:"false" doc:"null: any amount"`
	AllowedPlugins        patch.Field[[]string] `json:"allowed_plugins,omitzero" required:"false" doc:"null: all"`
	MayHidePoweredBy      patch.Field[bool]     `json:"may_hide_powered_by,omitzero" required:"false"`
	Oversell              patch.Field[bool]     `json:"oversell,omitzero" required:"false"`
}

func (in New) group(tx *db.Tx) (Group, error) {
	g := Group{
		Name: in.Name, Description: in.Description, CreditDiscountPercent: in.CreditDiscountPercent,
		MaxOrganizations: in.MaxOrganizations, MaxStorageGB: in.MaxStorageGB,
		MaxUsers: in.MaxUsers, MaxBandwidthGB: in.MaxBandwidthGB,
		AllowedPlugins:   in.AllowedPlugins,
		MayHidePoweredBy: in.MayHidePoweredBy == nil || *in.MayHidePoweredBy,
		Oversell:         in.Oversell != nil && *in.Oversell,
	}
	return g, g.check(tx, nil, &fault.Validation{})
}

func (p Patch) apply(tx *db.Tx, g Group) (Group, error) {
	var v fault.Validation
	notNull(&v, "name", &p.Name)
	notNull(&v, "credit_discount_percent", &p.CreditDiscountPercent)
	notNull(&v, "may_hide_powered_by", &p.MayHidePoweredBy)
	notNull(&v, "oversell", &p.Oversell)
	kept := g.AllowedPlugins
	g.Name = p.Name.Or(g.Name)
	g.Description = p.Description.Pointer(g.Description)
	g.CreditDiscountPercent = p.CreditDiscountPercent.Or(g.CreditDiscountPercent)
	g.MaxOrganizations = p.MaxOrganizations.Pointer(g.MaxOrganizations)
	g.MaxStorageGB = p.MaxStorageGB.Pointer(g.MaxStorageGB)
	g.MaxUsers = p.MaxUsers.Pointer(g.MaxUsers)
	g.MaxBandwidthGB = p.MaxBandwidthGB.Pointer(g.MaxBandwidthGB)
	g.AllowedPlugins = p.AllowedPlugins.Or(g.AllowedPlugins)
	g.MayHidePoweredBy = p.MayHidePoweredBy.Or(g.MayHidePoweredBy)
	g.Oversell = p.Oversell.Or(g.Oversell)
	return g, g.check(tx, kept, &v)
}

// notNull notes a null and takes it out, so that the rest can be judged.
func notNull[T any](v *fault.Validation, field string, p *patch.Field[T]) {
	if p.Null {
		v.Add(field, "required", "This cannot be null; leave the field out to keep its value.")
		*p = patch.Field[T]{}
	}
}

// check cleans the texts of g and reports all that is wrong with its values.
// Plugins in kept were allowed before and need not be in the catalogue still.
func (g *Group) check(tx *db.Tx, kept []string, v *fault.Validation) error {
	g.Name = text.Name("name", g.Name, MaxName, v)
	if g.Description != nil {
		s := text.Prose("description", *g.Description, MaxDescription, v)
		g.Description = &s
	}
	if !g.CreditDiscountPercent.Valid() {
		v.Add("credit_discount_percent", "out_of_range", "Give a percentage from 0 to 100 with at most two decimals.")
	}
	bound(v, "max_organizations", g.MaxOrganizations)
	bound(v, "max_storage_gb", g.MaxStorageGB)
	bound(v, "max_users", g.MaxUsers)
	bound(v, "max_bandwidth_gb", g.MaxBandwidthGB)
	if err := g.checkPlugins(tx, kept, v); err != nil {
		return err
	}
	return v.Err()
}

func bound(v *fault.Validation, field string, n *int64) {
	if n != nil && (*n < 0 || *n > MaxBound) {
		v.Add(field, "out_of_range", "Give a number from 0 to %d, or null for no bound.", MaxBound)
	}
}

func (g *Group) checkPlugins(tx *db.Tx, kept []string, v *fault.Validation) error {
	if len(g.AllowedPlugins) > MaxPlugins {
		v.Add("allowed_plugins", "too_many", "Name at most %d plugins.", MaxPlugins)
		return nil
	}
	seen := map[string]bool{}
	var unknown []string
	for _, key := range g.AllowedPlugins {
		if seen[key] {
			v.Add("allowed_plugins", "duplicate", "Name each plugin once.")
			return nil
		}
		seen[key] = true
		if !slices.Contains(kept, key) {
			unknown = append(unknown, key)
		}
	}
	n, err := pluginsAmong(tx, unknown)
	if err == nil && n < int64(len(unknown)) {
		v.Add("allowed_plugins", "unknown_plugin", "Name plugins of the catalogue; see GET /api/tenants/available-plugins.")
	}
	return err
}
