// Package settings holds what the operator decides for the whole platform: how
// registrations are treated, what a new organization starts with, and the
// platform's own brand. It is one row. A change steers what comes after it and
// never touches an organization that exists.
package settings

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones must be known on a machine without them

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/logo"
	"github.com/tenantry/tenantry/internal/patch"
)

// Unlimited as a limit binds nothing.
const Unlimited = -1

// Bounds of the values.
const (
	MaxLimit       = 1_000_000_000         // GB, or users
	MaxCredit      = 1_000_000_000_000_000 // credits: exact in every JSON reader
	PasswordFloor  = 8                     // characters
	PasswordCeil   = 128
	maxZoneLetters = 64
)

// Settings are all of them, as they are answered.
type Settings struct {
	AutoApproveRegistrations bool         `json:"auto_approve_registrations" doc:"Approve and provision a registration at once"`
	DefaultStorageLimitGB    int64        `json:"default_storage_limit_gb" example:"10" doc:"Storage of a new organization in GB (10⁹ bytes); -1 is unlimited"`
	DefaultMaxUsers          int64        `json:"default_max_users" example:"10" doc:"Users of a new organization; -1 is unlimited"`
	DefaultBandwidthLimitGB  int64        `json:"default_bandwidth_limit_gb" example:"100" doc:"Monthly bandwidth of a new organization in GB (10⁹ bytes); -1 is unlimited"`
	DefaultCreditLimit       int64        `json:"default_credit_limit" example:"0" doc:"How far below zero a new organization's credits may go"`
	PasswordMinLength        int64        `json:"password_min_length" example:"12" doc:"Fewest characters of a new password"`
	BillingTimezone          string       `json:"billing_timezone" example:"UTC" doc:"IANA time zone in which months begin"`
	Branding                 brand.Fields `json:"branding" doc:"The platform's own brand, which all others inherit from"`
	UpdatedAt                *db.Time     `json:"updated_at" doc:"null: never changed"`
	Version                  int64        `json:"-"`
}

// Builtin are the values of a new installation, and those that null restores.
var Builtin = Settings{
	DefaultStorageLimitGB:   10,
	DefaultMaxUsers:         10,
	DefaultBandwidthLimitGB: 100,
	PasswordMinLength:       12,
	BillingTimezone:         "UTC",
}

// Revision moves with every change.
func (s Settings) Revision() int64 { return s.Version }

// Patch is a merging PUT: an absent field stays, null restores the built-in
// value.
type Patch struct {
	AutoApproveRegistrations patch.Field[bool]        `json:"auto_approve_registrations,omitzero" required:"false" doc:"Approve and provision a registration at once" example:"false"`
	DefaultStorageLimitGB    patch.Field[int64]       `json:"default_storage_limit_gb,omitzero" required:"false" doc:"Storage of a new organization in GB; -1 is unlimited" example:"10"`
	DefaultMaxUsers          patch.Field[int64]       `json:"default_max_users,omitzero" required:"false" doc:"Users of a new organization; -1 is unlimited" example:"10"`
	DefaultBandwidthLimitGB  patch.Field[int64]       `json:"default_bandwidth_limit_gb,omitzero" required:"false" doc:"Monthly bandwidth of a new organization in GB; -1 is unlimited" example:"100"`
	DefaultCreditLimit       patch.Field[int64]       `json:"default_credit_limit,omitzero" required:"false" doc:"How far below zero a new organization's credits may go" example:"0"`
	PasswordMinLength        patch.Field[int64]       `json:"password_min_length,omitzero" required:"false" doc:"Fewest characters of a new password, 8 to 128" example:"12"`
	BillingTimezone          patch.Field[string]      `json:"billing_timezone,omitzero" required:"false" doc:"IANA time zone in which months begin" example:"UTC"`
	Branding                 patch.Field[brand.Patch] `json:"branding,omitzero" required:"false" doc:"The platform's own brand; merged field by field"`
}

// Load gives the settings in force.
func Load(tx *db.Tx) (Settings, error) {
	return load(tx)
}

// Lock keeps every other transaction from changing the settings until this one
// ends. It gives their version.
func Lock(tx *db.Tx) (int64, error) {
	s, err := lock(tx)
	return s.Version, err
}

// Update changes what p gives and leaves the rest. Values that are the same
// already change nothing and record nothing.
func Update(tx *db.Tx, actor audit.Actor, p Patch) (Settings, error) {
	before, err := lock(tx)
	if err != nil {
		return Settings{}, err
	}
	after, err := p.apply(before)
	if err != nil {
		return Settings{}, err
	}
	if err := logo.CheckBrand(tx, 0, after.Branding); err != nil {
		return Settings{}, err
	}
	changes, err := audit.Diff(before, after)
	if err != nil || len(changes) == 0 {
		return before, err
	}
	if after, err = store(tx, after); err != nil {
		return Settings{}, err
	}
	if _, zoned := changes["billing_timezone"]; zoned {
		tx.Publish("entitlement", "")
	}
	if _, branded := changes["branding"]; branded {
		tx.Publish("branding", "")
	}
	_, err = audit.Record(tx, audit.Event{
		Actor: actor, Action: "settings.updated", Changes: changes,
		Target: audit.Target{Type: "settings", Name: "Platform settings"},
	})
	return after, err
}

func (p Patch) apply(s Settings) (Settings, error) {
	var v fault.Validation
	s.AutoApproveRegistrations = p.AutoApproveRegistrations.Or(s.AutoApproveRegistrations)
	s.DefaultStorageLimitGB = limit(&v, "default_storage_limit_gb", p.DefaultStorageLimitGB, s.DefaultStorageLimitGB, Builtin.DefaultStorageLimitGB)
	s.DefaultMaxUsers = limit(&v, "default_max_users", p.DefaultMaxUsers, s.DefaultMaxUsers, Builtin.DefaultMaxUsers)
	s.DefaultBandwidthLimitGB = limit(&v, "default_bandwidth_limit_gb", p.DefaultBandwidthLimitGB, s.DefaultBandwidthLimitGB, Builtin.DefaultBandwidthLimitGB)
	s.DefaultCreditLimit = restore(p.DefaultCreditLimit, s.DefaultCreditLimit, Builtin.DefaultCreditLimit)
	within(&v, "default_credit_limit", s.DefaultCreditLimit, 0, MaxCredit)
	s.PasswordMinLength = restore(p.PasswordMinLength, s.PasswordMinLength, Builtin.PasswordMinLength)
	within(&v, "password_min_length", s.PasswordMinLength, PasswordFloor, PasswordCeil)
	s.BillingTimezone = restore(p.BillingTimezone, s.BillingTimezone, Builtin.BillingTimezone)
	if p.BillingTimezone.Given() && !zone(s.BillingTimezone) {
		v.Add("billing_timezone", "invalid_timezone", "Give an IANA time zone, such as Europe/Berlin.")
	}
	if p.Branding.Null {
		s.Branding = Builtin.Branding
	}
	s.Branding = brand.Apply(s.Branding, p.Branding.Value, &v)
	return s, v.Err()
}

// restore gives the value to keep: null is the built-in one.
func restore[T any](p patch.Field[T], old, builtin T) T {
	if p.Null {
		return builtin
	}
	return p.Or(old)
}

// limit is restore for a limit, which may be Unlimited.
func limit(v *fault.Validation, field string, p patch.Field[int64], old, builtin int64) int64 {
	n := restore(p, old, builtin)
	if n < Unlimited || n > MaxLimit {
		v.Add(field, "out_of_range", "Give a number from 0 to %d, or -1 for unlimited.", int64(MaxLimit))
	}
	return n
}

func within(v *fault.Validation, field string, n, low, high int64) {
	if n < low || n > high {
		v.Add(field, "out_of_range", "Give a number from %d to %d.", low, high)
	}
}

// zone reports a time zone that has a name everywhere, which "Local" has not.
func zone(name string) bool {
	if name == "" || name == "Local" || len(name) > maxZoneLetters {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// Location is BillingTimezone, ready for use.
func (s Settings) Location() (*time.Location, error) {
	l, err := time.LoadLocation(s.BillingTimezone)
	if err != nil {
		return nil, fmt.Errorf("load the billing time zone: %w", err)
	}
	return l, nil
}
