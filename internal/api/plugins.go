package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

// PluginPath names a plugin of the catalogue.
type PluginPath struct {
	Key string `path:"key" maxLength:"64" doc:"Key of the plugin."`
}

// pluginRoutes are the catalogue.
func (s *Server) pluginRoutes() []route {
	const path, tag = "/api/tenants/available-plugins", "Available plugins"
	lock := func(tx *db.Tx, c *Call) (int64, error) { return plugin.Lock(tx, c.r.PathValue("key")) }
	return []route{
		read(op{Method: "GET", Path: path, ID: "list-available-plugins", Tag: tag, Summary: "List the plugins that can be enabled", May: auth.PluginList},
			func(tx *db.Tx, _ *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of key, name or category."`
			}) (page.List[plugin.Plugin], error) {
				r, err := in.page()
				if err != nil {
					return page.List[plugin.Plugin]{}, err
				}
				return plugin.List(tx, in.Q, r)
			}),
		change(op{Method: "POST", Path: path, ID: "create-available-plugin", Tag: tag, Refuses: []int{409}, Summary: "Add a plugin to the catalogue", May: auth.PluginManage, Status: 201},
			func(tx *db.Tx, c *Call, in *struct{ Body plugin.New }) (plugin.Plugin, error) {
				p, err := plugin.Create(tx, c.Actor, in.Body)
				c.Created(path+"/%s", p.Key)
				return p, err
			}),
		read(op{Method: "GET", Path: path + "/{key}", ID: "get-available-plugin", Tag: tag, Summary: "Read a plugin of the catalogue", May: auth.PluginList},
			func(tx *db.Tx, _ *Call, in *PluginPath) (plugin.Plugin, error) { return plugin.Detail(tx, in.Key) }),
		change(op{Method: "PUT", Path: path + "/{key}", ID: "update-available-plugin", Tag: tag, Summary: "Change a plugin of the catalogue", May: auth.PluginManage, Lock: lock,
			Description: "Merges: an absent field stays. The key never changes. No organization loses anything by it."},
			func(tx *db.Tx, c *Call, in *struct {
				PluginPath
				Body plugin.Patch
			}) (plugin.Plugin, error) {
				return plugin.Update(tx, c.Actor, in.Key, in.Body)
			}),
		change(op{Method: "DELETE", Path: path + "/{key}", ID: "delete-available-plugin", Tag: tag, Refuses: []int{409}, Summary: "Take a plugin out of the catalogue", May: auth.PluginManage, Lock: lock,
			Description: "One that an organization has, that another plugin depends on, or that a partner group or an approved request names, is refused as in_use."},
			func(tx *db.Tx, c *Call, in *PluginPath) (none, error) {
				return none{}, plugin.Delete(tx, c.Actor, in.Key)
			}),
	}
}
