package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/plugin"
)

func TestCreate(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, nil)
		o, owner := w.organization("acme", a)
		if o.Slug != "acme" || id.Val(o.AdminID) != a || id.Val(o.OwnerUserID) != owner.UserID() || o.MemberCount != 1 ||
			o.StorageLimitGB != 10 || o.MaxUsers != 10 || o.BandwidthLimitGB != 100 || o.Status != org.Active || o.EffectiveStatus != org.Active {
			t.Errorf("created: got %+v", o)
		}
		defaults := w.defaults()
		if !slices.Equal(o.EnabledPlugins, defaults) || len(defaults) == 0 {
			t.Errorf("plugins: got %v, want %v", o.EnabledPlugins, defaults)
		}
		if n := w.count("admins WHERE id = $1 AND organization_count = 1", a); n != 1 {
			t.Error("the admin's count did not move")
		}
		_, _, err := write(w, func(tx *db.Tx) (org.Organization, error) {
			return org.Create(tx, boss, org.New{Name: "Other", Slug: "acme"})
		})
		w.wantCode("a slug in use", err, "slug_taken")
		_, _, err = write(w, func(tx *db.Tx) (org.Organization, error) {
			return org.Create(tx, boss, org.New{Name: "Other", Slug: "other", Admin: 999})
		})
		w.wantCode("an unknown admin", err, "unknown_reference")
		_, _, err = write(w, func(tx *db.Tx) (org.Organization, error) {
			return org.Create(tx, boss, org.New{Name: "Other", Slug: "other", Plugins: &[]string{"nothing"}})
		})
		w.wantCode("an unknown plugin", err, "unknown_plugin")
		if n := w.count("organizations"); n != 1 {
			t.Errorf("refusals left %d organizations, want 1", n)
		}
	})
}

func TestListFiltersAndPages(t *testing.T) {
	each(t, func(w world) {
		a, b := w.reseller(0, nil), w.reseller(0, nil)
		first, _ := w.organization("first", a)
		w.organization("second", a)
		third, _ := w.organization("third", b)
		fourth, _ := w.organization("fourth", 0)
		do(w, func(tx *db.Tx) (int64, error) {
			return tx.Exec(`INSERT INTO holds (admin_id, source, reason, placed_at) VALUES ($1, 'platform', 'r', $2)`, b, tx.Now)
		})
		_, _, err := w.status(boss, first, `{"status":"suspended"}`)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = w.status(boss, fourth, `{"status":"archived"}`)
		if err != nil {
			t.Fatal(err)
		}
		all, mine := auth.Reach{All: true}, auth.Reach{Admins: []id.Admin{a}}
		slugs := func(of auth.Reach, f org.Filter) string {
			t.Helper()
			l := do(w, func(tx *db.Tx) (page.List[org.Organization], error) {
				return org.List(tx, of, f, page.Request{Limit: 50})
			})
			var s []string
			for _, o := range l.Data {
				s = append(s, o.Slug)
			}
			if int(l.Pagination.Total) != len(s) {
				t.Errorf("%+v: total %d, want %d", f, l.Pagination.Total, len(s))
			}
			return strings.Join(s, " ")
		}
		for _, c := range []struct {
			of   auth.Reach
			f    org.Filter
			want string
		}{
			{all, org.Filter{}, "fourth third second first"},
			{mine, org.Filter{}, "second first"},
			{auth.Reach{}, org.Filter{}, ""},
			{auth.Reach{Organizations: []id.Organization{third.ID}}, org.Filter{}, "third"},
			{mine, org.Filter{Admin: b}, ""},
			{all, org.Filter{Admin: b}, "third"},
			{all, org.Filter{Status: org.Suspended}, "first"},
			{all, org.Filter{Status: org.Active}, "third second"},
			{all, org.Filter{Status: org.Archived}, "fourth"},
			{all, org.Filter{EffectiveStatus: org.Suspended}, "third first"},
			{all, org.Filter{EffectiveStatus: org.Active}, "second"},
			{all, org.Filter{EffectiveStatus: org.Archived}, "fourth"},
			{all, org.Filter{Q: "THE FIR"}, "first"},
			{all, org.Filter{Q: "second-owner@"}, "second"},
			{all, org.Filter{Q: "f_r"}, ""},
		} {
			if got := slugs(c.of, c.f); got != c.want {
				t.Errorf("%+v of %+v: got %q, want %q", c.f, c.of, got, c.want)
			}
		}
		var walked []string
		r := page.Request{Limit: 1}
		for range 4 {
			l := do(w, func(tx *db.Tx) (page.List[org.Organization], error) { return org.List(tx, all, org.Filter{}, r) })
			walked = append(walked, l.Data[0].Slug)
			if l.Pagination.HasMore {
				r.After, err = page.ParseCursor(l.Pagination.NextCursor)
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if strings.Join(walked, " ") != "fourth third second first" {
			t.Errorf("by cursor: got %v", walked)
		}
	})
}

func TestEditMerges(t *testing.T) {
	each(t, func(w world) {
		o, _ := w.organization("acme", 0)
		// the reference's body
		c, events, err := w.edit(boss, o, `{"name":"New Name","custom_domain":"app.example.com","enabled_plugins":["ecommerce","linkedin","calendar"],
			"credit_limit":10000,"storage_limit_gb":50,"max_users":100,"bandwidth_limit_gb":500}`)
		if err != nil || events != 1 {
			t.Fatalf("edit: got %d events, %v", events, err)
		}
		if c.Name != "New Name" || *c.CustomDomain != "app.example.com" || c.CustomDomainStatus != "pending" || c.DomainVerification == nil ||
			!slices.Equal(c.EnabledPlugins, []string{"calendar", "ecommerce", "linkedin"}) || c.CreditLimit != 10000 || c.StorageLimitGB != 50 ||
			c.MaxUsers != 100 || c.BandwidthLimitGB != 500 || c.CreditsAvailable != 10000 || c.Version != 2 || len(c.Warnings) != 0 {
			t.Errorf("edited: got %+v", c)
		}
		if _, events, err := w.edit(boss, o, `{"name":"New Name","max_users":100}`); err != nil || events != 0 {
			t.Errorf("the same again: got %d events, %v; want nothing", events, err)
		}
		if v := w.detail(o).Version; v != 2 {
			t.Errorf("the same again: version %d, want 2", v)
		}
		c = w.edited(boss, o, `{"custom_domain":null,"enabled_plugins":null,"credit_limit":null,"storage_limit_gb":null,"max_users":null,"bandwidth_limit_gb":null}`)
		if c.CustomDomain != nil || c.CustomDomainStatus != "none" || c.CreditLimit != 0 || c.StorageLimitGB != 10 || c.MaxUsers != 10 || c.BandwidthLimitGB != 100 ||
			!slices.Equal(c.EnabledPlugins, w.defaults()) || c.Name != "New Name" {
			t.Errorf("null: got %+v", c)
		}
		c = w.edited(boss, o, `{"storage_limit_gb":-1,"max_users":0,"bandwidth_limit_gb":0}`)
		if c.StorageLimitGB != -1 || c.MaxUsers != 0 || len(c.Warnings) != 1 || c.Warnings[0].Field != "max_users" {
			t.Errorf("unlimited and nothing: got %+v", c)
		}
		for body, code := range map[string]string{
			`{"name":null}`: "required", `{"name":" "}`: "required", `{"name":"a\u202eb"}`: "invalid_text", `{"storage_limit_gb":-2}`: "out_of_range",
			`{"credit_limit":-1}`: "out_of_range", `{"custom_domain":"localhost"}`: "invalid_domain", `{"custom_domain":"co.uk"}`: "public_suffix",
			`{"enabled_plugins":["nothing"]}`: "unknown_plugin", `{"enabled_plugins":["calendar","calendar"]}`: "duplicate", `{"admin_id":999}`: "unknown_reference",
			`{"name":"","max_users":-2}`: "validation_failed",
		} {
			_, _, err := w.edit(boss, o, body)
			w.wantCode(body, err, code)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v, want 422", body, err)
			}
		}
	})
}

func TestEditByTier(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(1000, nil)
		o, owner := w.organization("acme", a)
		if c := w.edited(owner, o, `{"name":"Ours"}`); c.Name != "Ours" {
			t.Errorf("an owner's name: got %q", c.Name)
		}
		for _, field := range []string{`"custom_domain":"x.example.com"`, `"enabled_plugins":[]`, `"credit_limit":1`, `"storage_limit_gb":1`, `"max_users":1`, `"bandwidth_limit_gb":1`, `"admin_id":null`} {
			_, _, err := w.edit(owner, o, "{"+field+"}")
			if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), strings.Split(field, `"`)[1]) {
				t.Errorf("an owner sets %s: got %v, want 403 naming it", field, err)
			}
		}
		_, _, err := w.edit(seller, o, `{"admin_id":null}`)
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "admin_id") {
			t.Errorf("a reseller transfers: got %v, want 403 naming admin_id", err)
		}
		// a credit limit rests on the pool of 1,000
		if c := w.edited(seller, o, `{"credit_limit":1000}`); c.CreditLimit != 1000 {
			t.Errorf("a backed limit: got %d", c.CreditLimit)
		}
		_, _, err = w.edit(seller, o, `{"credit_limit":1001}`)
		w.wantCode("a limit beyond the pool", err, "insufficient_credits")
		if c := w.edited(boss, o, `{"credit_limit":5000}`); c.CreditLimit != 5000 {
			t.Errorf("the platform's limit: got %d", c.CreditLimit)
		}
	})
}

func TestPool(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, &partner.New{Name: "Bounded", MaxStorageGB: new(int64(30)), MaxUsers: new(int64(30)), AllowedPlugins: []string{"calendar"}})
		o, _ := w.organization("one", a)
		w.organization("two", a) // 10 each
		if c := w.edited(seller, o, `{"storage_limit_gb":20,"max_users":20,"bandwidth_limit_gb":-1}`); c.StorageLimitGB != 20 {
			t.Errorf("what is left: got %+v", c)
		}
		for _, body := range []string{`{"storage_limit_gb":21}`, `{"storage_limit_gb":-1}`, `{"max_users":21}`} {
			_, _, err := w.edit(seller, o, body)
			w.wantCode(body, err, "limit_exceeded")
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: got %v, want 403", body, err)
			}
		}
		w.edited(boss, o, `{"storage_limit_gb":100}`)
		if c := w.edited(seller, o, `{"storage_limit_gb":90}`); c.StorageLimitGB != 90 {
			t.Errorf("lowering what is too high: got %d", c.StorageLimitGB)
		}
		if slices.Contains(o.EnabledPlugins, "linkedin") {
			t.Fatal("this test needs a plugin that is not enabled by default")
		}
		_, _, err := w.edit(seller, o, `{"enabled_plugins":["linkedin"]}`)
		w.wantCode("a plugin outside the policy", err, "plugin_not_allowed")
		if c := w.edited(boss, o, `{"enabled_plugins":["linkedin"]}`); len(c.EnabledPlugins) != 1 {
			t.Errorf("a superadmin: got %v, want it", c.EnabledPlugins)
		}
		if c := w.edited(seller, o, `{"enabled_plugins":["calendar","linkedin"]}`); len(c.EnabledPlugins) != 2 {
			t.Errorf("what it has already: got %v, want it kept", c.EnabledPlugins)
		}
	})
}

func TestTransfer(t *testing.T) {
	each(t, func(w world) {
		a, b := w.reseller(500, nil), w.reseller(0, nil)
		o, _ := w.organization("acme", a)
		if _, err := w.fund(seller, o, `{"amount":200}`); err != nil {
			t.Fatal(err)
		}
		w.edited(seller, o, `{"credit_limit":300}`)
		counts := func(want ...int64) {
			t.Helper()
			for i, admin := range []id.Admin{a, b} {
				if n := w.count("admins WHERE id = $1 AND organization_count = $2", admin, want[i]); n != 1 {
					t.Errorf("admin %d does not count %d", admin, want[i])
				}
			}
		}
		counts(1, 0)
		c, events, err := w.edit(boss, o, fmt.Sprintf(`{"admin_id":%d}`, b))
		if err != nil || events != 1 || id.Val(c.AdminID) != b || c.CreditBalance != 200 || c.CreditLimit != 300 {
			t.Fatalf("transfer: got %+v, %d events, %v", c, events, err)
		}
		counts(0, 1)
		if n := w.count("credit_accounts WHERE admin_id = $1 AND kind = 'admin' AND limits_backed = 0", a); n != 1 {
			t.Error("the former admin still backs the limit")
		}
		_, _, err = w.edit(boss, o, `{"admin_id":0}`)
		w.wantCode("nobody's id", err, "unknown_reference")
		if c := w.edited(boss, o, `{"admin_id":null}`); c.AdminID != nil {
			t.Errorf("to the platform: got %v", *c.AdminID)
		}
		counts(0, 0)
	})
}

func TestStatus(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, nil)
		o, owner := w.organization("acme", a)
		step := func(actor audit.Actor, body string, events int, status org.Status, holds ...string) {
			t.Helper()
			got, n, err := w.status(actor, o, body)
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			var sources []string
			for _, h := range got.Holds {
				sources = append(sources, string(h.Source))
			}
			if n != events || got.Status != status || !slices.Equal(sources, holds) {
				t.Errorf("%s: got %s %v and %d events, want %s %v and %d", body, got.Status, sources, n, status, holds, events)
			}
		}
		step(boss, `{"status":"active"}`, 0, org.Active)
		step(seller, `{"status":"suspended","reason":"Payment overdue"}`, 1, org.Suspended, "admin")
		step(seller, `{"status":"suspended"}`, 0, org.Suspended, "admin")
		step(boss, `{"status":"active"}`, 0, org.Suspended, "admin")
		step(boss, `{"status":"suspended"}`, 1, org.Suspended, "admin", "platform")
		step(seller, `{"status":"active"}`, 1, org.Suspended, "platform")
		step(seller, `{"status":"active"}`, 0, org.Suspended, "platform")
		step(seller, `{"status":"suspended"}`, 1, org.Suspended, "platform", "admin")
		step(boss, `{"status":"active","sources":["admin"]}`, 1, org.Active)
		step(seller, `{"status":"archived"}`, 1, org.Archived)
		step(seller, `{"status":"archived"}`, 0, org.Archived)
		_, _, err := w.status(seller, o, `{"status":"active"}`)
		w.wantCode("a reseller brings back", err, "invalid_transition")
		step(boss, `{"status":"active"}`, 1, org.Active)
		if n := w.count("notifications WHERE user_id = $1 AND kind = 'organization.suspended'", owner.ID); n != 3 {
			t.Errorf("the owner heard of %d suspensions, want 3", n)
		}
		_, _, err = w.status(seller, o, `{"status":"active","sources":["platform"]}`)
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("a reseller lifts the platform's: got %v, want 403", err)
		}
		_, _, err = w.status(boss, o, `{"status":"gone"}`)
		w.wantCode("an unknown status", err, "unknown_value")
	})
}

func TestAddCredits(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(100, nil)
		o, _ := w.organization("acme", a)
		f, err := w.fund(seller, o, `{"amount":60,"reason":"start"}`)
		if err != nil || f.CreditBalance != 60 || f.Transaction.Amount != 60 || f.Transaction.Source != "admin" || w.detail(o).CreditBalance != 60 {
			t.Fatalf("from the pool: got %+v, %v", f, err)
		}
		_, err = w.fund(seller, o, `{"amount":41}`)
		w.wantCode("beyond the pool", err, "insufficient_credits")
		if f, err = w.fund(boss, o, `{"amount":1000}`); err != nil || f.CreditBalance != 1060 || f.Transaction.Source != "platform" {
			t.Errorf("from the platform: got %+v, %v", f, err)
		}
		if f, err = w.fund(boss, o, `{"amount":40,"source":"admin"}`); err != nil || f.CreditBalance != 1100 {
			t.Errorf("a superadmin from the pool: got %+v, %v", f, err)
		}
		for body, code := range map[string]string{`{"amount":0}`: "too_small", `{"amount":-5}`: "too_small", `{"amount":1,"source":"bank"}`: "unknown_value", `{"amount":1,"expires_at":"2001-01-01T00:00:00Z"}`: "in_the_past"} {
			_, err = w.fund(boss, o, body)
			w.wantCode(body, err, code)
		}
		_, err = w.fund(seller, o, `{"amount":1,"source":"platform"}`)
		w.wantCode("a reseller from the platform", err, "forbidden")
		if _, _, err := w.status(boss, o, `{"status":"suspended"}`); err != nil {
			t.Fatal(err)
		}
		_, err = w.fund(seller, o, `{"amount":1}`)
		w.wantCode("into a suspended organization", err, "organization_suspended")
		if _, err = w.fund(boss, o, `{"amount":1}`); err != nil {
			t.Errorf("a superadmin into a suspended organization: %v", err)
		}
		p, _ := w.organization("own", 0)
		_, err = w.fund(boss, p, `{"amount":1,"source":"admin"}`)
		w.wantCode("from no admin's pool", err, "no_admin")
	})
}

func TestMyPlugins(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		r := page.Request{Limit: 50}
		mine := func(p *auth.Principal) page.List[plugin.Entitlement] {
			t.Helper()
			return do(w, func(tx *db.Tx) (page.List[plugin.Entitlement], error) { return org.MyPlugins(tx, p, r) })
		}
		p := &auth.Principal{Kind: auth.Person, User: auth.UserInfo{ID: owner.UserID()}, Active: o.ID}
		if l := mine(p); len(l.Data) != len(o.EnabledPlugins) {
			t.Errorf("a member: got %d, want %d", len(l.Data), len(o.EnabledPlugins))
		}
		if l := mine(&auth.Principal{Kind: auth.Person}); l.Data == nil || len(l.Data) != 0 {
			t.Errorf("without an organization: got %v, want an empty list", l.Data)
		}
		l := mine(&auth.Principal{Kind: auth.Person, User: auth.UserInfo{Superadmin: true}})
		if len(l.Data) <= len(o.EnabledPlugins) || !l.Data[0].Enabled {
			t.Errorf("a superadmin: got %d, want the whole catalogue, enabled", len(l.Data))
		}
		if _, _, err := w.status(boss, o, `{"status":"suspended"}`); err != nil {
			t.Fatal(err)
		}
		if l := mine(p); len(l.Data) != 0 {
			t.Errorf("on hold: got %d, want none", len(l.Data))
		}
	})
}

func TestVerifyDomain(t *testing.T) {
	each(t, func(w world) {
		o, _ := w.organization("acme", 0)
		p, _ := w.organization("rival", 0)
		verify := func(actor audit.Actor, o org.Organization, in domain.Verification, records ...string) (org.Organization, int, error) {
			return write(w, func(tx *db.Tx) (org.Organization, error) { return org.VerifyDomain(tx, actor, o.ID, in, records) })
		}
		_, _, err := verify(boss, o, domain.Verification{})
		w.wantCode("no domain", err, "no_domain")
		c := w.edited(boss, o, `{"custom_domain":"App.Example.com"}`)
		w.edited(boss, p, `{"custom_domain":"app.example.com"}`)
		_, _, err = verify(seller, o, domain.Verification{}, "something else")
		w.wantCode("no proof", err, "domain_not_verified")
		_, _, err = verify(seller, o, domain.Verification{Override: true, Reason: "x"})
		w.wantCode("a reseller overrides", err, "forbidden")
		_, _, err = verify(boss, o, domain.Verification{Override: true})
		w.wantCode("no reason", err, "required")
		got, events, err := verify(seller, o, domain.Verification{}, "spf", c.DomainVerification.Value)
		if err != nil || events != 1 || got.CustomDomainStatus != "verified" || got.DomainVerification != nil {
			t.Errorf("verified: got %+v, %d events, %v", got, events, err)
		}
		if _, events, err = verify(seller, o, domain.Verification{}); err != nil || events != 0 {
			t.Errorf("again: got %d events, %v; want nothing", events, err)
		}
		_, _, err = verify(boss, p, domain.Verification{Override: true, Reason: "they say so"})
		w.wantCode("another's", err, "domain_taken")
		if c := w.edited(boss, o, `{"custom_domain":"www.example.com"}`); c.CustomDomainStatus != "pending" {
			t.Errorf("after a change: got %s, want pending", c.CustomDomainStatus)
		}
	})
}
