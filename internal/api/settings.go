package api

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/settings"
)

// settingsRoutes are what the operator decides for the whole platform.
func (s *Server) settingsRoutes() []route {
	const path, tag = "/api/tenants/settings", "Platform settings"
	return []route{
		read(op{Method: "GET", Path: path, ID: "get-settings", Tag: tag, Summary: "Read the platform's settings", May: auth.SettingsRead},
			func(tx *db.Tx, _ *Call, _ *struct{}) (settings.Settings, error) { return settings.Load(tx) }),
		change(op{Method: "PUT", Path: path, ID: "update-settings", Tag: tag, Summary: "Change the platform's settings", May: auth.SettingsWrite,
			Description: "Merges: an absent field stays, null restores the built-in value. Changes steer future organizations only.",
			Lock:        func(tx *db.Tx, _ *Call) (int64, error) { return settings.Lock(tx) }},
			func(tx *db.Tx, c *Call, in *struct{ Body settings.Patch }) (settings.Settings, error) {
				return settings.Update(tx, c.Actor, in.Body)
			}),
	}
}
