package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

var update = flag.Bool("update", false, "rewrite testdata/openapi.json and the matrices in docs")

const goldenDocument = "testdata/openapi.json"

// document reads /openapi.json as a client would.
func document(t testing.TB, h http.Handler) (pretty []byte, doc map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", http.NoBody))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("/openapi.json: got %d %v", w.Code, w.Header())
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	// Through a map, so that the order of the file is the names' own.
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n'), doc
}

// onSQLite gives the API on a database of its own, for what no engine bears on.
func onSQLite(t *testing.T) (*api.Server, superadmin) {
	t.Helper()
	s := newServer(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	return s, superadmin{T: t, h: s.Handler()}.as(rootEmail)
}

// A change of the contract shows as a change of this file.
func TestOpenAPIGolden(t *testing.T) {
	_, s := onSQLite(t)
	got, _ := document(t, s.h)
	if *update {
		if err := os.WriteFile(goldenDocument, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenDocument)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("/openapi.json differs from %s at line %d; if that is meant: go test ./internal/api -run OpenAPI -update", goldenDocument, lineOfDifference(got, want))
	}
}

func lineOfDifference(a, b []byte) int {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return i + 1
		}
	}
	return min(len(x), len(y)) + 1
}

// object follows names through nested objects; nil where one is missing.
func object(v any, names ...string) map[string]any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	m, _ := v.(map[string]any)
	return m
}

func TestOpenAPISaysWhatTheRoutesAre(t *testing.T) {
	server, s := onSQLite(t)
	_, doc := document(t, s.h)
	documented := map[string]bool{}
	for path, methods := range object(doc, "paths") {
		if !strings.HasPrefix(path, "/api/tenants/") && !strings.HasPrefix(path, "/api/auth/") {
			t.Errorf("%s is not absolute", path)
		}
		for method := range methods.(map[string]any) {
			documented[strings.ToUpper(method)+" "+path] = true
		}
	}
	ids := map[string]bool{}
	for _, o := range server.Operations() {
		name := o.Method + " " + o.Path
		d := object(doc, "paths", o.Path, strings.ToLower(o.Method))
		if d == nil {
			t.Errorf("%s is not in the document", name)
			continue
		}
		delete(documented, name)
		if id, _ := d["operationId"].(string); id != o.ID || ids[id] {
			t.Errorf("%s: operationId %q, want %q, and unique", name, id, o.ID)
		}
		ids[o.ID] = true
		for field, want := range map[string]any{"x-permission": o.Permission, "x-dry-run": o.DryRuns, "x-idempotency": o.Keeps, "summary": o.Summary} {
			if d[field] != want || want == "" {
				t.Errorf("%s: %s is %v, want %v", name, field, d[field], want)
			}
		}
		if roles, _ := d["x-roles"].([]any); len(roles) != len(o.Roles) || len(roles) == 0 {
			t.Errorf("%s: x-roles is %v, want %v", name, roles, o.Roles)
		}
		if tags, _ := d["tags"].([]any); len(tags) != 1 || tags[0] != o.Tag || o.Tag == "" {
			t.Errorf("%s: tags %v, want [%s]", name, tags, o.Tag)
		}
		if _, secured := d["security"]; secured == o.Public {
			t.Errorf("%s: security %v, public %v", name, d["security"], o.Public)
		}
		parametersAgree(t, name, o, d)
		answersAgree(t, name, o, d)
		if o.Method == http.MethodPut && object(doc, "paths", o.Path, "patch") == nil {
			t.Errorf("%s has no PATCH", name)
		}
	}
	for name := range documented {
		t.Errorf("%s is documented, but no route", name)
	}
	if len(tagsOf(doc)) < 10 {
		t.Errorf("got %d tags", len(tagsOf(doc)))
	}
	for _, tag := range tagsOf(doc) {
		if text, _ := object(tag)["description"].(string); len(text) < 20 {
			t.Errorf("tag %v has no description", object(tag)["name"])
		}
	}
}

// parametersAgree holds the parameters of an operation against its route.
func parametersAgree(t *testing.T, name string, o api.Operation, d map[string]any) {
	t.Helper()
	got := map[string]bool{}
	all, _ := d["parameters"].([]any)
	for _, p := range all {
		p := object(p)
		key := p["in"].(string) + " " + p["name"].(string)
		if got[key] {
			t.Errorf("%s: %s is documented twice", name, key)
		}
		got[key] = true
		if text, _ := p["description"].(string); len(text) < 3 {
			t.Errorf("%s: %s has no description", name, key)
		}
		if object(p, "schema")["type"] == nil {
			t.Errorf("%s: %s has no type", name, key)
		}
	}
	for _, q := range o.Query {
		if !got["query "+q] {
			t.Errorf("%s: the query parameter %s is not documented", name, q)
		}
		delete(got, "query "+q)
	}
	for part := range strings.SplitSeq(o.Path, "/") {
		if p, ok := strings.CutPrefix(part, "{"); ok {
			p = strings.TrimSuffix(p, "}")
			if !got["path "+p] {
				t.Errorf("%s: the path parameter %s is not documented", name, p)
			}
			delete(got, "path "+p)
		}
	}
	for header, on := range map[string]bool{"Idempotency-Key": o.Keeps, "If-Match": o.Locks} {
		if got["header "+header] != on {
			t.Errorf("%s: %s documented %v, want %v", name, header, !on, on)
		}
		delete(got, "header "+header)
	}
	for _, known := range []string{"header Accept", "header If-None-Match", "header Last-Event-ID"} {
		delete(got, known)
	}
	for extra := range got {
		t.Errorf("%s: %s is documented, but not taken", name, extra)
	}
}

// answersAgree asks for one success with a schema, and the refusals.
func answersAgree(t *testing.T, name string, o api.Operation, d map[string]any) {
	t.Helper()
	successes := 0
	for status, answer := range object(d, "responses") {
		if status[0] == '3' && status == "304" {
			continue
		}
		content := object(answer, "content")
		if text, _ := object(answer)["description"].(string); text == "" {
			t.Errorf("%s: %s has no description", name, status)
		}
		switch {
		case status[0] == '2' && status != "204":
			successes++
			for kind := range content {
				if object(content, kind, "schema") == nil {
					t.Errorf("%s: %s %s has no schema", name, status, kind)
				}
			}
			if len(content) == 0 {
				t.Errorf("%s: %s has no content", name, status)
			}
		case status == "204":
			successes++
			if len(content) > 0 {
				t.Errorf("%s: 204 with content", name)
			}
		case object(content, "application/problem+json", "schema")["$ref"] != "#/components/schemas/Problem":
			t.Errorf("%s: %s is no problem document: %v", name, status, content)
		}
	}
	ways := 1
	if o.DryRuns && (object(d, "responses", "201") != nil || object(d, "responses", "204") != nil) {
		ways = 2 // a dry run answers 200
	}
	if successes != ways {
		t.Errorf("%s: %d successes, want %d", name, successes, ways)
	}
	want := []string{"422", "500", "503"}
	if o.Public {
		want = append(want, "429")
	} else {
		want = append(want, "401")
	}
	if !o.Public && !o.Self {
		want = append(want, "403")
	}
	if strings.Contains(o.Path, "{") {
		want = append(want, "404")
	}
	if o.Locks {
		want = append(want, "412")
	}
	if object(d, "requestBody") != nil {
		want = append(want, "400", "413", "415")
	}
	for _, status := range want {
		if object(d, "responses", status) == nil {
			t.Errorf("%s: %s is not documented", name, status)
		}
	}
}

func tagsOf(doc map[string]any) []any {
	tags, _ := doc["tags"].([]any)
	return tags
}

// walk visits every value of the document with the path to it.
func walk(v any, path string, f func(path string, m map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(path, v)
		for name, inner := range v {
			walk(inner, path+"/"+name, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, path+"[]", f)
		}
	}
}

func TestOpenAPISchemas(t *testing.T) {
	_, s := onSQLite(t)
	_, doc := document(t, s.h)
	used := map[string]bool{}
	walk(doc, "", func(path string, m map[string]any) {
		ref, ok := m["$ref"].(string)
		if !ok {
			return
		}
		name, local := strings.CutPrefix(ref, "#/components/schemas/")
		if !local || object(doc, "components", "schemas", name) == nil {
			t.Errorf("%s: %s leads nowhere", path, ref)
		}
		used[name] = true
	})
	for name, schema := range object(doc, "components", "schemas") {
		if !used[name] {
			t.Errorf("schema %s is used nowhere", name)
		}
		for property, p := range object(schema, "properties") {
			p := object(p)
			types := typesOf(p)
			if len(types) == 0 && p["$ref"] == nil && p["oneOf"] == nil && p["anyOf"] == nil && !free[name+"."+property] {
				t.Errorf("%s.%s has no type", name, property)
			}
			if slices.Contains(types, "integer") && p["format"] != "int64" && p["format"] != "int32" {
				t.Errorf("%s.%s: an integer of format %v", name, property, p["format"])
			}
			if strings.HasSuffix(property, "_at") && p["format"] != "date-time" {
				t.Errorf("%s.%s: a time of format %v", name, property, p["format"])
			}
		}
	}
}

// free are the properties that take any JSON.
var free = map[string]bool{"AuditChanged.old": true, "AuditChanged.new": true, "Rehearsal.result": true}

func typesOf(schema map[string]any) (all []string) {
	switch t := schema["type"].(type) {
	case string:
		all = append(all, t)
	case []any:
		for _, one := range t {
			all = append(all, one.(string))
		}
	}
	return all
}

// Every documented operation is served: a superadmin is answered something
// else than 404 and 405 where the path names nothing, and a problem otherwise.
func TestOpenAPIIsServed(t *testing.T) {
	server, s := onSQLite(t)
	for _, o := range server.Operations() {
		if o.ID == "stream-notifications" {
			continue // answers for as long as the client listens
		}
		path := o.Path
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "1" + after
		}
		body := ""
		if o.Mutates && o.Method != http.MethodDelete {
			body = "[]"
		}
		w := s.call(o.Method, path, body)
		missing := w.Code == 404 && !strings.Contains(o.Path, "{")
		if missing || w.Code == 405 || w.Code >= 500 {
			t.Errorf("%s %s: got %d %s", o.Method, o.Path, w.Code, w.Body)
		}
		if w.Code == 404 && w.Header().Get("Allow") != "" {
			t.Errorf("%s %s: not on the mux", o.Method, o.Path)
		}
	}
}
