// Package client speaks Tenantry's HTTP API from Go: one method per operation,
// with the words of the API for fields and types. It needs nothing beyond the
// standard library.
//
// A Client is made for one server and acts as one caller: nobody, a person who
// signed in, or a service with an API key. It is safe for concurrent use.
//
//	anonymous, err := client.New("https://control.example.com")
//	person, err := anonymous.SignIn(ctx, "root@example.com", password)
//	service, err := client.New("https://control.example.com", client.WithToken("tnt_sk_…"))
//
// A signed-in client renews its access token by itself, once for all callers
// that need it at the same time. To keep a session beyond the process, see
// WithSession.
//
// # Calls
//
// Every method takes a context, then what the path names, then the body, then
// options. An organization is named by ID or Slug. The answer is a struct with
// the fields of the API's JSON; a field that may be null is a pointer.
//
//	o, err := person.Organization(ctx, client.Slug("acme"))
//	o, err := person.AddCredits(ctx, client.ID(7), client.Credits{Amount: 500},
//		client.IdempotencyKey(order))
//
// In the body of an edit every field is an Optional: left alone it stays as it
// is, Set gives a value, Null clears it or restores what is inherited.
//
//	person.EditOrganization(ctx, client.ID(7), client.OrganizationEdit{
//		Name: client.Set("Acme"), CustomDomain: client.Null[string]()})
//
// The options of a call are IdempotencyKey, IfMatch, IfNoneMatch, DryRun,
// RequestID and Receive, which gives what the answer says beside its body: the
// ETag, Location, the id of the audit event.
//
// # Lists
//
// A list is asked for by the method of its name, with a filter, and read a page
// at a time or all at once; All follows the cursor, which costs the same at any
// depth.
//
//	for e, err := range person.AuditLogs(client.AuditFilter{Action: "organization.*"}).All(ctx) {
//
// # Refusals
//
// What the server refuses is an *Error: status, stable code, a sentence, the
// fields at fault and further members. Code(err) is what a program switches on.
//
// A request is repeated by itself only where that cannot do anything twice: a
// GET, or one with an IdempotencyKey, and only when the server says to come
// back, by 503 or 429 with Retry-After.
package client

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls one server as one caller.
type Client struct {
	base    string
	http    *http.Client
	who     credential // nil is nobody
	repeats int
	agent   string
}

// What a Client does unless told otherwise.
const (
	DefaultRetries = 3                // how often a refused request is repeated
	MaxWait        = 30 * time.Second // a longer Retry-After is not waited for
	MaxBody        = 32 << 20         // bytes; a longer answer is an error
)

// Option changes how a Client works.
type Option func(*Client)

// WithToken acts with an access token or an API key as it is, without renewing
// it.
func WithToken(token string) Option {
	return func(c *Client) { c.who = fixed(token) }
}

// WithSession acts with the tokens of an earlier sign-in. Each renewal gives a
// new refresh token and spoils the old one, so keep is called with the new ones
// before they are used; it may be nil.
func WithSession(t Tokens, keep func(Tokens)) Option {
	return func(c *Client) { c.who = newSession(t, keep) }
}

// WithHTTPClient sends requests through h: its transport, its redirect policy,
// its timeout.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) { c.http = h }
}

// WithRetries sets how often a request is repeated; 0 is never.
func WithRetries(n int) Option {
	return func(c *Client) { c.repeats = n }
}

// WithUserAgent names the caller in the server's log and audit.
func WithUserAgent(name string) Option {
	return func(c *Client) { c.agent = name }
}

// New makes a client for the server at base, such as https://control.example.com.
func New(base string, options ...Option) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("client: the base must be http:// or https:// and a host")
	}
	c := &Client{base: strings.TrimRight(base, "/"), repeats: DefaultRetries, agent: "tenantry-client", http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// as is the same client for another caller.
func (c *Client) as(who credential) *Client {
	other := *c
	other.who = who
	return &other
}
