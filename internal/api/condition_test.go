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
