package scenario

import (
	"strings"
	"testing"
)

// The requests of the operator's API reference, in its order.
const referenced = `POST /api/tenants/register
GET /api/tenants/requests
GET /api/tenants/requests/{}
POST /api/tenants/requests/{}/approve
POST /api/tenants/requests/{}/reject
POST /api/tenants/requests/{}/provision
GET /api/tenants/partner-groups
POST /api/tenants/partner-groups
PUT /api/tenants/partner-groups/{}
DELETE /api/tenants/partner-groups/{}
GET /api/tenants/admins
POST /api/tenants/admins
GET /api/tenants/admins/{}
PUT /api/tenants/admins/{}
POST /api/tenants/admins/{}/grant-credits
POST /api/tenants/admins/{}/suspend
POST /api/tenants/admins/{}/reactivate
POST /api/tenants/admins/{}/assign-owner
GET /api/tenants/organizations
GET /api/tenants/organizations/{}/detail
PUT /api/tenants/organizations/{}/edit
PUT /api/tenants/organizations/{}/status
GET /api/tenants/organizations/{}/usage
PUT /api/tenants/organizations/{}/limits
PUT /api/tenants/organizations/{}/credit-limit
POST /api/tenants/organizations/{}/credits/add
GET /api/tenants/organizations/{}/plugins
GET /api/tenants/my-organization/plugins
GET /api/tenants/branding/current
GET /api/tenants/admins/{}/branding
PUT /api/tenants/admins/{}/branding
GET /api/tenants/audit-logs
GET /api/tenants/audit-logs/stats
GET /api/tenants/notifications
GET /api/tenants/notifications/unread-count
POST /api/tenants/notifications/{}/read
POST /api/tenants/notifications/read-all
GET /api/tenants/settings
PUT /api/tenants/settings
GET /api/tenants/available-plugins`

// TestTheReferenceIsWhole holds reference.txt against the list: each request is
// sent and succeeds.
func TestTheReferenceIsWhole(t *testing.T) {
	var reference *Script
	for _, s := range scripts(t) {
		if s.Name == "reference.txt" {
			reference = s
		}
	}
	if reference == nil {
		t.Fatal("there is no reference.txt")
	}
	sent := map[string]bool{}
	for _, s := range reference.Steps {
		if s.Want.Status >= 300 {
			t.Errorf("reference.txt:%d wants %d", s.Want.Line, s.Want.Status)
		}
		path, _, _ := strings.Cut(s.Target, "?")
		parts := strings.Split(path, "/")
		for i, p := range parts {
			if strings.HasPrefix(p, "{") || strings.Trim(p, "0123456789") == "" && p != "" {
				parts[i] = "{}"
			}
		}
		sent[s.Method+" "+strings.Join(parts, "/")] = true
	}
	lines := strings.Split(referenced, "\n")
	if len(lines) != 40 {
		t.Errorf("the reference has 40 requests, the list %d", len(lines))
	}
	for _, line := range lines {
		if !sent[line] {
			t.Errorf("reference.txt does not send %s", line)
		}
	}
}
