package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/fault"
)

// bodyTime is how long a body may take to arrive.
const bodyTime = 5 * time.Second

// take reads the body of a change through the strict gate and holds it against
// the schema. What does not fit, a field that nobody knows, a wrong type, a bad
// value, is noted and left out, so that the domain can judge the rest and the
// caller hears of everything at once: see Call.judged.
func (s *Server) take(w http.ResponseWriter, r *http.Request, o *op, c *Call) error {
	if !o.mutates() || o.own {
		return nil
	}
	data, err := received(w, r)
	if err != nil {
		return err
	}
	if c.keyed {
		sum := sha256.Sum256(data)
		c.body = sum[:]
	}
	if len(data) > 0 {
		if data, err = s.fitting(r, o, c, data); err != nil {
			return err
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// received reads all of a body.
func received(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTime)) // a recorder of a test has none
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	_ = conn.SetReadDeadline(time.Time{})
	var late net.Error
	switch {
	case len(data) > maxBody:
		return nil, fault.New(fault.TooLarge, "body_too_large", "The body may have at most %d bytes.", maxBody)
	case errors.As(err, &late) && late.Timeout():
		return nil, fault.New(fault.BadRequest, "body_too_slow", "The body did not arrive in time.")
	case err != nil:
		return nil, errSyntax
	}
	return data, nil
}

// fitting gives the part of a body that fits the schema, as JSON.
func (s *Server) fitting(r *http.Request, o *op, c *Call, data []byte) ([]byte, error) {
	kind := mediaType(r.Header.Values("Content-Type"))
	switch {
	case kind == formType && o.Form:
		form, err := jsonOf(data)
		if err != nil {
			return nil, err
		}
		data = form
	case kind != jsonType:
		return nil, fault.New(fault.MediaType, "unsupported_media_type", "Send the body as application/json.")
	}
	r.Header.Set("Content-Type", jsonType)
	if err := strict(data); err != nil {
		return nil, err
	}
	var v any
	var beyond *json.UnmarshalTypeError // a number like 1e400; who it is for will say so
	if err := json.Unmarshal(data, &v); err != nil && !errors.As(err, &beyond) {
		return nil, errSyntax
	}
	if o.input == nil {
		return nil, bare(v)
	}
	var res huma.ValidateResult
	huma.Validate(s.huma.OpenAPI().Components.Schemas, o.input, huma.NewPathBuffer([]byte("body"), 4), huma.ModeWriteToServer, v, &res)
	for _, err := range res.Errors {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		field, code, message := fieldFault(d.ErrorDetail())
		c.unfit = append(c.unfit, fault.Field{Field: field, Code: code, Message: message})
		data = without(data, field)
	}
	slices.SortStableFunc(c.unfit, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	if slices.ContainsFunc(c.unfit, func(f fault.Field) bool { return f.Field == "body" }) {
		return nil, c.judged(nil) // nothing that could be judged is left
	}
	return data, nil
}

// The media types of bodies.
const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// mediaType is what a body in UTF-8 is said to be; "" for anything unclear.
func mediaType(kinds []string) string {
	if len(kinds) != 1 {
		return ""
	}
	kind, params, err := mime.ParseMediaType(kinds[0])
	charset, given := params["charset"]
	if err != nil || given && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return kind
}

// jsonOf makes an object of texts of a form.
func jsonOf(form []byte) ([]byte, error) {
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "malformed_form", "The body is not a form.")
	}
	fields := make(map[string]string, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, errTwice
		}
		if !utf8.ValidString(name) || !utf8.ValidString(all[0]) {
			return nil, errUTF8 // which JSON would replace
		}
		fields[name] = all[0]
	}
	return json.Marshal(fields)
}

// bare refuses whatever a route without a body is sent, but for {}.
func bare(v any) error {
	var all fault.Validation
	fields, ok := v.(map[string]any)
	if !ok {
		all.Add("body", "wrong_type", "This route takes no body; {} is fine.")
	}
	for name := range fields {
		if !plain(name) {
			name = "body"
		}
		all.Add(name, "unknown_field", "This route takes no fields.")
	}
	return all.Err()
}

// without gives the object without the field that path names: a.b is b within a,
// and a[1] is all of a.
func without(data []byte, path string) []byte {
	name, inner, nested := strings.Cut(path, ".")
	name, _, list := strings.Cut(name, "[")
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields[name] == nil {
		return data
	}
	if nested && !list {
		fields[name] = without(fields[name], inner)
	} else {
		delete(fields, name)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return data
	}
	return rest
}

// judged adds what the domain said of an input to what the schema found in it;
// of one field the schema's word counts. While the schema has found something,
// nothing else matters but that the store is there.
func (c *Call) judged(err error) error {
	if len(c.unfit) == 0 || fault.Is(err, fault.Unavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	var v fault.Validation
	named := map[string]bool{}
	for _, f := range c.unfit {
		v.Add(f.Field, f.Code, "%s", f.Message)
		named[whole(f.Field)] = true
	}
	var domain *fault.Error
	if errors.As(err, &domain) && domain.Kind == fault.Invalid {
		for _, f := range domain.Fields {
			if !named[whole(f.Field)] {
				v.Add(f.Field, f.Code, "%s", f.Message)
			}
		}
	}
	return v.Err()
}

// whole is the field that one of a list's elements belongs to.
func whole(field string) string {
	field, _, _ = strings.Cut(field, "[")
	return field
}
