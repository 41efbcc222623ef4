package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/usage"
)

// usageRoutes tell what organizations use.
func (s *Server) usageRoutes() []route {
	return []route{
		read(op{Method: "GET", Path: orgPath + "/usage", ID: "get-organization-usage", Tag: orgsTag, Summary: "Read the usage of an organization", May: auth.OrganizationUsage,
			Description: "Seats, storage, bandwidth of the current month, credits. Open to members while their organization is suspended."},
			func(tx *db.Tx, c *Call, _ *struct{}) (usage.Usage, error) { return usage.Of(tx, c.Organization) }),
	}
}
