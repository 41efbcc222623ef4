package client

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Unlimited is the value of a limit that does not bound.
const Unlimited = -1

// OrganizationRef names an organization: by ID or Slug.
type OrganizationRef string

// ID names an organization by its id.
func ID(organization int64) OrganizationRef {
	return OrganizationRef(strconv.FormatInt(organization, 10))
}

// Slug names an organization by its slug.
func Slug(slug string) OrganizationRef { return OrganizationRef(slug) }

func (r OrganizationRef) path() string {
	return "/api/tenants/organizations/" + url.PathEscape(string(r))
}

// Organization is a tenant. Of its limits, Unlimited does not bound.
type Organization struct {
	ID                  int64      `json:"id"`
	Name                string     `json:"name"`
	Slug                string     `json:"slug"`
	AdminID             *int64     `json:"admin_id"` // nil is the platform
	OwnerUserID         *int64     `json:"owner_user_id"`
	Status              string     `json:"status"`           // its own: active, suspended, archived
	EffectiveStatus     string     `json:"effective_status"` // with the holds on its admin
	AdminSuspended      bool       `json:"admin_suspended"`
	Holds               []Hold     `json:"holds"`
	CustomDomain        *string    `json:"custom_domain"`
	CustomDomainStatus  string     `json:"custom_domain_status"` // none, pending, verified
	DomainVerification  *DNSRecord `json:"domain_verification"`
	EnabledPlugins      []string   `json:"enabled_plugins"`
	CreditLimit         int64      `json:"credit_limit"` // how far below zero the balance may go
	CreditBalance       int64      `json:"credit_balance"`
	CreditsHeld         int64      `json:"credits_held"`
	CreditsAvailable    int64      `json:"credits_available"`
	CreditsExpiringSoon int64      `json:"credits_expiring_soon"` // within 30 days
	StorageLimitGB      int64      `json:"storage_limit_gb"`
	MaxUsers            int64      `json:"max_users"`
	BandwidthLimitGB    int64      `json:"bandwidth_limit_gb"` // a month
	MemberCount         int64      `json:"member_count"`
	InvitedCount        int64      `json:"invited_count"`
	CreatedAt           time.Time  `json:"created_at"`
	UpdatedAt           time.Time  `json:"updated_at"`
}

// ChangedOrganization is an organization after a change, with what deserves
// attention.
type ChangedOrganization struct {
	Organization
	Warnings []Warning `json:"warnings"`
}

// Warning tells of something that was done all the same.
type Warning struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Limit   int64  `json:"limit"`
	Used    int64  `json:"used"`
	Over    int64  `json:"over"` // by how much more is used
}

// OrganizationFilter narrows a list of organizations.
type OrganizationFilter struct {
	Status          string `query:"status"`           // active, suspended, archived
	EffectiveStatus string `query:"effective_status"` // the same
	AdminID         int64  `query:"admin_id"`
	Q               string `query:"q"` // in name, slug or the owner's address
	// Sort is created_at, name, slug or member_count, with - before it downwards;
	// without it the newest come first.
	Sort string `query:"sort"`
}

// OrganizationEdit changes an organization. Null clears the domain, gives the
// organization to the platform (AdminID), and restores a default.
type OrganizationEdit struct {
	Name             Optional[string]   `json:"name,omitzero"`
	CustomDomain     Optional[string]   `json:"custom_domain,omitzero"`
	EnabledPlugins   Optional[[]string] `json:"enabled_plugins,omitzero"` // the whole set
	CreditLimit      Optional[int64]    `json:"credit_limit,omitzero"`
	StorageLimitGB   Optional[int64]    `json:"storage_limit_gb,omitzero"`
	MaxUsers         Optional[int64]    `json:"max_users,omitzero"`
	BandwidthLimitGB Optional[int64]    `json:"bandwidth_limit_gb,omitzero"`
	AdminID          Optional[int64]    `json:"admin_id,omitzero"`
}

// Limits changes any of the limits; null restores the default.
type Limits struct {
	CreditLimit      Optional[int64] `json:"credit_limit,omitzero"`
	StorageLimitGB   Optional[int64] `json:"storage_limit_gb,omitzero"`
	MaxUsers         Optional[int64] `json:"max_users,omitzero"`
	BandwidthLimitGB Optional[int64] `json:"bandwidth_limit_gb,omitzero"`
}

// StatusChange suspends, reactivates or archives. Sources are holds to lift
// besides the caller's own; ExpiresAt is when a suspension ends by itself.
type StatusChange struct {
	Status    string     `json:"status"` // active, suspended, archived
	Reason    string     `json:"reason,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Sources   []string   `json:"sources,omitempty"`
}

// Credits are added to an organization: from its admin's pool or the platform.
type Credits struct {
	Amount    int64      `json:"amount"`
	Reason    string     `json:"reason,omitempty"`
	Source    string     `json:"source,omitempty"` // platform, admin
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Category  string     `json:"category,omitempty"` // plan, promo, paid
	Priority  int64      `json:"priority,omitempty"` // the smallest is burnt first
}

// FundedOrganization is an organization after credits came.
type FundedOrganization struct {
	Organization
	Transaction Transaction `json:"transaction"`
}

// Usage is what an organization uses of what it may.
type Usage struct {
	OrganizationID int64     `json:"organization_id"`
	Period         Period    `json:"period"`
	Users          Seats     `json:"users"`
	Storage        Volume    `json:"storage_gb"`
	Bandwidth      Volume    `json:"bandwidth_gb"`
	Credits        Figures   `json:"credits"`
	AsOf           time.Time `json:"as_of"`
}

// Period is the month that counts; To is its first moment that does not.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Seats are members and open invitations. Remaining and Percent are nil where
// the limit is Unlimited.
type Seats struct {
	Used      int64    `json:"used"`
	Invited   int64    `json:"invited"`
	Limit     int64    `json:"limit"`
	Remaining *int64   `json:"remaining"`
	Percent   *float64 `json:"percent"`
	State     string   `json:"state"` // ok, warning, exceeded
}

// Volume is an amount of data in GB of 10⁹ bytes.
type Volume struct {
	Used      float64  `json:"used"`
	UsedBytes int64    `json:"used_bytes"`
	Limit     int64    `json:"limit"`
	Remaining *float64 `json:"remaining"`
	Percent   *float64 `json:"percent"`
	State     string   `json:"state"` // ok, warning, exceeded
}

type creditLimit struct {
	CreditLimit *int64 `json:"credit_limit"`
}

// Organizations lists the organizations within the caller's reach.
func (c *Client) Organizations(f OrganizationFilter) List[Organization] {
	return listOf[Organization](c, f, "/api/tenants/organizations")
}

// Organization reads an organization.
func (c *Client) Organization(ctx context.Context, org OrganizationRef, o ...CallOption) (Organization, error) {
	return do[Organization](ctx, c, "GET", org.path(), nil, o)
}

// OrganizationDetail is Organization under the reference's own path.
func (c *Client) OrganizationDetail(ctx context.Context, org OrganizationRef, o ...CallOption) (Organization, error) {
	return do[Organization](ctx, c, "GET", org.path()+"/detail", nil, o)
}

// EditOrganization changes an organization.
func (c *Client) EditOrganization(ctx context.Context, org OrganizationRef, in OrganizationEdit, o ...CallOption) (ChangedOrganization, error) {
	return do[ChangedOrganization](ctx, c, "PUT", org.path()+"/edit", in, o)
}

// SetStatus suspends, reactivates or archives an organization.
func (c *Client) SetStatus(ctx context.Context, org OrganizationRef, in StatusChange, o ...CallOption) (Organization, error) {
	return do[Organization](ctx, c, "PUT", org.path()+"/status", in, o)
}

// SetLimits sets limits of an organization.
func (c *Client) SetLimits(ctx context.Context, org OrganizationRef, in Limits, o ...CallOption) (ChangedOrganization, error) {
	return do[ChangedOrganization](ctx, c, "PUT", org.path()+"/limits", in, o)
}

// SetCreditLimit sets how far below zero the balance may go; nil restores the
// default.
func (c *Client) SetCreditLimit(ctx context.Context, org OrganizationRef, limit *int64, o ...CallOption) (ChangedOrganization, error) {
	return do[ChangedOrganization](ctx, c, "PUT", org.path()+"/credit-limit", creditLimit{limit}, o)
}

// AddCredits adds credits to an organization.
func (c *Client) AddCredits(ctx context.Context, org OrganizationRef, in Credits, o ...CallOption) (FundedOrganization, error) {
	return do[FundedOrganization](ctx, c, "POST", org.path()+"/credits/add", in, o)
}

// Usage reads what an organization uses.
func (c *Client) Usage(ctx context.Context, org OrganizationRef, o ...CallOption) (Usage, error) {
	return do[Usage](ctx, c, "GET", org.path()+"/usage", nil, o)
}

// VerifyOrganizationDomain looks for the record that proves the domain.
func (c *Client) VerifyOrganizationDomain(ctx context.Context, org OrganizationRef, in Verification, o ...CallOption) (Organization, error) {
	return do[Organization](ctx, c, "POST", org.path()+"/domain/verify", in, o)
}
