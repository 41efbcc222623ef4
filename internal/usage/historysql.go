package usage

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// maxLevels bounds what one history reads: as many steps as may be asked for,
// of dozens of plugins.
const maxLevels = 100_000

// readLevels gives the rows of a roll-up from one step to before another, in
// order; of one plugin, or of all for "".
func readLevels(tx *db.Tx, table string, o id.Organization, meter string, from, to int64, plugin string) ([]level, error) {
	all, err := db.All(tx, scanLevel, `SELECT organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected FROM `+table+`
		WHERE organization_id = $1 AND meter = $2 AND begins_at >= $3 AND begins_at < $4 AND ($5 = '' OR plugin_key = $6)
		ORDER BY begins_at, plugin_key LIMIT $7`, o, meter, from, to, plugin, plugin, maxLevels)
	if err != nil {
		return nil, fmt.Errorf("read the history of a meter: %w", err)
	}
	return all, nil
}

// levelsBefore gives what each plugin's share of a gauge stood at before a
// step, in one look-up for each plugin that has a share.
func levelsBefore(tx *db.Tx, table string, o id.Organization, meter string, step int64, plugin string) (map[string]int64, error) {
	all := map[string]int64{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var key string
		var value *int64
		err := r.Scan(&key, &value)
		if value != nil {
			all[key] = *value
		}
		return struct{}{}, err
	}, `SELECT g.plugin_key, (SELECT t.value FROM `+table+` t WHERE t.organization_id = g.organization_id AND t.meter = g.meter
			AND t.plugin_key = g.plugin_key AND t.begins_at < $1 ORDER BY t.begins_at DESC LIMIT 1)
		FROM usage_gauges g WHERE g.organization_id = $2 AND g.meter = $3 AND ($4 = '' OR g.plugin_key = $5) LIMIT 1000`,
		step, o, meter, plugin, plugin)
	return all, err
}

// listTop reads the rows of one meter and period by its index and sorts them:
// one row an organization that reported in it.
func listTop(tx *db.Tx, of auth.Reach, meter string, period int64, r page.Request) (page.List[Top], error) {
	args := db.Args{meter, period}
	where := ` FROM usage_current u JOIN organizations o ON o.id = u.organization_id WHERE u.meter = $1 AND u.period = $2`
	if !of.All {
		within := []string{"FALSE"}
		for _, a := range of.Admins {
			within = append(within, "o.admin_id = "+args.Add(a))
		}
		where += " AND (" + strings.Join(within, " OR ") + ")"
	}
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*)`+where, args...)
	if err != nil {
		return page.List[Top]{}, fmt.Errorf("count who uses a meter: %w", err)
	}
	after := below(r)
	where += " AND (u.used, o.id) < (" + args.Add(after.At) + ", " + args.Add(after.ID) + ")"
	rows, err := db.All(tx, func(r db.Row) (t Top, err error) {
		t.Meter = meter
		return t, r.Scan(&t.OrganizationID, &t.Name, &t.Slug, &t.AdminID, &t.Used)
	}, `SELECT o.id, o.name, o.slug, o.admin_id, u.used`+where+` ORDER BY u.used DESC, o.id DESC`+r.Rows(), args...)
	if err != nil {
		return page.List[Top]{}, fmt.Errorf("list who uses most: %w", err)
	}
	return page.Of(r, rows, total, func(t Top) page.Position { return page.Position{At: t.Used, ID: int64(t.OrganizationID)} }), nil
}

// toldOf reads the meters of which a threshold was told: counters of this month,
// and whatever stands.
func toldOf(tx *db.Tx, of auth.Reach, month int64, most int) ([]toldRow, error) {
	args := []any{month}
	where := ""
	if !of.All {
		within := []string{"FALSE"}
		for _, a := range of.Admins {
			args = append(args, a)
			within = append(within, fmt.Sprintf("o.admin_id = $%d", len(args)))
		}
		where = " AND (" + strings.Join(within, " OR ") + ")"
	}
	args = append(args, most)
	return db.All(tx, func(r db.Row) (t toldRow, err error) { return t, r.Scan(&t.organization, &t.meter, &t.used) },
		`SELECT u.organization_id, u.meter, u.used FROM usage_current u JOIN organizations o ON o.id = u.organization_id
		WHERE u.told <> 0 AND (u.period = 0 OR u.period = $1) AND o.status <> 'archived'`+where+
			fmt.Sprintf(` ORDER BY u.organization_id, u.meter LIMIT $%d`, len(args)), args...)
}
