package org

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/settings"
)

// openAccount makes the organization's wallet. A limit that a reseller gives
// rests on its pool.
func openAccount(tx *db.Tx, actor audit.Actor, o id.Organization, admin id.Admin, limit int64) error {
	if actor.Tier >= audit.Platform || admin == 0 {
		return credit.OpenWithLimit(tx, o, limit)
	}
	if err := credit.Open(tx, credit.Owner{Organization: o}); err != nil || limit == 0 {
		return err
	}
	return credit.SetLimit(tx, actor, o, limit, true, credit.Backing{Admin: admin})
}

// defaults are the limits that the settings give to new organizations.
func defaults(tx *db.Tx) (Limits, error) {
	s, err := settings.Load(tx)
	return Limits{StorageLimitGB: s.DefaultStorageLimitGB, MaxUsers: s.DefaultMaxUsers,
		BandwidthLimitGB: s.DefaultBandwidthLimitGB, CreditLimit: s.DefaultCreditLimit}, err
}

// enablePlugins gives a new organization its plugins: those asked for, or what
// is enabled by default.
func enablePlugins(tx *db.Tx, _ audit.Actor, o id.Organization, asked *[]string, _ id.Group) error {
	keys, err := db.All(tx, db.String, `SELECT key FROM plugins WHERE default_enabled ORDER BY key LIMIT 1000`)
	if err != nil {
		return err
	}
	if asked != nil {
		keys = slices.Clone(*asked)
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		if _, err := tx.Exec(`INSERT INTO organization_plugins (organization_id, plugin_key, enabled_at) VALUES ($1, $2, $3)`, o, k, tx.Now); err != nil {
			return fmt.Errorf("enable a plugin: %w", err)
		}
	}
	return nil
}
