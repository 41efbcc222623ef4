package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// canary stands in everything hostile that is sent; no answer may hold it.
const canary = "cAnArY7"

// hostile is one request that must be refused.
type hostile struct {
	what, method, target string
	body                 []byte
	header               map[string]string
}

// attack sends hostile requests and looks at what comes back.
type attack struct {
	superadmin
	d     *db.DB
	doc   map[string]any
	ids   map[string]string // path parameters that name something
	count int
}

// Hostile input on every route answers 4xx as a problem document, echoes
// nothing, and changes nothing.
func TestHostileInput(t *testing.T) {
	total := 0
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := newServer(t, d)
		a := &attack{superadmin: superadmin{T: t, h: server.Handler()}.as(rootEmail), d: d}
		_, a.doc = document(t, a.h)
		a.settle()
		for _, o := range server.Operations() {
			if o.ID == "stream-notifications" {
				continue // has neither body nor query, and answers for as long as one listens
			}
			before := a.digest()
			for _, h := range slices.Concat(a.bodies(o), a.queries(o), a.paths(o), a.headers(o)) {
				a.refused(o, h)
			}
			for table, sum := range a.digest() {
				if before[table] != sum {
					t.Errorf("%s %s: hostile input changed the table %s", o.Method, o.Path, table)
				}
			}
		}
		t.Logf("%d hostile requests", a.count)
		total += a.count
	})
	if total < 10_000 {
		t.Errorf("only %d hostile requests were made", total)
	}
}

// settle makes something of every kind, so that the paths of the attack lead
// somewhere.
func (a *attack) settle() {
	a.want("POST", "/api/tenants/partner-groups", `{"name":"Gold"}`, 201)
	a.want("POST", "/api/tenants/admins", `{"name":"Agency","contact_email":"desk@agency.example"}`, 201)
	a.want("POST", "/api/tenants/admins/1/grant-credits", `{"amount":1000,"reason":"begin"}`, 200)
	for i, name := range []string{"first", "second"} {
		a.want("POST", "/api/tenants/register", fmt.Sprintf(`{"email":"%s@owner.example","password":"a quite long passphrase","company_name":"%s","contact_name":"Jo"}`, name, name), 201)
		if i == 0 {
			a.want("POST", "/api/tenants/requests/1/approve", `{"provision":true,"admin_id":1}`, 200)
		}
	}
	a.want("POST", "/api/tenants/organizations/1/invitations", `{"email":"new@member.example","role":"member"}`, 201)
	a.want("POST", "/api/tenants/organizations/1/api-keys", `{"name":"Shop","scopes":["usage:read"]}`, 201)
	a.want("POST", "/api/tenants/organizations/1/access", `{"reason":"to look","minutes":5}`, 201)
	a.ids = map[string]string{"grant_id": "1", "request_id": "2", "org_id": "1", "user_id": "2", "key_id": "1", "id": "1", "admin_id": "1", "key": "calendar", "session_id": "1", "invitation_id": "1", "reservation_id": "1"}
	if n, _ := a.want("GET", "/api/tenants/notifications", "", 200)["data"].([]any); len(n) > 0 {
		a.ids["notification"] = fmt.Sprint(object(n[0])["id"])
	}
}

// path fills in the parameters of a path; those in other are taken from there.
func (a *attack) path(o api.Operation, other map[string]string) string {
	parts := strings.Split(o.Path, "/")
	for i, p := range parts {
		name, ok := strings.CutPrefix(p, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value := a.ids[name]
		if v, ok := other[name]; ok {
			value = v
		} else if parts[i-1] == "notifications" {
			value = a.ids["notification"]
		}
		if value == "" {
			a.Fatalf("%s: give the test a value for {%s}", o.Path, name)
		}
		parts[i] = value
	}
	return strings.Join(parts, "/")
}

// fill is the least body that gets a request with another fault that far.
func (a *attack) fill(o api.Operation) []byte {
	if a.schema(o) == nil {
		return nil
	}
	return []byte("{}")
}

// schema is that of the body; nil where the route takes none.
func (a *attack) schema(o api.Operation) map[string]any {
	s := object(a.doc, "paths", o.Path, strings.ToLower(o.Method), "requestBody", "content", "application/json", "schema")
	return a.resolve(s)
}

func (a *attack) resolve(s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return object(a.doc, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/"))
	}
	return s
}

// bodies are wrong as a whole, or in one field.
func (a *attack) bodies(o api.Operation) (all []hostile) {
	s := a.schema(o)
	target := a.path(o, nil)
	add := func(what, body string) {
		all = append(all, hostile{what: what, method: o.Method, target: target, body: []byte(body)})
	}
	if o.Mutates {
		for _, kind := range []string{"", "text/plain", "application/merge-patch+json", "application/problem+json", "application/json; charset=latin1", "application/json; charset"} {
			all = append(all, hostile{what: "content type " + kind, method: o.Method, target: target, body: []byte("{}"), header: map[string]string{"Content-Type": kind}})
		}
	}
	if s == nil && o.Mutates {
		for _, body := range []string{"null", "[]", " ", "7", `{"a":1,"a":2}`, `{"` + canary + `":1}`, "{", "{}{}", "\xff", strings.Repeat(" ", 2<<20)} {
			add("body where none is", body)
		}
	}
	if s == nil {
		return all
	}
	fields := slices.Sorted(maps.Keys(object(s, "properties")))
	first := fields[0]
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	for what, body := range map[string]string{
		"empty": "", "blank": " ", "null": "null", "array": `["` + canary + `"]`, "text": `"` + canary + `"`, "number": "7", "not JSON": canary,
		"cut off": `{"` + first + `":`, "single quotes": `{'` + first + `':1}`, "comment": `{/*` + canary + `*/}`, "trailing comma": `{"` + first + `":null,}`,
		"NaN": `{"` + first + `":NaN}`, "leading zero": `{"` + first + `":01}`, "plus": `{"` + first + `":+1}`, "hex": `{"` + first + `":0x10}`,
		"unknown field": `{"` + canary + `":1}`, "prototype": `{"__proto__":{"` + canary + `":1}}`, "empty name": `{"":1}`,
		"deep": `{"` + first + `":` + deep + `}`, "deep unknown": `{"x":` + deep + `}`, "2 MiB": `{"` + first + `":"` + strings.Repeat("a", 2<<20) + `"}`,
		"bad UTF-8": `{"` + first + "\":\"" + canary + "\xff\"}", "overlong UTF-8": `{"` + first + "\":\"\xc0\xaf\"}", "UTF-16": "\xff\xfe{\x00}\x00", "BOM": "\xef\xbb\xbf{}",
		"bad UTF-8 name": "{\"\xff\":1}", "lone surrogate": `{"` + first + `":"` + canary + `\ud800"}`, "reversed surrogates": `{"` + first + `":"\udc00\ud800"}`,
		"NUL": "{\"" + first + "\":\"\x00\"}", "escaped NUL": `{"` + first + `":"\u0000"}`, "escaped NUL name": `{"\u0000":1}`,
		"second value": `{} {"` + canary + `":1}`, "second value at once": `{}{}`, "garbage after": `{}` + canary, "array after": `{}[]`,
	} {
		add(what, body)
	}
	for _, f := range fields {
		add("duplicate "+f, `{"`+f+`":null,"`+f+`":null}`)
		add("escaped duplicate "+f, fmt.Sprintf(`{%q:null,"\u%04x%s":null}`, f, f[0], f[1:]))
		add("upper case "+f, `{"`+strings.ToUpper(f)+`":"`+canary+`"}`)
		add("title case "+f, `{"`+strings.ToUpper(f[:1])+f[1:]+`":"`+canary+`"}`)
		for _, value := range wrong(a.resolve(object(s, "properties", f))) {
			add(f+" = "+value, `{"`+f+`":`+value+`}`)
		}
	}
	return append(all, hostile{what: "a form", method: o.Method, target: target, body: []byte("a=" + canary), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
}

// wrong are values of every type that a schema does not take.
func wrong(s map[string]any) (all []string) {
	types := typesOf(s)
	is := func(t string) bool { return slices.Contains(types, t) }
	if len(types) == 0 {
		return nil
	}
	if !is("object") {
		all = append(all, `{}`, `{"`+canary+`":1}`)
	}
	if !is("array") {
		all = append(all, `[]`, `["`+canary+`"]`)
	} else {
		all = append(all, `[{}]`, `[[]]`, `[null]`)
	}
	if !is("boolean") {
		all = append(all, `true`, `false`)
	} else {
		all = append(all, `"true"`, `1`, `0`)
	}
	if !is("string") {
		all = append(all, `"`+canary+`"`, `""`, `"1"`)
	} else {
		all = append(all, `"`+canary+strings.Repeat("x", 20_000)+`"`, `"`+canary+`\u202e"`, `"\u0007"`)
	}
	if !is("number") && !is("integer") {
		all = append(all, `1`, `-1`, `1.5`)
	}
	if is("number") {
		all = append(all, `1e400`, `-2`, `1.005`, `101`)
	}
	if is("integer") {
		all = append(all, `1.5`, `1.0`, `1e3`, `1E3`, `-0.0`, `9223372036854775808`, `-9223372036854775809`, `1e400`, `-2`, `-9223372036854775808`, `99999999999999999999999999`)
	}
	return all
}

// queries repeat parameters, invent them, and give them what they do not take.
func (a *attack) queries(o api.Operation) (all []hostile) {
	path := a.path(o, nil)
	add := func(what, query string) {
		all = append(all, hostile{what: what, method: o.Method, target: path + "?" + query, body: a.fill(o)})
	}
	add("unknown parameter", canary+"=1")
	add("bad escape", "limit=%zz")
	add("semicolon", "limit=1;offset=2")
	if o.Mutates && !o.DryRuns {
		add("dry run", "dry_run=true")
	}
	if !o.Mutates {
		add("dry run of a read", "dry_run=true")
	}
	parameters, _ := object(a.doc, "paths", o.Path, strings.ToLower(o.Method))["parameters"].([]any)
	for _, p := range parameters {
		p := object(p)
		if p["in"] != "query" {
			continue
		}
		name, schema := p["name"].(string), object(p, "schema")
		add("repeated "+name, name+"=1&"+name+"=1")
		add("other case "+name, strings.ToUpper(name)+"=1")
		add("array "+name, name+"[]=1")
		values := []string{"%00", "%ff", canary + "%00"}
		if name != "q" {
			values = append(values, "")
		}
		types := typesOf(schema)
		switch {
		case slices.Contains(types, "integer"):
			values = append(values, canary, "1.5", "1e3", "-1", "99999999999999999999", "%201", "0x10", "%EF%BC%91", "true", "%2b5", "05")
		case slices.Contains(types, "boolean"):
			values = append(values, canary, "yes", "2", "TRUE1", "null")
		case schema["enum"] != nil || schema["format"] != nil:
			values = append(values, canary, "1")
		default:
			values = append(values, strings.Repeat("x", 3000))
		}
		for _, v := range values {
			add(name+"="+v[:min(len(v), 20)], name+"="+v)
		}
	}
	return all
}

// paths name nothing, or try to be another path.
func (a *attack) paths(o api.Operation) (all []hostile) {
	add := func(what, target string) {
		all = append(all, hostile{what: what, method: o.Method, target: target, body: a.fill(o)})
	}
	for part := range strings.SplitSeq(o.Path, "/") {
		name, ok := strings.CutPrefix(part, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		for _, v := range []string{
			"0", "-1", "999999999", "9223372036854775807", "9223372036854775808", "1.5", "1e3", "+1", "01", "01x", "0x1", "%00", "1%00", "%2f", "1%2f2", "%2e%2e", "..%2f..%2f", "1;a=b", "1%3b",
			"%EF%BC%91", "%ff", "%D9%A1", canary, strings.Repeat("1", 4000), strings.Repeat("a", 4000), url.PathEscape("' OR 1=1 --" + canary), "%20", "1%20", "null", "undefined", "*", "%25", "%0a",
		} {
			add("{"+name+"} = "+v[:min(len(v), 20)], a.path(o, map[string]string{name: v}))
		}
	}
	path := a.path(o, nil)
	for what, target := range map[string]string{
		"trailing slash": path + "/", "two slashes": strings.Replace(path, "/api", "//api", 1), "two slashes inside": strings.Replace(path, "/api/", "/api//", 1),
		"a dot": strings.Replace(path, "/api/", "/api/./", 1), "two dots": strings.Replace(path, "/api/", "/x/../api/", 1), "escaped dots": strings.Replace(path, "/api/", "/x/%2e%2e/api/", 1),
		"upper case": strings.Replace(path, "/api/", "/API/", 1), "semicolon": path + ";a=" + canary, "escaped slash": strings.Replace(path, "/api/", "/api%2f", 1),
		"suffix": path + ".json", "backslash": strings.Replace(path, "/api/", "/api%5c", 1), "more": path + "/" + canary,
	} {
		add(what, target)
	}
	return all
}

// headers are wrong where the route listens to them.
func (a *attack) headers(o api.Operation) (all []hostile) {
	path := a.path(o, nil)
	add := func(name, value string) {
		all = append(all, hostile{what: name + ": " + value[:min(len(value), 20)], method: o.Method, target: path, body: a.fill(o), header: map[string]string{name: value}})
	}
	if o.Locks {
		for _, v := range []string{canary, `"v"`, `"v-1-x"`, `"v99999999999999999999-x"`, `"v999-` + canary + `"`, `W/"v1-x"x`} {
			add("If-Match", v)
		}
	}
	if o.Keeps {
		for _, v := range []string{strings.Repeat("k", 300), "a\x01b", "ключ", " "} {
			add("Idempotency-Key", v)
		}
	}
	if !o.Public {
		for _, v := range []string{"Bearer", "Bearer ", "Bearer " + canary, "Basic cm9vdDpyb290", "Bearer tnt_at_" + canary, "Bearer tnt_sk_" + canary, "Token " + a.token, "Bearer " + a.token + "x", "Bearer " + strings.Repeat("a", 9000), a.token} {
			add("Authorization", v)
		}
	}
	return all
}

// refused sends a hostile request and looks at the answer.
func (a *attack) refused(o api.Operation, h hostile) {
	a.count++
	r := httptest.NewRequestWithContext(context.Background(), h.method, "/", bytes.NewReader(h.body))
	if h.body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	u, err := url.ParseRequestURI("http://example.com" + h.target)
	if err != nil {
		return // net/http answers 400 before we see it
	}
	u.Scheme, u.Host = "", ""
	r.URL, r.RequestURI = u, h.target
	if h.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	for name, value := range h.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	fault := func(format string, args ...any) {
		text := w.Body.String()
		a.Errorf("%s %s, %s: %s: %d %s", o.Method, o.Path, h.what, fmt.Sprintf(format, args...), w.Code, text[:min(len(text), 400)])
	}
	if w.Code < 400 || w.Code >= 500 {
		fault("want it refused")
		return
	}
	var p struct {
		Status  int
		Code    string
		Request string `json:"request_id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Code == "" || p.Request == "" || w.Header().Get("Content-Type") != "application/problem+json" {
		fault("no problem document")
	}
	for _, leak := range []string{canary, "SELECT ", "INSERT ", "goroutine", ".go:", "sql", "pq:", "constraint"} {
		if strings.Contains(w.Body.String(), leak) {
			fault("the answer holds %q", leak)
		}
	}
}

// moves are the tables that refused requests may change.
var moves = map[string]string{
	"sessions":         "remembers when it was used last",
	"throttle":         "counts failures",
	"goose_db_version": "is the migrations'",
	"audit_events":     "has a row for what was denied",
	"audit_pending":    "has a row for what was denied",
	"audit_actors":     "counts what was denied",
	"audit_heads":      "counts what was denied",
	"audit_rollups":    "counts what was denied",
}

// digest sums up every table.
func (a *attack) digest() map[string]string {
	a.Helper()
	sums := map[string]string{}
	err := a.d.Read(context.Background(), func(tx *db.Tx) error {
		columns, err := columns(tx)
		if err != nil {
			return err
		}
		for table, names := range columns {
			if moves[table] != "" {
				continue
			}
			rows, err := db.All(tx, func(r db.Row) (string, error) {
				values, to := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					to[i] = &values[i]
				}
				err := r.Scan(to...)
				return fmt.Sprint(values), err
			}, "SELECT "+strings.Join(names, ", ")+" FROM "+table)
			if err != nil {
				return err
			}
			slices.Sort(rows)
			sum := sha256.Sum256([]byte(strings.Join(rows, "\n")))
			sums[table] = hex.EncodeToString(sum[:])
		}
		return nil
	})
	if err != nil {
		a.Fatal(err)
	}
	if len(sums) < 20 {
		a.Fatalf("only %d tables", len(sums))
	}
	return sums
}

// columns lists the tables with their columns.
func columns(tx *db.Tx) (map[string][]string, error) {
	query := `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, column_name`
	if tx.Engine() == db.SQLite {
		query = `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.name`
	}
	pairs, err := db.All(tx, func(r db.Row) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) }, query)
	all := map[string][]string{}
	for _, p := range pairs {
		all[p[0]] = append(all[p[0]], p[1])
	}
	return all, err
}
