package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// provisioned makes an organization by the whole way in, and gives it with its
// owner.
func (s superadmin) provisioned(email, slug, approval string) (organization, owner int64) {
	s.Helper()
	r := s.want("POST", "/api/tenants/register", fmt.Sprintf(`{"email":%q,"password":%q,"company_name":"C %s","contact_name":"P","desired_org_slug":%q}`, email, password, slug, slug), 201)
	path := fmt.Sprintf("/api/tenants/requests/%.0f", r["id"])
	s.want("POST", path+"/approve", approval, 200)
	out := s.want("POST", path+"/provision", "", 200)
	return int64(out["organization"].(map[string]any)["id"].(float64)), int64(out["owner"].(map[string]any)["id"].(float64))
}

// A role that another process took away a moment ago gives no power to a write
// that a lesser role still allows. No publication is heard here, as if that
// process could not reach this one.
func TestTierIsDecidedInTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		root := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
		root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
		organization, owner := root.provisioned("both@acme.example", "acme", `{"admin_id":1}`)
		root.want("POST", "/api/tenants/admins/1/users", fmt.Sprintf(`{"user_id":%d}`, owner), 201)
		both := root.as("both@acme.example")
		edit := fmt.Sprintf("/api/tenants/organizations/%d/edit", organization)
		both.want("PUT", edit, `{"storage_limit_gb":50}`, 200)
		both.want("GET", "/api/auth/me", "", 200) // known from now on
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM admin_users WHERE user_id = $1`, owner)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		both.wantCode("PUT", edit, `{"storage_limit_gb":60}`, 403, "forbidden")
		both.want("PUT", edit, `{"name":"Acme the second"}`, 200)
	})
}

// What another process moved to another admin a moment ago is out of reach for
// a write of the former one at once, though the door still knows where it was.
func TestTargetIsFoundInTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		root := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
		root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
		root.want("POST", "/api/tenants/admins", `{"name":"Beacon","contact_email":"b@beacon.example"}`, 201)
		organization, _ := root.provisioned("o@acme.example", "acme", `{"admin_id":1}`)
		_, staff := root.provisioned("s@north.example", "north", `{}`)
		root.want("POST", "/api/tenants/admins/1/users", fmt.Sprintf(`{"user_id":%d}`, staff), 201)
		by := root.as("s@north.example")
		edit := fmt.Sprintf("/api/tenants/organizations/%d/edit", organization)
		by.want("PUT", edit, `{"name":"Acme"}`, 200) // known from now on
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organizations SET admin_id = 2 WHERE id = $1`, organization)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		by.wantCode("PUT", edit, `{"name":"Mine"}`, 404, "not_found")
		by.wantCode("PATCH", "/api/tenants/organizations/acme/edit", `{"name":"Mine"}`, 404, "not_found")
		root.holds(root.want("GET", fmt.Sprintf("/api/tenants/organizations/%d", organization), "", 200), map[string]any{"name": "Acme"})
	})
}
