// Package fault is the one way an operation refuses: a kind that decides the
// HTTP status, a stable code a program can switch on, and a sentence a person
// can act on. What is not a fault is internal: it is logged and never shown.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of refusal it is; the HTTP status follows from it.
type Kind int

// The kinds, each with the HTTP status it is answered with.
const (
	BadRequest      Kind = 400 // the request cannot be understood
	Unauthenticated Kind = 401 // nobody, or not who they claim
	PaymentRequired Kind = 402 // not enough credits
	Forbidden       Kind = 403 // known, but not allowed
	NotFound        Kind = 404 // absent, or outside the caller's tenancy
	MethodUnknown   Kind = 405 // the path exists, not with this method
	Conflict        Kind = 409 // wrong state, or a duplicate
	Precondition    Kind = 412 // If-Match is stale
	TooLarge        Kind = 413 // the body is over the limit
	MediaType       Kind = 415 // the body is not JSON
	Invalid         Kind = 422 // understood, but its values are not acceptable
	TooMany         Kind = 429 // slow down
	Internal        Kind = 500 // our mistake
	Unavailable     Kind = 503 // try again later
)

// Field is one thing wrong with one input field. Message never repeats what
// was sent.
type Field struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is a refusal that a caller may see in full, except for Cause.
type Error struct {
	Kind    Kind
	Code    string         // stable, documented: "slug_taken"
	Message string         // a sentence one can act on
	Fields  []Field        // every field at fault, for validation
	Extra   map[string]any // further members of the problem document
	// RetryAfter is when to come back, for TooMany and Unavailable; rounded up to seconds.
	RetryAfter time.Duration
	// Cause is logged, never shown.
	Cause error
}

// Error gives kind, code and message, for logs.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Code, e.Message)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the hidden cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes a refusal.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// With adds a member to the problem document, such as the allowed transitions.
func (e *Error) With(key string, value any) *Error {
	if e.Extra == nil {
		e.Extra = map[string]any{}
	}
	e.Extra[key] = value
	return e
}

// Because keeps the internal cause for the log.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// After says when trying again makes sense.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// Missing is the one 404: for what is absent and for what lies outside the
// caller's tenancy alike, so that neither tells anything about the other.
func Missing() *Error {
	return New(NotFound, "not_found", "There is nothing here that you can see.")
}

// Denied is the plain 403.
func Denied() *Error {
	return New(Forbidden, "forbidden", "Your role does not allow this.")
}

// DeniedField is the 403 for a field that the caller's role may not set.
func DeniedField(field string) *Error {
	e := New(Forbidden, "forbidden", "Your role may not set the field %s.", field)
	e.Fields = []Field{{Field: field, Code: "forbidden", Message: "Your role may not set this field."}}
	return e
}

// InvalidField is validation that failed on a single field.
func InvalidField(field, code, format string, args ...any) *Error {
	var v Validation
	v.Add(field, code, format, args...)
	return v.fault()
}

// UnknownReference is the 422 for an id in a body that names nothing the
// caller can see.
func UnknownReference(field string) *Error {
	return InvalidField(field, "unknown_reference", "This names nothing that you can see.")
}

// Validation collects all that is wrong with an input, so that the caller
// hears of every field at once.
type Validation struct{ fields []Field }

// Add notes one fault of one field.
func (v *Validation) Add(field, code, format string, args ...any) {
	v.fields = append(v.fields, Field{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Merge takes over the fields of another validation error; any other error is
// returned as it is.
func (v *Validation) Merge(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Kind == Invalid && len(e.Fields) > 0 {
		v.fields = append(v.fields, e.Fields...)
		return nil
	}
	return err
}

// Join makes one refusal of all that several validations found; an error of
// another kind goes before them.
func Join(errs ...error) error {
	var v Validation
	for _, err := range errs {
		if err := v.Merge(err); err != nil {
			return err
		}
	}
	return v.Err()
}

// Err is nil when nothing was noted.
func (v *Validation) Err() error {
	if len(v.fields) == 0 {
		return nil
	}
	return v.fault()
}

// fault is the refusal; a single field lends it its code.
func (v *Validation) fault() *Error {
	e := New(Invalid, "validation_failed", "Some fields are not acceptable.")
	if len(v.fields) == 1 {
		e.Code, e.Message = v.fields[0].Code, v.fields[0].Message
	}
	e.Fields = v.fields
	return e
}

// Is reports whether err is a refusal of this kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// Code gives the code of a refusal, and nothing for any other error.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
