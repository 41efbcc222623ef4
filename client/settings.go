package client

import (
	"context"
	"time"
)

// Settings are what the operator decides for the whole platform.
type Settings struct {
	AutoApproveRegistrations bool       `json:"auto_approve_registrations"`
	DefaultStorageLimitGB    int64      `json:"default_storage_limit_gb"`
	DefaultMaxUsers          int64      `json:"default_max_users"`
	DefaultBandwidthLimitGB  int64      `json:"default_bandwidth_limit_gb"`
	DefaultCreditLimit       int64      `json:"default_credit_limit"`
	PasswordMinLength        int64      `json:"password_min_length"`
	BillingTimezone          string     `json:"billing_timezone"` // Europe/Berlin
	Branding                 Brand      `json:"branding"`
	UpdatedAt                *time.Time `json:"updated_at"`
}

// SettingsEdit changes settings; null restores the built-in value.
type SettingsEdit struct {
	AutoApproveRegistrations Optional[bool]      `json:"auto_approve_registrations,omitzero"`
	DefaultStorageLimitGB    Optional[int64]     `json:"default_storage_limit_gb,omitzero"`
	DefaultMaxUsers          Optional[int64]     `json:"default_max_users,omitzero"`
	DefaultBandwidthLimitGB  Optional[int64]     `json:"default_bandwidth_limit_gb,omitzero"`
	DefaultCreditLimit       Optional[int64]     `json:"default_credit_limit,omitzero"`
	PasswordMinLength        Optional[int64]     `json:"password_min_length,omitzero"`
	BillingTimezone          Optional[string]    `json:"billing_timezone,omitzero"`
	Branding                 Optional[BrandEdit] `json:"branding,omitzero"`
}

// Settings reads the platform's settings.
func (c *Client) Settings(ctx context.Context, o ...CallOption) (Settings, error) {
	return do[Settings](ctx, c, "GET", "/api/tenants/settings", nil, o)
}

// UpdateSettings changes the platform's settings for future organizations.
func (c *Client) UpdateSettings(ctx context.Context, in SettingsEdit, o ...CallOption) (Settings, error) {
	return do[Settings](ctx, c, "PUT", "/api/tenants/settings", in, o)
}
