package client

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Registration asks for an organization. The first four fields are required.
type Registration struct {
	Email          string `json:"email"`
	Password       string `json:"password"`
	CompanyName    string `json:"company_name"`
	ContactName    string `json:"contact_name"`
	Phone          string `json:"phone,omitempty"`
	DesiredOrgName string `json:"desired_org_name,omitempty"`
	DesiredOrgSlug string `json:"desired_org_slug,omitempty"`
	UTMSource      string `json:"utm_source,omitempty"`
	UTMMedium      string `json:"utm_medium,omitempty"`
	UTMCampaign    string `json:"utm_campaign,omitempty"`
	ReferralCode   string `json:"referral_code,omitempty"`
}

// Receipt is all that an applicant is told.
type Receipt struct {
	ID             int64  `json:"id"`
	Status         string `json:"status"` // pending_approval, whatever happens next
	DesiredOrgSlug string `json:"desired_org_slug"`
	StatusURL      string `json:"status_url"` // signed: shows where the request stands
}

// SlugAnswer says whether a slug is free. Reason is slug_taken, invalid_slug or
// reserved_slug.
type SlugAnswer struct {
	Slug        string   `json:"slug"`
	Available   bool     `json:"available"`
	Reason      *string  `json:"reason"`
	Suggestions []string `json:"suggestions"`
}

// Standing is where a request stands, as the applicant sees it.
type Standing struct {
	Status         string    `json:"status"` // pending_approval, approved, rejected, active
	CompanyName    string    `json:"company_name"`
	DesiredOrgSlug string    `json:"desired_org_slug"`
	Reason         *string   `json:"reason"` // of a rejection
	Organization   *string   `json:"organization"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Request is a registration request as superadmins see it. What was given at
// approval is nil before.
type Request struct {
	ID                 int64        `json:"id"`
	Status             string       `json:"status"` // pending_approval, approved, rejected, active
	Email              string       `json:"email"`
	CompanyName        string       `json:"company_name"`
	ContactName        string       `json:"contact_name"`
	Phone              *string      `json:"phone"`
	DesiredOrgName     string       `json:"desired_org_name"`
	DesiredOrgSlug     string       `json:"desired_org_slug"`
	UTMSource          *string      `json:"utm_source"`
	UTMMedium          *string      `json:"utm_medium"`
	UTMCampaign        *string      `json:"utm_campaign"`
	ReferralCode       *string      `json:"referral_code"`
	Host               *string      `json:"host"` // the verified custom domain it came by
	Flags              []string     `json:"flags"`
	OrgName            *string      `json:"org_name"`
	OrgSlug            *string      `json:"org_slug"`
	InitialCreditLimit *int64       `json:"initial_credit_limit"`
	StorageLimitGB     *int64       `json:"storage_limit_gb"`
	MaxUsers           *int64       `json:"max_users"`
	BandwidthLimitGB   *int64       `json:"bandwidth_limit_gb"`
	EnabledPlugins     *[]string    `json:"enabled_plugins"`
	AdminID            *int64       `json:"admin_id"` // whose organization it becomes; nil is the platform
	DecidedBy          *int64       `json:"decided_by"`
	DecidedAt          *time.Time   `json:"decided_at"`
	Reason             *string      `json:"reason"`
	Provisioning       Provisioning `json:"provisioning"`
	OrganizationID     *int64       `json:"organization_id"`
	CreatedAt          time.Time    `json:"created_at"`
	UpdatedAt          time.Time    `json:"updated_at"`
}

// Provisioning tells how making the organization went.
type Provisioning struct {
	State     string             `json:"state"` // none, failed, done
	Attempts  int64              `json:"attempts"`
	LastError *string            `json:"last_error"`
	Steps     []ProvisioningStep `json:"steps"`
}

// ProvisioningStep is one part of it: done, failed or rolled_back.
type ProvisioningStep struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// Approval says what is to be different from the settings' defaults. A null
// AdminID gives the organization to the platform.
type Approval struct {
	OrgName            *string         `json:"org_name,omitempty"`
	OrgSlug            *string         `json:"org_slug,omitempty"`
	InitialCreditLimit *int64          `json:"initial_credit_limit,omitempty"`
	StorageLimitGB     *int64          `json:"storage_limit_gb,omitempty"`
	MaxUsers           *int64          `json:"max_users,omitempty"`
	BandwidthLimitGB   *int64          `json:"bandwidth_limit_gb,omitempty"`
	EnabledPlugins     *[]string       `json:"enabled_plugins,omitempty"`
	AdminID            Optional[int64] `json:"admin_id,omitzero"`
	Provision          bool            `json:"provision,omitempty"` // at once
}

// Provisioned is what provisioning made.
type Provisioned struct {
	Request      Request      `json:"request"`
	Organization Organization `json:"organization"`
	Owner        Owner        `json:"owner"`
}

// Owner is the owner of a new organization.
type Owner struct {
	ID            int64  `json:"id"`
	Email         string `json:"email"`
	Name          string `json:"name"`
	EmailVerified bool   `json:"email_verified"`
}

// RequestFilter narrows a list of requests; zero values do not.
type RequestFilter struct {
	Status      string `query:"status"` // pending_approval, approved, rejected, active
	Q           string `query:"q"`
	UTMSource   string `query:"utm_source"`
	UTMMedium   string `query:"utm_medium"`
	UTMCampaign string `query:"utm_campaign"`
}

type reason struct {
	Reason string `json:"reason"`
}

// Register asks for an organization.
func (c *Client) Register(ctx context.Context, in Registration, o ...CallOption) (Receipt, error) {
	return do[Receipt](ctx, c, "POST", "/api/tenants/register", in, o)
}

// CheckSlug asks whether a slug is free now.
func (c *Client) CheckSlug(ctx context.Context, slug string, o ...CallOption) (SlugAnswer, error) {
	return ask[SlugAnswer](ctx, c, "GET", "/api/tenants/register/slug", url.Values{"slug": {slug}}, nil, o)
}

// RegistrationStatus shows where a request stands, by the token of its
// StatusURL.
func (c *Client) RegistrationStatus(ctx context.Context, token string, o ...CallOption) (Standing, error) {
	return ask[Standing](ctx, c, "GET", "/api/tenants/register/status", url.Values{"token": {token}}, nil, o)
}

// Requests lists registration requests.
func (c *Client) Requests(f RequestFilter) List[Request] {
	return listOf[Request](c, f, "/api/tenants/requests")
}

// RequestStats counts the requests of some days by how far they came.
type RequestStats struct {
	Days int `json:"days"`
	RequestsReached
	ByDay      []RequestsOfDay      `json:"by_day"`
	ByCampaign []RequestsOfCampaign `json:"by_campaign"`
}

// RequestsReached counts requests by how far they came; Approved has the active
// ones in it.
type RequestsReached struct {
	Submitted int64 `json:"submitted"`
	Approved  int64 `json:"approved"`
	Active    int64 `json:"active"`
	Rejected  int64 `json:"rejected"`
}

// RequestsOfDay counts those that came on a day, such as 2026-11-23.
type RequestsOfDay struct {
	Date string `json:"date"`
	RequestsReached
}

// RequestsOfCampaign counts those that came with the same UTM fields.
type RequestsOfCampaign struct {
	UTMSource   *string `json:"utm_source"`
	UTMMedium   *string `json:"utm_medium"`
	UTMCampaign *string `json:"utm_campaign"`
	RequestsReached
}

// RequestStats counts the requests of the last days, today included; 0 is the
// server's 30.
func (c *Client) RequestStats(ctx context.Context, days int, o ...CallOption) (RequestStats, error) {
	q := url.Values{}
	if days != 0 {
		q.Set("days", strconv.Itoa(days))
	}
	return ask[RequestStats](ctx, c, "GET", "/api/tenants/requests/stats", q, nil, o)
}

// Request reads a registration request.
func (c *Client) Request(ctx context.Context, request int64, o ...CallOption) (Request, error) {
	return do[Request](ctx, c, "GET", fmt.Sprintf("/api/tenants/requests/%d", request), nil, o)
}

// ApproveRequest approves a request. It creates nothing unless in says so.
func (c *Client) ApproveRequest(ctx context.Context, request int64, in Approval, o ...CallOption) (Request, error) {
	return do[Request](ctx, c, "POST", fmt.Sprintf("/api/tenants/requests/%d/approve", request), in, o)
}

// RejectRequest declines a request; the applicant reads why.
func (c *Client) RejectRequest(ctx context.Context, request int64, why string, o ...CallOption) (Request, error) {
	return do[Request](ctx, c, "POST", fmt.Sprintf("/api/tenants/requests/%d/reject", request), reason{why}, o)
}

// ProvisionRequest makes the organization of an approved request; again it
// answers the same.
func (c *Client) ProvisionRequest(ctx context.Context, request int64, o ...CallOption) (Provisioned, error) {
	return do[Provisioned](ctx, c, "POST", fmt.Sprintf("/api/tenants/requests/%d/provision", request), nil, o)
}
