package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/fault"
)

// Problem is a refusal as it is answered: RFC 9457, application/problem+json.
type Problem struct {
	Type      string        `json:"type" doc:"Where the code is documented." example:"/docs#problem-slug_taken"`
	Title     string        `json:"title" doc:"The HTTP status in words."`
	Status    int           `json:"status"`
	Detail    string        `json:"detail" doc:"A sentence one can act on."`
	Code      string        `json:"code" doc:"Stable; what a program switches on."`
	RequestID string        `json:"request_id" doc:"Names the request in logs and audit."`
	Errors    []fault.Field `json:"errors" doc:"Every field at fault."`

	extra map[string]any
	retry string
}

// MarshalJSON puts the further members beside the standard ones.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	b, err := json.Marshal((*plain)(p))
	if err != nil || len(p.extra) == 0 {
		return b, err
	}
	more, err := json.Marshal(p.extra)
	if err != nil {
		return nil, err
	}
	return append(append(b[:len(b)-1], ','), more[1:]...), nil
}

// Error, GetStatus and ContentType make a Problem huma's error type.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problemOf turns any error into what the caller may see. What is not a fault
// is our mistake: it is logged whole and answered without a word of it.
func problemOf(err error, requestID string) *Problem {
	var f *fault.Error
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f):
	default:
		slog.Error("request failed", "request_id", requestID, "error", err.Error())
		f = fault.New(fault.Internal, "internal", "Something went wrong on our side. The request id helps us find it.")
	}
	if f.Cause != nil {
		slog.Warn("request refused", "request_id", requestID, "code", f.Code, "error", f.Cause.Error())
	}
	p = &Problem{Type: "/docs#problem-" + f.Code, Title: http.StatusText(int(f.Kind)), Status: int(f.Kind), Detail: f.Message,
		Code: f.Code, RequestID: requestID, Errors: f.Fields, extra: f.Extra}
	if p.Errors == nil {
		p.Errors = []fault.Field{}
	}
	if f.RetryAfter > 0 {
		p.retry = strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds())))
	} else if f.Kind == fault.Unavailable || f.Kind == fault.TooMany {
		p.retry = "1"
	}
	return p
}

// writeProblem answers a refusal.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err, requestID(r.Context()))
	b, merr := json.Marshal(p)
	if merr != nil {
		b = []byte(`{"status":500,"code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", challenge(p.Code))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n'))
}

// challenge is RFC 6750's: without credentials no error is named.
func challenge(code string) string {
	if code == "invalid_token" {
		return `Bearer realm="tenantry", error="invalid_token"`
	}
	return `Bearer realm="tenantry"`
}

// fromHuma makes a fault of huma's validation results, without the values that
// huma would echo.
func fromHuma(status int, errs []error) error {
	var v fault.Validation
	for _, err := range errs {
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		detail := d.ErrorDetail()
		if strings.HasPrefix(detail.Location, "path.") {
			return fault.Missing()
		}
		field, code, message := fieldFault(detail)
		v.Add(field, code, "%s", message)
	}
	if err := v.Err(); err != nil {
		return err
	}
	if status == http.StatusBadRequest {
		return fault.New(fault.BadRequest, "body_required", "This route needs a JSON body; {} is fine where every field is optional.")
	}
	return fault.New(fault.Internal, "internal", "Something went wrong on our side.")
}

// fieldFault names the field and a stable code for one of huma's messages.
func fieldFault(d *huma.ErrorDetail) (field, code, message string) {
	if field, ok := strings.CutPrefix(d.Message, wrongType); ok {
		return field, "wrong_type", "This value has the wrong type, or does not fit it."
	}
	if field, ok := strings.CutPrefix(d.Message, wrongTime); ok {
		return field, "invalid_time", "Give an RFC 3339 time of the years 1 to 9999 in UTC."
	}
	_, field, _ = strings.Cut(d.Location, ".")
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		return strings.TrimPrefix(field+"."+name, "."), "required", "This field is required."
	}
	if field == "" {
		field = "body"
	}
	if !plain(field) {
		field = "body"
	}
	for _, k := range humaCodes {
		if strings.HasPrefix(d.Message, k.prefix) {
			return field, k.code, strings.ToUpper(d.Message[:1]) + d.Message[1:] + "."
		}
	}
	return field, "invalid", "This value is not acceptable."
}

var humaCodes = []struct{ prefix, code string }{
	{"unexpected property", "unknown_field"},
	{"unknown query parameter", "unknown_parameter"},
	{"expected value to be one of", "unknown_value"},
	{"expected length", "bad_length"},
	{"expected array length", "bad_length"},
	{"expected number >", "out_of_range"},
	{"expected number <", "out_of_range"},
	{"expected string to be RFC 3339 date-time", "invalid_time"}, {"invalid date/time", "invalid_time"},
	{"expected boolean", "wrong_type"}, {"expected number", "wrong_type"}, {"expected integer", "wrong_type"},
	{"expected string to ", "bad_format"}, {"expected string", "wrong_type"}, {"expected array items to be unique", "duplicate"},
	{"expected array", "wrong_type"}, {"expected object", "wrong_type"},
	{"invalid integer", "wrong_type"}, {"invalid boolean", "wrong_type"}, {"required query parameter", "required"},
}

// plain reports a name that is safe to repeat: one of ours looks like this.
func plain(field string) bool {
	if len(field) > 80 {
		return false
	}
	for _, r := range field {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '[' && r != ']' {
			return false
		}
	}
	return true
}
