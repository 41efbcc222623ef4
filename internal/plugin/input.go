package plugin

import (
	"regexp"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/text"
)

// Limits of the fields: characters, and dependencies.
const (
	MaxName         = 100
	MaxDescription  = 1000
	MaxCategory     = 50
	MaxDependencies = 50
)

// New is what a plugin is made from.
type New struct {
	Key            string   `json:"key" maxLength:"64" example:"ecommerce" doc:"A lower-case letter, then 1 to 63 of a-z, 0-9, _ and -; never changes"`
	Name           string   `json:"name" maxLength:"400" example:"E-commerce" doc:"At most 100 characters"`
	Description    string   `json:"description,omitempty" required:"false" example:"Products, checkout and orders of an online shop." doc:"At most 1,000 characters"`
	Category       string   `json:"category,omitempty" required:"false" example:"commerce" doc:"other when absent"`
	Version        string   `json:"version,omitempty" required:"false" example:"6.4.0" doc:"1.0.0 when absent"`
	Core           bool     `json:"core,omitempty" required:"false" doc:"Part of the product, rather than added by the operator"`
	DependsOn      []string `json:"depends_on,omitempty" required:"false" doc:"Keys of the plugins that must be enabled with it"`
	DefaultEnabled bool     `json:"default_enabled,omitempty" required:"false" doc:"Whether new organizations have it"`
}

// Patch is a merging PUT: an absent field stays; null empties the description
// and the dependencies.
type Patch struct {
	Name           patch.Field[string]   `json:"name,omitzero" required:"false" example:"E-commerce"`
	Description    patch.Field[string]   `json:"description,omitzero" required:"false"`
	Category       patch.Field[string]   `json:"category,omitzero" required:"false" example:"commerce"`
	Version        patch.Field[string]   `json:"version,omitzero" required:"false" example:"6.4.0"`
	Core           patch.Field[bool]     `json:"core,omitzero" required:"false"`
	DependsOn      patch.Field[[]string] `json:"depends_on,omitzero" required:"false"`
	DefaultEnabled patch.Field[bool]     `json:"default_enabled,omitzero" required:"false"`
}

func (in New) plugin(tx *db.Tx) (Plugin, error) {
	p := Plugin{Key: in.Key, Name: in.Name, Description: in.Description, Category: in.Category, Version: in.Version,
		Core: in.Core, DependsOn: in.DependsOn, DefaultEnabled: in.DefaultEnabled}
	if p.Category == "" {
		p.Category = "other"
	}
	if p.Version == "" {
		p.Version = "1.0.0"
	}
	c, err := load(tx)
	if err != nil {
		return Plugin{}, err
	}
	if len(c) >= MaxCatalogue {
		return Plugin{}, fault.New(fault.Conflict, "catalogue_full", "The catalogue is full; delete a plugin first.")
	}
	var v fault.Validation
	if !keys.MatchString(p.Key) {
		v.Add("key", "invalid_key", "Begin with a lower-case letter, then use 1 to 63 of a-z, 0-9, _ and -.")
	}
	return p, p.check(c, &v)
}

func (in Patch) apply(tx *db.Tx, p Plugin) (Plugin, error) {
	var v fault.Validation
	notNull(&v, "name", &in.Name)
	notNull(&v, "category", &in.Category)
	notNull(&v, "version", &in.Version)
	notNull(&v, "core", &in.Core)
	notNull(&v, "default_enabled", &in.DefaultEnabled)
	c, err := load(tx)
	if err != nil {
		return Plugin{}, err
	}
	p.Name, p.Description, p.Category = in.Name.Or(p.Name), in.Description.Or(p.Description), in.Category.Or(p.Category)
	p.Version, p.Core = in.Version.Or(p.Version), in.Core.Or(p.Core)
	p.DependsOn, p.DefaultEnabled = in.DependsOn.Or(p.DependsOn), in.DefaultEnabled.Or(p.DefaultEnabled)
	return p, p.check(c, &v)
}

// notNull notes a null and takes it out, so that the rest can be judged.
func notNull[T any](v *fault.Validation, field string, p *patch.Field[T]) {
	if p.Null {
		v.Add(field, "required", "This cannot be null; leave the field out to keep its value.")
		*p = patch.Field[T]{}
	}
}

var versions = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$`)

// check cleans the texts of p and reports all that is wrong with its values,
// against the catalogue in which it stands or is to stand.
func (p *Plugin) check(c catalogue, v *fault.Validation) error {
	p.Name = text.Name("name", p.Name, MaxName, v)
	p.Description = text.Prose("description", p.Description, MaxDescription, v)
	p.Category = text.Name("category", p.Category, MaxCategory, v)
	if !versions.MatchString(p.Version) {
		v.Add("version", "invalid_version", "Give a version such as 1.4.2, at most 32 characters.")
	}
	if p.DependsOn == nil {
		p.DependsOn = []string{}
	}
	p.checkDependencies(c, v)
	return v.Err()
}

func (p *Plugin) checkDependencies(c catalogue, v *fault.Validation) {
	if len(p.DependsOn) > MaxDependencies {
		v.Add("depends_on", "too_many", "Name at most %d plugins.", MaxDependencies)
		return
	}
	for i, key := range p.DependsOn {
		if slices.Contains(p.DependsOn[:i], key) {
			v.Add("depends_on", "duplicate", "Name each plugin once.")
			return
		}
		if _, known := c[key]; !known && key != p.Key {
			v.Add("depends_on", "unknown_plugin", "Name plugins of the catalogue.")
			return
		}
	}
	if slices.Contains(p.DependsOn, p.Key) || slices.Contains(c.closure(p.DependsOn), p.Key) {
		v.Add("depends_on", "dependency_cycle", "A plugin cannot depend on itself, not even by way of others.")
	}
}
