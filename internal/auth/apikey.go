package auth

import (
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

// Scopes are all that a key may be given.
var Scopes = []Scope{ScopeEntitlements, ScopeUsageWrite, ScopeUsageRead, ScopeCreditsSpend, ScopeAuditRead, ScopeIntrospect}

// APIKey is a service's key; the key itself is shown once, when it is made.
type APIKey struct {
	ID             id.Key           `json:"id"`
	OrganizationID *id.Organization `json:"organization_id" doc:"null is platform-wide"`
	Name           string           `json:"name"`
	Prefix         string           `json:"prefix" doc:"How the key begins, to recognise it by"`
	Scopes         []Scope          `json:"scopes"`
	CreatedBy      *id.User         `json:"created_by"`
	CreatedAt      db.Time          `json:"created_at"`
	UpdatedAt      db.Time          `json:"updated_at" doc:"When it was made or revoked"`
	LastUsedAt     *db.Time         `json:"last_used_at"`
	ExpiresAt      *db.Time         `json:"expires_at"`
	RevokedAt      *db.Time         `json:"revoked_at"`
}

// Revision is always the first: nothing of a key can be edited.
func (APIKey) Revision() int64 { return 1 }

// IssuedKey is a new key, with its secret.
type IssuedKey struct {
	APIKey
	Key string `json:"key" doc:"Shown this once."`
}

// NewAPIKey is what a key is made of.
type NewAPIKey struct {
	Name      string   `json:"name" minLength:"1" maxLength:"120" example:"Shop back end"`
	Scopes    []Scope  `json:"scopes" minItems:"1" maxItems:"20" doc:"entitlements:read, usage:write, usage:read (which the two before include), credits:spend, audit:read, tokens:introspect"`
	ExpiresAt *db.Time `json:"expires_at,omitempty" doc:"When it ends by itself"`
}

// CreateKey makes a key of an organization, or a platform-wide one for zero. To
// all but a superadmin an archived organization is 409 invalid_transition.
func CreateKey(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, in NewAPIKey) (IssuedKey, error) {
	var v fault.Validation
	name := text.Name("name", in.Name, 120, &v)
	for _, s := range in.Scopes {
		if !slices.Contains(Scopes, s) {
			v.Add("scopes", "unknown_value", "Use scopes that the documentation names.")
			break
		}
	}
	if len(in.Scopes) == 0 {
		v.Add("scopes", "required", "Give at least one scope.")
	}
	if in.ExpiresAt != nil && *in.ExpiresAt <= tx.Now {
		v.Add("expires_at", "in_the_past", "Give a time in the future.")
	}
	if err := v.Err(); err != nil {
		return IssuedKey{}, err
	}
	if err := checkOpen(tx, actor, organization); err != nil {
		return IssuedKey{}, err
	}
	token, d := newToken(keyPrefix)
	scopes := slices.Clone(in.Scopes)
	slices.Sort(scopes)
	k := APIKey{OrganizationID: id.Ref(organization), Name: name, Prefix: token[:12], Scopes: slices.Compact(scopes),
		CreatedBy: id.Ref(actor.UserID()), CreatedAt: tx.Now, UpdatedAt: tx.Now, ExpiresAt: in.ExpiresAt}
	var err error
	if k.ID, err = insertKey(tx, k, d); err != nil {
		return IssuedKey{}, err
	}
	changes, err := audit.Diff(nil, &k)
	if err != nil {
		return IssuedKey{}, err
	}
	return IssuedKey{APIKey: k, Key: token}, recordKey(tx, actor, "api_key.created", organization, admin, k, changes)
}

// checkOpen refuses an archived organization to all but a superadmin.
func checkOpen(tx *db.Tx, actor audit.Actor, organization id.Organization) error {
	if actor.Tier != audit.Reseller { // others are let in to no archived organization, or to all
		return nil
	}
	archived, err := isArchived(tx, organization)
	if err != nil || !archived {
		return err
	}
	return fault.New(fault.Conflict, "invalid_transition", "The organization is archived; the platform alone changes it or brings it back.").
		With("current_status", "archived").With("allowed", []string{})
}

// Rotation asks for a new key in the place of one.
type Rotation struct {
	Overlap *int64 `json:"overlap_seconds,omitempty" minimum:"0" maximum:"2592000" example:"3600" doc:"How long the old key stays valid; without it a day"`
}

// Bounds of the overlap.
const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

// RotateKey makes a key with the name, scopes and end of another, which ends
// when the overlap is over, or earlier where it was to. One that has ended is
// 409 invalid_transition, and so is an archived organization to all but a
// superadmin.
func RotateKey(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, key id.Key, in Rotation) (IssuedKey, error) {
	overlap := defaultOverlap
	if in.Overlap != nil {
		overlap = time.Duration(*in.Overlap) * time.Second
	}
	if in.Overlap != nil && (*in.Overlap < 0 || overlap > maxOverlap) {
		return IssuedKey{}, fault.InvalidField("overlap_seconds", "out_of_range", "Give a number of seconds from 0 to %d.", int64(maxOverlap/time.Second))
	}
	old, err := lockKey(tx, organization, key)
	if err != nil {
		return IssuedKey{}, missing(err)
	}
	if err := checkOpen(tx, actor, organization); err != nil {
		return IssuedKey{}, err
	}
	if old.RevokedAt != nil || old.ExpiresAt != nil && *old.ExpiresAt <= tx.Now {
		return IssuedKey{}, fault.New(fault.Conflict, "invalid_transition", "The key has ended; make a new one.").
			With("current_status", "ended").With("allowed", []string{})
	}
	token, d := newToken(keyPrefix)
	k := APIKey{OrganizationID: old.OrganizationID, Name: old.Name, Prefix: token[:12], Scopes: old.Scopes,
		CreatedBy: id.Ref(actor.UserID()), CreatedAt: tx.Now, UpdatedAt: tx.Now, ExpiresAt: old.ExpiresAt}
	if k.ID, err = insertKey(tx, k, d); err != nil {
		return IssuedKey{}, err
	}
	ends := tx.Now.Add(overlap)
	if old.ExpiresAt != nil {
		ends = min(ends, *old.ExpiresAt)
	}
	if err := endKeyAt(tx, old.ID, ends); err != nil {
		return IssuedKey{}, err
	}
	Changed(tx)
	changes := audit.Changes{"id": {Old: old.ID, New: k.ID}, "prefix": {Old: old.Prefix, New: k.Prefix}, "old_expires_at": {Old: old.ExpiresAt, New: ends}}
	return IssuedKey{APIKey: k, Key: token}, recordKey(tx, actor, "api_key.rotated", organization, admin, k, changes)
}

// Keys lists the keys of an organization, or the platform-wide ones for zero,
// that have q in their name or in how they begin.
func Keys(tx *db.Tx, organization id.Organization, q string, r page.Request) (page.List[APIKey], error) {
	rows, err := listKeys(tx, organization, q, r)
	if err != nil {
		return page.List[APIKey]{}, err
	}
	total, err := countKeys(tx, organization, q)
	return page.Of(r, rows, total, func(k APIKey) page.Position { return page.Position{At: int64(k.CreatedAt), ID: int64(k.ID)} }), err
}

// KeyOf gives a key of an organization, or a platform-wide one for zero; one of
// another organization is 404.
func KeyOf(tx *db.Tx, organization id.Organization, key id.Key) (APIKey, error) {
	k, err := keyOf(tx, organization, key)
	return k, missing(err)
}

// RevokeKey ends a key; one of another organization is 404, one that has
// ended already stays as it is.
func RevokeKey(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, key id.Key) error {
	k, err := revokeKey(tx, organization, key)
	if errors.Is(err, db.ErrNoRows) {
		_, err := keyOf(tx, organization, key)
		return missing(err)
	}
	if err != nil {
		return err
	}
	Changed(tx)
	effect.Add(tx, effect.APIKeys, 1)
	return recordKey(tx, actor, "api_key.revoked", organization, admin, k, nil)
}

func recordKey(tx *db.Tx, actor audit.Actor, action string, o id.Organization, a id.Admin, k APIKey, changes audit.Changes) error {
	_, err := audit.Record(tx, audit.Event{Actor: actor, Action: action, Target: audit.Target{Type: "api_key", ID: int64(k.ID), Name: k.Name},
		Organization: o, Admin: a, Changes: changes})
	return err
}
