// Package registration is the way in: somebody asks for an organization, a
// superadmin (or the setting auto_approve_registrations) decides, and
// provisioning makes the organization, its owner and its accounts in one
// transaction.
//
//	pending_approval ── approve ──> approved ── provision ──> active
//	       └────────── reject ─────────┴──> rejected
//
// Whoever registers learns nothing about anybody else: the answer and its cost
// are the same whether the e-mail is known or not; what is known is a flag for
// the superadmin.
package registration

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/page"
)

// Service does what needs more than a transaction: it hashes passwords, and
// queues mails with signed links.
type Service struct {
	DB     *db.DB
	Hasher *auth.Hasher
	Mail   *mail.Outbox
}

// Status is where a request stands.
type Status string

// The states of a request.
const (
	Pending  Status = "pending_approval"
	Approved Status = "approved"
	Rejected Status = "rejected"
	Active   Status = "active"
)

// allowed are the actions that a state takes, as named in a refusal.
var allowed = map[Status][]string{
	Pending:  {"approve", "reject"},
	Approved: {"provision", "reject"},
	Rejected: {},
	Active:   {},
}

// Request is a registration request as superadmins see it. The password hash
// never leaves the table.
type Request struct {
	ID             id.Request `json:"id"`
	Status         Status     `json:"status" enum:"pending_approval,approved,rejected,active"`
	Email          string     `json:"email"`
	CompanyName    string     `json:"company_name"`
	ContactName    string     `json:"contact_name"`
	Phone          *string    `json:"phone"`
	DesiredOrgName string     `json:"desired_org_name"`
	DesiredOrgSlug string     `json:"desired_org_slug" doc:"As asked for, or derived from the company."`
	UTMSource      *string    `json:"utm_source"`
	UTMMedium      *string    `json:"utm_medium"`
	UTMCampaign    *string    `json:"utm_campaign"`
	ReferralCode   *string    `json:"referral_code"`
	Host           *string    `json:"host" doc:"The verified custom domain it came by."`
	Flags          []Flag     `json:"flags" doc:"What a superadmin should look at before deciding."`

	OrgName            *string   `json:"org_name" doc:"Given at approval; null is what was asked for."`
	OrgSlug            *string   `json:"org_slug"`
	InitialCreditLimit *int64    `json:"initial_credit_limit" doc:"Given at approval; null is the setting's default, as for the limits below."`
	StorageLimitGB     *int64    `json:"storage_limit_gb"`
	MaxUsers           *int64    `json:"max_users"`
	BandwidthLimitGB   *int64    `json:"bandwidth_limit_gb"`
	EnabledPlugins     *[]string `json:"enabled_plugins" doc:"Given at approval; null is the catalogue's defaults."`
	AdminID            *id.Admin `json:"admin_id" doc:"Whose organization it becomes: by host, by referral code, or as approved. Null is the platform."`

	DecidedBy *id.User `json:"decided_by" doc:"Null with decided_at is the product itself."`
	DecidedAt *db.Time `json:"decided_at"`
	Reason    *string  `json:"reason" doc:"Of a rejection."`

	Provisioning   Provisioning     `json:"provisioning"`
	OrganizationID *id.Organization `json:"organization_id"`
	CreatedAt      db.Time          `json:"created_at"`
	UpdatedAt      db.Time          `json:"updated_at"`
	Version        int64            `json:"-"`

	email string // the key of Email
	hash  string // of the password; "" once purged
}

// Revision is the version that If-Match compares.
func (r Request) Revision() int64 { return r.Version }

// Provisioning tells how making the organization went.
type Provisioning struct {
	State     string  `json:"state" enum:"none,failed,done"`
	Attempts  int64   `json:"attempts" doc:"How often it was tried."`
	LastError *string `json:"last_error" doc:"Of the last attempt that failed, until one succeeds."`
	Steps     []Step  `json:"steps" doc:"Of the last attempt. After a failure nothing of it remains."`
}

// The states of provisioning.
const (
	notTried     = "none"
	failedBefore = "failed"
	done         = "done"
)

// Step is one part of provisioning.
type Step struct {
	Name  string `json:"name"`
	State string `json:"state" enum:"done,failed,rolled_back"`
}

// slug is the one the request holds.
func (r Request) slug() string {
	if r.OrgSlug != nil {
		return *r.OrgSlug
	}
	return r.DesiredOrgSlug
}

// name is what the organization will be called.
func (r Request) name() string {
	if r.OrgName != nil {
		return *r.OrgName
	}
	return r.DesiredOrgName
}

// refuse is the 409 for an action that the state does not take.
func (r Request) refuse(action string) error {
	return fault.New(fault.Conflict, "invalid_transition", "A request that is %s cannot take the action %s.", r.Status, action).
		With("current_status", r.Status).With("allowed", allowed[r.Status])
}

// Filter narrows List; empty fields do not.
type Filter struct {
	Status                            Status
	Q                                 string // part of e-mail, company, person, name or slug
	UTMSource, UTMMedium, UTMCampaign string // exactly
}

// List gives requests, newest first.
func List(tx *db.Tx, f Filter, r page.Request) (page.List[Request], error) {
	rows, total, err := list(tx, f, r)
	if err != nil {
		return page.List[Request]{}, fmt.Errorf("list registration requests: %w", err)
	}
	return page.Of(r, rows, total, func(r Request) page.Position {
		return page.Position{At: int64(r.CreatedAt), ID: int64(r.ID)}
	}), nil
}

// Find gives one request.
func Find(tx *db.Tx, request id.Request) (Request, error) {
	r, err := find(tx, request)
	return r, missing(err)
}

// Lock locks the request until the transaction ends and gives its version.
func Lock(tx *db.Tx, request id.Request) (int64, error) {
	r, err := lock(tx, request)
	return r.Version, missing(err)
}
