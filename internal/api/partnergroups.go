package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
)

// partnerGroupRoutes are the tiers of admins.
func (s *Server) partnerGroupRoutes() []route {
	const path, tag = "/api/tenants/partner-groups", "Partner groups"
	lock := func(tx *db.Tx, c *Call) (int64, error) { return partner.Lock(tx, id.Group(c.ID("id"))) }
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-partner-groups", Tag: tag, Summary: "List partner groups", May: auth.GroupRead},
			func(tx *db.Tx, _ *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of the name."`
			}) (page.List[partner.Group], error) {
				r, err := in.page()
				if err != nil {
					return page.List[partner.Group]{}, err
				}
				return partner.List(tx, in.Q, r)
			}),
		change(op{Method: "POST", Path: path, ID: "create-partner-group", Tag: tag, Refuses: []int{409}, Summary: "Create a partner group", May: auth.GroupManage, Status: 201},
			func(tx *db.Tx, c *Call, in *struct{ Body partner.New }) (partner.Group, error) {
				g, err := partner.Create(tx, c.Actor, in.Body)
				c.Created(path+"/%d", g.ID)
				return g, err
			}),
		read(op{Method: "GET", Path: path + "/{id}", ID: "get-partner-group", Tag: tag, Summary: "Read a partner group", May: auth.GroupRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (partner.Group, error) {
				return partner.Detail(tx, id.Group(c.ID("id")))
			}),
		change(op{Method: "PUT", Path: path + "/{id}", ID: "update-partner-group", Tag: tag, Refuses: []int{409}, Summary: "Change a partner group", May: auth.GroupManage, Lock: lock,
			Description: "Merges: an absent field stays, null unbinds. The discount and the policy hold from now on and rewrite nothing."},
			func(tx *db.Tx, c *Call, in *struct{ Body partner.Patch }) (partner.Group, error) {
				return partner.Update(tx, c.Actor, id.Group(c.ID("id")), in.Body)
			}),
		change(op{Method: "DELETE", Path: path + "/{id}", ID: "delete-partner-group", Tag: tag, Refuses: []int{409}, Summary: "Delete a partner group", May: auth.GroupManage, Lock: lock,
			Description: "A group with admins is refused as in_use, unless another group takes them."},
			func(tx *db.Tx, c *Call, in *struct {
				ReassignTo int64 `query:"reassign_to" minimum:"1" doc:"The group that takes its admins."`
			}) (none, error) {
				return none{}, partner.Delete(tx, c.Actor, id.Group(c.ID("id")), id.Group(in.ReassignTo))
			}),
	}
}
