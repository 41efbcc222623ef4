package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// Hot routes cost a known number of statements, however many rows they answer:
// the caller is known from memory, and nothing is asked twice.
func TestStatementsPerRequest(t *testing.T) {
	for engine, url := range map[db.Engine]string{db.SQLite: dbtest.SQLiteURL(t), db.Postgres: dbtest.PostgresURL(t)} {
		t.Run(string(engine), func(t *testing.T) {
			var ran []string
			now := time.Now() // stands still, so that nothing in memory grows old
			d := dbtest.Open(t, url, db.Options{
				Clock: func() time.Time { return now },
				Trace: func(query string, _ []any) { ran = append(ran, query) },
			})
			h := newServer(t, d).Handler()
			fill(t, d, 60, 500)
			token := tokenOf(t, h)
			settle := 0
			if engine == db.Postgres {
				settle = 1 // looks whether something waits for its number
			}
			for _, c := range []struct {
				path string
				most int
			}{
				{"/api/tenants/branding/current", 0},
				{"/api/tenants/organizations/7/detail", 1}, // whose it is, and all of it
				{"/api/tenants/organizations/company-7/detail", 1},
				{"/api/tenants/organizations?limit=50", 1}, // page with total
				{"/api/tenants/organizations?limit=50&status=active", 2},
				{"/api/tenants/audit-logs?limit=50", 2},
				{"/api/tenants/audit-logs?limit=50&action=member.invited", 2},
				{"/api/tenants/audit-logs?limit=50&offset=200", 3}, // where the offset lies
				{"/api/tenants/audit-logs?limit=50&action=member.invited&offset=200", settle + 3},
				{"/api/tenants/notifications/unread-count", 1},
			} {
				ask(t, h, c.path, token) // warms what is cached
				ran = nil
				ask(t, h, c.path, token)
				if len(ran) > c.most {
					t.Errorf("%s: got %d statements, want at most %d:\n%s", c.path, len(ran), c.most, strings.Join(ran, "\n"))
				}
			}
		})
	}
}

func ask(t *testing.T, h http.Handler, path, token string) {
	t.Helper()
	r := httptest.NewRequest("GET", path, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
}
