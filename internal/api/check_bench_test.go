package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// BenchmarkCheck is a check as a service's hot path asks for it.
func BenchmarkCheck(b *testing.B) {
	t := &testing.T{}
	h := newServer(b, dbtest.Open(b, dbtest.SQLiteURL(b), db.Options{})).Handler()
	s := superadmin{T: t, h: h}.as(rootEmail)
	s.want("POST", "/api/tenants/register", `{"email":"a@owner.example","password":"a quite long passphrase","company_name":"Acme","contact_name":"Jo"}`, 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{"provision":true}`, 200)
	key := s.want("POST", "/api/tenants/api-keys", `{"name":"Mesh","scopes":["entitlements:read"]}`, 201)["key"]
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/tenants/organizations/1/check", strings.NewReader(`{"plugin":"calendar","meter":"bandwidth_bytes","quantity":1000}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", fmt.Sprint("Bearer ", key))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// BenchmarkReport is a report of a hundred events, all new.
func BenchmarkReport(b *testing.B) {
	t := &testing.T{}
	h := newServer(b, dbtest.Open(b, dbtest.SQLiteURL(b), db.Options{})).Handler()
	s := superadmin{T: t, h: h}.as(rootEmail)
	s.want("POST", "/api/tenants/register", `{"email":"a@owner.example","password":"a quite long passphrase","company_name":"Acme","contact_name":"Jo"}`, 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{"provision":true}`, 200)
	s.token, _ = s.want("POST", "/api/tenants/api-keys", `{"name":"Mesh","scopes":["usage:write"]}`, 201)["key"].(string)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		var body strings.Builder
		for i := range 100 {
			n++
			body.WriteString([]string{"[", ","}[min(i, 1)])
			fmt.Fprintf(&body, `{"specversion":"1.0","id":"%016x","source":"calendar","type":"bandwidth_bytes","subject":"1","data":{"value":%d}}`, n*7919, i)
		}
		w := s.call("POST", "/api/tenants/usage/events", body.String()+"]", "Content-Type", "application/cloudevents-batch+json")
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
