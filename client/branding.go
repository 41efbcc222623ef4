package client

import (
	"context"
	"fmt"
	"time"
)

// Brand is a white label; a nil field inherits from the level above.
type Brand struct {
	LogoURL        *string `json:"logo_url"`
	FaviconURL     *string `json:"favicon_url"`
	PrimaryColor   *string `json:"primary_color"` // #RRGGBB
	SecondaryColor *string `json:"secondary_color"`
	AppName        *string `json:"app_name"`
	FooterText     *string `json:"footer_text"`
	SupportEmail   *string `json:"support_email"`
	HidePoweredBy  *bool   `json:"hide_powered_by"`
}

// BrandEdit changes a white label; null inherits again.
type BrandEdit struct {
	LogoURL        Optional[string] `json:"logo_url,omitzero"`
	FaviconURL     Optional[string] `json:"favicon_url,omitzero"`
	PrimaryColor   Optional[string] `json:"primary_color,omitzero"`
	SecondaryColor Optional[string] `json:"secondary_color,omitzero"`
	AppName        Optional[string] `json:"app_name,omitzero"`
	FooterText     Optional[string] `json:"footer_text,omitzero"`
	SupportEmail   Optional[string] `json:"support_email,omitzero"`
	HidePoweredBy  Optional[bool]   `json:"hide_powered_by,omitzero"`
}

// Branding is the white label of an admin. Where a field is null, Inherited
// holds.
type Branding struct {
	AdminID   int64             `json:"admin_id"`
	Branding  Brand             `json:"branding"`
	Inherited Brand             `json:"inherited"`
	Warnings  []BrandingWarning `json:"warnings"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// BrandingWarning tells of a colour that is hard to read.
type BrandingWarning struct {
	Field   string  `json:"field"`
	Code    string  `json:"code"` // low_contrast
	Message string  `json:"message"`
	Ratio   float64 `json:"ratio"`
}

// CurrentBranding is what holds for the caller and host; Sources tells the
// level that each field comes from.
type CurrentBranding struct {
	Branding Brand             `json:"branding"`
	Sources  map[string]string `json:"sources"`
	AdminID  *int64            `json:"admin_id"`
	Version  int64             `json:"version"`
}

type brandEdit struct {
	Branding BrandEdit `json:"branding"`
}

// Branding reads an admin's white label.
func (c *Client) Branding(ctx context.Context, admin int64, o ...CallOption) (Branding, error) {
	return do[Branding](ctx, c, "GET", adminPath(admin)+"/branding", nil, o)
}

// UpdateBranding changes an admin's white label.
func (c *Client) UpdateBranding(ctx context.Context, admin int64, in BrandEdit, o ...CallOption) (Branding, error) {
	return do[Branding](ctx, c, "PUT", adminPath(admin)+"/branding", brandEdit{in}, o)
}

// CurrentBranding reads the white label that holds for the caller.
func (c *Client) CurrentBranding(ctx context.Context, o ...CallOption) (CurrentBranding, error) {
	return do[CurrentBranding](ctx, c, "GET", "/api/tenants/branding/current", nil, o)
}

// Picture is one that was uploaded: its URL is what LogoURL and FaviconURL take.
type Picture struct {
	URL    string `json:"url"`  // a path on the host that serves the console
	Kind   string `json:"kind"` // png, svg
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// UploadLogo stores a picture for the brand of an admin: a PNG, JPEG, GIF, WebP
// or SVG. It is cleaned; the same one again is the same.
func (c *Client) UploadLogo(ctx context.Context, admin int64, picture []byte, o ...CallOption) (Picture, error) {
	return upload(ctx, c, fmt.Sprintf("/api/tenants/admins/%d/branding/logo", admin), picture, o)
}

// UploadPlatformLogo stores a picture for the platform's own brand.
func (c *Client) UploadPlatformLogo(ctx context.Context, picture []byte, o ...CallOption) (Picture, error) {
	return upload(ctx, c, "/api/tenants/settings/logo", picture, o)
}

func upload(ctx context.Context, c *Client, path string, picture []byte, o []CallOption) (Picture, error) {
	o = append(o, harmless, func(r *request) {
		r.header.Set("Content-Type", "application/octet-stream")
		r.body = picture
	})
	return do[Picture](ctx, c, "POST", path, nil, o)
}
