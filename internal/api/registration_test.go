package api_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

func TestRegistrationRoutes(t *testing.T) {
	eachSuperadmin(t, func(s superadmin) {
		const register, requests = "/api/tenants/register", "/api/tenants/requests"
		const body = `{"email": "user@example.com","password": "securepassword","company_name": "Acme Corp","contact_name": "John Doe",
			"phone": "+1234567890","desired_org_name": "Acme Corp","desired_org_slug": "acme-corp",
			"utm_source": "google","utm_medium": "cpc","utm_campaign": "summer"}`
		anybody := superadmin{T: s.T, h: s.h}
		w := anybody.call("POST", register, body)
		if w.Code != 201 || !strings.HasPrefix(w.Header().Get("Location"), register+"/status?token=") {
			s.Fatalf("register: got %d %v %s", w.Code, w.Header(), w.Body)
		}
		s.holds(anybody.want("GET", w.Header().Get("Location"), "", 200), map[string]any{"status": "pending_approval", "company_name": "Acme Corp"})
		s.holds(anybody.want("GET", register+"/slug?slug=acme-corp", "", 200), map[string]any{"available": false, "reason": "slug_taken"})
		anybody.wantCode("POST", register, body, 409, "slug_taken")
		anybody.wantCode("POST", register, `{"email":"a@b.example"}`, 422, "validation_failed")
		anybody.wantCode("POST", register+"?dry_run=true", body, 422, "dry_run_unsupported")
		anybody.wantCode("GET", register+"/status?token=x", "", 404, "not_found")
		anybody.wantCode("GET", requests, "", 401, "unauthenticated")

		list := s.want("GET", requests+"?status=pending_approval&utm_source=google&q=ACME", "", 200)
		if data, _ := list["data"].([]any); len(data) != 1 {
			s.Errorf("got %v, want one request", list)
		}
		s.wantCode("GET", requests+"?status=new", "", 422, "unknown_value")
		s.wantCode("GET", requests+"/99", "", 404, "not_found")
		s.wantCode("POST", requests+"/1/provision", "", 409, "invalid_transition")
		s.wantCode("POST", requests+"/1/reject", `{"reason":" "}`, 422, "required")
		s.wantCode("POST", requests+"/1/approve", "", 400, "body_required")
		if out := s.want("POST", requests+"/1/approve?dry_run=true", `{"provision":true}`, 200); out["dry_run"] != true {
			s.Errorf("dry run: got %v", out)
		}
		s.wantCode("POST", requests+"/1/approve", `{}`, 412, "precondition_failed", "If-Match", `"v7-x"`)
		approved := s.want("POST", requests+"/1/approve", `{"org_name": "Custom Name","org_slug": "custom-slug","initial_credit_limit": 5000,"storage_limit_gb": 20,"max_users": 25}`, 200)
		s.holds(approved, map[string]any{"status": "approved", "org_slug": "custom-slug", "organization_id": nil})
		first := s.want("POST", requests+"/1/provision", "", 200)
		again := s.want("POST", requests+"/1/provision", "", 200)
		made := first["organization"].(map[string]any)["id"]
		for _, out := range []map[string]any{first, again} {
			s.holds(out["request"].(map[string]any), map[string]any{"status": "active", "organization_id": made})
			s.holds(out["organization"].(map[string]any), map[string]any{"id": made, "slug": "custom-slug", "credit_limit": 5000.0, "max_users": 25.0})
			s.holds(out["owner"].(map[string]any), map[string]any{"email": "user@example.com", "email_verified": false})
		}
		s.wantCode("POST", requests+"/1/reject", `{"reason": "Invalid business information provided"}`, 409, "invalid_transition")
		owner := superadmin{T: s.T, h: s.h}
		owner.token, _ = owner.want("POST", "/api/auth/login", `{"email":"user@example.com","password":"securepassword"}`, 200)["access_token"].(string)
		owner.wantCode("GET", requests, "", 403, "forbidden")
		owner.wantCode("POST", requests+"/1/approve", `{"nonsense":1}`, 403, "forbidden")
	})
}

// A decision stands though what should follow at once fails.
func TestApprovalOutlivesProvisioning(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
		const requests = "/api/tenants/requests"
		s.want("POST", "/api/tenants/register", `{"email":"gone@acme.example","password":"securepassword","company_name":"Acme","contact_name":"John"}`, 201)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			u, err := auth.CreateUser(tx, auth.NewUser{Email: "gone@acme.example", Name: "Gone"})
			if err == nil {
				_, err = tx.Exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, u.ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		const approval = `{"provision":true,"org_slug":"other-slug"}`
		s.wantCode("POST", requests+"/1/approve?dry_run=true", approval, 409, "provisioning_failed")
		s.holds(s.want("GET", requests+"/1", "", 200), map[string]any{"status": "pending_approval"})
		s.wantCode("POST", requests+"/1/approve", approval, 409, "provisioning_failed")
		kept := s.want("GET", requests+"/1", "", 200)
		s.holds(kept, map[string]any{"status": "approved", "org_slug": "other-slug"})
		s.holds(kept["provisioning"].(map[string]any), map[string]any{"state": "failed", "attempts": 1.0})
		s.wantCode("POST", requests+"/1/approve", approval, 409, "invalid_transition")
		s.wantCode("POST", requests+"/1/provision", "", 409, "provisioning_failed")
	})
}
