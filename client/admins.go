package client

import (
	"context"
	"fmt"
	"time"
)

// Admin is a reseller.
type Admin struct {
	ID                  int64      `json:"id"`
	Name                string     `json:"name"`
	ContactEmail        string     `json:"contact_email"`
	CompanyName         string     `json:"company_name"`
	Phone               *string    `json:"phone"`
	PartnerGroupID      *int64     `json:"partner_group_id"`
	Status              string     `json:"status"`     // active, suspended
	Suspension          *Hold      `json:"suspension"` // the first of Holds
	Holds               []Hold     `json:"holds"`
	OwnerUserID         *int64     `json:"owner_user_id"`
	CreditBalance       int64      `json:"credit_balance"`
	CreditsHeld         int64      `json:"credits_held"`
	CreditsAvailable    int64      `json:"credits_available"`
	CreditsExpiringSoon int64      `json:"credits_expiring_soon"` // within 30 days
	OrganizationCount   int64      `json:"organization_count"`
	ReferralCode        string     `json:"referral_code"`
	CustomDomain        *string    `json:"custom_domain"`
	CustomDomainStatus  string     `json:"custom_domain_status"` // none, pending, verified
	DomainVerification  *DNSRecord `json:"domain_verification"`
	CreatedAt           time.Time  `json:"created_at"`
	UpdatedAt           time.Time  `json:"updated_at"`
}

// Hold is one reason why an organization or an admin is suspended.
type Hold struct {
	Source    string     `json:"source"` // platform, admin, quota, billing
	Reason    string     `json:"reason"`
	By        *int64     `json:"by"` // nil is the product itself
	At        time.Time  `json:"at"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// DNSRecord is what has to be set to prove a custom domain.
type DNSRecord struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// NewAdmin is what an admin is made of; name and contact are required.
type NewAdmin struct {
	Name           string  `json:"name"`
	ContactEmail   string  `json:"contact_email"`
	CompanyName    *string `json:"company_name,omitempty"`
	Phone          *string `json:"phone,omitempty"`
	PartnerGroupID *int64  `json:"partner_group_id,omitempty"`
	CustomDomain   *string `json:"custom_domain,omitempty"`
}

// AdminEdit changes an admin; null clears phone, group and domain.
type AdminEdit struct {
	Name           Optional[string] `json:"name,omitzero"`
	ContactEmail   Optional[string] `json:"contact_email,omitzero"`
	CompanyName    Optional[string] `json:"company_name,omitzero"`
	Phone          Optional[string] `json:"phone,omitzero"`
	PartnerGroupID Optional[int64]  `json:"partner_group_id,omitzero"`
	CustomDomain   Optional[string] `json:"custom_domain,omitzero"`
}

// AdminFilter narrows a list of admins.
type AdminFilter struct {
	Status         string `query:"status"` // active, suspended
	PartnerGroupID int64  `query:"partner_group_id"`
	Q              string `query:"q"`
}

// Grant gives an admin credits of the platform; both fields are required.
type Grant struct {
	Amount  int64  `json:"amount"`
	Reason  string `json:"reason"`
	AdminID *int64 `json:"admin_id,omitempty"` // where given, that of the path
}

// GrantedAdmin is an admin after a grant.
type GrantedAdmin struct {
	Admin
	Transaction Transaction `json:"transaction"`
}

// Suspension puts a hold on an admin.
type Suspension struct {
	Reason    string     `json:"reason"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: until it is lifted
}

// AdminUser is a person of an admin.
type AdminUser struct {
	UserID    int64     `json:"user_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`   // owner, staff
	Status    string    `json:"status"` // of the account: active, disabled
	CreatedAt time.Time `json:"created_at"`
}

// Verification asks to verify a custom domain. Override, for superadmins, takes
// it as proved, for a Reason.
type Verification struct {
	Override bool   `json:"override,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

type userID struct {
	UserID int64 `json:"user_id"`
}

func adminPath(admin int64) string { return fmt.Sprintf("/api/tenants/admins/%d", admin) }

// Admins lists admins.
func (c *Client) Admins(f AdminFilter) List[Admin] { return listOf[Admin](c, f, "/api/tenants/admins") }

// CreateAdmin makes an admin.
func (c *Client) CreateAdmin(ctx context.Context, in NewAdmin, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "POST", "/api/tenants/admins", in, o)
}

// Admin reads an admin.
func (c *Client) Admin(ctx context.Context, admin int64, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "GET", adminPath(admin), nil, o)
}

// UpdateAdmin changes an admin.
func (c *Client) UpdateAdmin(ctx context.Context, admin int64, in AdminEdit, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "PUT", adminPath(admin), in, o)
}

// GrantCredits gives an admin credits at face amount.
func (c *Client) GrantCredits(ctx context.Context, admin int64, in Grant, o ...CallOption) (GrantedAdmin, error) {
	return do[GrantedAdmin](ctx, c, "POST", adminPath(admin)+"/grant-credits", in, o)
}

// SuspendAdmin suspends an admin and so all its organizations.
func (c *Client) SuspendAdmin(ctx context.Context, admin int64, in Suspension, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "POST", adminPath(admin)+"/suspend", in, o)
}

// ReactivateAdmin lifts the holds on an admin.
func (c *Client) ReactivateAdmin(ctx context.Context, admin int64, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "POST", adminPath(admin)+"/reactivate", nil, o)
}

// AssignOwner gives the admin another owner; the former one becomes staff.
func (c *Client) AssignOwner(ctx context.Context, admin, user int64, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "POST", adminPath(admin)+"/assign-owner", userID{user}, o)
}

// AdminUserFilter narrows a list of an admin's people.
type AdminUserFilter struct {
	Q string `query:"q"` // part of name or e-mail
}

// AdminUsers lists the people of an admin.
func (c *Client) AdminUsers(admin int64, f AdminUserFilter) List[AdminUser] {
	return listOf[AdminUser](c, f, "%s/users", adminPath(admin))
}

// AddAdminUser makes a user staff of an admin.
func (c *Client) AddAdminUser(ctx context.Context, admin, user int64, o ...CallOption) (AdminUser, error) {
	return do[AdminUser](ctx, c, "POST", adminPath(admin)+"/users", userID{user}, o)
}

// AdminUser reads one of the people of an admin.
func (c *Client) AdminUser(ctx context.Context, admin, user int64, o ...CallOption) (AdminUser, error) {
	return do[AdminUser](ctx, c, "GET", fmt.Sprintf("%s/users/%d", adminPath(admin), user), nil, o)
}

// RemoveAdminUser takes the admin's rights from a user.
func (c *Client) RemoveAdminUser(ctx context.Context, admin, user int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("%s/users/%d", adminPath(admin), user), nil, o)
	return err
}

// VerifyAdminDomain looks for the record that proves the admin's domain.
func (c *Client) VerifyAdminDomain(ctx context.Context, admin int64, in Verification, o ...CallOption) (Admin, error) {
	return do[Admin](ctx, c, "POST", adminPath(admin)+"/domain/verify", in, o)
}
