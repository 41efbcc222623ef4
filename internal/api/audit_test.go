package api_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

func TestAuditLog(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		for i := range 3 {
			s.want("POST", "/api/tenants/partner-groups", fmt.Sprintf(`{"name":"Group %d","credit_discount_percent":20}`, i), 201)
		}
		list := s.want("GET", "/api/tenants/audit-logs?action=partner_group.*&target_type=partner_group&limit=2", "", 200)
		p := list["pagination"].(map[string]any)
		if p["total"] != 3.0 || p["has_more"] != true || len(list["data"].([]any)) != 2 {
			s.Fatalf("got %v", list)
		}
		e := list["data"].([]any)[0].(map[string]any)
		for _, name := range []string{"id", "occurred_at", "actor", "on_behalf_of", "action", "target", "organization_id", "admin_id",
			"outcome", "reason", "changes", "ip", "user_agent", "request_id"} {
			if _, there := e[name]; !there {
				s.Errorf("no %s in %v", name, e)
			}
		}
		if a := e["actor"].(map[string]any); a["email"] != "root@platform.example" || e["action"] != "partner_group.created" || e["outcome"] != "ok" {
			s.Errorf("got %v", e)
		}
		rest := s.want("GET", "/api/tenants/audit-logs?action=partner_group.*&limit=2&cursor="+p["next_cursor"].(string), "", 200)
		if n := len(rest["data"].([]any)); n != 1 {
			s.Errorf("the second page: got %d rows, want 1", n)
		}
		s.want("GET", "/api/tenants/audit-logs?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", "", 200)
		for _, query := range []string{"action=%2A", "action=A%20B", "outcome=none", "actor_id=0", "from=yesterday",
			"from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z", "target_type=a%2A", "limit=201", "cursor=x", "limit=1&limit=2"} {
			s.want("GET", "/api/tenants/audit-logs?"+query, "", 422)
		}
		stats := s.want("GET", "/api/tenants/audit-logs/stats?days=7", "", 200)
		if len(stats["by_day"].([]any)) != 7 || stats["total"].(float64) < 3 {
			s.Errorf("got %v", stats)
		}
		top := stats["top_actors"].([]any)[0].(map[string]any)
		if top["type"] != "user" || top["count"].(float64) < 3 {
			s.Errorf("got %v", top)
		}
		s.want("GET", "/api/tenants/audit-logs/stats?days=0", "", 422)
		s.want("GET", "/api/tenants/audit-logs/stats?days=366", "", 422)
	})
}

// Who belongs to several organizations and chose none has a tenant all the
// same: what it does to its own account, and what it is denied, is seen there.
func TestTenantWithoutAnActiveOrganization(t *testing.T) {
	eachSuperadmin(t, func(root superadmin) {
		root.provisioned("both@acme.example", "acme", `{}`)
		root.provisioned("both@acme.example", "bolt", `{}`)
		both := root.as("both@acme.example")
		both.wantCode("GET", "/api/tenants/admins", "", 403, "forbidden")
		both.want("PUT", "/api/auth/me", `{"name":"Both"}`, 200)
		for _, query := range []string{"outcome=denied&action=admin.list", "action=user.updated", "action=user.signed_in"} {
			if rows := both.want("GET", "/api/tenants/audit-logs?"+query, "", 200)["data"].([]any); len(rows) != 1 {
				root.Errorf("%s: got %v, want one row", query, rows)
			}
		}
	})
}

// What an attempt that is denied was about is a kind that the log can be
// filtered by, as every kind can.
func TestTypesOfEvents(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		for _, kind := range audit.Types {
			s.want("GET", "/api/tenants/audit-logs?target_type="+kind, "", 200)
		}
	})
	for _, o := range newServer(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{})).Operations() {
		if !o.Public && !slices.Contains(audit.Types, o.Subject) {
			t.Errorf("%s is of a %s, which is none of audit.Types", o.ID, o.Subject)
		}
	}
}
