package usage

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
)

// within is the condition that a column names an organization of the reach, in a
// form that both engines look up in an index.
func within(p *db.Args, of auth.Reach, column string) string {
	switch {
	case of.All:
		return "TRUE"
	case len(of.Admins) == 0:
		return db.In(p, column, of.Organizations)
	}
	return column + " IN (SELECT x.id FROM organizations x WHERE " + db.In(p, "x.admin_id", of.Admins) + " OR " + db.In(p, "x.id", of.Organizations) + ")"
}

// partRow is a meter's row with the plugin that it is of.
type partRow struct {
	plugin string
	PluginMeter
}

func scanPart(r db.Row) (v partRow, err error) {
	return v, r.Scan(&v.plugin, &v.Meter, &v.Used, &v.Events)
}

// counterParts sums the days of counters, month by month: a month's rows of
// usage_current say which organization and meter has any, so that only days of
// the period are read. CROSS JOIN keeps SQLite to that order.
func counterParts(tx *db.Tx, of auth.Reach, d span) (all []partRow, err error) {
	for _, month := range d.months() {
		var p db.Args
		rows, err := db.All(tx, scanPart, `SELECT d.plugin_key, d.meter, CAST(SUM(d.value) AS BIGINT), CAST(SUM(d.events) AS BIGINT)
			FROM meters m CROSS JOIN usage_current c CROSS JOIN `+daily.table+` d
			WHERE m.kind = 'counter' AND c.meter = m.key AND c.period = `+p.Add(month)+` AND `+within(&p, of, "c.organization_id")+`
				AND d.organization_id = c.organization_id AND d.meter = c.meter
				AND d.begins_at BETWEEN `+p.Add(max(month, d.first))+` AND `+p.Add(min(endOf(month), d.last))+`
			GROUP BY d.plugin_key, d.meter ORDER BY d.plugin_key, d.meter LIMIT 100000`, p...)
		if err != nil {
			return nil, fmt.Errorf("sum what plugins used: %w", err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// gaugeParts reads what the shares of gauges stand at, or stood at in the end of
// the last day.
func gaugeParts(tx *db.Tx, of auth.Reach, d span) ([]partRow, error) {
	var p db.Args
	value := "g.value"
	if d.last < d.today {
		value = `COALESCE((SELECT t.value FROM ` + daily.table + ` t WHERE t.organization_id = g.organization_id AND t.meter = g.meter
			AND t.plugin_key = g.plugin_key AND t.begins_at <= ` + p.Add(d.last) + ` ORDER BY t.begins_at DESC LIMIT 1), 0)`
	}
	all, err := db.All(tx, scanPart, `SELECT s.plugin_key, s.meter, CAST(SUM(s.value) AS BIGINT), CAST(SUM(s.events) AS BIGINT) FROM (
			SELECT g.plugin_key, g.meter, `+value+` AS value, COALESCE((SELECT SUM(t.events) FROM `+daily.table+` t WHERE t.organization_id = g.organization_id
				AND t.meter = g.meter AND t.plugin_key = g.plugin_key AND t.begins_at BETWEEN `+p.Add(d.first)+` AND `+p.Add(d.last)+`), 0) AS events
			FROM usage_gauges g WHERE `+within(&p, of, "g.organization_id")+`) AS s
		GROUP BY s.plugin_key, s.meter ORDER BY s.plugin_key, s.meter LIMIT 100000`, p...)
	if err != nil {
		return nil, fmt.Errorf("sum what plugins store: %w", err)
	}
	return all, nil
}
