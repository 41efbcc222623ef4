package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
)

// op is one operation as data: all that is known of it besides its code.
type op struct {
	Method, Path string
	ID           string // unique: list-partner-groups
	Tag          string // the chapter of the documentation
	Summary      string
	Description  string
	May          auth.Permission
	Status       int // of success; 200 where zero
	// Secret marks a route that issues a secret: no idempotency, no dry run.
	Secret bool
	// NoDryRun refuses ?dry_run=true for other reasons, such as /api/auth.
	NoDryRun bool
	// Lock locks the row that If-Match speaks of and gives its version.
	Lock func(tx *db.Tx, c *Call) (int64, error)
	// Refuses documents the statuses of refusals that are its own: 402, 404 and
	// 409, or 401 on a public route. The others follow from the rest.
	Refuses []int
	// Form lets the body be application/x-www-form-urlencoded as well.
	Form bool
	// Tagged documents an ETag that the Go type does not tell.
	Tagged bool
	// Once marks a POST that is safe to repeat by itself, or has no effect: an
	// Idempotency-Key is ignored.
	Once bool
	// Quiet leaves no audit row of an attempt that was denied: for what services
	// do by the thousand.
	Quiet bool
	// Slow lets a request take as long as it needs: see slow and stream.
	Slow bool
	// Find finds the thing in the path for a hot route: in memory, or together
	// with what is answered. Without one the path alone is looked up.
	Find func(s *Server, ctx context.Context, c *Call) (auth.Target, error)
	// Proves marks a public route whose body is itself the proof of a session:
	// what it refuses counts against the address, what it grants does not.
	Proves bool
	// Answers documents an answer whose Go type does not tell its JSON.
	Answers any

	query map[string]reflect.Kind // known query parameters, from In
	path  map[string]reflect.Kind // path parameters that In reads itself
	body  bool                    // In has a body
	own   bool                    // it reads its body itself
	input *huma.Schema            // of the body, once on the mux

	success int // status of success
}

func (o *op) mutates() bool { return o.Method != http.MethodGet }

// dryRuns reports whether ?dry_run=true is honoured.
func (o *op) dryRuns() bool {
	return o.mutates() && !o.Secret && !o.NoDryRun && !o.May.Public && strings.HasPrefix(o.Path, "/api/tenants/")
}

// keeps reports whether Idempotency-Key is honoured.
func (o *op) keeps() bool {
	return o.Method == http.MethodPost && !o.Secret && !o.Once && !o.May.Public && strings.HasPrefix(o.Path, "/api/tenants/")
}

// route is an operation with its code, ready to be put on the mux.
type route struct {
	op   op
	bind func(s *Server, o op)
}

// none is the answer of a route that answers 204.
type none struct{}

// read makes a route that changes nothing; f runs on the read pool.
func read[In, Out any](o op, f func(tx *db.Tx, c *Call, in *In) (Out, error)) route {
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *In) (any, error) {
		var out Out
		err := s.as(o, c).Read(ctx, func(tx *db.Tx) (err error) {
			out, err = f(tx, c, in)
			return err
		})
		return out, c.judged(err)
	}, reflect.TypeFor[Out]())
}

// change makes a mutation: f, the fresh check of the caller, If-Match, the
// idempotency record and the audit rows are one transaction.
func change[In, Out any](o op, f func(tx *db.Tx, c *Call, in *In) (Out, error)) route {
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *In) (any, error) {
		return s.change(ctx, o, c, func(tx *db.Tx) (any, error) { return f(tx, c, in) })
	}, reflect.TypeFor[Out]())
}

// changeOr is change for an operation whose failure leaves a record: after the
// rollback, failed runs in a transaction of its own.
func changeOr[In, Out any](o op, f func(tx *db.Tx, c *Call, in *In) (Out, error),
	failed func(tx *db.Tx, c *Call, in *In, cause error) error,
) route {
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *In) (any, error) {
		out, err := s.change(ctx, o, c, func(tx *db.Tx) (any, error) { return f(tx, c, in) })
		if err != nil && !c.dryRun {
			e := s.as(o, c).Write(ctx, func(tx *db.Tx) error {
				if err := s.recheck(tx, o, c); err != nil {
					return err
				}
				return failed(tx, c, in, err)
			})
			if e != nil {
				return nil, e
			}
		}
		return out, err
	}, reflect.TypeFor[Out]())
}

// prepared makes a mutation with slow work first (a hash, a look-up): f does
// that outside the transaction and gives the closure to run inside.
func prepared[In, Out any](o op, f func(ctx context.Context, c *Call, in *In) (func(tx *db.Tx) (Out, error), error)) route {
	return bound(o, func(s *Server, o *op, ctx context.Context, c *Call, in *In) (any, error) {
		inside, err := f(ctx, c, in)
		if err != nil {
			return nil, c.judged(err)
		}
		return s.change(ctx, o, c, func(tx *db.Tx) (any, error) { return inside(tx) })
	}, reflect.TypeFor[Out]())
}

// direct makes a route whose service owns its transactions: signing in and
// what belongs to it. It never hears of an input that does not fit the schema.
func direct[In, Out any](o op, f func(ctx context.Context, c *Call, in *In) (Out, error)) route {
	return checked(o, func(context.Context, *Call, *In) error { return nil }, f)
}

// checked is direct for an input whose service can judge it without effect:
// check says what is wrong besides what the schema found.
func checked[In, Out any](o op, check func(ctx context.Context, c *Call, in *In) error, f func(ctx context.Context, c *Call, in *In) (Out, error)) route {
	return bound(o, func(_ *Server, _ *op, ctx context.Context, c *Call, in *In) (any, error) {
		if len(c.unfit) > 0 {
			return nil, c.judged(check(ctx, c, in))
		}
		return f(ctx, c, in)
	}, reflect.TypeFor[Out]())
}

// stream makes a route that writes its own answer piece by piece.
func stream(o op, f func(w http.ResponseWriter, r *http.Request, c *Call) error) route {
	o.query, o.success, o.Slow = map[string]reflect.Kind{}, http.StatusOK, true
	return route{op: o, bind: func(s *Server, o op) {
		s.document(&o)
		s.mux.HandleFunc(o.Method+" "+o.Path, func(w http.ResponseWriter, r *http.Request) {
			c, err := s.enter(w, r, &o)
			if err == nil {
				err = f(w, r, c)
			}
			if err != nil {
				writeProblem(w, r, err)
			}
		})
	}}
}

// bound registers the operation with huma, which reads and validates the
// input; everything else is ours.
func bound[In any](o op, run func(*Server, *op, context.Context, *Call, *In) (any, error), out reflect.Type) route {
	o.query, o.path = map[string]reflect.Kind{}, map[string]reflect.Kind{}
	o.success = cmp.Or(o.Status, http.StatusOK)
	if out == reflect.TypeFor[none]() {
		o.success = http.StatusNoContent
	}
	tagged(reflect.TypeFor[In](), "query", o.query)
	tagged(reflect.TypeFor[In](), "path", o.path)
	_, o.body = reflect.TypeFor[In]().FieldByName("Body")
	if o.dryRuns() {
		o.query["dry_run"] = reflect.Bool
	}
	return route{op: o, bind: func(s *Server, o op) {
		h := s.operation(&o, out)
		serve := func(ctx context.Context, c *Call, in *In) {
			v, err := run(s, &o, ctx, c, in)
			if err != nil && o.Proves {
				if e := s.count(c); e != nil {
					err = e
				}
			}
			if err != nil {
				s.refuse(ctx, &o, c, err)
			} else {
				s.answer(&o, c, v)
			}
		}
		if reflect.TypeFor[In]().NumField() == 0 {
			s.plain(&o, h, func(ctx context.Context, c *Call) { serve(ctx, c, new(In)) })
			return
		}
		h.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) { s.admit(ctx, &o, next) }}
		huma.Register(s.huma, h, func(ctx context.Context, in *In) (*answered, error) {
			serve(ctx, callOf(ctx), in)
			return written, nil
		})
		o.input = s.bodySchema(&o)
	}}
}

// served makes a route that reads its own body, of one of several kinds; In and
// Out document the body and the answer.
func served[In, Out any](o op, kinds []string, f func(s *Server, ctx context.Context, c *Call) (any, error)) route {
	o.query, o.path = map[string]reflect.Kind{}, map[string]reflect.Kind{}
	o.body, o.own, o.success = true, true, cmp.Or(o.Status, http.StatusOK)
	if o.dryRuns() {
		o.query["dry_run"] = reflect.Bool
	}
	return route{op: o, bind: func(s *Server, o op) {
		h := s.operation(&o, reflect.TypeFor[Out]())
		h.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		for _, kind := range kinds {
			schema := &huma.Schema{Type: huma.TypeString, Format: "binary"}
			if reflect.TypeFor[In]() != reflect.TypeFor[[]byte]() {
				schema = s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[In](), true, "")
			}
			if strings.Contains(kind, "batch") {
				schema = &huma.Schema{Type: huma.TypeArray, Items: schema}
			}
			h.RequestBody.Content[kind] = &huma.MediaType{Schema: schema}
		}
		s.plain(&o, h, func(ctx context.Context, c *Call) {
			v, err := f(s, ctx, c)
			if err != nil {
				s.refuse(ctx, &o, c, err)
			} else {
				s.answer(&o, c, v)
			}
		})
	}}
}

// plain puts an operation that takes no input on the mux itself: huma would
// have nothing to read, and costs as much as all the rest of a cached answer.
func (s *Server) plain(o *op, h huma.Operation, serve func(context.Context, *Call)) {
	s.huma.OpenAPI().AddOperation(&h)
	s.mux.HandleFunc(o.Method+" "+o.Path, func(w http.ResponseWriter, r *http.Request) {
		c, err := s.enter(w, r, o)
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		serve(r.Context(), c)
	})
}

// answered tells huma that there is nothing left to write.
type answered struct{ Body func(huma.Context) }

var written = &answered{Body: func(huma.Context) {}}

// tagged collects the parameters of an input type that are read from a place,
// with what they are.
// Huma fills no unexported embedded struct: such path parameters are left to
// Call.ID, such query parameters are a mistake of the program.
func tagged(t reflect.Type, place string, names map[string]reflect.Kind) {
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get(place); name != "" {
			name, _, _ = strings.Cut(name, ",")
			names[name] = f.Type.Kind()
		}
		if !f.Anonymous || f.Type.Kind() != reflect.Struct {
			continue
		}
		if !f.IsExported() && place == "path" {
			continue
		}
		inner := map[string]reflect.Kind{}
		tagged(f.Type, place, inner)
		if !f.IsExported() && len(inner) > 0 {
			panic("api: an input embeds " + f.Name + ", which huma cannot fill; embed an exported type, such as ListInput")
		}
		maps.Copy(names, inner)
	}
}
