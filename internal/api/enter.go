package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// admit runs before huma looks at the input: whoever may not enter learns
// nothing about the body.
func (s *Server) admit(ctx huma.Context, o *op, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c, err := s.enter(w, r, o)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	next(huma.WithValue(ctx, callKey{}, c))
}

// enter knows the caller, finds the thing in the path, asks the authorization
// table and reads the body.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, o *op) (*Call, error) {
	c := &Call{w: w, r: r, client: s.proxies.client(r), Host: s.proxies.host(r)}
	if err := s.authenticate(r, o, c); err != nil {
		return nil, err
	}
	if o.May.Public && !o.Proves && c.Principal.Kind == auth.Anonymous {
		if err := s.count(c); err != nil {
			return nil, err
		}
	}
	err := s.authorize(r.Context(), o, c)
	if err != nil {
		s.deny(r.Context(), o, c, err)
		return nil, err
	}
	if err := checkQuery(r, o, c); err != nil {
		return nil, err
	}
	if keys := r.Header.Values("Idempotency-Key"); o.keeps() && len(keys) > 0 {
		if len(keys) > 1 || !printable(keys[0]) {
			return nil, fault.InvalidField("Idempotency-Key", "invalid_format", "Send one Idempotency-Key of 1 to 255 printable ASCII characters.")
		}
		c.keyed = true
	}
	return c, s.take(w, r, o, c)
}

// count counts a request of somebody unknown against its address. Whoever bears
// a valid token is known, and has an address that others may share.
func (s *Server) count(c *Call) error {
	if s.limiter.allow(c.client, s.DB.Now().Std()) {
		return nil
	}
	return fault.New(fault.TooMany, "rate_limited", "Too many requests from your address; wait a little.").After(s.limiter.wait())
}

// printable is what an idempotency key may be: whoever sends another one has
// lost it on the way.
func printable(key string) bool {
	return len(key) > 0 && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' })
}

// authenticate knows the caller by the Bearer token. On public routes an
// invalid token counts as none; so does one that acts for a member where the
// route changes something, such as an invitation of that member's.
func (s *Server) authenticate(r *http.Request, o *op, c *Call) error {
	c.Principal = &auth.Principal{}
	token, err := bearer(r)
	if err == nil && token != "" {
		var p *auth.Principal
		if p, err = s.Auth.Authenticate(r.Context(), token); err == nil && (p.Acting == nil || !o.May.Public || !o.mutates()) {
			c.Principal, c.token = p, token
		}
	}
	if err != nil && (!o.May.Public || fault.Is(err, fault.Unavailable)) {
		return err
	}
	c.Actor = c.Principal.Actor(audit.Tenant)
	c.Actor.IP, c.Actor.UserAgent, c.Actor.RequestID = c.client.String(), agent(r), requestID(r.Context())
	return nil
}

// bearer reads the Authorization header; a token is never taken from
// elsewhere.
func bearer(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > 256 {
		return "", fault.New(fault.Unauthenticated, "invalid_token", "Send one Authorization header: Bearer and a token.")
	}
	return token, nil
}

// agent is the User-Agent, cut to what is worth keeping.
func agent(r *http.Request) string {
	a := strings.ToValidUTF8(strings.ReplaceAll(r.UserAgent(), "\x00", ""), "")
	if len(a) > 200 {
		a = strings.ToValidUTF8(a[:200], "")
	}
	return a
}

// authorize asks the table, with the thing in the path found. Inside a write
// both are done again: see recheck.
func (s *Server) authorize(ctx context.Context, o *op, c *Call) (err error) {
	if o.May.Object != auth.Nothing && c.Principal.Kind != auth.Anonymous {
		if o.Find != nil {
			c.target, err = o.Find(s, ctx, c)
		} else {
			c.target, err = s.Auth.Target(ctx, s.as(o, c), o.place(c.r))
		}
		if err != nil {
			return err
		}
	}
	tier, err := auth.Decide(o.May, c.Principal, c.target)
	if err != nil {
		return err
	}
	c.Actor.Tier = tier
	c.Organization, c.Admin = c.target.Organization, c.target.Admin
	return nil
}

// as is the database as the caller may see it: PostgreSQL holds every statement
// of the request to the caller's tenancy. Public routes have no caller to go by.
func (s *Server) as(o *op, c *Call) *db.DB {
	if o.May.Public {
		return s.DB.In(db.Platform)
	}
	return s.DB.In(c.Principal.Scope())
}

// place is how the path of a request names the thing that has to lie in the
// caller's tenancy.
func (o *op) place(r *http.Request) auth.Place {
	p := auth.Place{Object: o.May.Object}
	switch p.Object {
	case auth.Organization:
		p.Text = r.PathValue("org_id")
	case auth.Reseller:
		p.Text = cmp.Or(r.PathValue("admin_id"), r.PathValue("id"))
	}
	return p
}

// deny records what a signed-in caller was refused: in its own tenant's log
// and the platform's. What anonymous callers try is a log line.
func (s *Server) deny(ctx context.Context, o *op, c *Call, why error) {
	slog.Info("denied", "request_id", c.Actor.RequestID, "operation", o.ID, "code", fault.Code(why), "ip", c.Actor.IP)
	if o.Quiet || c.Principal.Kind == auth.Anonymous || !fault.Is(why, fault.Forbidden) && !fault.Is(why, fault.NotFound) {
		return
	}
	err := s.as(o, c).Write(ctx, func(tx *db.Tx) error {
		return audit.Deny(tx, c.Actor, o.May.Name, audit.Target{Type: o.subject(), ID: c.pathID()}, fault.Code(why))
	})
	if err != nil {
		slog.Error("a denied attempt was not recorded", "request_id", c.Actor.RequestID, "error", err)
	}
}

// subject is the kind of thing that the operation is about: one of audit.Types.
func (o *op) subject() string {
	if o.May.Object != auth.Nothing {
		return string(o.May.Object)
	}
	switch kind, _, _ := strings.Cut(o.May.Name, "."); kind {
	case "request":
		return "registration_request"
	case "platform_keys":
		return "api_key"
	default:
		return kind
	}
}

// pathID is the id that the path names, as far as it is one.
func (c *Call) pathID() int64 {
	for _, name := range []string{"org_id", "admin_id", "request_id", "id"} {
		if n := c.ID(name); n > 0 {
			return n
		}
	}
	return int64(c.target.Organization)
}

// checkQuery refuses what huma would not: a parameter given twice or empty, or
// one that the route does not know. Searching for nothing is no mistake.
func checkQuery(r *http.Request, o *op, c *Call) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.BadRequest, "malformed_query", "The query string cannot be read.")
	}
	var v fault.Validation
	for name, values := range q {
		field := name
		if !plain(name) {
			field = "query"
		}
		switch {
		case o.query[name] == reflect.Invalid && name != "dry_run":
			v.Add(field, "unknown_parameter", "This route has no such query parameter.")
		case len(values) > 1:
			v.Add(field, "repeated_parameter", "Give a query parameter once.")
		case !cleanText(values[0]):
			v.Add(field, "invalid_text", "Use valid UTF-8 without NUL.")
		case values[0] == "" && name != "q" && name != "dry_run":
			v.Add(field, "required", "Give the parameter a value, or leave it out.")
		case !asWritten(o.query[name], values[0]):
			v.Add(field, "wrong_type", "Write the number in digits alone.")
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	return c.wantDryRun(q, o)
}

// asWritten reports a number as we would write it, and any text: +1 and 01 are
// no numbers.
func asWritten(kind reflect.Kind, s string) bool {
	if kind != reflect.Int && kind != reflect.Int64 {
		return true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return err != nil || strconv.FormatInt(n, 10) == s // what is none is huma's to refuse
}

func cleanText(s string) bool {
	return strings.ToValidUTF8(s, "") == s && strings.IndexByte(s, 0) < 0
}

// wantDryRun reads ?dry_run.
func (c *Call) wantDryRun(q url.Values, o *op) error {
	if !q.Has("dry_run") {
		return nil
	}
	value := q.Get("dry_run")
	if value != "true" && value != "false" {
		return fault.InvalidField("dry_run", "unknown_value", "Use true or false.")
	}
	if !o.dryRuns() || c.Principal.Kind == auth.KeyHolder {
		if !o.mutates() {
			return fault.InvalidField("dry_run", "unknown_parameter", "This route has no such query parameter.")
		}
		return fault.InvalidField("dry_run", "dry_run_unsupported", "This route cannot be tried without effect.")
	}
	c.dryRun = value == "true"
	return nil
}
