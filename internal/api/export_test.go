package api

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

// Operation is what a test may know of a route.
type Operation struct {
	ID, Method, Path, Tag, Summary string
	Subject                        string // of the event of a denial
	Permission                     string
	Roles                          []string
	Public, Self, Mutates          bool
	DryRuns, Keeps, Locks          bool
	Secret                         bool
	Query                          []string
	May                            auth.Permission
	Body                           bool // takes one
	Success                        int  // status
}

// Operations are the routes on the mux, PATCH included. Handler comes first.
func (s *Server) Operations() (all []Operation) {
	for _, o := range s.ops {
		all = append(all, Operation{
			ID: o.ID, Method: o.Method, Path: o.Path, Tag: o.Tag, Summary: o.Summary, Subject: o.subject(),
			Permission: o.May.Name, Roles: roleNames(o.May), Public: o.May.Public, Self: o.May.Self, Mutates: o.mutates(),
			DryRuns: o.dryRuns(), Keeps: o.keeps(), Locks: o.Lock != nil, Secret: o.Secret,
			Query: slices.Sorted(maps.Keys(o.query)), May: o.May, Body: o.body, Success: o.success,
		})
	}
	return all
}

// Breaks are routes with a hole each, as somebody could write them by mistake.
var Breaks = map[string]func(s *Server, o op) route{
	// The organization is taken from the path, without being loaded in scope.
	"get-organization-detail": func(_ *Server, o op) route {
		o.May.Object = auth.Nothing
		return read(o, func(tx *db.Tx, c *Call, _ *struct{}) (org.Organization, error) {
			return org.Detail(tx, id.Organization(c.ID("org_id")))
		})
	},
	// The key is looked for by its id alone, in whatever organization it is.
	"get-organization-api-key": func(_ *Server, o op) route {
		return read(o, func(tx *db.Tx, c *Call, _ *struct{}) (auth.APIKey, error) {
			for organization := range id.Organization(100) {
				if k, err := auth.KeyOf(tx, organization, id.Key(c.ID("key_id"))); err == nil {
					return k, nil
				}
			}
			return auth.KeyOf(tx, c.Organization, id.Key(c.ID("key_id")))
		})
	},
	// The list is everybody's.
	"list-organizations": func(_ *Server, o op) route {
		return read(o, func(tx *db.Tx, _ *Call, in *struct {
			ListInput
			Admin int64 `query:"admin_id" minimum:"1"`
		}) (page.List[org.Organization], error) {
			r, err := in.page()
			if err != nil {
				return page.List[org.Organization]{}, err
			}
			return org.List(tx, auth.Reach{All: true}, org.Filter{Admin: id.Admin(in.Admin)}, r)
		})
	},
	// The permission was given a flag that lets holds pass.
	"edit-organization": func(s *Server, o op) route {
		o.May.Held = true
		return change(o, func(tx *db.Tx, c *Call, in *struct{ Body org.Patch }) (org.Changed, error) {
			return org.Edit(tx, c.Actor, c.Organization, in.Body, s.Hosts...)
		})
	},
	// The handler does not look whether its organization is on hold.
	"list-my-plugins": func(_ *Server, o op) route {
		return read(o, func(tx *db.Tx, c *Call, in *ListInput) (page.List[plugin.Entitlement], error) {
			r, err := in.page()
			if err != nil {
				return page.List[plugin.Entitlement]{}, err
			}
			return plugin.PageEnabled(tx, c.Principal.Active, r)
		})
	},
}

// Broken is Handler with the route of this id as Breaks has it.
func (s *Server) Broken(operation string) http.Handler {
	routes := s.routes()
	for i, r := range routes {
		if r.op.ID == operation {
			routes[i] = Breaks[operation](s, r.op)
		}
	}
	return s.serve(routes)
}

// Slowly is Handler with f in the place of the check of the ledger.
func (s *Server) Slowly(f func(ctx context.Context, alive func() error) (credit.Report, error)) http.Handler {
	s.Metrics = nil // of one mux alone
	routes := s.routes()
	for i, r := range routes {
		if r.op.ID == "check-credits" {
			routes[i] = slow(r.op, func(ctx context.Context, _ *Call, _ *struct{}, alive func() error) (credit.Report, error) {
				return f(ctx, alive)
			})
		}
	}
	return s.serve(routes)
}

// Door knows the caller of a request and decides, as before an operation runs.
func (s *Server) Door(r *http.Request, operation string) error {
	for i := range s.ops {
		if o := &s.ops[i]; o.ID == operation {
			c := &Call{r: r}
			if err := s.authenticate(r, o, c); err != nil {
				return err
			}
			return s.authorize(r.Context(), o, c)
		}
	}
	return fault.Missing()
}

// Code is a documented problem code with its status.
type Code struct {
	Code   string
	Status int
}

// Codes are all of them.
func Codes() (all []Code) {
	for _, c := range codeDocs {
		all = append(all, Code{c.Code, c.Status})
	}
	return all
}

// Strict is the gate that a body passes first.
var Strict = strict

// HumaCodes are the codes that huma's messages are given.
func HumaCodes() []string {
	all := []string{"invalid", "required"}
	for _, c := range humaCodes {
		all = append(all, c.code)
	}
	return all
}

// AnswerTypes are the types of what is answered and never asked for, by the
// names of their schemas.
func (s *Server) AnswerTypes() map[string]reflect.Type {
	doc := s.huma.OpenAPI()
	asked, all := map[string]bool{}, map[string]reflect.Type{}
	for _, p := range doc.Paths {
		for _, o := range []*huma.Operation{p.Post, p.Put, p.Patch, p.Delete} {
			if o != nil && o.RequestBody != nil {
				for _, m := range o.RequestBody.Content {
					reach(doc, m.Schema, asked)
				}
			}
		}
	}
	for name := range doc.Components.Schemas.Map() {
		if ref := "#/components/schemas/" + name; !asked[ref] {
			all[name] = doc.Components.Schemas.TypeFromRef(ref)
		}
	}
	return all
}

// Marshal is how answers are written.
func Marshal(v any) ([]byte, error) { return marshal(v, new(bytes.Buffer)) }
