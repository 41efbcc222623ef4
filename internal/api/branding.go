package api

import (
	"context"
	"net/http"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/logo"
)

// brandingRoutes are the white label of admins, and what holds for a request.
func (s *Server) brandingRoutes() []route {
	const path = "/api/tenants/admins/{admin_id}/branding"
	return []route{
		uploadLogo(op{Method: "POST", Path: path + "/logo", ID: "upload-logo", Tag: "Branding", Summary: "Upload a logo or icon of an admin", May: auth.BrandingWrite}),
		uploadLogo(op{Method: "POST", Path: "/api/tenants/settings/logo", ID: "upload-platform-logo", Tag: "Platform settings", Summary: "Upload a logo or icon of the platform", May: auth.SettingsWrite}),
		read(op{Method: "GET", Path: path, ID: "get-branding", Tag: "Branding", Summary: "Get admin branding", May: auth.BrandingRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (branding.Branding, error) { return branding.Of(tx, c.Admin) }),
		change(op{
			Method: "PUT", Path: path, ID: "update-branding", Tag: "Branding", Summary: "Update admin branding", May: auth.BrandingWrite,
			Description: "An absent field stays; null inherits again.",
			Lock:        func(tx *db.Tx, c *Call) (int64, error) { return branding.Lock(tx, c.Admin) },
		}, func(tx *db.Tx, c *Call, in *struct{ Body branding.Edit }) (branding.Branding, error) {
			return branding.Update(tx, c.Actor, c.Admin, in.Body)
		}),
		direct(op{
			Method: "GET", Path: "/api/tenants/branding/current", ID: "current-branding", Tag: "Branding", May: auth.Public, Answers: branding.Current{}, Tagged: true,
			Summary: "Get current branding", Description: "What holds for this host and caller, each field inherited on its own.",
		}, func(ctx context.Context, c *Call, _ *struct{}) (raw, error) {
			p, err := s.Branding.Current(ctx, c.Host, c.branded())
			if err != nil {
				return raw{}, err
			}
			return raw{Body: p.Body, ETag: p.ETag, Vary: "Host, Authorization", CacheOK: true}, nil
		}),
	}
}

// pictures are the content types that a picture may be sent as. What it is, its
// bytes say.
var pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/octet-stream"}

// uploadLogo takes a picture as it is, and keeps a clean one.
func uploadLogo(o op) route {
	o.Status, o.Once = http.StatusCreated, true
	o.Description = "The body is the picture: PNG, JPEG, GIF (its first frame), WebP or SVG, at most 1 MiB and 4 million pixels. Pictures are stored as PNG, at most 1,024 pixels wide and high; an SVG is written anew without scripts, styles, links and pictures in it. The url is what logo_url and favicon_url take; nothing shows it before. The same picture again is the same."
	return served[[]byte, logo.Stored](o, pictures, func(s *Server, ctx context.Context, c *Call) (any, error) {
		body, err := c.readBody(logo.MaxBytes, pictures...)
		if err != nil {
			return nil, err
		}
		clean, err := logo.Clean(body)
		if err != nil {
			return nil, err
		}
		return s.change(ctx, &o, c, func(tx *db.Tx) (any, error) {
			stored, err := logo.Store(tx, c.Actor, c.Admin, clean)
			c.Created("%s", stored.URL)
			return stored, err
		})
	})
}

// branded is what of the caller bears on the brand.
func (c *Call) branded() (b branding.Caller) {
	b.OrganizationAdmin = c.Principal.Key.Admin
	for _, m := range c.Principal.Memberships {
		if m.Organization == c.Principal.Active {
			b.OrganizationAdmin = m.Admin
		}
	}
	if len(c.Principal.Admins) > 0 {
		b.Admin = c.Principal.Admins[0].Admin
	}
	return b
}
