package api

import (
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
)

// settleHuma sets what huma keeps for the whole process, once: servers beside
// each other read it.
var settleHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		if ctx == nil {
			return &Problem{Status: status}
		}
		r, w := humago.Unwrap(ctx)
		err := fromHuma(status, errs)
		if c, ok := ctx.Context().Value(callKey{}).(*Call); ok {
			err = c.judged(err)
		}
		p := problemOf(err, requestID(r.Context()))
		w.Header().Set("Cache-Control", "no-store")
		return p
	}
	huma.NewError = func(status int, msg string, _ ...error) huma.StatusError {
		return &Problem{Status: status, Detail: msg}
	}
})

// newHuma sets huma up: our gate reads the bodies, our problems refuse, and
// nothing is added to answers.
func (s *Server) newHuma() huma.API {
	settleHuma()
	cfg := huma.DefaultConfig("Tenantry", s.Version)
	cfg.Info.Description = "The control plane of a white-label, multi-tenant SaaS business.\n\n" +
		"Things that can be edited carry an ETag. A change with If-Match is made only while that is still theirs; " +
		"where a route changes nothing that has an ETag, If-Match is refused with 412."
	cfg.CreateHooks = nil
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	cfg.Formats = map[string]huma.Format{"application/json": format, "json": format}
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token (tnt_at_…) or an API key (tnt_sk_…)."},
	}
	alias[string](cfg.Components.Schemas)
	alias[int64](cfg.Components.Schemas)
	alias[bool](cfg.Components.Schemas)
	alias[float64](cfg.Components.Schemas)
	alias[[]string](cfg.Components.Schemas)
	alias[id.Group](cfg.Components.Schemas)
	alias[id.Admin](cfg.Components.Schemas)
	schemas(cfg.Components.Schemas)
	return humago.New(s.mux, cfg)
}

// alias documents a merging field as an optional value that may be null.
func alias[T any](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[patch.Field[T]](), reflect.TypeFor[*T]())
}

// schemaName names a type after its package and name: partner.Group is
// PartnerGroup, page.List[partner.Group] is PartnerGroupList.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := t.Name()
	if name == "" {
		return camel(hint)
	}
	if outer, inner, ok := strings.Cut(name, "["); ok {
		inner = strings.TrimSuffix(inner, "]")
		return camel(path.Base(inner)) + outer
	}
	pkg := path.Base(t.PkgPath())
	if pkg == "api" || pkg == "." {
		return camel(name)
	}
	return camel(pkg + "." + name)
}

// camel joins words at . - _ / with capitals, without saying one twice.
func camel(s string) string {
	var b strings.Builder
	last := ""
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(".-_/[]*, ", r) }) {
		w = strings.ToUpper(w[:1]) + w[1:]
		if w != last {
			b.WriteString(w)
		}
		last = w
	}
	return b.String()
}

// operation is the huma form of an operation, with its answers documented.
func (s *Server) operation(o *op, out reflect.Type) huma.Operation {
	status := o.success
	s.meter.add(o.Method + " " + o.Path)
	h := huma.Operation{
		Method: o.Method, Path: o.Path, OperationID: o.ID, Summary: o.Summary, Description: o.Description,
		Tags: []string{o.Tag}, DefaultStatus: status, MaxBodyBytes: maxBody + 1, SkipValidateBody: true,
		Extensions: o.extensions(), Responses: map[string]*huma.Response{},
	}
	if !o.May.Public {
		h.Security = []map[string][]string{{"bearer": {}}}
	}
	h.Parameters = o.parameters()
	response := &huma.Response{Description: http.StatusText(status), Headers: o.headers(out)}
	if o.Answers != nil {
		out = reflect.TypeOf(o.Answers)
	}
	if status != http.StatusNoContent {
		registry := s.huma.OpenAPI().Components.Schemas
		response.Content = map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(out, true, o.ID+"-answer")}}
	}
	h.Responses[strconv.Itoa(status)] = response
	if o.dryRuns() && status != http.StatusOK {
		schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rehearsal](), true, "")
		h.Responses["200"] = &huma.Response{Description: "Dry run", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	}
	if _, tagged := response.Headers["ETag"]; tagged && !o.mutates() {
		h.Parameters = append(h.Parameters, &huma.Param{Name: "If-None-Match", In: "header", Description: "The ETag you have; answered 304 while it is still that.", Schema: &huma.Schema{Type: "string"}})
		h.Responses["304"] = &huma.Response{Description: http.StatusText(http.StatusNotModified), Headers: map[string]*huma.Param{"ETag": response.Headers["ETag"]}}
	}
	s.problems(o, h.Responses)
	return h
}

// bodySchema is what a body of the operation is held against; nil for none. It
// documents the form that the operation takes besides JSON.
func (s *Server) bodySchema(o *op) *huma.Schema {
	if !o.body {
		return nil
	}
	p := s.huma.OpenAPI().Paths[o.Path]
	h := map[string]*huma.Operation{http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete}[o.Method]
	if o.Form {
		h.RequestBody.Content[formType] = h.RequestBody.Content[jsonType]
	}
	return h.RequestBody.Content[jsonType].Schema
}

// document adds an operation that huma does not serve.
func (s *Server) document(o *op) {
	bare := *o
	bare.success = http.StatusNoContent // no JSON
	h := s.operation(&bare, reflect.TypeFor[none]())
	h.Parameters = append(h.Parameters, &huma.Param{Name: "Last-Event-ID", In: "header", Description: "The id of the last event you have; what came since follows.", Schema: &huma.Schema{Type: "string"}})
	h.Responses["200"] = &huma.Response{Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}
	delete(h.Responses, "204")
	s.huma.OpenAPI().AddOperation(&h)
}

// errors are the statuses that an operation may refuse with: those that follow
// from what it is, and those that it names itself in Refuses.
func (o *op) errors() []int {
	all := append([]int{400, 422, 500, 503}, o.Refuses...)
	if o.May.Public {
		all = append(all, 429)
	} else {
		all = append(all, 401, 403)
	}
	if strings.Contains(o.Path, "{") {
		all = append(all, 404)
	}
	if o.mutates() {
		all = append(all, 413, 415)
	}
	if o.Lock != nil {
		all = append(all, 412)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parameters are those that hold for many routes at once.
func (o *op) parameters() (all []*huma.Param) {
	add := func(name, in, doc string, schema *huma.Schema) {
		all = append(all, &huma.Param{Name: name, In: in, Description: doc, Schema: schema})
	}
	text := &huma.Schema{Type: "string"}
	for _, name := range pathNames(o.Path) {
		if _, read := o.path[name]; read {
			continue
		}
		schema := &huma.Schema{Type: "integer", Format: "int64"}
		if name == "org_id" {
			schema = text
		}
		all = append(all, &huma.Param{Name: name, In: "path", Required: true, Description: named(o.Path, name), Schema: schema})
	}
	if o.dryRuns() {
		add("dry_run", "query", "Do everything, answer 200 with {dry_run, result, effects}: what would change and whom it hits, and roll back.", &huma.Schema{Type: "boolean"})
	}
	if o.keeps() {
		add("Idempotency-Key", "header", "Repeat the request safely: the same key and body have one effect and one answer.", text)
	}
	if o.Lock != nil {
		add("If-Match", "header", "The ETag you read; refused with 412 when the thing has changed since.", text)
	}
	return all
}

// pathNames are the {names} of a path.
func pathNames(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// headers are those of a successful answer of type out.
func (o *op) headers(out reflect.Type) map[string]*huma.Param {
	text := &huma.Schema{Type: "string"}
	h := map[string]*huma.Param{}
	if out.Implements(reflect.TypeFor[revised]()) || o.Tagged {
		h["ETag"] = &huma.Param{Description: "The version and a hash of the whole: for If-Match and If-None-Match.", Schema: text}
	}
	if o.keeps() {
		h["Idempotent-Replayed"] = &huma.Param{Description: "true on the kept answer to an Idempotency-Key that was used before.", Schema: text}
	}
	if o.Status == http.StatusCreated {
		h["Location"] = &huma.Param{Description: "Where the new resource is.", Schema: text}
	}
	if o.mutates() && !o.May.Public && o.May.Name != auth.Notified.Name && o.May.Name != auth.Introspect.Name {
		h["Audit-Event"] = &huma.Param{Description: "The id of the audit event that records this.", Schema: text}
	}
	return h
}

// extensions say what OpenAPI has no words for.
func (o *op) extensions() map[string]any {
	return map[string]any{
		"x-permission":  o.May.Name,
		"x-roles":       roleNames(o.May),
		"x-dry-run":     o.dryRuns(),
		"x-idempotency": o.keeps(),
	}
}

// roleNames lists who may, in the words of the table.
func roleNames(p auth.Permission) []string {
	names := []string{}
	for _, r := range []struct {
		on   bool
		name string
	}{
		{p.Public, "anyone"}, {p.Self, "signed in"},
		{p.Roles&auth.Superadmin != 0, "superadmin"}, {p.Roles&auth.Admin != 0, "admin"}, {p.Roles&auth.Owner != 0, "owner"},
		{p.Roles&auth.Manager != 0, "manager"}, {p.Roles&auth.Member != 0, "member"}, {p.Roles&auth.ServiceKey != 0, "service"},
	} {
		if r.on {
			names = append(names, r.name)
		}
	}
	return names
}
