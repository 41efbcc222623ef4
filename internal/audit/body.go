package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Bounds of what one event keeps, in bytes unless said otherwise. What is
// longer is cut, and says so.
const (
	maxBody  = 64 << 10 // the whole body
	maxValue = 8 << 10  // one value of a change, to begin with
	minValue = 64       // one value of a change, when there are very many
	maxText  = 2000     // characters of a name, reason or user agent
)

// body is an event as it is kept: canonical JSON with every member present and
// in the order of its name. The id is known only when the row is written, so
// the text comes in two parts, to be joined around it.
type body struct{ before, after string }

func (b body) with(n id.Event) string {
	return b.before + strconv.FormatInt(int64(n), 10) + b.after
}

// The two parts, members in the order of their names.
type (
	bodyHead struct {
		Action  string          `json:"action"`
		Actor   Person          `json:"actor"`
		AdminID *id.Admin       `json:"admin_id"`
		Changes json.RawMessage `json:"changes"`
	}
	bodyTail struct {
		IP             *string          `json:"ip"`
		OccurredAt     db.Time          `json:"occurred_at"`
		OnBehalfOf     *Person          `json:"on_behalf_of"`
		OrganizationID *id.Organization `json:"organization_id"`
		Outcome        Outcome          `json:"outcome"`
		Reason         *string          `json:"reason"`
		RequestID      *string          `json:"request_id"`
		Target         Thing            `json:"target"`
		UserAgent      *string          `json:"user_agent"`
	}
)

// write makes the body of an event that happened at a time.
func write(e Event, at db.Time) (body, error) {
	a := e.Actor
	tail := bodyTail{
		IP: text(a.IP), OccurredAt: at, OrganizationID: id.Ref(e.Organization), Outcome: e.Outcome,
		Reason: text(e.Reason), RequestID: text(a.RequestID), UserAgent: text(a.UserAgent),
		Target: Thing{ID: id.Ref(e.Target.ID), Name: text(e.Target.Name), Type: e.Target.Type},
	}
	if b := a.OnBehalfOf; b != nil {
		tail.OnBehalfOf = person(b.Type, b.ID, b.Name, b.Email)
	}
	after, err := encode(tail)
	if err != nil {
		return body{}, err
	}
	head := bodyHead{Action: e.Action, Actor: *person(a.Type, a.ID, a.Name, a.Email), AdminID: id.Ref(e.Admin)}
	for limit := maxValue; ; limit /= 4 {
		if head.Changes, err = writeChanges(e.Changes, max(limit, minValue)); err != nil {
			return body{}, err
		}
		before, err := encode(head)
		if err != nil {
			return body{}, err
		}
		if len(before)+len(after) <= maxBody-32 || limit < minValue {
			return body{before[:len(before)-1] + `,"id":`, "," + after[1:]}, nil
		}
	}
}

// maxFields bounds the changed fields that one event names.
const maxFields = 200

// writeChanges gives the changes in the order of the fields' names, each value
// within limit bytes.
func writeChanges(c Changes, limit int) (json.RawMessage, error) {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		if i == maxFields {
			fmt.Fprintf(&b, `"…":{"new":"and %d more fields","old":null}`, len(names)-i)
			break
		}
		key, err := encode(shorten(name, 200))
		if err != nil {
			return nil, err
		}
		now, err := value(name, c[name].New, limit)
		if err != nil {
			return nil, err
		}
		old, err := value(name, c[name].Old, limit)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `%s:{"new":%s,"old":%s}`, key, now, old)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// value writes one side of a change: sorted, without secrets, cut to limit.
func value(field string, v any, limit int) (string, error) {
	s, err := encode(v)
	if err != nil {
		return "", err
	}
	if s == "null" {
		return s, nil
	}
	if secret(field) {
		return hidden, nil
	}
	switch s[0] {
	case '{', '[':
		// Through a generic value, as maps are written in the order of their keys.
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var generic any
		if err := d.Decode(&generic); err != nil {
			return "", fmt.Errorf("write the audit event: %w", err)
		}
		if s, err = encode(blank(generic)); err != nil {
			return "", err
		}
		if len(s) > limit {
			return encode(map[string]any{"cut": true, "bytes": len(s), "start": shorten(s, limit/4)})
		}
	case '"':
		if len(s) > limit {
			var plain string
			if err := json.Unmarshal([]byte(s), &plain); err != nil {
				return "", fmt.Errorf("write the audit event: %w", err)
			}
			return encode(shorten(plain, limit/4))
		}
	}
	return s, nil
}

// hidden stands for a secret: that it changed is kept, not what it was.
const hidden = `"(secret)"`

// secret reports names of fields whose values are never kept. It is the second
// wall: what is recorded is what the API shows, and that holds no secret.
func secret(field string) bool {
	f := strings.ToLower(field)
	for _, end := range []string{"password", "secret", "token", "_hash", "api_key", "private_key"} {
		if strings.HasSuffix(f, end) {
			return true
		}
	}
	return false
}

func blank(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if secret(k) && x != nil {
				v[k] = json.RawMessage(hidden)
			} else {
				v[k] = blank(x)
			}
		}
	case []any:
		for i, x := range v {
			v[i] = blank(x)
		}
	}
	return v
}

// text is an optional member: null where it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	s = shorten(s, maxText)
	return &s
}

func person(t ActorType, n int64, name, email string) *Person {
	return &Person{Email: text(email), ID: id.Ref(n), Name: text(name), Type: t}
}

// shorten cuts s to at most n characters and says how many there were.
func shorten(s string, n int) string {
	all := utf8.RuneCountInString(s)
	if all <= n {
		return s
	}
	kept := 0
	for i := range s {
		if kept == n {
			return s[:i] + fmt.Sprintf("… (cut, %d characters)", all)
		}
		kept++
	}
	return s
}

// encode is JSON on one line: invalid UTF-8 replaced, control characters
// escaped, markup left as it is.
func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("write the audit event: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
