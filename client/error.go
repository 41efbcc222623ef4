package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal of the server: RFC 9457's problem, or, where something in
// between answered, only its status.
type Error struct {
	Status    int    // of HTTP
	Type      string // where the code is documented
	Title     string
	Detail    string // a sentence one can act on
	Code      string // stable: "slug_taken"; empty if the answer was no problem
	RequestID string // names the request in the server's log and audit
	Fields    []FieldError
	// RetryAfter is when coming back makes sense; zero if the server did not say.
	RetryAfter time.Duration
	// Extra are the further members: suggestions, allowed, available, …
	Extra map[string]json.RawMessage
}

// FieldError is what is wrong with one field of the request.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ErrNotModified answers a call with IfNoneMatch when nothing has changed.
var ErrNotModified = errors.New("client: not modified")

// Error gives status, code and detail with the fields at fault.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", e.Status, e.Code)
	if e.Code == "" {
		b.WriteString(http.StatusText(e.Status))
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Field, f.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// Member reads a further member of the problem, such as suggestions; false if
// there is none of that name and type.
func (e *Error) Member(name string, into any) bool {
	raw, ok := e.Extra[name]
	return ok && json.Unmarshal(raw, into) == nil
}

// Code gives the stable code of a refusal, and nothing for any other error.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Status gives the HTTP status of a refusal, and 0 for any other error.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// refusal reads a problem. A body that is none still gives the status.
func refusal(status int, h http.Header, body []byte) *Error {
	e := &Error{Status: status, Title: http.StatusText(status), RequestID: h.Get("X-Request-Id")}
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n >= 0 {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	members := map[string]json.RawMessage{}
	if json.Unmarshal(body, &members) != nil {
		return e
	}
	for name, into := range map[string]any{"type": &e.Type, "title": &e.Title, "detail": &e.Detail, "code": &e.Code, "request_id": &e.RequestID, "errors": &e.Fields} {
		if raw, ok := members[name]; ok {
			_ = json.Unmarshal(raw, into) // what has another shape is left out
		}
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool {
		switch name {
		case "type", "title", "status", "detail", "code", "request_id", "errors":
			return true
		}
		return false
	})
	e.Extra = members
	return e
}
