package audit

import (
	"encoding/json"
	"fmt"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Entry is one row of the log as the API answers it. A list answers the text
// that is stored, unchanged, and does not take it apart: read its fields from
// what Open gives.
type Entry struct {
	ID             id.Event           `json:"id" doc:"Given when the event is written; never reused."`
	OccurredAt     db.Time            `json:"occurred_at" format:"date-time"`
	Actor          Person             `json:"actor" doc:"Who did it, under the name of that time."`
	OnBehalfOf     *Person            `json:"on_behalf_of" doc:"For whom the actor acted, or null."`
	Action         string             `json:"action" example:"organization.suspended"`
	Target         Thing              `json:"target"`
	OrganizationID *id.Organization   `json:"organization_id" doc:"The organization that sees the event."`
	AdminID        *id.Admin          `json:"admin_id" doc:"The admin that sees the event: the organization's at that time."`
	Outcome        Outcome            `json:"outcome" enum:"ok,denied,error"`
	Reason         *string            `json:"reason"`
	Changes        map[string]Changed `json:"changes" doc:"What moved, by field."`
	IP             *string            `json:"ip"`
	UserAgent      *string            `json:"user_agent"`
	RequestID      *string            `json:"request_id"`

	seq  int64
	body string // as stored
}

// Person is an actor as kept in an event.
type Person struct {
	Email *string   `json:"email"`
	ID    *int64    `json:"id"`
	Name  *string   `json:"name"`
	Type  ActorType `json:"type" enum:"user,api_key,system,anonymous"`
}

// Thing is a target as kept in an event.
type Thing struct {
	ID   *int64  `json:"id"`
	Name *string `json:"name"`
	Type string  `json:"type"`
}

// Changed is a field before and after, as kept in an event.
type Changed struct {
	New any `json:"new"`
	Old any `json:"old"`
}

// Open takes the stored text apart.
func (e Entry) Open() (Entry, error) {
	type plain Entry
	p := plain{seq: e.seq, body: e.body}
	if err := json.Unmarshal([]byte(e.body), &p); err != nil {
		return Entry{}, fmt.Errorf("read the audit event at %d: %w", e.seq, err)
	}
	return Entry(p), nil
}

// Text is the event's JSON as it was stored, or "" for one that was not read.
func (e Entry) Text() string { return e.body }

// MarshalJSON gives the stored text.
func (e Entry) MarshalJSON() ([]byte, error) {
	if e.body != "" {
		return []byte(e.body), nil
	}
	type plain Entry
	return json.Marshal(plain(e))
}

// Seq is the event's dense number in the platform's order, from 0.
func (e Entry) Seq() int64 { return e.seq }
