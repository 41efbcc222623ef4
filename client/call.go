package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CallOption changes one call.
type CallOption func(*request)

// Answer is what an answer says beside its body.
type Answer struct {
	Status     int
	ETag       string // for IfMatch and IfNoneMatch
	Location   string // of what was created
	RequestID  string
	AuditEvent int64 // the id of the audit event that records the change; 0 for none
	Replayed   bool  // an earlier answer under the same IdempotencyKey
}

// Effects are whom a change would hit.
type Effects struct {
	Organizations int64 `json:"organizations"`
	Users         int64 `json:"users"`
	Domains       int64 `json:"domains"`
	Credits       int64 `json:"credits"`
	Admins        int64 `json:"admins"`
	APIKeys       int64 `json:"api_keys"`
	Invitations   int64 `json:"invitations"`
	Plugins       int64 `json:"plugins"`
	Access        int64 `json:"access"` // leaves to act for a member
	// Hit names the first hundred who are hit, Over those who would be over a
	// limit or policy.
	Hit  []Party  `json:"hit"`
	Over []Excess `json:"over"`
}

// Party is one who is hit: an admin or an organization.
type Party struct {
	Type string `json:"type"`
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Excess is one who would be over a limit, and by how much. Used is -1 for an
// unlimited share; then Over is, too.
type Excess struct {
	Party
	Field string `json:"field"` // max_users
	Limit int64  `json:"limit"`
	Used  int64  `json:"used"`
	Over  int64  `json:"over"`
}

// IdempotencyKey makes a POST safe to repeat: the same key and body have one
// effect and one answer.
func IdempotencyKey(key string) CallOption {
	return func(r *request) { r.header.Set("Idempotency-Key", key) }
}

// IfMatch refuses the change (412) if the resource has changed since it was
// read with this ETag.
func IfMatch(etag string) CallOption { return func(r *request) { r.header.Set("If-Match", etag) } }

// IfNoneMatch answers ErrNotModified if the resource is still what it was with
// this ETag.
func IfNoneMatch(etag string) CallOption {
	return func(r *request) { r.header.Set("If-None-Match", etag) }
}

// RequestID names the request in the server's log and audit.
func RequestID(id string) CallOption { return func(r *request) { r.header.Set("X-Request-Id", id) } }

// DryRun does everything and takes it back: the call gives what would have
// come out, and effects whom it would have hit. effects may be nil.
func DryRun(effects *Effects) CallOption {
	return func(r *request) {
		if effects == nil {
			effects = &Effects{}
		}
		r.dry, r.query = effects, cloned(r.query)
		r.query.Set("dry_run", "true")
	}
}

// Receive keeps what the answer says beside its body, of a refusal too.
func Receive(into *Answer) CallOption { return func(r *request) { r.answer = into } }

// request is one call on its way.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
	dry          *Effects
	harmless     bool // a POST that may be sent twice as it is
	answer       *Answer
}

// nothing is the answer of an operation that answers none.
type nothing struct{}

// do calls an operation: in is its body, nil for none.
func do[Out any](ctx context.Context, c *Client, method, path string, in any, options []CallOption) (Out, error) {
	return ask[Out](ctx, c, method, path, nil, in, options)
}

// ask is do with query parameters.
func ask[Out any](ctx context.Context, c *Client, method, path string, query url.Values, in any, options []CallOption) (Out, error) {
	var out Out
	r := &request{method: method, path: path, query: query, header: http.Header{"Accept": {"application/json"}}}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("client: write the body of %s %s: %w", method, path, err)
		}
		r.body = b
	}
	for _, o := range options {
		o(r)
	}
	b, err := c.perform(ctx, r)
	if err != nil || len(b) == 0 {
		return out, err
	}
	return out, r.decode(b, &out)
}

// decode reads an answer, out of its wrapping if it was a dry run.
func (r *request) decode(b []byte, out any) error {
	if r.dry != nil {
		wrapped := struct {
			Result  any      `json:"result"`
			Effects *Effects `json:"effects"`
		}{out, r.dry}
		out = &wrapped
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("client: read the answer of %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// repeatable reports a request that may be sent twice.
func (r *request) repeatable() bool {
	return r.harmless || r.method == http.MethodGet || r.header.Get("Idempotency-Key") != ""
}

// perform sends the request, repeats it where that is safe and the server says
// when, and renews an access token that has ended.
func (c *Client) perform(ctx context.Context, r *request) ([]byte, error) {
	renewed := false
	for try := 0; ; try++ {
		b, token, err := c.once(ctx, r)
		var e *Error
		if !errors.As(err, &e) {
			return b, err
		}
		switch {
		case e.Status == http.StatusUnauthorized && token != "" && !renewed:
			if c.who.renew(ctx, c, token) != nil {
				return nil, err
			}
			renewed = true
		case try < c.repeats && r.repeatable() && e.temporary():
			if pause(ctx, e.RetryAfter) != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// temporary reports a refusal after which the server wants to be asked again.
func (e *Error) temporary() bool {
	return (e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests) && e.RetryAfter > 0 && e.RetryAfter <= MaxWait
}

var errLate = errors.New("client: the time is up before the next try")

// pause waits d and a little, so that not all come back at once; it fails at
// once if ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	d += rand.N(d/4 + 1)
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return errLate
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once sends the request one time and gives the body of a success and the
// token that it was sent with.
func (c *Client) once(ctx context.Context, r *request) (body []byte, token string, err error) {
	res, token, err := c.send(ctx, r)
	if err != nil {
		return nil, token, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, token, fmt.Errorf("client: read the answer of %s %s: %w", r.method, r.path, err)
	case len(body) > MaxBody:
		return nil, token, fmt.Errorf("client: the answer of %s %s is longer than %d bytes", r.method, r.path, MaxBody)
	case res.StatusCode == http.StatusNotModified:
		return nil, token, ErrNotModified
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, token, refusal(res.StatusCode, res.Header, body)
	}
	return body, token, nil
}

// send makes the HTTP request and notes what the head of its answer says.
func (c *Client) send(ctx context.Context, r *request) (res *http.Response, token string, err error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return nil, "", fmt.Errorf("client: %w", err)
	}
	req.Header = r.header.Clone()
	req.Header.Set("User-Agent", c.agent)
	if r.body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.who != nil {
		if token, err = c.who.token(ctx, c); err != nil {
			return nil, "", err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if res, err = c.http.Do(req); err != nil {
		return nil, token, fmt.Errorf("client: %w", err)
	}
	if r.answer != nil {
		*r.answer = answerOf(res)
	}
	return res, token, nil
}

func answerOf(res *http.Response) Answer {
	event, _ := strconv.ParseInt(res.Header.Get("Audit-Event"), 10, 64)
	return Answer{Status: res.StatusCode, ETag: res.Header.Get("ETag"), Location: res.Header.Get("Location"),
		RequestID: res.Header.Get("X-Request-Id"), AuditEvent: event, Replayed: res.Header.Get("Idempotent-Replayed") == "true"}
}
