package client

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// PartnerGroup is a tier of admins: a discount and a policy, in which nil binds
// nothing.
type PartnerGroup struct {
	ID                    int64     `json:"id"`
	Name                  string    `json:"name"`
	Description           *string   `json:"description"`
	CreditDiscountPercent float64   `json:"credit_discount_percent"` // at most two decimals
	MaxOrganizations      *int64    `json:"max_organizations"`
	MaxStorageGB          *int64    `json:"max_storage_gb"`
	MaxUsers              *int64    `json:"max_users"`
	MaxBandwidthGB        *int64    `json:"max_bandwidth_gb"`
	AllowedPlugins        *[]string `json:"allowed_plugins"`
	MayHidePoweredBy      bool      `json:"may_hide_powered_by"`
	Oversell              bool      `json:"oversell"`
	MemberCount           int64     `json:"member_count"`
	CreatedAt             time.Time `json:"created_at"`
	UpdatedAt             time.Time `json:"updated_at"`
}

// NewPartnerGroup is what a group is made of; the name is required.
type NewPartnerGroup struct {
	Name                  string    `json:"name"`
	Description           *string   `json:"description,omitempty"`
	CreditDiscountPercent float64   `json:"credit_discount_percent,omitempty"`
	MaxOrganizations      *int64    `json:"max_organizations,omitempty"`
	MaxStorageGB          *int64    `json:"max_storage_gb,omitempty"`
	MaxUsers              *int64    `json:"max_users,omitempty"`
	MaxBandwidthGB        *int64    `json:"max_bandwidth_gb,omitempty"`
	AllowedPlugins        *[]string `json:"allowed_plugins,omitempty"`
	MayHidePoweredBy      *bool     `json:"may_hide_powered_by,omitempty"` // true when absent
	Oversell              *bool     `json:"oversell,omitempty"`
}

// PartnerGroupEdit changes a group; null unbinds.
type PartnerGroupEdit struct {
	Name                  Optional[string]   `json:"name,omitzero"`
	Description           Optional[string]   `json:"description,omitzero"`
	CreditDiscountPercent Optional[float64]  `json:"credit_discount_percent,omitzero"`
	MaxOrganizations      Optional[int64]    `json:"max_organizations,omitzero"`
	MaxStorageGB          Optional[int64]    `json:"max_storage_gb,omitzero"`
	MaxUsers              Optional[int64]    `json:"max_users,omitzero"`
	MaxBandwidthGB        Optional[int64]    `json:"max_bandwidth_gb,omitzero"`
	AllowedPlugins        Optional[[]string] `json:"allowed_plugins,omitzero"`
	MayHidePoweredBy      Optional[bool]     `json:"may_hide_powered_by,omitzero"`
	Oversell              Optional[bool]     `json:"oversell,omitzero"`
}

// PartnerGroupFilter narrows a list of groups.
type PartnerGroupFilter struct {
	Q string `query:"q"`
}

// PartnerGroups lists partner groups.
func (c *Client) PartnerGroups(f PartnerGroupFilter) List[PartnerGroup] {
	return listOf[PartnerGroup](c, f, "/api/tenants/partner-groups")
}

// CreatePartnerGroup makes a partner group.
func (c *Client) CreatePartnerGroup(ctx context.Context, in NewPartnerGroup, o ...CallOption) (PartnerGroup, error) {
	return do[PartnerGroup](ctx, c, "POST", "/api/tenants/partner-groups", in, o)
}

// PartnerGroup reads a partner group.
func (c *Client) PartnerGroup(ctx context.Context, group int64, o ...CallOption) (PartnerGroup, error) {
	return do[PartnerGroup](ctx, c, "GET", fmt.Sprintf("/api/tenants/partner-groups/%d", group), nil, o)
}

// UpdatePartnerGroup changes a partner group from now on.
func (c *Client) UpdatePartnerGroup(ctx context.Context, group int64, in PartnerGroupEdit, o ...CallOption) (PartnerGroup, error) {
	return do[PartnerGroup](ctx, c, "PUT", fmt.Sprintf("/api/tenants/partner-groups/%d", group), in, o)
}

// DeletePartnerGroup deletes a group. Its admins, if any, go to the group
// reassignTo; with 0 a group that has some is refused as in_use.
func (c *Client) DeletePartnerGroup(ctx context.Context, group, reassignTo int64, o ...CallOption) error {
	q := url.Values{}
	if reassignTo != 0 {
		q.Set("reassign_to", strconv.FormatInt(reassignTo, 10))
	}
	_, err := ask[nothing](ctx, c, "DELETE", fmt.Sprintf("/api/tenants/partner-groups/%d", group), q, nil, o)
	return err
}
