package client

import (
	"context"
	"fmt"
	"time"
)

// APIKey is a service's key, without the key itself.
type APIKey struct {
	ID             int64      `json:"id"`
	OrganizationID *int64     `json:"organization_id"` // nil is platform-wide
	Name           string     `json:"name"`
	Prefix         string     `json:"prefix"` // how the key begins
	Scopes         []string   `json:"scopes"`
	CreatedBy      *int64     `json:"created_by"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	RevokedAt      *time.Time `json:"revoked_at"`
}

// IssuedKey is a new key with its secret, which is shown this once.
type IssuedKey struct {
	APIKey
	Key string `json:"key"`
}

// NewAPIKey is what a key is made of. Scopes: entitlements:read, usage:write,
// usage:read, credits:spend, audit:read, tokens:introspect.
type NewAPIKey struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Rotation says how long the old key stays valid; nil is a day.
type Rotation struct {
	Overlap *int64 `json:"overlap_seconds,omitempty"`
}

// RotatePlatformAPIKey puts a new key in the place of a platform-wide one.
func (c *Client) RotatePlatformAPIKey(ctx context.Context, key int64, in Rotation, o ...CallOption) (IssuedKey, error) {
	return do[IssuedKey](ctx, c, "POST", fmt.Sprintf("/api/tenants/api-keys/%d/rotate", key), in, o)
}

// RotateAPIKey puts a new key in the place of one of an organization.
func (c *Client) RotateAPIKey(ctx context.Context, org OrganizationRef, key int64, in Rotation, o ...CallOption) (IssuedKey, error) {
	return do[IssuedKey](ctx, c, "POST", fmt.Sprintf("%s/api-keys/%d/rotate", org.path(), key), in, o)
}

// APIKeyFilter narrows a list of keys.
type APIKeyFilter struct {
	Q string `query:"q"` // part of the name, or of how the key begins
}

// PlatformAPIKeys lists the keys that belong to no organization.
func (c *Client) PlatformAPIKeys(f APIKeyFilter) List[APIKey] {
	return listOf[APIKey](c, f, "/api/tenants/api-keys")
}

// CreatePlatformAPIKey makes a platform-wide key.
func (c *Client) CreatePlatformAPIKey(ctx context.Context, in NewAPIKey, o ...CallOption) (IssuedKey, error) {
	return do[IssuedKey](ctx, c, "POST", "/api/tenants/api-keys", in, o)
}

// PlatformAPIKey reads a platform-wide key, a revoked one too.
func (c *Client) PlatformAPIKey(ctx context.Context, key int64, o ...CallOption) (APIKey, error) {
	return do[APIKey](ctx, c, "GET", fmt.Sprintf("/api/tenants/api-keys/%d", key), nil, o)
}

// RevokePlatformAPIKey ends a platform-wide key.
func (c *Client) RevokePlatformAPIKey(ctx context.Context, key int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("/api/tenants/api-keys/%d", key), nil, o)
	return err
}

// APIKeys lists the keys of an organization.
func (c *Client) APIKeys(org OrganizationRef, f APIKeyFilter) List[APIKey] {
	return listOf[APIKey](c, f, "%s/api-keys", org.path())
}

// CreateAPIKey makes a key of an organization.
func (c *Client) CreateAPIKey(ctx context.Context, org OrganizationRef, in NewAPIKey, o ...CallOption) (IssuedKey, error) {
	return do[IssuedKey](ctx, c, "POST", org.path()+"/api-keys", in, o)
}

// APIKey reads a key of an organization, a revoked one too.
func (c *Client) APIKey(ctx context.Context, org OrganizationRef, key int64, o ...CallOption) (APIKey, error) {
	return do[APIKey](ctx, c, "GET", fmt.Sprintf("%s/api-keys/%d", org.path(), key), nil, o)
}

// RevokeAPIKey ends a key of an organization.
func (c *Client) RevokeAPIKey(ctx context.Context, org OrganizationRef, key int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("%s/api-keys/%d", org.path(), key), nil, o)
	return err
}
