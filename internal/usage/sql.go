package usage

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/quota"
)

// standings are what the organization's meters stand at: gauges now, counters
// in the month. A reservation that is over sets nothing aside, whether or not
// it was tidied up.
func standings(tx *db.Tx, o id.Organization, month int64) (map[string]standing, error) {
	all := map[string]standing{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var key string
		var s standing
		err := r.Scan(&key, &s.used, &s.reserved)
		all[key] = s
		return struct{}{}, err
	}, `SELECT c.meter, c.used, c.reserved - COALESCE((SELECT CAST(SUM(r.quantity) AS BIGINT) FROM usage_reservations r
			WHERE r.organization_id = c.organization_id AND r.meter = c.meter AND r.period = c.period AND r.state = 'open' AND r.expires_at <= $1), 0)
		FROM usage_current c WHERE c.organization_id = $2 AND c.period IN (0, $3) LIMIT 2000`, tx.Now, o, month)
	return all, err
}

// enabledPlugins are the organization's.
func enabledPlugins(tx *db.Tx, o id.Organization) (map[string]bool, error) {
	keys, err := plugin.Enabled(tx, o)
	all := make(map[string]bool, len(keys))
	for _, k := range keys {
		all[k] = true
	}
	return all, err
}

// expiredInvitations counts those that hold no seat any more and were not tidied
// up yet.
func expiredInvitations(tx *db.Tx, o id.Organization) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM invitations WHERE organization_id = $1 AND state = 'open' AND expires_at <= $2`, o, tx.Now)
}

func builtins(tx *db.Tx) (map[string]quota.Meter, error) {
	all, err := db.All(tx, quota.ScanMeter, `SELECT `+quota.MeterColumns+` FROM meters WHERE built_in ORDER BY key LIMIT 10`)
	byKey := map[string]quota.Meter{}
	for _, m := range all {
		byKey[m.Key] = m
	}
	return byKey, err
}
