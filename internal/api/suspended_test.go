package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/console"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/hold"
)

// visit opens a page of a host and gives status and text.
func (s superadmin) visit(host, accept string) (int, string) {
	r := httptest.NewRequest("GET", "/", http.NoBody)
	r.Host = host
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code == http.StatusForbidden && w.Header().Get("Cache-Control") != "no-store" {
		s.Errorf("the page of %s may be kept: %v", host, w.Header())
	}
	return w.Code, w.Body.String()
}

// The custom domain of whoever is on hold shows so in its brand, and only
// while it is: from the answer of the call on, and without a timer until the
// hold expires.
func TestSuspendedDomains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		pages, err := console.New()
		if err != nil {
			t.Fatal(err)
		}
		pages.Brand, pages.Host, pages.Secure, s.Console = s.Branding, s.HostOf, s.SecureOf, pages
		pages.API = s.Handler()
		root := superadmin{T: t, h: pages.API}.as(rootEmail)
		root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example","custom_domain":"white.anchor.example"}`, 201)
		root.want("POST", "/api/tenants/admins/1/domain/verify", `{"override":true,"reason":"test"}`, 200)
		root.want("PUT", "/api/tenants/admins/1/branding", `{"branding":{"app_name":"White <Anchor>","support_email":"help@anchor.example","hide_powered_by":true}}`, 200)
		root.provisioned("o@acme.example", "acme", `{"admin_id":1}`)
		root.want("PUT", "/api/tenants/organizations/acme/edit", `{"custom_domain":"shop.acme.example"}`, 200)
		root.want("POST", "/api/tenants/organizations/acme/domain/verify", `{"override":true,"reason":"test"}`, 200)
		const acme, anchor, elsewhere = "shop.acme.example", "white.anchor.example", "tenantry.example"
		wantSuspended := func(when string, want map[string]string) {
			t.Helper()
			for _, host := range []string{acme, anchor, elsewhere} {
				status, text := root.visit(host+":8443", "text/html,*/*;q=0.8")
				branded := strings.Contains(text, "White &lt;Anchor&gt;") && strings.Contains(text, "suspended at the moment") && strings.Contains(text, "help@anchor.example") && !strings.Contains(text, "Powered by")
				if (want[host] != "") != (status == 403 && branded) {
					t.Errorf("%s, %s: got %d %s", when, host, status, text)
				}
				if _, text := root.visit(host, "application/json"); want[host] != "" && !strings.Contains(text, `"code":"`+want[host]+`"`) {
					t.Errorf("%s, %s: got %s, want %s", when, host, text, want[host])
				}
			}
		}
		const status, organization, admin = "/api/tenants/organizations/acme/status", "organization_suspended", "admin_suspended"
		wantSuspended("nobody is suspended", nil)
		root.want("PUT", status, `{"status":"suspended"}`, 200)
		wantSuspended("the organization is", map[string]string{acme: organization})
		root.want("PUT", status, `{"status":"active"}`, 200)
		wantSuspended("it is no more", nil)
		root.want("PUT", status, `{"status":"archived"}`, 200)
		wantSuspended("it is archived", map[string]string{acme: organization})
		root.want("PUT", status, `{"status":"active"}`, 200)
		root.want("POST", "/api/tenants/admins/1/suspend", `{"reason":"Unpaid"}`, 200)
		wantSuspended("the admin is", map[string]string{acme: admin, anchor: admin})
		root.want("POST", "/api/tenants/admins/1/reactivate", "", 200)
		wantSuspended("it is no more", nil)
		for _, source := range hold.Sources { // placed by the product itself, too
			write := func(f func(tx *db.Tx) error) {
				t.Helper()
				if err := d.Write(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			write(func(tx *db.Tx) error {
				_, err := hold.Place(tx, hold.Subject{Organization: 1}, source, "x", 0, nil)
				return err
			})
			wantSuspended("by "+string(source), map[string]string{acme: organization})
			write(func(tx *db.Tx) error {
				_, err := hold.Lift(tx, hold.Subject{Organization: 1}, hold.Sources, 0)
				return err
			})
		}
	})
}

// A hold ends by the clock alone, for everybody who reads or writes.
func TestHoldsExpireWithoutTimer(t *testing.T) {
	for engine, url := range map[string]string{"sqlite": dbtest.SQLiteURL(t), "postgres": dbtest.PostgresURL(t)} {
		t.Run(engine, func(t *testing.T) {
			var ahead atomic.Int64
			d := dbtest.Open(t, url, db.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
			root := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
			root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
			root.provisioned("o@acme.example", "acme", `{"admin_id":1}`)
			owner := root.as("o@acme.example")
			key := root.want("POST", "/api/tenants/organizations/acme/api-keys", `{"name":"Key","scopes":["entitlements:read"]}`, 201)["key"].(string)
			service := superadmin{T: t, h: root.h, token: key}
			until := time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)
			for _, hold := range []struct{ place, code string }{
				{`POST /api/tenants/admins/1/suspend {"reason":"x","expires_at":"` + until + `"}`, "admin_suspended"},
				{`PUT /api/tenants/organizations/acme/status {"status":"suspended","expires_at":"` + until + `"}`, "organization_suspended"},
			} {
				ahead.Store(0)
				parts := strings.SplitN(hold.place, " ", 3)
				root.want(parts[0], parts[1], parts[2], 200)
				owner.wantCode("GET", "/api/tenants/organizations/acme", "", 403, hold.code)
				owner.wantCode("PUT", "/api/tenants/organizations/acme/edit", `{"name":"Acme"}`, 403, hold.code)
				service.wantCode("GET", "/api/tenants/organizations/acme/plugins", "", 403, hold.code)
				root.holds(root.want("GET", "/api/tenants/organizations/acme", "", 200), map[string]any{"effective_status": "suspended"})
				ahead.Store(int64(6 * time.Minute))
				owner.want("GET", "/api/tenants/organizations/acme", "", 200)
				owner.want("PUT", "/api/tenants/organizations/acme/edit", `{"name":"Acme"}`, 200)
				service.want("GET", "/api/tenants/organizations/acme/plugins", "", 200)
				root.holds(root.want("GET", "/api/tenants/organizations/acme", "", 200), map[string]any{"status": "active", "effective_status": "active"})
				if n := root.total("/api/tenants/organizations?effective_status=suspended"); n != 0 {
					t.Errorf("%v organizations are found as suspended", n)
				}
			}
			root.wantCode("PUT", "/api/tenants/organizations/acme/status", `{"status":"suspended","expires_at":"2001-01-01T00:00:00Z"}`, 422, "in_the_past")
			root.wantCode("PUT", "/api/tenants/organizations/acme/status", `{"status":"active","expires_at":"`+until+`"}`, 422, "not_applicable")
		})
	}
}
