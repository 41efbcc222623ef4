package org_test

import (
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/plugin"
)

// Who oversells need not cover credit limits and may promise its organizations
// more in all than the group has; how many they are stays bounded.
func TestOverselling(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, &partner.New{Name: "Bounded", MaxUsers: new(int64(15)), MaxOrganizations: new(int64(1)), Oversell: new(true)})
		o, _ := w.organization("one", a) // 10 users
		if c := w.edited(seller, o, `{"credit_limit":1000,"max_users":15}`); c.CreditLimit != 1000 {
			t.Errorf("an uncovered credit limit: got %d, want 1000", c.CreditLimit)
		}
		if c := w.edited(seller, o, `{"max_users":16}`); c.MaxUsers != 16 {
			t.Errorf("beyond the group's bound: got %d, want 16", c.MaxUsers)
		}
		_, _, err := write(w, func(tx *db.Tx) (org.Organization, error) {
			return org.Create(tx, audit.Product(""), org.New{Name: "two", Slug: "two", Admin: a})
		})
		w.wantCode("one more organization", err, "limit_exceeded")
	})
}

// The product by itself is no superadmin: what it makes for an admin stays
// within the policy. A credit limit is the settings' and needs no cover.
func TestThePolicyBindsTheProduct(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, &partner.New{Name: "Bounded", MaxOrganizations: new(int64(1)), AllowedPlugins: []string{"files"}})
		create := func(actor audit.Actor, slug string) (org.Organization, error) {
			o, _, err := write(w, func(tx *db.Tx) (org.Organization, error) {
				return org.Create(tx, actor, org.New{Name: slug, Slug: slug, Admin: a, CreditLimit: new(int64(5))})
			})
			return o, err
		}
		o, err := create(audit.Product(""), "first")
		if err != nil || len(o.EnabledPlugins) != 1 || o.CreditLimit != 5 {
			t.Errorf("the first: got plugins %v, credit limit %d, %v; want files alone, 5", o.EnabledPlugins, o.CreditLimit, err)
		}
		_, err = create(audit.Product(""), "second")
		w.wantCode("one more than the policy allows", err, "limit_exceeded")
		if _, err = create(boss, "second"); err != nil {
			t.Errorf("a superadmin: %v", err)
		}
	})
}

// A group may allow a plugin without what it depends on: such a default is left
// out, whoever asks for the defaults, and so is what depends on that in turn.
func TestDefaultsWithoutTheirDependency(t *testing.T) {
	each(t, func(w world) {
		do(w, func(tx *db.Tx) (plugin.Plugin, error) {
			if _, err := plugin.Create(tx, boss, plugin.New{Key: "shelf", Name: "Shelf", DependsOn: []string{"booking"}, DefaultEnabled: true}); err != nil {
				return plugin.Plugin{}, err
			}
			return plugin.Create(tx, boss, plugin.New{Key: "shelf_labels", Name: "Labels", DependsOn: []string{"shelf"}, DefaultEnabled: true})
		})
		a := w.reseller(0, &partner.New{Name: "Bounded", AllowedPlugins: []string{"files", "booking", "shelf", "shelf_labels"}})
		o, _, err := write(w, func(tx *db.Tx) (org.Organization, error) {
			return org.Create(tx, audit.Product(""), org.New{Name: "First", Slug: "first", Admin: a})
		})
		if err != nil || !slices.Equal(o.EnabledPlugins, []string{"files"}) {
			t.Errorf("made by the product: got plugins %v, %v; want files alone", o.EnabledPlugins, err)
		}
		if c := w.edited(seller, o, `{"enabled_plugins":null}`); !slices.Equal(c.EnabledPlugins, []string{"files"}) {
			t.Errorf("restored by the reseller: got %v, want files alone", c.EnabledPlugins)
		}
	})
}
