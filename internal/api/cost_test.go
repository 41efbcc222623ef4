package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// deciding reports a statement that only authorization and the check of holds
// ask: who a token stands for, and where the object in the path belongs.
func deciding(query string) bool {
	return strings.HasPrefix(query, "WITH who AS") || strings.HasPrefix(query, "SELECT k.id, k.name, k.organization_id, o.admin_id") ||
		strings.Contains(query, "FROM (SELECT 1 AS one) w JOIN")
}

// Authorization and the check of holds ask the database at most once for a
// request whose caller and object are known: a read not at all, a write once
// inside its transaction.
func TestAuthorizationStatements(t *testing.T) {
	for engine, url := range map[db.Engine]string{db.SQLite: dbtest.SQLiteURL(t), db.Postgres: dbtest.PostgresURL(t)} {
		t.Run(string(engine), func(t *testing.T) {
			var mu sync.Mutex // guards asked
			var asked []string
			now := time.Now() // stands still, so that nothing in memory grows old
			d := dbtest.Open(t, url, db.Options{Clock: func() time.Time { return now }, Trace: func(query string, _ []any) {
				mu.Lock()
				defer mu.Unlock()
				if deciding(query) {
					asked = append(asked, query)
				}
			}})
			root := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
			root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
			root.provisioned("o@acme.example", "acme", `{"admin_id":1}`)
			key := root.want("POST", "/api/tenants/organizations/acme/api-keys", `{"name":"Key","scopes":["usage:read"]}`, 201)["key"].(string)
			service := superadmin{T: t, h: root.h, token: key}
			person := root.as("o@acme.example")
			for _, c := range []struct {
				who                superadmin
				method, path, body string
				most               int
			}{
				{person, "GET", "/api/auth/me", "", 0},
				{person, "GET", "/api/tenants/organizations/acme", "", 0},
				{person, "GET", "/api/tenants/organizations/1/members", "", 0},
				{root, "GET", "/api/tenants/admins/1", "", 0},
				{service, "GET", "/api/tenants/organizations/1/usage", "", 0},
				{person, "PUT", "/api/tenants/organizations/acme/edit?dry_run=true", `{"name":"Acme"}`, 1},
				{root, "PUT", "/api/tenants/organizations/1/limits?dry_run=true", `{"max_users":7}`, 1},
				{root, "PUT", "/api/tenants/admins/1/branding?dry_run=true", `{"branding":{"app_name":"A"}}`, 1},
				{root, "PUT", "/api/tenants/settings?dry_run=true", `{"default_max_users":7}`, 1},
			} {
				c.who.want(c.method, c.path, c.body, 200) // known from now on
				asked = nil
				c.who.want(c.method, c.path, c.body, 200)
				if len(asked) != c.most {
					t.Errorf("%s %s: got %d statements, want %d:\n%s", c.method, c.path, len(asked), c.most, strings.Join(asked, "\n"))
				}
			}
		})
	}
}

// BenchmarkAuthorization is what authorization and the check of holds cost a
// request at the door, all of it: the token's hash and look-up, the object, the
// decision. It is to stay under 5 µs.
// go test -run '^$' -bench Authorization ./internal/api
func BenchmarkAuthorization(b *testing.B) {
	for engine, url := range map[string]string{"sqlite": dbtest.SQLiteURL(b), "postgres": dbtest.PostgresURL(b)} {
		b.Run(engine, func(b *testing.B) {
			d := dbtest.Open(b, url, db.Options{})
			s := newServer(b, d)
			h := s.Handler()
			fill(b, d, 1000, 0)
			token := tokenOf(b, h)
			for _, c := range []struct{ name, operation, parameter, value string }{
				{"self", "me", "", ""},
				{"id", "get-organization-usage", "org_id", "77"},
				{"slug", "edit-organization", "org_id", "company-77"},
			} {
				r := httptest.NewRequest("GET", "/", http.NoBody)
				r.Header.Set("Authorization", "Bearer "+token)
				r.SetPathValue(c.parameter, c.value)
				b.Run(c.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if err := s.Door(r, c.operation); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

// mostAtTheDoor is how many pieces of memory knowing the caller and deciding
// may take: those of the call itself.
const mostAtTheDoor = 6

func TestAuthorizationAllocates(t *testing.T) {
	now := time.Now()
	d := dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{Clock: func() time.Time { return now }})
	s := newServer(t, d)
	h := s.Handler()
	fill(t, d, 100, 0)
	r := httptest.NewRequest("GET", "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+tokenOf(t, h))
	r.SetPathValue("org_id", "77")
	n := testing.AllocsPerRun(100, func() {
		if err := s.Door(r, "get-organization-usage"); err != nil {
			t.Fatal(err)
		}
	})
	if n > mostAtTheDoor {
		t.Errorf("got %v allocations, want at most %d", n, mostAtTheDoor)
	}
}
