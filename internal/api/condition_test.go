package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A condition may be spread over several lines, and HEAD has it like GET.
func TestConditionsInSeveralLines(t *testing.T) {
	_, s := onSQLite(t)
	const path = "/api/tenants/settings"
	tag := s.call("GET", path, "").Header().Get("ETag")
	for _, c := range []struct {
		method, name string
		want         int
	}{
		{"GET", "If-None-Match", 304}, {"HEAD", "If-None-Match", 304},
		{"PUT", "If-Match", 200},
	} {
		r := httptest.NewRequest(c.method, path, http.NoBody)
		if c.method == "PUT" {
			r = httptest.NewRequest(c.method, path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Add(c.name, `"v999-x"`)
		r.Header.Add(c.name, tag)
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s in two lines: got %d, want %d", c.method, c.name, w.Code, c.want)
		}
	}
}

// Every single thing has an ETag, and is 304 to whoever has it already.
func TestEverySingleThingHasAnETag(t *testing.T) {
	_, s := onSQLite(t)
	s.want("POST", "/api/tenants/admins", `{"name":"Agency","contact_email":"desk@agency.example"}`, 201)
	s.want("POST", "/api/tenants/api-keys", `{"name":"Shop","scopes":["usage:read"]}`, 201)
	s.want("POST", "/api/tenants/register", `{"email":"a@b.example","password":"a quite long passphrase","company_name":"Abc","contact_name":"B"}`, 201)
	for _, path := range []string{"/api/tenants/admins/1", "/api/tenants/admins/1/credits", "/api/tenants/api-keys/1", "/api/tenants/requests/1"} {
		tag := s.call("GET", path, "").Header().Get("ETag")
		if w := s.call("GET", path, "", "If-None-Match", tag); tag == "" || w.Code != 304 {
			t.Errorf("%s: got the ETag %q, and then %d, want 304", path, tag, w.Code)
		}
	}
	s.want("POST", "/api/tenants/requests/1/approve", `{}`, 200)
	if w := s.call("POST", "/api/tenants/requests/1/provision", ""); w.Code != 200 || w.Header().Get("ETag") == "" {
		t.Errorf("provision: got %d without an ETag", w.Code)
	}
	if w := s.call("POST", "/api/tenants/notifications/1/read", ""); w.Code != 200 || w.Header().Get("ETag") == "" {
		t.Errorf("read a notification: got %d without an ETag", w.Code)
	}
}
