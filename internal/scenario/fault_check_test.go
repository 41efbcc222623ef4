package scenario

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// What an organization may do ends at once on the process that ended it, and on
// another within a second, whether or not they hear of each other.
func TestChecksOnTwoProcesses(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%v", deaf), func(t *testing.T) {
			database := engines["postgres"].empty(t)
			here := bootstrapped(t, database)
			root := here.as(t, rootEmail)
			org := founded(t, root, "acme")
			key := service(t, root, "entitlements:read", "usage:write")
			there := bootstrapped(t, database)
			if deaf {
				deafen(t, database)
			}
			mine, other := here.api(t, tenantry.WithToken(key)), there.api(t, tenantry.WithToken(key))
			if _, err := root.EditOrganization(t.Context(), org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"ecommerce"})}); err != nil {
				t.Fatal(err)
			}
			band := tenantry.BandwidthBytes
			ask := func(c *tenantry.Client) string {
				t.Helper()
				d, err := c.Check(t.Context(), org, tenantry.Check{Plugin: "ecommerce", Meter: &band})
				if err != nil {
					t.Fatal(err)
				}
				return d.Code
			}
			for _, step := range []struct {
				code string
				do   func(ctx context.Context) error
			}{
				{"ok", func(context.Context) error { return nil }},
				{"plugin_disabled", func(ctx context.Context) error {
					_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{})})
					return err
				}},
				{"ok", func(ctx context.Context) error {
					_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"ecommerce"})})
					return err
				}},
				{"organization_suspended", func(ctx context.Context) error {
					_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "suspended"})
					return err
				}},
				{"ok", func(ctx context.Context) error {
					_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "active"})
					return err
				}},
				{"limit_exceeded", func(ctx context.Context) error {
					_, err := root.SetLimits(ctx, org, tenantry.Limits{BandwidthLimitGB: tenantry.Set(int64(0))})
					return err
				}},
				{"ok", func(ctx context.Context) error {
					_, err := root.SetLimits(ctx, org, tenantry.Limits{BandwidthLimitGB: tenantry.Set(int64(1))})
					return err
				}},
				{"limit_exceeded", func(ctx context.Context) error {
					_, err := mine.ReportUsage(ctx, []tenantry.UsageEvent{{ID: "all", Source: "ecommerce", Meter: band, Subject: "acme", Value: new(int64(1e9))}})
					return err
				}},
			} {
				if err := step.do(t.Context()); err != nil {
					t.Fatal(err)
				}
				answered := time.Now()
				if got := ask(mine); got != step.code {
					t.Errorf("the process that answered: got %s, want %s", got, step.code)
				}
				for {
					asked := time.Now()
					got := ask(other)
					if got == step.code {
						break
					}
					if asked.Sub(answered) > soon {
						t.Fatalf("the other process, %v later: got %s, want %s", asked.Sub(answered), got, step.code)
					}
				}
			}
		})
	}
}

// The catalogue of plugins and meters and the bounds of groups show on the
// process that changed them at once, on another within a second, whether or not
// they hear of each other.
func TestCatalogueOnTwoProcesses(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%v", deaf), func(t *testing.T) {
			database := engines["postgres"].empty(t)
			here := bootstrapped(t, database)
			root := here.as(t, rootEmail)
			org := founded(t, root, "acme")
			key := service(t, root, "entitlements:read")
			there := bootstrapped(t, database)
			otherRoot := there.as(t, rootEmail)
			if deaf {
				deafen(t, database)
			}
			mine, other := here.api(t, tenantry.WithToken(key)), there.api(t, tenantry.WithToken(key))
			ask := func(meter string) func(c *tenantry.Client) string {
				return func(c *tenantry.Client) string {
					in := tenantry.Check{Plugin: "till"}
					if meter != "" {
						in.Meter, in.Quantity = &meter, new(int64(6))
					}
					d, err := c.Check(t.Context(), org, in)
					if err != nil {
						var refused *tenantry.Error
						if errors.As(err, &refused) && len(refused.Fields) == 1 {
							return refused.Fields[0].Code
						}
						return err.Error()
					}
					if d.DecidedBy != nil && !d.Allowed {
						return d.Code + " by " + *d.DecidedBy
					}
					return d.Code
				}
			}
			version := func(c *tenantry.Client) string {
				if c == mine {
					c = root
				} else {
					c = otherRoot
				}
				p, err := c.Plugin(t.Context(), "till")
				if err != nil {
					return err.Error()
				}
				return p.Version
			}
			var group tenantry.PartnerGroup
			steps := []struct {
				what string
				do   func(ctx context.Context) error
				see  func(c *tenantry.Client) string
				want string
			}{
				{"nothing", func(context.Context) error { return nil }, ask(""), "unknown_plugin by platform"},
				{"a plugin", func(ctx context.Context) error {
					_, err := root.CreatePlugin(ctx, tenantry.NewPlugin{Key: "till", Name: "Till", Version: "1.0", DependsOn: []string{"ecommerce"}})
					return err
				}, ask(""), "plugin_disabled by organization"},
				{"enabled without what it depends on", func(ctx context.Context) error {
					_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"till"})})
					if tenantry.Code(err) == "dependency_missing" {
						return nil
					}
					return fmt.Errorf("got %w, want dependency_missing", err)
				}, ask(""), "plugin_disabled by organization"},
				{"enabled", func(ctx context.Context) error {
					_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"till", "ecommerce"})})
					return err
				}, ask(""), "ok"},
				{"a version", func(ctx context.Context) error {
					_, err := root.UpdatePlugin(ctx, "till", tenantry.PluginEdit{Version: tenantry.Set("2.0")})
					return err
				}, version, "2.0"},
				{"no meter", func(context.Context) error { return nil }, ask("receipts"), "unknown_meter"},
				{"a meter", func(ctx context.Context) error {
					_, err := root.CreateMeter(ctx, tenantry.NewMeter{Key: "receipts", Name: "Receipts", Kind: "counter", Limit: new(int64(5))})
					return err
				}, ask("receipts"), "limit_exceeded by platform"},
				{"its limit", func(ctx context.Context) error {
					_, err := root.UpdateMeter(ctx, "receipts", tenantry.MeterEdit{Limit: tenantry.Set(int64(6))})
					return err
				}, ask("receipts"), "ok"},
				{"a group", func(ctx context.Context) (err error) {
					if group, err = root.CreatePartnerGroup(ctx, tenantry.NewPartnerGroup{Name: "Gold"}); err != nil {
						return err
					}
					a, err := root.CreateAdmin(ctx, tenantry.NewAdmin{Name: "Reseller", ContactEmail: "a@north.example", PartnerGroupID: &group.ID})
					if err == nil {
						_, err = root.EditOrganization(ctx, org, tenantry.OrganizationEdit{AdminID: tenantry.Set(a.ID)})
					}
					return err
				}, ask(tenantry.StorageBytes), "ok"},
				{"its bound", func(ctx context.Context) error {
					_, err := root.UpdatePartnerGroup(ctx, group.ID, tenantry.PartnerGroupEdit{MaxStorageGB: tenantry.Set(int64(0))})
					return err
				}, ask(tenantry.StorageBytes), "limit_exceeded by group"},
				{"disabled, and gone", func(ctx context.Context) error {
					_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{})})
					if err == nil {
						err = root.DeletePlugin(ctx, "till")
					}
					return err
				}, ask(""), "unknown_plugin by platform"},
			}
			for _, step := range steps {
				if err := step.do(t.Context()); err != nil {
					t.Fatalf("%s: %v", step.what, err)
				}
				answered := time.Now()
				if got := step.see(mine); got != step.want {
					t.Errorf("%s, the process that answered: got %s, want %s", step.what, got, step.want)
				}
				for {
					asked := time.Now()
					got := step.see(other)
					if got == step.want {
						break
					}
					if asked.Sub(answered) > soon {
						t.Fatalf("%s, the other process, %v later: got %s, want %s", step.what, asked.Sub(answered), got, step.want)
					}
				}
			}
		})
	}
}

// What client.Entitlements answers from memory is at most MaxAge and a second
// old, though another process changed it; and it asks no more often than that.
func TestEntitlementsAreBounded(t *testing.T) {
	const age = 500 * time.Millisecond
	database := engines["postgres"].empty(t)
	here := bootstrapped(t, database)
	root := here.as(t, rootEmail)
	org := founded(t, root, "acme")
	there := bootstrapped(t, database)
	deafen(t, database)
	may := tenantry.NewEntitlements(there.api(t, tenantry.WithToken(service(t, root, "entitlements:read"))), "ecommerce", tenantry.EntitlementOptions{MaxAge: age})
	ask := func() string {
		t.Helper()
		d, err := may.Meter(t.Context(), org, tenantry.StorageBytes, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d.Code
	}
	if got := ask(); got != "plugin_disabled" {
		t.Fatalf("got %s", got)
	}
	for _, step := range []struct {
		do   func(ctx context.Context) error
		want string
	}{
		{func(ctx context.Context) error {
			_, err := root.EditOrganization(ctx, org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"ecommerce"})})
			return err
		}, "ok"},
		{func(ctx context.Context) error {
			_, err := root.SetLimits(ctx, org, tenantry.Limits{StorageLimitGB: tenantry.Set(int64(0))})
			return err
		}, "limit_exceeded"},
		{func(ctx context.Context) error {
			_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "suspended"})
			return err
		}, "organization_suspended"},
	} {
		if err := step.do(t.Context()); err != nil {
			t.Fatal(err)
		}
		changed := time.Now()
		for asks := 0; ; asks++ {
			asked := time.Now()
			if got := ask(); got == step.want {
				break
			} else if asked.Sub(changed) > age+soon {
				t.Fatalf("%v and %d questions later: got %s, want %s", asked.Sub(changed), asks, got, step.want)
			}
		}
	}
}
