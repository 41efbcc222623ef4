package plugin

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
)

//go:embed catalogue.json
var builtin []byte

// Seed brings in what ships with the binary, each plugin once in the life of a
// database: what a superadmin changed stays changed, and what was deleted stays
// deleted. Run it in a write after every migration.
func Seed(tx *db.Tx) error {
	var all []Plugin
	if err := json.Unmarshal(builtin, &all); err != nil {
		return fmt.Errorf("read the built-in catalogue: %w", err)
	}
	known, err := seeded(tx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if slices.Contains(known, p.Key) {
			continue
		}
		if err := seed(tx, p); err != nil {
			return err
		}
	}
	return nil
}

// catalogue is every plugin by its key.
type catalogue map[string]Plugin

// load gives the whole catalogue.
func load(tx *db.Tx) (catalogue, error) {
	all, err := everything(tx)
	if err != nil {
		return nil, err
	}
	c := make(catalogue, len(all))
	for _, p := range all {
		c[p.Key] = p
	}
	return c, nil
}

// closure gives the keys with all that they depend on, sorted. Keys that the
// catalogue lacks are left out.
func (c catalogue) closure(keys []string) []string {
	seen := map[string]bool{}
	var walk func(string)
	walk = func(key string) {
		p, known := c[key]
		if !known || seen[key] {
			return
		}
		seen[key] = true
		for _, d := range p.DependsOn {
			walk(d)
		}
	}
	for _, key := range keys {
		walk(key)
	}
	all := make([]string, 0, len(seen))
	for key := range seen {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// within leaves of keys those that are allowed together with all that they
// depend on.
func (c catalogue) within(keys, allowed []string) []string {
	return slices.DeleteFunc(keys, func(key string) bool {
		return slices.ContainsFunc(c.closure([]string{key}), func(k string) bool { return !slices.Contains(allowed, k) })
	})
}

// dependents gives the plugins that depend directly on key, sorted.
func (c catalogue) dependents(key string) []string {
	all := []string{}
	for k, p := range c {
		if slices.Contains(p.DependsOn, key) {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}
