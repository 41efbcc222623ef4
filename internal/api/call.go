package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
)

// Call is one admitted request, as a handler sees it.
type Call struct {
	// Actor is the caller as the audit log names it, its tier decided for the
	// thing in the path.
	Actor     audit.Actor
	Principal *auth.Principal
	// Organization is the one in the path, within the caller's scope.
	Organization id.Organization
	// Admin is the one in the path, or that of the path's organization.
	Admin id.Admin
	// Host is the host name the request was sent to: lower case, no port.
	Host string

	w      http.ResponseWriter
	r      *http.Request
	target auth.Target
	detail *org.Organization // what findDetail read
	token  string
	client netip.Addr
	keyed  bool          // an Idempotency-Key counts
	body   []byte        // the hash of the body, when keyed
	unfit  []fault.Field // what the schema found wrong with values
	dryRun bool

	location string
	event    id.Event
	replay   *kept
}

type callKey struct{}

// callOf gives the call of an admitted request.
func callOf(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// ID is a path parameter that is an id; zero when it is none, which exists
// nowhere.
func (c *Call) ID(param string) int64 {
	value := c.r.PathValue(param)
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != value { // +1 and 01 are no ids
		return 0
	}
	return n
}

// Created names the new resource in Location.
func (c *Call) Created(format string, args ...any) { c.location = fmt.Sprintf(format, args...) }

// Client is the address of the caller, behind trusted proxies the one they
// name.
func (c *Call) Client() netip.Addr { return c.client }

// Token is the access token or key that the request came with, or "".
func (c *Call) Token() string { return c.token }

// Header is a header of the request.
func (c *Call) Header(name string) string { return c.r.Header.Get(name) }

// IdempotencyKey is the key that the effect is stored under, or "".
func (c *Call) IdempotencyKey() string { return c.r.Header.Get("Idempotency-Key") }

// Owner names who an idempotency key belongs to: the user, the API key, or the
// leave to act for a member, never the session.
func (c *Call) Owner() string {
	switch p := c.Principal; {
	case p.Kind == auth.KeyHolder:
		return "k" + strconv.FormatInt(int64(p.Key.ID), 10)
	case p.Acting != nil:
		return "g" + strconv.FormatInt(int64(p.Acting.Grant), 10)
	}
	return "u" + strconv.FormatInt(int64(c.Principal.User.ID), 10)
}

// ListInput are the query parameters of every list. It is exported because
// huma fills only exported embedded structs.
type ListInput struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"How many rows to answer."`
	Offset int64  `query:"offset" minimum:"0" doc:"How many rows to skip."`
	Cursor string `query:"cursor" maxLength:"1200" doc:"next_cursor of the page before; costs the same at any depth."`
}

// page reads the parameters of a list that has one order, and keyed those of one
// that has a choice.
func (in ListInput) page() (page.Request, error) { return in.request(page.ParseCursor) }

func (in ListInput) keyed() (page.Request, error) { return in.request(page.ParseKeyed) }

func (in ListInput) request(parse func(string) (page.Position, error)) (page.Request, error) {
	r := page.Request{Limit: in.Limit, Offset: in.Offset}
	if r.Limit == 0 {
		r.Limit = page.DefaultLimit
	}
	var err error
	if in.Cursor != "" {
		r.After, err = parse(in.Cursor)
		r.Offset = 0
	}
	return r, err
}
