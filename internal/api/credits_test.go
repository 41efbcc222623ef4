package api_test

import (
	"strings"
	"testing"
)

func TestCreditRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const path = "/api/tenants/admins/1/credits"
		s.want("POST", "/api/tenants/admins", `{"name":"Agency XYZ","contact_email":"admin@agency.com"}`, 201)
		s.want("POST", "/api/tenants/admins/1/grant-credits", `{"amount":10000,"reason":"=HYPERLINK(1)"}`, 200)
		s.want("POST", "/api/tenants/admins/1/grant-credits", `{"amount":5,"reason":"More"}`, 200)
		s.holds(s.want("GET", path, "", 200), map[string]any{"balance": 10005.0, "limits_backed": 0.0, "available": 10005.0})
		out := s.want("GET", path+"/transactions?kind=grant&limit=1", "", 200)
		first := out["data"].([]any)[0].(map[string]any)
		s.holds(first, map[string]any{"kind": "grant", "amount": 5.0, "balance_after": 10005.0, "admin_id": 1.0, "organization_id": nil, "discount_percent": 0.0, "net_cost": 5.0})
		s.holds(out["pagination"].(map[string]any), map[string]any{"total": 2.0, "has_more": true})
		if out = s.want("GET", path+"/transactions?to=2020-01-01T00:00:00Z", "", 200); len(out["data"].([]any)) != 0 {
			s.Errorf("long ago: got %v, want none", out)
		}
		s.want("GET", path+"/transactions?kind=gift", "", 422)
		s.want("GET", path+"/transactions?from=yesterday", "", 422)
		s.holds(s.want("GET", path+"/statement", "", 200), map[string]any{"opening": 0.0, "closing": 10005.0})
		s.wantCode("GET", path+"/statement?month=2026-13", "", 422, "invalid_month")
		s.wantCode("GET", "/api/tenants/admins/9/credits", "", 404, "not_found")
		s.wantCode("GET", "/api/tenants/organizations/9/credits/statement", "", 404, "not_found")

		for accept, csv := range map[string]bool{"text/csv": true, "text/csv, application/json;q=0.5": true, "application/json": false, "*/*": false, "": false, "text/csv;q=0": false, "text/csv;q=0.1, application/json": false} {
			w := s.call("GET", path+"/transactions?limit=1", "", "Accept", accept)
			if got := strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv"); w.Code != 200 || got != csv || w.Header().Get("Vary") != "Accept" {
				s.Errorf("Accept %q: got %d %v", accept, w.Code, w.Header())
			}
			if csv && (strings.Count(w.Body.String(), "\n") != 3 || !strings.Contains(w.Body.String(), ",'=HYPERLINK(1),")) {
				s.Errorf("CSV: got %s", w.Body)
			}
		}
	})
}
