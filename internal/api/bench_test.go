package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/org"
)

// BenchmarkHot serves the hot routes without a network, for profiles:
// go test -run '^$' -bench Hot/sqlite -cpuprofile cpu.out ./internal/api
func BenchmarkHot(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { hot(b, dbtest.SQLiteURL(b)) })
	b.Run("postgres", func(b *testing.B) { hot(b, dbtest.PostgresURL(b)) })
}

func hot(b *testing.B, url string) {
	d := dbtest.Open(b, url, db.Options{})
	h := newServer(b, d).Handler()
	fill(b, d, 10_000, 20_000)
	token := tokenOf(b, h)
	for _, c := range []struct{ name, method, path, body string }{
		{"branding", "GET", "/api/tenants/branding/current", ""},
		{"get", "GET", "/api/tenants/organizations/77/detail", ""},
		{"list", "GET", "/api/tenants/organizations?limit=50", ""},
		{"audit", "GET", "/api/tenants/audit-logs?limit=50", ""},
		{"audit-action", "GET", "/api/tenants/audit-logs?limit=50&action=organization.edited", ""},
		{"credits", "POST", "/api/tenants/organizations/77/credits/add", `{"amount":1,"reason":"bench"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				r.Header.Set("Content-Type", "application/json")
				if c.name != "branding" {
					r.Header.Set("Authorization", "Bearer "+token)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// fill makes organizations and events, many to a transaction.
func fill(t testing.TB, d *db.DB, organizations, events int) {
	t.Helper()
	root := audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}
	now := d.Now()
	const lot = 500
	for from := 0; from < max(organizations, events); from += lot {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			for n := from; n < min(from+lot, organizations); n++ {
				if _, err := org.Create(tx, root, org.New{Name: fmt.Sprintf("Company %d", n), Slug: fmt.Sprintf("company-%d", n)}); err != nil {
					return err
				}
			}
			var past []audit.Past
			for n := from; n < min(from+lot, events); n++ {
				past = append(past, audit.Past{At: now.Add(time.Duration(n-events) * time.Second), Event: audit.Event{
					Actor: root, Action: []string{"organization.edited", "member.invited"}[n%2], Organization: 1,
					Target: audit.Target{Type: "organization", ID: 1, Name: "Company"}, Changes: audit.Changes{"max_users": {Old: 10, New: 25}},
				}})
			}
			return audit.Import(tx, past)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tokenOf signs the superadmin in.
func tokenOf(t testing.TB, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/auth/login", strings.NewReader(`{"email":"`+rootEmail+`","password":"`+password+`"}`))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &tokens); err != nil || tokens.Access == "" {
		t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	return tokens.Access
}
