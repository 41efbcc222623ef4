package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/db"
)

// tags are the chapters of the documentation, in their order.
var tags = []*huma.Tag{
	{Name: "Accounts", Description: "Signing in, the own profile, sessions and password."},
	{Name: "API keys", Description: "Keys by which services call Tenantry; each is shown once."},
	{Name: "Authorization", Description: "The table of who may do what, as data."},
	{Name: "Registration", Description: "The public way to an organization."},
	{Name: "Registration requests", Description: "Deciding on those who registered, and provisioning them."},
	{Name: "Partner groups", Description: "Tiers of admins: their discount and their policy."},
	{Name: "Admins", Description: "Resellers: their records, credits, holds, people and domains."},
	{Name: "Organizations", Description: "Tenants: their records, status, limits, usage, plugins and domains."},
	{Name: "Usage", Description: "What organizations use: history, forecast, limits of each meter, who uses most."},
	{Name: "Services", Description: "What a plugin's back end calls: check, report usage, set room aside."},
	{Name: "Meters", Description: "The catalogue of what can be measured."},
	{Name: "Members", Description: "The people of an organization, and those who are invited."},
	{Name: "Current user", Description: "What holds for whoever asks."},
	{Name: "Credits", Description: "The ledger: balances, transactions and monthly statements."},
	{Name: "Branding", Description: "White label: what an admin sets, and what holds for a request."},
	{Name: "Audit logs", Description: "What was done, by whom and to whom; each sees what concerns it."},
	{Name: "Notifications", Description: "What a user is told, as a list and live."},
	{Name: "Platform settings", Description: "What the operator decides for the whole platform."},
	{Name: "System", Description: "How the installation itself is: version, store, work that waits."},
	{Name: "Available plugins", Description: "The catalogue of plugins that organizations may have."},
}

// finishDocument mends what huma cannot know of our types: times, what may be
// null, and that answers may gain fields.
func (s *Server) finishDocument() {
	doc := s.huma.OpenAPI()
	doc.Tags = tags
	asked := map[string]bool{}
	for _, p := range doc.Paths {
		for _, o := range []*huma.Operation{p.Post, p.Put, p.Patch, p.Delete} {
			if o == nil || o.RequestBody == nil {
				continue
			}
			for _, m := range o.RequestBody.Content {
				reach(doc, m.Schema, asked)
			}
		}
	}
	for name, schema := range doc.Components.Schemas.Map() {
		ref := "#/components/schemas/" + name
		retype(schema, doc.Components.Schemas.TypeFromRef(ref), asked[ref])
		if !asked[ref] && schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
	}
}

// reach notes every schema that s leads to.
func reach(doc *huma.OpenAPI, s *huma.Schema, found map[string]bool) {
	if s == nil || s.Ref != "" && found[s.Ref] {
		return
	}
	if s.Ref != "" {
		found[s.Ref] = true
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	for _, p := range s.Properties {
		reach(doc, p, found)
	}
	reach(doc, s.Items, found)
}

// retype goes through the fields of a type that huma made a schema of.
func retype(s *huma.Schema, t reflect.Type, asked bool) {
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.Properties[name]
		if p == nil || f.Anonymous {
			continue
		}
		pointer, inner := f.Type.Kind() == reflect.Pointer, f.Type
		if pointer {
			inner = inner.Elem()
		}
		if inner == reflect.TypeFor[db.Time]() {
			p.Format, p.Examples = "date-time", []any{"2026-11-01T12:00:00.000Z"}
		}
		merged := strings.HasPrefix(inner.Name(), "Field[")
		switch {
		case p.Ref != "" && pointer && !asked && !strings.Contains(options, "omit"):
			*p = huma.Schema{Description: p.Description, AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
		case p.Ref == "" && p.Type != "" && (merged || pointer && (asked || !strings.Contains(options, "omit"))):
			p.Nullable = true
			if len(p.Enum) > 0 {
				p.Enum = append(slices.Clone(p.Enum), nil)
			}
		}
	}
}

// problems documents the statuses that an operation refuses with.
func (s *Server) problems(o *op, responses map[string]*huma.Response) {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	for _, status := range o.errors() {
		var headers map[string]*huma.Param
		switch text := (&huma.Schema{Type: "string"}); status {
		case http.StatusUnauthorized:
			headers = map[string]*huma.Param{"WWW-Authenticate": {Description: "Bearer, with why.", Schema: text}}
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds to wait.", Schema: text}}
		}
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Headers: headers,
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
		}
	}
}

// named says what a path parameter names, from the part of the path before it.
func named(path, param string) string {
	before, _, _ := strings.Cut(path, "/{"+param+"}")
	kind := strings.TrimSuffix(before[strings.LastIndexByte(before, '/')+1:], "s")
	kind = strings.ReplaceAll(kind, "-", " ")
	switch {
	case param == "org_id":
		return "Id or slug of the organization."
	case param == "user_id":
		return "Id of the user."
	case strings.HasPrefix(kind, "api"):
		return "Id of the API key."
	case strings.ContainsAny(kind[:1], "aeio"):
		return "Id of an " + kind + "."
	}
	return "Id of the " + kind + "."
}
