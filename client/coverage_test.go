package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/client"
)

// document is what of an OpenAPI document the client can be compared with.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct{ Name, In string }
	Body       *content           `json:"requestBody"`
	Responses  map[string]content `json:"responses"`
}

type content struct {
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Enum       []any
	Properties map[string]schema
	Items      *schema
	OneOf      []schema `json:"oneOf"`
	AnyOf      []schema `json:"anyOf"`
	More       any      `json:"additionalProperties"`
	Format     string
}

func openDocument(t *testing.T) *document {
	t.Helper()
	b, err := os.ReadFile("../internal/api/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	d := new(document)
	if err := json.Unmarshal(b, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// find gives the operation of a request.
func (d *document) find(method, path string) (operation, bool) {
	parts := strings.Split(path, "/")
	best, most := operation{}, -1
	for template, methods := range d.Paths {
		o, ok := methods[strings.ToLower(method)]
		fixed, want := 0, strings.Split(template, "/")
		if !ok || len(want) != len(parts) {
			continue
		}
		for i := range want {
			if want[i] == parts[i] {
				fixed++
			} else if !strings.HasPrefix(want[i], "{") {
				fixed = -1
				break
			}
		}
		if fixed > most {
			best, most = o, fixed
		}
	}
	return best, most >= 0
}

// fields gives the properties of a schema.
func (d *document) fields(s schema) []string {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return slices.Sorted(maps.Keys(s.Properties))
}

// sample makes a value of a schema: every field there, and every field that
// may be null null, if empty.
func (d *document) sample(s schema, empty bool) any {
	if s.Ref != "" {
		return d.sample(d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]], empty)
	}
	if several := slices.Concat(s.OneOf, s.AnyOf); len(several) > 0 {
		if empty && slices.ContainsFunc(several, func(s schema) bool { return s.Type == "null" }) {
			return nil
		}
		return d.sample(several[0], empty)
	}
	kind := s.Type
	if several, ok := kind.([]any); ok {
		if empty && slices.Contains(several, any("null")) {
			return nil
		}
		kind = several[0]
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Format == "date-time":
		return "2026-11-23T14:00:00.123Z"
	case kind == "integer":
		return 7.0
	case kind == "number":
		return 1.5
	case kind == "boolean":
		return true
	case kind == "array":
		return []any{d.sample(*s.Items, empty)}
	case kind == "object":
		o := map[string]any{}
		for name, p := range s.Properties {
			o[name] = d.sample(p, empty)
		}
		if b, _ := json.Marshal(s.More); len(b) > 0 && b[0] == '{' {
			var more schema
			_ = json.Unmarshal(b, &more)
			o["some"] = d.sample(more, empty)
		}
		return o
	}
	return "x"
}

// recorded is a request that the client made.
type recorded struct {
	method, path string
	query        url.Values
	body         []byte
	answer       any
}

// mirror answers every request by its operation's schema.
type mirror struct {
	*document
	empty bool
	mu    sync.Mutex // guards last
	last  *recorded
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	rec := &recorded{method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: b}
	m.mu.Lock()
	m.last = rec
	m.mu.Unlock()
	o, _ := m.find(r.Method, r.URL.Path)
	success := "200" // of a dry run, where there is another
	for status := range o.Responses {
		if status[0] == '2' {
			success = max(success, status)
		}
	}
	c := o.Responses[success]
	if s, ok := c.Content["application/json"]; ok {
		rec.answer = m.sample(s.Schema, m.empty)
		_ = json.NewEncoder(w).Encode(rec.answer)
		return
	}
	if len(c.Content) > 0 {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// notOperations are the methods that are more, or less, than one operation.
var notOperations = map[string]bool{"SignIn": true, "Authorization": true}

func TestTheClientIsTheDocument(t *testing.T) {
	d := openDocument(t)
	for _, empty := range []bool{false, true} {
		m := &mirror{document: d, empty: empty}
		server := httptest.NewServer(m)
		c, err := client.New(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		covered := map[string]string{}
		for i := range reflect.TypeFor[*client.Client]().NumMethod() {
			method := reflect.TypeFor[*client.Client]().Method(i)
			if notOperations[method.Name] {
				continue
			}
			results := call(t, reflect.ValueOf(c).Method(i))
			rec := m.last
			o, ok := d.find(rec.method, rec.path)
			if !ok {
				t.Errorf("%s calls %s %s, which is no operation", method.Name, rec.method, rec.path)
				continue
			}
			if other := covered[o.ID]; other != "" {
				t.Errorf("%s and %s are both %s", other, method.Name, o.ID)
			}
			covered[o.ID] = method.Name
			m.compare(t, method.Name, o, rec, results)
		}
		for path, methods := range d.Paths {
			for method, o := range methods {
				if method != "patch" && covered[o.ID] == "" {
					t.Errorf("the client has nothing for %s (%s %s)", o.ID, method, path)
				}
			}
		}
		server.Close()
	}
}

// compare holds what was sent and what came out against the document.
func (m *mirror) compare(t *testing.T, name string, o operation, rec *recorded, results []reflect.Value) {
	t.Helper()
	var want []string
	for _, p := range o.Parameters {
		if p.In == "query" && p.Name != "dry_run" && p.Name != "offset" && p.Name != "cursor" {
			want = append(want, p.Name)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(rec.query)); !slices.Equal(got, want) {
		t.Errorf("%s: got query parameters %v, want %v", name, got, want)
	}
	if o.Body != nil && o.Body.Content["application/octet-stream"].Schema.Format == "binary" {
		if string(rec.body) != picture {
			t.Errorf("%s: got the body %q, want %q as it is", name, rec.body, picture)
		}
	} else if o.Body != nil {
		var sent map[string]any
		body, described := rec.body, o.Body.Content["application/json"].Schema
		if batch, ok := o.Body.Content["application/cloudevents-batch+json"]; ok {
			body, described = bytes.Trim(rec.body, "[]"), *batch.Schema.Items
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Errorf("%s: the body %q: %v", name, rec.body, err)
		}
		if got, want := slices.Sorted(maps.Keys(sent)), m.fields(described); !slices.Equal(got, want) {
			t.Errorf("%s: got body fields %v, want %v", name, got, want)
		}
	} else if len(rec.body) > 0 {
		t.Errorf("%s: got a body %s, want none", name, rec.body)
	}
	if len(results) == 0 || rec.answer == nil {
		return
	}
	b, err := json.Marshal(results[0].Interface())
	if err != nil {
		t.Fatal(err)
	}
	var got any
	_ = json.Unmarshal(b, &got)
	if _, whole := got.(map[string]any); whole && !reflect.DeepEqual(got, rec.answer) {
		wanted, _ := json.Marshal(rec.answer)
		t.Errorf("%s: got %s\nwant %s", name, b, wanted)
	} else if !whole && results[0].IsZero() {
		t.Errorf("%s: got nothing of %v", name, rec.answer)
	}
}

// call calls a method with arguments in which everything is said, and gives
// its results but for the error.
func call(t *testing.T, f reflect.Value) []reflect.Value {
	t.Helper()
	var in []reflect.Value
	for i := range f.Type().NumIn() {
		if f.Type().IsVariadic() && i == f.Type().NumIn()-1 {
			break
		}
		in = append(in, filled(t, f.Type().In(i)))
	}
	out := f.Call(in)
	switch last := out[len(out)-1]; {
	case last.Kind() == reflect.Func: // a stream, refused
		for range last.Seq2() {
		}
		return nil
	case last.Kind() == reflect.Struct: // a list
		out = last.MethodByName("Page").Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(client.Position{Limit: 9})})
	}
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		t.Errorf("got %v", err)
	}
	return out[:len(out)-1]
}

var set = map[reflect.Type]any{
	reflect.TypeFor[string]():                            "x",
	reflect.TypeFor[int]():                               7,
	reflect.TypeFor[int64]():                             int64(7),
	reflect.TypeFor[float64]():                           1.5,
	reflect.TypeFor[bool]():                              true,
	reflect.TypeFor[[]string]():                          []string{"x"},
	reflect.TypeFor[time.Time]():                         time.UnixMilli(1_700_000_000_123).UTC(),
	reflect.TypeFor[client.OrganizationRef]():            client.ID(7),
	reflect.TypeFor[[]client.SpendOperation]():           []client.SpendOperation{{}},
	reflect.TypeFor[client.Optional[string]]():           client.Set("x"),
	reflect.TypeFor[client.Optional[int64]]():            client.Set(int64(7)),
	reflect.TypeFor[client.Optional[float64]]():          client.Set(1.5),
	reflect.TypeFor[[]byte]():                            []byte(picture),
	reflect.TypeFor[client.Optional[bool]]():             client.Set(true),
	reflect.TypeFor[client.Optional[[]string]]():         client.Set([]string{"x"}),
	reflect.TypeFor[client.Optional[client.BrandEdit]](): client.Set(client.BrandEdit{}),
}

// picture is what is uploaded.
const picture = "a picture"

// filled makes a value of a type with every field set.
func filled(t *testing.T, of reflect.Type) reflect.Value {
	t.Helper()
	if of == reflect.TypeFor[context.Context]() {
		return reflect.ValueOf(t.Context())
	}
	if v, ok := set[of]; ok {
		return reflect.ValueOf(v)
	}
	switch of.Kind() {
	case reflect.Slice:
		s := reflect.MakeSlice(of, 1, 1)
		s.Index(0).Set(filled(t, of.Elem()))
		return s
	case reflect.Pointer:
		p := reflect.New(of.Elem())
		p.Elem().Set(filled(t, of.Elem()))
		return p
	case reflect.Struct:
		v := reflect.New(of).Elem()
		for i := range v.NumField() {
			v.Field(i).Set(filled(t, of.Field(i).Type))
		}
		return v
	}
	t.Fatalf("no value for %v", of)
	return reflect.Value{}
}
