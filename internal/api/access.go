package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// accessRoutes give superadmins and the staff of an admin leave to act inside
// an organization as one of its members, and end it.
func (s *Server) accessRoutes() []route {
	const path, tag = "/api/tenants/organizations/{org_id}/access", "Acting for a member"
	grant := func(c *Call) id.Grant { return id.Grant(c.ID("grant_id")) }
	return []route{
		change(op{Method: "POST", Path: path, ID: "grant-access", Tag: tag, Summary: "Act for a member of an organization, for a while and a reason", May: auth.AccessGrant, Status: 201, Secret: true,
			Description: "Answers a token, shown once, with which the caller has exactly that member's role in this organization and no other right. The caller is the actor of what is done with it, the member is on_behalf_of. It is closed to the member's own account and to making API keys, cannot be refreshed, and ends with the grant. The organization's owners are told."},
			func(tx *db.Tx, c *Call, in *struct{ Body auth.AccessRequest }) (auth.IssuedAccess, error) {
				a, err := auth.GrantAccess(tx, c.Actor, c.Principal, c.Organization, c.Admin, in.Body)
				c.Created(orgsPath+"/%d/access/%d", c.Organization, a.ID)
				return a, err
			}),
		read(op{Method: "GET", Path: path, ID: "list-access", Tag: tag, Summary: "List who may act for members of an organization, or might", May: auth.AccessRead},
			func(tx *db.Tx, c *Call, in *ListInput) (page.List[auth.Access], error) {
				r, err := in.page()
				if err != nil {
					return page.List[auth.Access]{}, err
				}
				return auth.Accesses(tx, c.Organization, r)
			}),
		read(op{Method: "GET", Path: path + "/{grant_id}", ID: "get-access", Tag: tag, Summary: "Read a leave to act for a member", May: auth.AccessRead,
			Description: "One that is over too; the token is never shown again."},
			func(tx *db.Tx, c *Call, _ *struct{}) (auth.Access, error) {
				return auth.AccessOf(tx, c.Organization, grant(c))
			}),
		change(op{Method: "DELETE", Path: path + "/{grant_id}", ID: "end-access", Tag: tag, Summary: "End a leave to act for a member", May: auth.AccessEnd,
			Description: "By who holds it, a superadmin, or an owner of the organization. Signing out with its token ends it too."},
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, auth.EndAccess(tx, c.Actor, c.Organization, c.Admin, grant(c))
			}),
	}
}
