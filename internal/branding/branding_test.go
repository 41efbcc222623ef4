package branding_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
)

var ctx = context.Background()

func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(ctx, f); err != nil {
		t.Fatal(err)
	}
}

// newAdmin makes an admin with an empty branding, in a group that allows or
// forbids hiding the platform's name.
func newAdmin(t *testing.T, d *db.DB, code string, mayHide bool) (a id.Admin) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		g, err := tx.Insert(`INSERT INTO partner_groups (name, name_key, credit_discount_bp, may_hide_powered_by, oversell, version, created_at, updated_at)
			VALUES ($1, $2, 0, $3, FALSE, 1, $4, $5) RETURNING id`, code, code, mayHide, tx.Now, tx.Now)
		if err != nil {
			return err
		}
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, partner_group_id, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('A', 'a', 'a@b.co', 'C', $1, $2, 0, 1, $3, $4) RETURNING id`, g, code, tx.Now, tx.Now)
		if err != nil {
			return err
		}
		a = id.Admin(n)
		return branding.Create(tx, a)
	})
	return a
}

func edit(p brand.Patch) branding.Edit { return branding.Edit{Branding: p} }

func reseller(a id.Admin) audit.Actor {
	return audit.Actor{Type: audit.User, ID: 1, Tier: audit.Reseller, Admin: a}
}

func TestUpdateMergesAndWarns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, "one", true)
		var reference branding.Edit
		body := `{"branding":{"logo_url":"https://example.com/logo.png","favicon_url":"https://example.com/favicon.ico","primary_color":"#FF5733",
			"secondary_color":"#33FF57","app_name":"My App","footer_text":"© 2024 My Company","support_email":"support@example.com","hide_powered_by":true}}`
		if err := json.Unmarshal([]byte(body), &reference); err != nil {
			t.Fatal(err)
		}
		write(t, d, func(tx *db.Tx) error {
			b, err := branding.Update(tx, reseller(a), a, reference)
			if b.Version != 2 || *b.Branding.AppName != "My App" || len(b.Warnings) != 2 || b.Warnings[0].Ratio != 3.15 {
				t.Errorf("the reference's body: got version %d, %+v", b.Version, b.Warnings)
			}
			return err
		})
		write(t, d, func(tx *db.Tx) error {
			b, err := branding.Update(tx, reseller(a), a, edit(brand.Patch{AppName: patch.Null[string]()}))
			if b.Branding.AppName != nil || b.Branding.LogoURL == nil {
				t.Errorf("null clears one field and leaves the rest: got %+v", b.Branding)
			}
			return err
		})
		write(t, d, func(tx *db.Tx) error {
			b, err := branding.Update(tx, reseller(a), a, edit(brand.Patch{AppName: patch.Null[string]()}))
			if len(audit.Recorded(tx)) != 0 || b.Version != 3 {
				t.Errorf("no change: got version %d and %d events", b.Version, len(audit.Recorded(tx)))
			}
			return err
		})
	})
}

func TestOfTellsWhatIsInherited(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, "heir", true)
		for set, want := range map[string]string{`{"app_name":"Operator"}`: "Operator", `{}`: "Tenantry", `{"app_name":null}`: "Tenantry"} {
			write(t, d, func(tx *db.Tx) error {
				if _, err := tx.Exec(`UPDATE settings SET branding = $1`, set); err != nil {
					return err
				}
				b, err := branding.Of(tx, a)
				if f := b.Inherited; err == nil && (*f.AppName != want || *f.PrimaryColor != "#1F5FBF" || b.Branding.AppName != nil) {
					t.Errorf("the platform has %s: inherited %s, %s; own %v", set, *f.AppName, *f.PrimaryColor, b.Branding.AppName)
				}
				return err
			})
		}
	})
}

func TestRefusals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, "strict", false)
		hide := edit(brand.Patch{HidePoweredBy: patch.Of(true)})
		err := d.Write(ctx, func(tx *db.Tx) error { _, err := branding.Update(tx, reseller(a), a, hide); return err })
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("hiding in a group that forbids it: got %v, want 403", err)
		}
		write(t, d, func(tx *db.Tx) error { _, err := branding.Update(tx, audit.Product(""), a, hide); return err })
		write(t, d, func(tx *db.Tx) error {
			again := edit(brand.Patch{HidePoweredBy: patch.Of(true), AppName: patch.Of("Mine")})
			b, err := branding.Update(tx, reseller(a), a, again)
			if err == nil && (!*b.Branding.HidePoweredBy || *b.Branding.AppName != "Mine") {
				t.Errorf("repeating what is hidden already: got %+v", b.Branding)
			}
			return err
		})
		bad := edit(brand.Patch{PrimaryColor: patch.Of("red"), LogoURL: patch.Of("javascript:alert(1)"), SupportEmail: patch.Of("nobody")})
		err = d.Write(ctx, func(tx *db.Tx) error { _, err := branding.Update(tx, reseller(a), a, bad); return err })
		var f *fault.Error
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("got %v, want 422", err)
		}
		if errors.As(err, &f); len(f.Fields) != 3 {
			t.Errorf("got %+v, want all three fields", f.Fields)
		}
		if _, err := func() (b branding.Branding, err error) {
			return b, d.Read(ctx, func(tx *db.Tx) error { _, err := branding.Of(tx, 999); return err })
		}(); !fault.Is(err, fault.NotFound) {
			t.Errorf("an absent admin: got %v, want 404", err)
		}
	})
}

// What is answered from memory equals what the database says, after every kind
// of change.
func TestCurrentFollowsEveryChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		host, mine := newAdmin(t, d, "host", true), newAdmin(t, d, "mine", true)
		s := branding.New(d)
		who := branding.Caller{OrganizationAdmin: mine}
		check := func(what, wantName, wantSource string) {
			t.Helper()
			got, err := s.Current(ctx, "app.example.com", who)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := branding.New(d).Current(ctx, "app.example.com", who)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != string(fresh.Body) || got.ETag != fresh.ETag {
				t.Errorf("%s: cached %s, fresh %s", what, got.Body, fresh.Body)
			}
			if *got.Current.Branding.AppName != wantName || got.Current.Sources["app_name"] != wantSource {
				t.Errorf("%s: got %s from %s, want %s from %s", what, *got.Current.Branding.AppName, got.Current.Sources["app_name"], wantName, wantSource)
			}
		}
		check("nothing set", "Tenantry", "platform")
		name := func(a id.Admin, s string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := branding.Update(tx, audit.Product(""), a, edit(brand.Patch{AppName: patch.Of(s)}))
				return err
			}
		}
		write(t, d, name(mine, "Mine"))
		check("the caller's admin named", "Mine", "organization")
		write(t, d, name(host, "Host"))
		check("another admin named", "Mine", "organization")
		var o id.Organization
		write(t, d, func(tx *db.Tx) error {
			n, err := tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
				VALUES ($1, 'O', 'o', 'o', 'active', -1, -1, -1, 0, 0, 1, $2, $3) RETURNING id`, host, tx.Now, tx.Now)
			o = id.Organization(n)
			if err == nil {
				_, err = domain.Set(tx, domain.Owner{Organization: o}, "app.example.com")
			}
			return err
		})
		check("an organization's pending claim", "Mine", "organization")
		write(t, d, func(tx *db.Tx) error { _, err := domain.Confirm(tx, domain.Owner{Organization: o}); return err })
		check("an organization's verified host", "Host", "host")
		write(t, d, func(tx *db.Tx) error { _, err := domain.Set(tx, domain.Owner{Organization: o}, ""); return err })
		check("an organization's host given up", "Mine", "organization")
		owner := domain.Owner{Admin: host}
		write(t, d, func(tx *db.Tx) error { _, err := domain.Set(tx, owner, "app.example.com"); return err })
		check("a pending claim", "Mine", "organization")
		write(t, d, func(tx *db.Tx) error { _, err := domain.Confirm(tx, owner); return err })
		check("a verified host", "Host", "host")
		write(t, d, func(tx *db.Tx) error {
			_, err := branding.Update(tx, audit.Product(""), host, edit(brand.Patch{AppName: patch.Null[string]()}))
			return err
		})
		check("inherited field by field", "Mine", "organization")
		write(t, d, func(tx *db.Tx) error { _, err := domain.Set(tx, owner, ""); return err })
		check("the host given up", "Mine", "organization")
	})
}

func TestDryRunCountsWhoSeesTheBrand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, "one", true)
		write(t, d, func(tx *db.Tx) error {
			for i, n := range []int64{3, 4} {
				o, err := tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
					VALUES ($1, 'O', 'o', $2, 'active', -1, -1, -1, $3, 0, 1, $4, $5) RETURNING id`, a, fmt.Sprint("o", i), n, tx.Now, tx.Now)
				if err != nil {
					return err
				}
				owner := domain.Owner{Organization: id.Organization(o)}
				if _, err := domain.Set(tx, owner, fmt.Sprintf("o%d.example.com", i)); err != nil {
					return err
				}
				if i == 0 {
					if _, err := domain.Confirm(tx, owner); err != nil {
						return err
					}
				}
			}
			return nil
		})
		write(t, d, func(tx *db.Tx) error {
			effect.Want(tx)
			_, err := branding.Update(tx, reseller(a), a, edit(brand.Patch{AppName: patch.Of("New")}))
			want := map[effect.Kind]int64{effect.Organizations: 2, effect.Users: 7, effect.Domains: 1, effect.Credits: 0}
			if got := effect.Sum(tx); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			return err
		})
	})
}

// A name that nobody can hold takes no room, and many of them start the cache
// afresh rather than fill it.
func TestHostsAreTheCallersToInvent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := branding.New(d)
		plain, err := s.Current(ctx, "", branding.Caller{})
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{strings.Repeat("a", 10_000) + ".example.com", "\xff", "a\x00b", "' OR 1=1 --"} {
			p, err := s.Current(ctx, host, branding.Caller{Admin: 99})
			if err != nil || *p.Current.Branding.AppName != *plain.Current.Branding.AppName {
				t.Errorf("host %.20q: got %+v, %v", host, p, err)
			}
		}
	})
}

func BenchmarkCurrent(b *testing.B) {
	s := branding.New(dbtest.Open(b, dbtest.SQLiteURL(b), db.Options{}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Current(ctx, "app.example.com", branding.Caller{}); err != nil {
			b.Fatal(err)
		}
	}
}
