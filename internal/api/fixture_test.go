package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/secret"
	"github.com/tenantry/tenantry/internal/usage"
)

// What is refused is logged, and thousands of requests are.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// rootEmail and password are the first superadmin's; everybody else in the
// tests has the same password.
const rootEmail, password = "root@platform.example", "a quite long passphrase"

// newServer makes the API on an empty database, with one superadmin. Hashing
// costs nothing in it; nothing else differs from production.
func newServer(t testing.TB, d *db.DB) *api.Server {
	t.Helper()
	if err := d.Write(context.Background(), plugin.Seed); err != nil {
		t.Fatal(err)
	}
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	outbox := &mail.Outbox{Box: box, BaseURL: "http://localhost"}
	a := auth.New(d, auth.NewQuickHasher(), outbox, func(*db.Tx) (int, error) { return 12, nil })
	if err := a.Bootstrap(context.Background(), rootEmail, password); err != nil {
		t.Fatal(err)
	}
	return &api.Server{
		DB: d, Auth: a, Version: "test", Branding: branding.New(d),
		Registration:  &registration.Service{DB: d, Hasher: a.Hasher, Mail: outbox},
		Usage:         usage.New(d),
		Organizations: &org.Service{DB: d, Auth: a, Mail: outbox},
		Hosts:         []string{"tenantry.example"}, Resolver: &domain.Resolver{Address: "127.0.0.1:1"},
	}
}

// superadmin calls the whole API as a superadmin.
type superadmin struct {
	*testing.T
	h     http.Handler
	token string
}

func eachSuperadmin(t *testing.T, f func(s superadmin)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f(superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail))
	})
}

// as signs in and calls the API as that person from now on.
func (s superadmin) as(email string) superadmin {
	s.Helper()
	s.token = ""
	answer := s.want("POST", "/api/auth/login", `{"email":"`+email+`","password":"`+password+`"}`, 200)
	s.token, _ = answer["access_token"].(string)
	return s
}

// call sends a request; header is name and value in turn.
func (s superadmin) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, path, http.NoBody)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// want is call for a status that must be, and gives the JSON of the answer.
func (s superadmin) want(method, path, body string, status int, header ...string) map[string]any {
	s.Helper()
	w := s.call(method, path, body, header...)
	b, _ := io.ReadAll(w.Body)
	if w.Code != status {
		s.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, w.Code, b, status)
	}
	var out map[string]any
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			s.Fatalf("%s %s answered no JSON: %s", method, path, b)
		}
	}
	return out
}

func (s superadmin) wantCode(method, path, body string, status int, code string, header ...string) {
	s.Helper()
	if out := s.want(method, path, body, status, header...); out["code"] != code {
		s.Errorf("%s %s %s: got code %v, want %s", method, path, body, out["code"], code)
	}
}

// holds compares some fields of an answer.
func (s superadmin) holds(out map[string]any, what map[string]any) {
	s.Helper()
	for name, want := range what {
		if out[name] != want {
			s.Errorf("%s: got %v, want %v", name, out[name], want)
		}
	}
}
