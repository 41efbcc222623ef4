package usage

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// Bounds of a report.
const (
	MaxBatch = 1000     // events of a batch
	MaxLine  = 64 << 10 // bytes of an event
	MaxValue = 100e12   // of one event, in the meter's unit
	dedupe   = 32 * 24 * time.Hour
	grace    = 72 * time.Hour  // how late an event still counts where it belongs
	onTime   = time.Hour       // older than this is late
	ahead    = 5 * time.Minute // how far a reporter's clock may be ahead
)

// Content types of a report.
const (
	OneEvent   = "application/cloudevents+json"
	EventBatch = "application/cloudevents-batch+json"
	EventLines = "application/x-ndjson"
)

// CloudEvent is the schema of an event: CloudEvents 1.0 in JSON. Extensions
// are taken and ignored.
type CloudEvent struct {
	SpecVersion string    `json:"specversion" enum:"1.0"`
	ID          string    `json:"id" maxLength:"256" doc:"With source, what makes the event one: it counts once in 32 days"`
	Source      string    `json:"source" example:"ecommerce" doc:"Key of the plugin that reports"`
	Type        string    `json:"type" example:"bandwidth_bytes" doc:"Key of the meter"`
	Subject     string    `json:"subject" example:"acme-corp" doc:"Id or slug of the organization"`
	Time        *db.Time  `json:"time,omitempty" doc:"When it happened; without it now. Up to 72 h late it counts where it belongs, later in the current period"`
	Data        EventData `json:"data"`
}

// EventData is what was measured: exactly one of the two.
type EventData struct {
	Value *int64 `json:"value,omitempty" doc:"How much more, of a counter; what it stands at now, of a gauge"`
	Delta *int64 `json:"delta,omitempty" doc:"Of a gauge: how much more or less"`
}

// event is a CloudEvent as it was sent, or what is wrong with it.
type event struct {
	id, source, meter, subject string

	at     db.Time // zero: none was given
	amount int64
	delta  bool
	wrong  refusal // its code is "" while nothing is wrong
}

// refusal is why an event does not count.
type refusal struct{ code, message string }

// longest is the longest key that is kept as it is, in bytes.
const longest = 72

// key is what makes an event one within its organization: source and id, or
// their digest where they are long. Source holds no NUL, and a digest begins
// with one.
func (e *event) key() string {
	k := e.source + "\x00" + e.id
	if len(k) <= longest {
		return k
	}
	sum := sha256.Sum256([]byte(k))
	return "\x00" + string(sum[:])
}

// parse reads one event. What is wrong with it is its own: others of its batch
// count all the same.
func parse(b json.RawMessage) event {
	if e, ok := parseShort(b); ok {
		return e
	}
	return parseLong(b)
}

// parseLong reads an event of any form.
func parseLong(b json.RawMessage) event {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil || m == nil {
		return event{wrong: refusal{"invalid_event", "An event is a JSON object in the form of CloudEvents 1.0."}}
	}
	e := event{}
	for _, f := range []struct {
		name string
		into *string
		most int
	}{{"id", &e.id, 256}, {"source", &e.source, 64}, {"type", &e.meter, 64}, {"subject", &e.subject, 64}} {
		var s *string
		if err := json.Unmarshal(m[f.name], &s); err != nil || s == nil || *s == "" || len(*s) > f.most || strings.IndexByte(*s, 0) >= 0 {
			e.fail("invalid_"+f.name, "Give "+f.name+" as a text that is not empty nor too long.")
			continue
		}
		*f.into = *s
	}
	e.envelope(m)
	e.measure(m["data"])
	return e
}

// fail keeps the first thing that is wrong.
func (e *event) fail(code, message string) {
	if e.wrong.code == "" {
		e.wrong = refusal{code, message}
	}
}

// envelope reads the attributes that say how to read the others.
func (e *event) envelope(m map[string]json.RawMessage) {
	if !bytes.Equal(m["specversion"], []byte(`"1.0"`)) {
		e.fail("invalid_specversion", "The specversion is 1.0.")
	}
	if m["data_base64"] != nil {
		e.fail("invalid_data", "Give data as a JSON object.")
	}
	if raw := m["datacontenttype"]; raw != nil && !bytes.HasPrefix(raw, []byte(`"application/json`)) {
		e.fail("invalid_datacontenttype", "The data is application/json.")
	}
	if raw := m["time"]; raw != nil {
		var text string
		if json.Unmarshal(raw, &text) != nil || e.at.UnmarshalText([]byte(text)) != nil || e.at <= 0 {
			e.fail("invalid_time", "Give an RFC 3339 time, such as 2026-11-01T00:00:00Z.")
		}
	}
}

// measure reads the data. Numbers that are written as 5e3 or 5.0 are whole too,
// but nobody needs to write them so.
func (e *event) measure(raw json.RawMessage) {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil || (m["value"] == nil) == (m["delta"] == nil) {
		e.fail("invalid_data", "Give data with either value or delta.")
		return
	}
	number := m["value"]
	if number == nil {
		number, e.delta = m["delta"], true
	}
	var n *int64
	if json.Unmarshal(number, &n) != nil || n == nil {
		e.fail("invalid_data", "Give a whole number.")
		return
	}
	if e.amount = *n; *n > MaxValue || *n < -MaxValue {
		e.fail("out_of_range", "The number is too large for one event.")
	}
}

// Batch are the events of a report, read and not yet counted.
type Batch struct{ events []event }

// Len is how many events there are.
func (b *Batch) Len() int { return len(b.events) }

// Add reads one more event.
func (b *Batch) Add(raw json.RawMessage) { b.events = append(b.events, parse(raw)) }

// ParseBatch reads the body of a report of one event or of an array of them.
func ParseBatch(contentType string, body []byte) (Batch, error) {
	var b Batch
	if contentType == OneEvent {
		if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
			return b, fault.InvalidField("body", "wrong_type", "An event is an object.")
		}
		b.Add(body)
		return b, nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return b, fault.InvalidField("body", "wrong_type", "A batch is an array of events.")
	}
	if len(all) > MaxBatch {
		return b, fault.InvalidField("body", "too_many", "Send at most %d events at once.", MaxBatch)
	}
	b.events = make([]event, 0, len(all))
	for _, raw := range all {
		b.Add(raw)
	}
	return b, nil
}
