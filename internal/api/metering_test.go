package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db/dbtest"

	"github.com/tenantry/tenantry/internal/db"
)

// service is a caller with a platform-wide key of every scope, beside an
// organization 1.
func service(t *testing.T, d *db.DB) superadmin {
	s := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
	s.want("POST", "/api/tenants/register", `{"email":"a@owner.example","password":"a quite long passphrase","company_name":"Acme","contact_name":"Jo"}`, 201)
	s.want("POST", "/api/tenants/requests/1/approve", `{"provision":true}`, 200)
	s.token, _ = s.want("POST", "/api/tenants/api-keys", `{"name":"Mesh","scopes":["entitlements:read","usage:write","usage:read"]}`, 201)["key"].(string)
	return s
}

// Bodies that are read without huma pass the same gate.
func TestHostileBodiesOfServices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := service(t, d)
		const check, events = "/api/tenants/organizations/1/check", "/api/tenants/usage/events"
		for _, c := range []struct {
			body   string
			status int
			code   string
		}{
			{"", 400, "body_required"}, {" ", 400, "body_required"}, {"null", 422, "wrong_type"}, {"[]", 422, "wrong_type"}, {"7", 422, "wrong_type"},
			{canary, 400, "malformed_json"}, {`{"plugin":`, 400, "malformed_json"}, {`{"plugin":"a"}{}`, 400, "malformed_json"}, {`{"plugin":"a",}`, 400, "malformed_json"},
			{`{"plugin":"a","plugin":"b"}`, 400, "duplicate_field"}, {`{"plugin":"","plugin":"b"}`, 400, "duplicate_field"}, {`{"plugin":"a\ud800"}`, 400, "invalid_escape"},
			{"{\"plugin\":\"\xff\"}", 400, "invalid_utf8"}, {"{\"plugin\":\"\\u0000\"}", 400, "nul_character"}, {`{"plugin":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, 400, "too_deep"},
			{`{"Plugin":"a"}`, 422, "validation_failed"}, {`{"` + canary + `":1}`, 422, "validation_failed"}, {`{"plugin":"a","quantity":1.5,"meter":"seats"}`, 422, "wrong_type"},
			{`{"plugin":"a","amount":99999999999999999999}`, 422, "wrong_type"}, {`{"plugin":"a","amount":"1"}`, 422, "wrong_type"}, {`{"plugin":"` + strings.Repeat("a", 65) + `"}`, 422, "bad_length"},
			{`{"plugin":"` + strings.Repeat("a", 2<<20) + `"}`, 413, "body_too_large"},
		} {
			what := c.body[:min(len(c.body), 60)]
			w := s.call("POST", check, c.body)
			// One fault is named by its own code, so an unknown field alone is that.
			if w.Code != c.status || !strings.Contains(w.Body.String(), `"code":"`+c.code+`"`) && c.code != "validation_failed" || strings.Contains(w.Body.String(), canary) {
				t.Errorf("check %q: got %d %s, want %d %s", what, w.Code, w.Body, c.status, c.code)
			}
		}
		s.wantCode("POST", check, `{}`, 415, "unsupported_media_type", "Content-Type", "text/plain")
		for _, c := range []struct {
			kind, body string
			status     int
			code       string
		}{
			{"application/cloudevents+json", `[]`, 422, "wrong_type"}, {"application/cloudevents+json", `{`, 400, "malformed_json"}, {"application/cloudevents+json", ``, 400, "body_required"},
			{"application/cloudevents-batch+json", `{}`, 422, "wrong_type"}, {"application/cloudevents-batch+json", `null`, 422, "wrong_type"},
			{"application/cloudevents-batch+json", `[{"id":"a","id":"b"}]`, 400, "duplicate_field"},
			{"application/cloudevents-batch+json", `[` + strings.Repeat(`1,`, 1000) + `1]`, 422, "too_many"},
			{"application/cloudevents-batch+json", `["` + strings.Repeat("a", 1<<20) + `"]`, 413, "body_too_large"},
			{"application/x-ndjson", ``, 400, "body_required"}, {"application/x-ndjson", "\n \n", 400, "body_required"},
			{"application/x-ndjson", strings.Repeat("a", 70_000), 413, "body_too_large"}, {"application/json", `{}`, 415, "unsupported_media_type"},
			{"application/cloudevents+json; charset=latin1", `{}`, 415, "unsupported_media_type"},
		} {
			s.wantCode("POST", events, c.body, c.status, c.code, "Content-Type", c.kind)
		}
		// Lines that are no events are refused one by one; those of a stream are
		// counted by the thousand.
		var lines strings.Builder
		for n := range 2500 {
			fmt.Fprintf(&lines, `{"specversion":"1.0","id":"%d","source":"calendar","type":"bandwidth_bytes","subject":"1","data":{"value":2}}`+"\n", n%2400)
			if n%1000 == 0 {
				lines.WriteString("{\"id\":\"\\ud800\"}\nnot JSON\n\n")
			}
		}
		out := s.want("POST", events, lines.String(), 200, "Content-Type", "application/x-ndjson")
		s.holds(out, map[string]any{"accepted": 2400.0, "duplicate": 100.0, "refused": 6.0})
		usage := s.want("GET", "/api/tenants/organizations/1/usage", "", 200)
		s.holds(object(usage, "bandwidth_gb"), map[string]any{"used_bytes": 4800.0})
	})
}
