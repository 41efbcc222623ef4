package api_test

import "testing"

func TestPartnerGroupRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const path = "/api/tenants/partner-groups"
		w := s.call("POST", path, `{"name":"Gold Partners","description":"Premium partner tier","credit_discount_percent":20}`)
		if w.Code != 201 || w.Header().Get("Location") != path+"/1" || w.Header().Get("ETag") == "" {
			s.Fatalf("create: got %d %v %s", w.Code, w.Header(), w.Body)
		}
		s.holds(s.want("PUT", path+"/1", `{"credit_discount_percent":12.75,"max_users":5,"allowed_plugins":["crm"]}`, 200), map[string]any{"credit_discount_percent": 12.75, "max_users": 5.0, "name": "Gold Partners"})
		s.holds(s.want("PATCH", path+"/1", `{"max_users":null,"allowed_plugins":null}`, 200), map[string]any{"max_users": nil, "allowed_plugins": nil})
		for body, code := range map[string]string{
			`{"credit_discount_percent":0.001}`: "out_of_range", `{"credit_discount_percent":101}`: "out_of_range", `{"credit_discount_percent":1e1}`: "out_of_range",
			`{"name":null}`: "required", `{"max_users":-1}`: "out_of_range", `{"allowed_plugins":["nothing"]}`: "unknown_plugin",
		} {
			s.wantCode("PUT", path+"/1", body, 422, code)
		}
		s.want("PUT", path+"/1", `{"credit_discount_percent":"20"}`, 422)
		s.want("PUT", path+"/1", `{"max_users":1.5}`, 422)
		s.want("PUT", path+"/1", `{"surprise":1}`, 422)
		s.wantCode("POST", path, `{"name":"gold partners"}`, 409, "name_taken")
		s.wantCode("PUT", path+"/1", `{"oversell":true}`, 412, "precondition_failed", "If-Match", w.Header().Get("ETag"))
		if out := s.want("PUT", path+"/1?dry_run=true", `{"oversell":true}`, 200); out["dry_run"] != true {
			s.Errorf("dry run: got %v", out)
		}
		s.holds(s.want("GET", path+"/1", "", 200), map[string]any{"oversell": false, "member_count": 0.0})
		if out := s.want("GET", path+"?q=GOLD&limit=1", "", 200); len(out["data"].([]any)) != 1 {
			s.Errorf("list: got %v", out)
		}
		s.want("DELETE", path+"/1?reassign_to=0", "", 422)
		s.wantCode("DELETE", path+"/1?reassign_to=77", "", 422, "unknown_reference")
		s.want("DELETE", path+"/1", "", 204)
		s.wantCode("GET", path+"/1", "", 404, "not_found")
	})
}

func TestAdminRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const path = "/api/tenants/admins"
		s.want("POST", "/api/tenants/partner-groups", `{"name":"Gold","credit_discount_percent":20}`, 201)
		out := s.want("POST", path, `{"name":"Agency XYZ","contact_email":"admin@agency.com","company_name":"Agency XYZ Ltd","phone":"+1234567890","partner_group_id":1}`, 201)
		s.holds(out, map[string]any{"id": 1.0, "status": "active", "credit_balance": 0.0, "partner_group_id": 1.0, "owner_user_id": nil, "suspension": nil})
		s.wantCode("POST", path, `{"name":"B","contact_email":"b@b.example","partner_group_id":9}`, 422, "unknown_reference")
		s.holds(s.want("PUT", path+"/1", `{"phone":null,"partner_group_id":null}`, 200), map[string]any{"phone": nil, "partner_group_id": nil})
		s.want("PUT", path+"/1", `{"partner_group_id":1}`, 200)
		out = s.want("POST", path+"/1/grant-credits", `{"admin_id":1,"amount":10000,"reason":"Monthly allocation"}`, 200, "Idempotency-Key", "k1")
		s.holds(out, map[string]any{"credit_balance": 10000.0})
		s.holds(out["transaction"].(map[string]any), map[string]any{"amount": 10000.0, "net_cost": 8000.0})
		s.want("POST", path+"/1/grant-credits", `{"admin_id":1,"amount":10000,"reason":"Monthly allocation"}`, 200, "Idempotency-Key", "k1")
		s.wantCode("POST", path+"/1/grant-credits", `{"admin_id":2,"amount":1,"reason":"r"}`, 422, "mismatch")
		s.holds(s.want("GET", path+"/1", "", 200), map[string]any{"credit_balance": 10000.0})
		out = s.want("POST", path+"/1/suspend?dry_run=true", `{"reason":"Payment overdue"}`, 200)
		s.holds(out["effects"].(map[string]any), map[string]any{"credits": 10000.0, "organizations": 0.0})
		s.holds(s.want("POST", path+"/1/suspend", `{"reason":"Payment overdue"}`, 200), map[string]any{"status": "suspended"})
		if w := s.call("POST", path+"/1/suspend", `{"reason":"Again"}`); w.Code != 200 || w.Header().Get("Audit-Event") != "" {
			s.Errorf("suspended again: got %d, event %q; want 200, none", w.Code, w.Header().Get("Audit-Event"))
		}
		if out = s.want("GET", path+"?status=suspended&q=agency&partner_group_id=1", "", 200); len(out["data"].([]any)) != 1 {
			s.Errorf("suspended admins: got %v", out)
		}
		s.want("GET", path+"?status=sleeping", "", 422)
		s.want("GET", path+"?limit=201", "", 422)
		s.holds(s.want("POST", path+"/1/reactivate", "", 200), map[string]any{"status": "active", "suspension": nil})
		s.holds(s.want("POST", path+"/1/assign-owner", `{"user_id":1}`, 200), map[string]any{"owner_user_id": 1.0})
		s.wantCode("POST", path+"/1/assign-owner", `{"user_id":123}`, 422, "unknown_reference")
		s.wantCode("POST", path+"/1/users", `{"user_id":1}`, 409, "already_member")
		s.holds(s.want("GET", path+"/1/users/1", "", 200), map[string]any{"role": "owner"})
		if out = s.want("GET", path+"/1/users", "", 200); len(out["data"].([]any)) != 1 {
			s.Errorf("people: got %v", out)
		}
		s.wantCode("DELETE", path+"/1/users/1", "", 409, "owner_required")
		s.wantCode("GET", path+"/99", "", 404, "not_found")

		s.wantCode("POST", path+"/1/domain/verify", "", 409, "no_domain")
		s.wantCode("PUT", path+"/1", `{"custom_domain":"a.tenantry.example"}`, 422, "domain_reserved")
		s.holds(s.want("PUT", path+"/1", `{"custom_domain":"portal.agency.com"}`, 200), map[string]any{"custom_domain_status": "pending"})
		s.wantCode("POST", path+"/1/domain/verify", "", 503, "dns_unavailable")
		s.wantCode("POST", path+"/1/domain/verify", `{"override":true}`, 422, "required")
		s.holds(s.want("POST", path+"/1/domain/verify", `{"override":true,"reason":"checked by phone"}`, 200), map[string]any{"custom_domain_status": "verified", "domain_verification": nil})
		s.wantCode("DELETE", "/api/tenants/partner-groups/1", "", 409, "in_use")
	})
}

func TestSettingsAndPluginRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const path, plugins = "/api/tenants/settings", "/api/tenants/available-plugins"
		w := s.call("GET", path, "")
		s.want("PUT", path, `{"auto_approve_registrations":false,"default_storage_limit_gb":10,"default_max_users":10,"default_bandwidth_limit_gb":100,"default_credit_limit":0}`, 200)
		s.holds(s.want("PUT", path, `{"default_max_users":-1,"branding":{"app_name":"Acme","hide_powered_by":true}}`, 200, "If-Match", w.Header().Get("ETag")), map[string]any{"default_max_users": -1.0})
		s.holds(s.want("PUT", path, `{"branding":{"app_name":null}}`, 200)["branding"].(map[string]any), map[string]any{"app_name": nil, "hide_powered_by": true})
		s.holds(s.want("PUT", path, `{"branding":null}`, 200)["branding"].(map[string]any), map[string]any{"hide_powered_by": nil})
		s.want("PUT", path, `{"branding":{"colour":"x"}}`, 422)
		s.want("PUT", path, `{"branding":[]}`, 422)
		s.wantCode("PUT", path, `{"default_credit_limit":-1}`, 422, "out_of_range")

		if out := s.want("GET", plugins, "", 200); len(out["data"].([]any)) < 12 {
			s.Errorf("plugins: got %v", out["pagination"])
		}
		if out := s.want("GET", plugins+"?limit=2", "", 200); len(out["data"].([]any)) != 2 {
			s.Errorf("two plugins: got %v", out["pagination"])
		}
		w = s.call("POST", plugins, `{"key":"my_plugin","name":"Mine","depends_on":["crm"],"version":"1.0.0"}`)
		if w.Code != 201 || w.Header().Get("Location") != plugins+"/my_plugin" {
			s.Fatalf("create: got %d %s", w.Code, w.Body)
		}
		s.holds(s.want("PUT", plugins+"/my_plugin", `{"version":"2.0.0"}`, 200), map[string]any{"version": "2.0.0", "core": false})
		s.wantCode("PUT", plugins+"/my_plugin", `{"name":"x"}`, 412, "precondition_failed", "If-Match", w.Header().Get("ETag"))
		s.wantCode("PUT", plugins+"/crm", `{"depends_on":["my_plugin"]}`, 422, "dependency_cycle")
		s.wantCode("DELETE", plugins+"/crm", "", 409, "in_use")
		s.want("DELETE", plugins+"/my_plugin", "", 204)
		s.wantCode("GET", plugins+"/my_plugin", "", 404, "not_found")
	})
}
