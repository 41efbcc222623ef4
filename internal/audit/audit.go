// Package audit is the record of everything that was done, and of what was
// denied: who, what, to which thing, from what to what. An event is written in
// the transaction of what it describes; if it cannot be written, nothing
// happens.
package audit

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// ActorType says what acted.
type ActorType string

// The kinds of actor.
const (
	User   ActorType = "user"
	APIKey ActorType = "api_key"
	System ActorType = "system" // the product itself: auto-approval, expiry
	Nobody ActorType = "anonymous"
)

// Tier is the capacity in which an actor deals with a thing. It decides whose
// holds it may lift and whether a partner group's policy binds it.
type Tier int

// The tiers, from the weakest.
const (
	Tenant   Tier = iota // a member, or a service, of an organization
	Reseller             // the owner or staff of the admin that owns the thing
	Platform             // a superadmin, or the product itself
)

// Actor is who does something, as every domain package is told explicitly.
type Actor struct {
	Type  ActorType
	ID    int64 // of the user or API key; 0 for system and anonymous
	Name  string
	Email string
	Tier  Tier
	// OnBehalfOf is the one whom the actor acts for; the actor stays the actor.
	OnBehalfOf *Party
	// Organization and Admin are the actor's own tenant, where its denied
	// attempts are kept. Zero for platform staff.
	Organization id.Organization
	Admin        id.Admin
	IP           string
	UserAgent    string
	RequestID    string
}

// UserID is the acting user, or zero.
func (a Actor) UserID() id.User {
	if a.Type == User {
		return id.User(a.ID)
	}
	return 0
}

// As is the user whose rights are exercised: the one whom the actor acts for,
// else the acting user; zero for what is no user.
func (a Actor) As() id.User {
	if a.OnBehalfOf != nil && a.OnBehalfOf.Type == User {
		return id.User(a.OnBehalfOf.ID)
	}
	return a.UserID()
}

// Product is the actor of what happens by itself.
func Product(requestID string) Actor {
	return Actor{Type: System, Name: "Tenantry", Tier: Platform, RequestID: requestID}
}

// Party is somebody named in an event.
type Party struct {
	Type  ActorType `json:"type"`
	ID    int64     `json:"id"`
	Name  string    `json:"name,omitempty"`
	Email string    `json:"email,omitempty"`
}

// Types are the kinds of things that there are events of: what something was
// done to or, of an attempt that was denied, what its permission is about.
var Types = []string{
	"access", "account", "admin", "api_key", "audit", "authz", "branding", "credits", "invitation", "member", "meter", "my_organization", "notification",
	"organization", "partner_group", "plugin", "profile", "registration_request", "session", "settings", "system", "token", "usage", "user",
}

// Target is the thing something was done to; Type is one of Types.
type Target struct {
	Type string `json:"type"`
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Outcome says how it ended.
type Outcome string

// The outcomes.
const (
	OK     Outcome = "ok"
	Denied Outcome = "denied"
	Failed Outcome = "error"
)

// Change is one field before and after.
type Change struct {
	Old any `json:"old"`
	New any `json:"new"`
}

// Changes are the fields that moved, by their name in the API.
type Changes map[string]Change

// Event is what to record. The actor's address and request id travel with the
// actor; the time is the transaction's.
type Event struct {
	Actor  Actor
	Action string // "organization.suspended": type, dot, past participle
	Target Target
	// Organization and Admin are the scope, frozen now: who may read the
	// event. Both zero is the platform's alone.
	Organization id.Organization
	Admin        id.Admin
	Outcome      Outcome // OK when empty
	Reason       string
	Changes      Changes
}

// Record writes the event in tx and gives its id.
func Record(tx *db.Tx, e Event) (id.Event, error) {
	return record(tx, e)
}

// Deny records an attempt that was refused, in the actor's own tenant and the
// platform's log. The target keeps no name: it may be another tenant's.
func Deny(tx *db.Tx, actor Actor, action string, target Target, reason string) error {
	target.Name = ""
	_, err := Record(tx, Event{Actor: actor, Action: action, Target: target, Outcome: Denied, Reason: reason,
		Organization: actor.Organization, Admin: actor.Admin})
	return err
}

// Recorded gives the events written so far in tx, in order: what the answer
// names in Audit-Event.
func Recorded(tx *db.Tx) []id.Event {
	r, _ := tx.Value(recordedKey{}).([]id.Event)
	return r
}

type recordedKey struct{}
