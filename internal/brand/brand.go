// Package brand holds the eight fields of a white label and the rules of their
// values. The platform's own brand lies in the settings, an admin's in its
// branding; both follow the same rules, and the same merging PUT.
package brand

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/text"
)

// Lengths of the fields, in characters.
const (
	MaxAppName = 100
	MaxFooter  = 500
	MaxURL     = 2048
)

// Fields is one level of a white label; nil inherits from the level above.
type Fields struct {
	LogoURL        *string `json:"logo_url" doc:"https address of the logo, or the path of one that was uploaded" example:"https://example.com/logo.png"`
	FaviconURL     *string `json:"favicon_url" doc:"https address of the icon in the browser's tab, or the path of a picture that was uploaded" example:"https://example.com/favicon.ico"`
	PrimaryColor   *string `json:"primary_color" doc:"#RRGGBB" example:"#FF5733"`
	SecondaryColor *string `json:"secondary_color" doc:"#RRGGBB" example:"#33FF57"`
	AppName        *string `json:"app_name" doc:"What the product calls itself" example:"My App"`
	FooterText     *string `json:"footer_text" doc:"Plain text at the foot of every page" example:"© 2024 My Company"`
	SupportEmail   *string `json:"support_email" doc:"Where users ask for help" example:"support@example.com"`
	HidePoweredBy  *bool   `json:"hide_powered_by" doc:"Whether the platform's own name is left out"`
}

// Patch is a merging PUT of Fields: an absent field stays, null inherits again.
type Patch struct {
	LogoURL        patch.Field[string] `json:"logo_url,omitzero" required:"false" doc:"https address of the logo, or the path of one that was uploaded; null inherits" example:"https://example.com/logo.png"`
	FaviconURL     patch.Field[string] `json:"favicon_url,omitzero" required:"false" doc:"https address of the icon in the browser's tab, or the path of a picture that was uploaded; null inherits" example:"https://example.com/favicon.ico"`
	PrimaryColor   patch.Field[string] `json:"primary_color,omitzero" required:"false" doc:"#RRGGBB; null inherits" example:"#FF5733"`
	SecondaryColor patch.Field[string] `json:"secondary_color,omitzero" required:"false" doc:"#RRGGBB; null inherits" example:"#33FF57"`
	AppName        patch.Field[string] `json:"app_name,omitzero" required:"false" doc:"What the product calls itself; null inherits" example:"My App"`
	FooterText     patch.Field[string] `json:"footer_text,omitzero" required:"false" doc:"Plain text at the foot of every page; null inherits" example:"© 2024 My Company"`
	SupportEmail   patch.Field[string] `json:"support_email,omitzero" required:"false" doc:"Where users ask for help; null inherits" example:"support@example.com"`
	HidePoweredBy  patch.Field[bool]   `json:"hide_powered_by,omitzero" required:"false" doc:"Whether the platform's own name is left out; null inherits" example:"true"`
}

// Apply merges p into old. What is wrong with a value is added to v under
// branding.<field>, the place it has in every body that carries a brand.
func Apply(old Fields, p Patch, v *fault.Validation) Fields {
	return Fields{
		LogoURL:        merge(old.LogoURL, p.LogoURL, "branding.logo_url", v, picture),
		FaviconURL:     merge(old.FaviconURL, p.FaviconURL, "branding.favicon_url", v, picture),
		PrimaryColor:   merge(old.PrimaryColor, p.PrimaryColor, "branding.primary_color", v, color),
		SecondaryColor: merge(old.SecondaryColor, p.SecondaryColor, "branding.secondary_color", v, color),
		AppName:        merge(old.AppName, p.AppName, "branding.app_name", v, appName),
		FooterText:     merge(old.FooterText, p.FooterText, "branding.footer_text", v, footer),
		SupportEmail:   merge(old.SupportEmail, p.SupportEmail, "branding.support_email", v, email),
		HidePoweredBy:  p.HidePoweredBy.Pointer(old.HidePoweredBy),
	}
}

// rule cleans one value and notes under field what is wrong with it.
type rule func(field, s string, v *fault.Validation) string

func merge(old *string, p patch.Field[string], field string, v *fault.Validation, clean rule) *string {
	if p.Given() {
		p.Value = clean(field, p.Value, v)
	}
	return p.Pointer(old)
}

var rgb = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func color(field, s string, v *fault.Validation) string {
	if !rgb.MatchString(s) {
		v.Add(field, "invalid_color", "Give a colour as #RRGGBB, such as #FF5733.")
	}
	return s
}

// stored is where pictures that were uploaded are served: see package logo.
var stored = regexp.MustCompile(`^/assets/logo/[0-9a-f]{64}\.(png|svg)$`)

// picture accepts an address, or the path of a picture that was uploaded.
// Whether there is that picture, only a transaction knows.
func picture(field, s string, v *fault.Validation) string {
	if stored.MatchString(s) {
		return s
	}
	return address(field, s, v)
}

// address accepts what a browser may load into a page: https, a host, no
// credentials in it, nothing that reads as something else.
func address(field, s string, v *fault.Validation) string {
	var hidden fault.Validation
	s = text.Line(field, s, MaxURL, &hidden)
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || !port(u.Port()) ||
		hidden.Err() != nil || len(s) > MaxURL || strings.ContainsAny(s, " \"'<>\\`{}|^") {
		v.Add(field, "invalid_url", "Give an https address of at most %d characters, such as https://example.com/logo.png.", MaxURL)
	}
	return s
}

// port accepts none, or one that there is.
func port(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

func appName(field, s string, v *fault.Validation) string {
	return text.Name(field, s, MaxAppName, v)
}

var markup = regexp.MustCompile(`<[A-Za-z/!?]`)

func footer(field, s string, v *fault.Validation) string {
	if markup.MatchString(s) {
		v.Add(field, "invalid_text", "Give plain text, without markup.")
	}
	return text.Prose(field, s, MaxFooter, v)
}

func email(field, s string, v *fault.Validation) string {
	s, _ = text.Email(field, s, v)
	return s
}
