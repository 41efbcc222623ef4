package client

import (
	"context"
	"net/url"
	"time"
)

// Plugin is a capability of the product.
type Plugin struct {
	ID             int64     `json:"id"`
	Key            string    `json:"key"` // ecommerce; never changes
	Name           string    `json:"name"`
	Description    string    `json:"description"`
	Category       string    `json:"category"`
	Version        string    `json:"version"`
	Core           bool      `json:"core"`
	DependsOn      []string  `json:"depends_on"`
	DefaultEnabled bool      `json:"default_enabled"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Entitlement is a plugin as an organization sees it.
type Entitlement struct {
	Plugin
	Enabled   bool       `json:"enabled"`
	EnabledAt *time.Time `json:"enabled_at"`
}

// NewPlugin is what a plugin is made of; key and name are required.
type NewPlugin struct {
	Key            string   `json:"key"`
	Name           string   `json:"name"`
	Description    string   `json:"description,omitempty"`
	Category       string   `json:"category,omitempty"`
	Version        string   `json:"version,omitempty"`
	Core           bool     `json:"core,omitempty"`
	DependsOn      []string `json:"depends_on,omitempty"`
	DefaultEnabled bool     `json:"default_enabled,omitempty"`
}

// PluginEdit changes a plugin; null empties description and dependencies.
type PluginEdit struct {
	Name           Optional[string]   `json:"name,omitzero"`
	Description    Optional[string]   `json:"description,omitzero"`
	Category       Optional[string]   `json:"category,omitzero"`
	Version        Optional[string]   `json:"version,omitzero"`
	Core           Optional[bool]     `json:"core,omitzero"`
	DependsOn      Optional[[]string] `json:"depends_on,omitzero"`
	DefaultEnabled Optional[bool]     `json:"default_enabled,omitzero"`
}

// PluginFilter narrows a list of plugins.
type PluginFilter struct {
	Q string `query:"q"`
}

func pluginPath(key string) string { return "/api/tenants/available-plugins/" + url.PathEscape(key) }

// AvailablePlugins lists the catalogue.
func (c *Client) AvailablePlugins(f PluginFilter) List[Plugin] {
	return listOf[Plugin](c, f, "/api/tenants/available-plugins")
}

// CreatePlugin adds a plugin to the catalogue.
func (c *Client) CreatePlugin(ctx context.Context, in NewPlugin, o ...CallOption) (Plugin, error) {
	return do[Plugin](ctx, c, "POST", "/api/tenants/available-plugins", in, o)
}

// Plugin reads a plugin of the catalogue.
func (c *Client) Plugin(ctx context.Context, key string, o ...CallOption) (Plugin, error) {
	return do[Plugin](ctx, c, "GET", pluginPath(key), nil, o)
}

// UpdatePlugin changes a plugin of the catalogue.
func (c *Client) UpdatePlugin(ctx context.Context, key string, in PluginEdit, o ...CallOption) (Plugin, error) {
	return do[Plugin](ctx, c, "PUT", pluginPath(key), in, o)
}

// DeletePlugin takes a plugin out of the catalogue.
func (c *Client) DeletePlugin(ctx context.Context, key string, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", pluginPath(key), nil, o)
	return err
}

// OrganizationPlugins lists the catalogue, each plugin with whether the
// organization has it.
func (c *Client) OrganizationPlugins(org OrganizationRef) List[Entitlement] {
	return listOf[Entitlement](c, nil, "%s/plugins", org.path())
}

// MyPlugins lists what is enabled for the caller's active organization.
func (c *Client) MyPlugins() List[Entitlement] {
	return listOf[Entitlement](c, nil, "/api/tenants/my-organization/plugins")
}
