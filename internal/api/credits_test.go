package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestCreditsOfOneOfSeveral: what a path names by its own id is refused as the
// organization's credits are, to whoever belongs to several organizations too.
func TestCreditsOfOneOfSeveral(t *testing.T) {
	eachActing(t, func(w *acting) {
		invite := func(organization int64, email, role string) {
			i := w.root.want("POST", fmt.Sprintf("/api/tenants/organizations/%d/invitations", organization), `{"email":"`+email+`","role":"`+role+`"}`, 201)
			_, token, _ := strings.Cut(i["accept_url"].(string), "token=")
			w.here.want("POST", "/api/auth/invitations/accept", `{"token":"`+token+`","password":"`+password+`","name":"Otto"}`, 200)
		}
		invite(w.elsewhere, secondEmail, "owner")
		invite(w.organization, "plain@acme.example", "member")
		invite(w.elsewhere, "plain@acme.example", "owner")
		foreign, _ := w.root.provisioned("x@foreign.example", "foreign", `{}`)
		if foreign == 0 {
			w.Fatal("no foreign organization")
		}
		w.root.want("POST", w.path("/credits/add"), `{"amount":100}`, 200)
		key := w.here
		key.token = w.root.want("POST", w.path("/api-keys"), `{"name":"K","scopes":["credits:spend"]}`, 201)["key"].(string)
		held := key.want("POST", w.path("/credits/holds"), `{"amount":1,"plugin":"crm","expires_in":86400}`, 201)["id"]
		spent := key.want("POST", w.path("/credits/consume"), `{"amount":1,"plugin":"crm"}`, 201)["id"]
		account := w.root.want("GET", w.path("/credits"), "", 200)["account_id"]
		things := []string{fmt.Sprintf("/holds/%.0f", held), fmt.Sprintf("/transactions/%.0f", spent), fmt.Sprintf("/accounts/%.0f/explain", account)}
		alike := func(what, email string, status int) {
			w.Helper()
			c := w.here.as(email)
			want := c.want("GET", w.path("/credits"), "", status)["code"]
			for _, thing := range things {
				if got := c.want("GET", "/api/tenants/credits"+thing, "", status)["code"]; got != want {
					w.Errorf("%s, %s: got code %v, want %v", what, thing, got, want)
				}
			}
		}
		alike("an owner", secondEmail, 200)
		alike("a plain member", "plain@acme.example", 403)
		alike("a stranger", "x@foreign.example", 404)
		w.root.want("PUT", w.path("/status"), `{"status":"suspended","reason":"why"}`, 200)
		alike("an owner, suspended", secondEmail, 403)
		alike("a plain member, suspended", "plain@acme.example", 403)
		alike("the staff of its admin, suspended", staffEmail, 200)
		alike("a stranger, suspended", "x@foreign.example", 404)
		alike("a superadmin, suspended", rootEmail, 200)
		w.root.want("PUT", w.path("/status"), `{"status":"active"}`, 200)
		w.root.want("POST", "/api/tenants/admins/1/suspend", `{"reason":"why"}`, 200)
		alike("an owner, of a suspended admin", secondEmail, 403)
		alike("the staff of a suspended admin", staffEmail, 200)
		grant := w.root.want("GET", "/api/tenants/admins/1/credits", "", 200)["account_id"]
		for email, status := range map[string]int{staffEmail: 200, rootEmail: 200, secondEmail: 404, "x@foreign.example": 404} {
			w.here.as(email).want("GET", fmt.Sprintf("/api/tenants/credits/accounts/%.0f/explain", grant), "", status)
		}
	})
}

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
