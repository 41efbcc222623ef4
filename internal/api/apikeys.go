package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// keyRoutes are the API keys of an organization and of the platform.
func (s *Server) keyRoutes() []route {
	return append(
		keysAt("/api/tenants/organizations/{org_id}/api-keys", "organization", auth.KeysRead, auth.KeysIssue, auth.KeysManage),
		keysAt("/api/tenants/api-keys", "platform", auth.PlatformKeysRead, auth.PlatformKeysManage, auth.PlatformKeysManage)...)
}

// keysAt makes the routes of one place. A platform-wide key belongs to no
// organization, which is what the path of that place names.
func keysAt(path, whose string, mayRead, mayIssue, mayManage auth.Permission) []route {
	var refuses []int
	if mayManage.Object == auth.Organization {
		refuses = []int{409} // one that is archived
	}
	lock := func(tx *db.Tx, c *Call) (int64, error) {
		k, err := auth.KeyOf(tx, c.Organization, id.Key(c.ID("key_id")))
		return k.Revision(), err
	}
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-" + whose + "-api-keys", Tag: "API keys", Summary: "List the API keys of the " + whose, May: mayRead},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of the name, or of how the key begins."`
			}) (page.List[auth.APIKey], error) {
				r, err := in.page()
				if err != nil {
					return page.List[auth.APIKey]{}, err
				}
				return auth.Keys(tx, c.Organization, in.Q, r)
			}),
		change(op{Method: "POST", Path: path, ID: "create-" + whose + "-api-key", Tag: "API keys", Summary: "Make an API key of the " + whose + "; it is shown once", May: mayIssue, Status: 201, Secret: true, Refuses: refuses},
			func(tx *db.Tx, c *Call, in *struct{ Body auth.NewAPIKey }) (auth.IssuedKey, error) {
				k, err := auth.CreateKey(tx, c.Actor, c.Organization, c.Admin, in.Body)
				if c.Organization != 0 {
					c.Created("/api/tenants/organizations/%d/api-keys/%d", c.Organization, k.ID)
				} else {
					c.Created("/api/tenants/api-keys/%d", k.ID)
				}
				return k, err
			}),
		read(op{Method: "GET", Path: path + "/{key_id}", ID: "get-" + whose + "-api-key", Tag: "API keys", Summary: "Read an API key of the " + whose, May: mayRead,
			Description: "One that was revoked too; the key itself is never shown again."},
			func(tx *db.Tx, c *Call, _ *struct{}) (auth.APIKey, error) {
				return auth.KeyOf(tx, c.Organization, id.Key(c.ID("key_id")))
			}),
		change(op{Method: "POST", Path: path + "/{key_id}/rotate", ID: "rotate-" + whose + "-api-key", Tag: "API keys", Refuses: []int{409}, Summary: "Put a new key in the place of one of the " + whose + "; it is shown once", May: mayIssue, Status: 201, Secret: true,
			Description: "The old key stays valid for the overlap, so that services can take the new one without a gap."},
			func(tx *db.Tx, c *Call, in *struct{ Body auth.Rotation }) (auth.IssuedKey, error) {
				k, err := auth.RotateKey(tx, c.Actor, c.Organization, c.Admin, id.Key(c.ID("key_id")), in.Body)
				if c.Organization != 0 {
					c.Created("/api/tenants/organizations/%d/api-keys/%d", c.Organization, k.ID)
				} else {
					c.Created("/api/tenants/api-keys/%d", k.ID)
				}
				return k, err
			}),
		change(op{Method: "DELETE", Path: path + "/{key_id}", ID: "revoke-" + whose + "-api-key", Tag: "API keys", Summary: "End an API key of the " + whose, May: mayManage, Lock: lock},
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, auth.RevokeKey(tx, c.Actor, c.Organization, c.Admin, id.Key(c.ID("key_id")))
			}),
	}
}
