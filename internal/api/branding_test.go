package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// current asks for the brand at a host, as nobody.
func (s superadmin) current(host, ifNoneMatch string) (status int, tag string, out map[string]any) {
	s.Helper()
	r := httptest.NewRequest("GET", "/api/tenants/branding/current", http.NoBody)
	r.Host = host
	if ifNoneMatch != "" {
		r.Header.Set("If-None-Match", ifNoneMatch)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if got := w.Header().Get("Vary"); got != "Host, Authorization" {
		s.Errorf("Vary: got %q", got)
	}
	b, _ := io.ReadAll(w.Body)
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			s.Fatalf("no JSON: %s", b)
		}
	}
	return w.Code, w.Header().Get("ETag"), out
}

func TestBrandingRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const path = "/api/tenants/admins/1/branding"
		name := func(host string) any {
			s.Helper()
			status, _, out := s.current(host, "")
			if status != 200 {
				s.Fatalf("current at %s: got %d %v", host, status, out)
			}
			return out["branding"].(map[string]any)["app_name"]
		}
		s.want("POST", "/api/tenants/admins", `{"name":"Agency XYZ","contact_email":"admin@agency.com","custom_domain":"portal.agency.com"}`, 201)
		reference := `{"branding":{"logo_url":"https://example.com/logo.png","favicon_url":"https://example.com/favicon.ico","primary_color":"#FF5733","secondary_color":"#33FF57",
			"app_name":"My App","footer_text":"© 2024 My Company","support_email":"support@example.com","hide_powered_by":true}}`
		out := s.want("PUT", path, reference, 200)
		s.holds(out["branding"].(map[string]any), map[string]any{"app_name": "My App", "primary_color": "#FF5733", "hide_powered_by": true})
		if len(out["warnings"].([]any)) != 2 {
			s.Errorf("the reference's colours: got %v, want two warnings", out["warnings"])
		}
		s.holds(s.want("PATCH", path, `{"branding":{"footer_text":null}}`, 200)["branding"].(map[string]any), map[string]any{"footer_text": nil, "app_name": "My App"})
		s.holds(s.want("GET", path, "", 200), map[string]any{"admin_id": 1.0})
		for body, code := range map[string]string{
			`{"branding":{"primary_color":"red"}}`: "invalid_color", `{"branding":{"logo_url":"http://example.com"}}`: "invalid_url",
			`{"branding":{"support_email":"nobody"}}`: "invalid_email", `{"branding":{"app_name":""}}`: "required",
		} {
			s.wantCode("PUT", path, body, 422, code)
		}
		for _, body := range []string{`{"branding":{"colour":"#FFFFFF"}}`, `{"branding":{"App_Name":"x"}}`, `{"branding":[]}`, `{"branding":{"hide_powered_by":"yes"}}`, `{"app_name":"x"}`} {
			s.want("PUT", path, body, 422)
		}
		s.wantCode("GET", "/api/tenants/admins/9/branding", "", 404, "not_found")
		s.wantCode("PUT", "/api/tenants/admins/9/branding", reference, 404, "not_found")
		s.wantCode("PUT", path, `{"branding":{"app_name":"x"}}`, 412, "precondition_failed", "If-Match", `"v1-x"`)

		if got := name("portal.agency.com"); got != "Tenantry" {
			t.Errorf("a pending host: got %v, want the platform's name", got)
		}
		s.want("POST", "/api/tenants/admins/1/domain/verify", `{"override":true,"reason":"checked by phone"}`, 200)
		if got := name("portal.agency.com"); got != "My App" {
			t.Errorf("a verified host: got %v", got)
		}
		if got := name("PORTAL.agency.com:8443"); got != "My App" {
			t.Errorf("in other case, with a port: got %v", got)
		}
		s.want("PUT", "/api/tenants/settings", `{"branding":{"app_name":"Acme","footer_text":"By Acme"}}`, 200)
		if got := name("elsewhere.example"); got != "Acme" {
			t.Errorf("the platform's brand: got %v", got)
		}
		_, tag, out := s.current("portal.agency.com", "")
		s.holds(out["sources"].(map[string]any), map[string]any{"app_name": "host", "footer_text": "platform"})
		s.holds(out, map[string]any{"admin_id": 1.0})
		if status, _, _ := s.current("portal.agency.com", tag); status != 304 {
			t.Errorf("the same ETag: got %d, want 304", status)
		}
		s.want("POST", "/api/tenants/admins/1/suspend", `{"reason":"Payment overdue"}`, 200)
		if got := name("portal.agency.com"); got != "My App" {
			t.Errorf("a suspended admin keeps its brand: got %v", got)
		}
		s.want("PUT", path, `{"branding":{"app_name":"Renamed"}}`, 200)
		if status, _, out := s.current("portal.agency.com", tag); status != 200 || out["branding"].(map[string]any)["app_name"] != "Renamed" {
			t.Errorf("after a change: got %d %v, want the new name", status, out)
		}
		s.want("PUT", "/api/tenants/admins/1", `{"custom_domain":null}`, 200)
		if got := name("portal.agency.com"); got != "Acme" {
			t.Errorf("a host given up: got %v", got)
		}
	})
}
