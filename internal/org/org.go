// Package org keeps the organizations: the tenants, with their slugs, limits,
// plugins, members and invitations, and what holds them. An organization
// belongs to an admin, whose pool and group bound what the admin gives it, or
// to the platform itself.
//
// Locks are taken in one order everywhere: admins, organizations, credit
// accounts, each by ascending id.
package org

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

// Status is an organization's own state, or what it amounts to together with
// its admin's.
type Status string

// The states. Suspended is never stored: it is a hold in force.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Archived  Status = "archived"
)

// Unlimited is the value of a limit that does not bound.
const Unlimited int64 = -1

// Organization is a tenant as it is answered.
type Organization struct {
	ID                  id.Organization `json:"id"`
	Name                string          `json:"name"`
	Slug                string          `json:"slug"`
	AdminID             *id.Admin       `json:"admin_id" doc:"The admin it belongs to; null is the platform."`
	OwnerUserID         *id.User        `json:"owner_user_id" doc:"The owner of longest standing."`
	Status              Status          `json:"status" enum:"active,suspended,archived" doc:"The organization's own state."`
	EffectiveStatus     Status          `json:"effective_status" enum:"active,suspended,archived" doc:"Active only when neither it nor its admin has a hold."`
	AdminSuspended      bool            `json:"admin_suspended" doc:"A hold on its admin reaches it."`
	Holds               []hold.Hold     `json:"holds" doc:"The holds in force on the organization itself."`
	CustomDomain        *string         `json:"custom_domain"`
	CustomDomainStatus  domain.Status   `json:"custom_domain_status" enum:"none,pending,verified"`
	DomainVerification  *domain.Record  `json:"domain_verification" doc:"The TXT record to set while the domain is pending."`
	EnabledPlugins      []string        `json:"enabled_plugins"`
	CreditLimit         int64           `json:"credit_limit" doc:"How far below zero the balance may go."`
	CreditBalance       int64           `json:"credit_balance"`
	CreditsHeld         int64           `json:"credits_held"`
	CreditsAvailable    int64           `json:"credits_available" doc:"balance + limit - held"`
	CreditsExpiringSoon int64           `json:"credits_expiring_soon" doc:"Of the balance, what expires within 30 days"`
	StorageLimitGB      int64           `json:"storage_limit_gb" doc:"-1 is unlimited."`
	MaxUsers            int64           `json:"max_users" doc:"-1 is unlimited."`
	BandwidthLimitGB    int64           `json:"bandwidth_limit_gb" doc:"A month; -1 is unlimited."`
	MemberCount         int64           `json:"member_count"`
	InvitedCount        int64           `json:"invited_count" doc:"Seats that open invitations hold."`
	CreatedAt           db.Time         `json:"created_at"`
	UpdatedAt           db.Time         `json:"updated_at"`
	Version             int64           `json:"-"`

	held   bool // while being read: there may be holds on it or on its admin
	backed bool // the credit limit rests on the pool of its admin
}

// Revision is the version that If-Match compares; it moves with every change of
// a settable field.
func (o Organization) Revision() int64 { return o.Version }

// Warning tells of something that was done all the same.
type Warning struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Limit   int64  `json:"limit"`
	Used    int64  `json:"used" doc:"In the limit's own unit, begun ones counted; of credits what is overdrawn or held"`
	Over    int64  `json:"over" doc:"By how much more is used than the limit"`
}

// Changed is an organization after a change, with what deserves attention.
type Changed struct {
	Organization
	Warnings []Warning `json:"warnings,omitempty"`
}
