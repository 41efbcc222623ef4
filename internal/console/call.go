package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
)

// refusal is what the API answered instead of doing what was asked.
type refusal struct {
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field   string `json:"field"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Suggestions []string `json:"suggestions"` // slugs to take instead
	retry       string   // Retry-After
}

func (e *refusal) Error() string { return e.Code + ": " + e.Detail }

// call asks the API, in the same process and in the name of whoever sent r:
// their address and their limits. in is nil for a GET; a refusal is a *refusal.
func (p *Pages) call(r *http.Request, method, path string, in, out any) error {
	return p.callAs(r, "", method, path, in, out)
}

// callAs is call for whoever has an access token.
func (p *Pages) callAs(r *http.Request, token, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(r.Context(), method, path, body) //nolint:gosec // it never leaves the process
	if err != nil {
		return fmt.Errorf("make the call: %w", err)
	}
	q.Host, q.RemoteAddr, q.TLS = r.Host, r.RemoteAddr, r.TLS
	for _, name := range []string{"User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v := r.Header.Values(name); len(v) > 0 {
			q.Header[name] = v
		}
	}
	if in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	a := &answer{header: http.Header{}}
	p.API.ServeHTTP(a, q)
	return a.read(out)
}

// answer keeps what the API writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) read(out any) error {
	if a.status >= 300 {
		e := &refusal{Status: a.status, retry: a.header.Get("Retry-After")}
		if err := json.Unmarshal(a.body.Bytes(), e); err != nil {
			return fmt.Errorf("read a refusal: %w", err)
		}
		return e
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.body.Bytes(), out)
}

// problem writes a refusal of our own as the API writes its.
func problem(w http.ResponseWriter, status int, code, detail string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	b, _ := json.Marshal(map[string]any{ // strings and a number
		"type": "/docs#problem-" + code, "title": http.StatusText(status), "status": status, "detail": detail, "code": code,
		"request_id": h.Get("X-Request-Id"), "errors": []any{},
	})
	_, _ = w.Write(append(b, '\n'))
}

// pass writes a refusal of the API on.
func pass(w http.ResponseWriter, err error) {
	var e *refusal
	if !errors.As(err, &e) {
		fail(w, err)
		return
	}
	if e.retry != "" {
		w.Header().Set("Retry-After", e.retry)
	}
	problem(w, e.Status, e.Code, e.Detail)
}

// fail answers what went wrong on our side.
func fail(w http.ResponseWriter, err error) {
	if !errors.Is(err, context.Canceled) { // of whoever went away
		slog.Error("a page failed", "request_id", w.Header().Get("X-Request-Id"), "error", err)
	}
	problem(w, http.StatusInternalServerError, "internal", "Something went wrong on our side. The request id helps us find it.")
}

// local is where an absolute address of ours leads on this host.
func local(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
