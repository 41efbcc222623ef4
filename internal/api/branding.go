package api

import (
	"context"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
)

// brandingRoutes are the white label of admins, and what holds for a request.
func (s *Server) brandingRoutes() []route {
	const path = "/api/tenants/admins/{admin_id}/branding"
	return []route{
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
