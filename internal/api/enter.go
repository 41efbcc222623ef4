package api

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
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

// enter knows the caller, finds the thing in the path and asks the
// authorization table.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, o *op) (*Call, error) {
	c := &Call{w: w, r: r, client: s.proxies.client(r), Host: s.proxies.host(r)}
	if o.May.Public && !s.limiter.allow(c.client, s.DB.Now().Std()) {
		return nil, fault.New(fault.TooMany, "rate_limited", "Too many requests from your address; wait a little.").After(s.limiter.wait())
	}
	if err := s.authenticate(r, o, c); err != nil {
		return nil, err
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
		c.body = sha256.New()
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, c.body), r.Body}
	}
	return c, nil
}

// printable is what an idempotency key may be: whoever sends another one has
// lost it on the way.
func printable(key string) bool {
	return len(key) > 0 && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' })
}

// authenticate knows the caller by the Bearer token. On public routes an
// invalid token counts as none.
func (s *Server) authenticate(r *http.Request, o *op, c *Call) error {
	c.Principal = &auth.Principal{}
	token, err := bearer(r)
	if err == nil && token != "" {
		var p *auth.Principal
		if p, err = s.Auth.Authenticate(r.Context(), token); err == nil {
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

// authorize asks the table, with the thing in the path loaded.
func (s *Server) authorize(ctx context.Context, o *op, c *Call) error {
	if o.May.Object != auth.Nothing && c.Principal.Kind != auth.Anonymous {
		err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
			c.target, err = s.target(tx, o, c)
			return err
		})
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

// target finds the thing that the path names.
// An API key's own organization is known already.
func (s *Server) target(tx *db.Tx, o *op, c *Call) (auth.Target, error) {
	if k := c.Principal.Key; o.May.Object == auth.Organization && k.Organization != 0 && c.ID("org_id") == int64(k.Organization) {
		return auth.Target{Exists: true, Organization: k.Organization, Admin: k.Admin}, nil
	}
	if o.May.Object == auth.Organization {
		return auth.OrganizationTarget(tx, c.r.PathValue("org_id"))
	}
	if v := c.r.PathValue("admin_id"); v != "" {
		return auth.AdminTarget(tx, id.Admin(c.ID("admin_id")))
	}
	return auth.AdminTarget(tx, id.Admin(c.ID("id")))
}

// deny records what a signed-in caller was refused: in its own tenant's log
// and the platform's. What anonymous callers try is a log line.
func (s *Server) deny(ctx context.Context, o *op, c *Call, why error) {
	slog.Info("denied", "request_id", c.Actor.RequestID, "operation", o.ID, "code", fault.Code(why), "ip", c.Actor.IP)
	if c.Principal.Kind == auth.Anonymous || !fault.Is(why, fault.Forbidden) && !fault.Is(why, fault.NotFound) {
		return
	}
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		return audit.Deny(tx, c.Actor, o.May.Name, audit.Target{Type: o.subject(), ID: c.pathID()}, fault.Code(why))
	})
	if err != nil {
		slog.Error("a denied attempt was not recorded", "request_id", c.Actor.RequestID, "error", err)
	}
}

// subject is the kind of thing that the operation is about.
func (o *op) subject() string {
	if o.May.Object != auth.Nothing {
		return string(o.May.Object)
	}
	kind, _, _ := strings.Cut(o.May.Name, ".")
	return kind
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

// checkQuery refuses what huma would not: a parameter given twice, or one that
// the route does not know.
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
		case !o.query[name] && name != "dry_run":
			v.Add(field, "unknown_parameter", "This route has no such query parameter.")
		case len(values) > 1:
			v.Add(field, "repeated_parameter", "Give a query parameter once.")
		case !cleanText(values[0]):
			v.Add(field, "invalid_text", "Use valid UTF-8 without NUL.")
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	return c.wantDryRun(q, o)
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
