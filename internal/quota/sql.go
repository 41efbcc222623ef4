package quota

import (
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

func scanAccount(r db.Row) (a Account, err error) {
	var admin *id.Admin
	var status string
	var oversell *bool
	var held, own *string
	err = r.Scan(&a.ID, &a.Slug, &a.Name, &admin, &status, &a.storage, &a.users, &a.bandwidth, &a.Members, &a.Invited,
		&a.groupStorage, &a.groupUsers, &a.groupBandwidth, &oversell, &held, &a.AdminHeld, &own)
	a.Admin, a.Archived = id.Val(admin), status == "archived"
	a.oversell = oversell != nil && *oversell
	a.own = settings(own)
	if held != nil {
		a.Held = *held
	}
	return a, err
}

// accounts reads in one statement: those of a batch are few hundred at most.
func accounts(tx *db.Tx, ids []id.Organization, slugs []string) ([]Account, error) {
	args := db.Args{tx.Now}
	var conditions []string
	in := func(column string, marks []string) {
		if len(marks) > 0 {
			conditions = append(conditions, column+" IN ("+strings.Join(marks, ", ")+")")
		}
	}
	var marks []string
	for _, v := range padded(ids) {
		marks = append(marks, args.Add(v))
	}
	in("o.id", marks)
	marks = nil
	for _, v := range padded(slugs) {
		marks = append(marks, args.Add(v))
	}
	in("o.slug", marks)
	if len(conditions) == 0 {
		return nil, nil
	}
	all, err := db.All(tx, scanAccount, `SELECT o.id, o.slug, o.name, o.admin_id, o.status, o.storage_limit_gb, o.max_users, o.bandwidth_limit_gb, o.members, o.invited,
			g.max_storage_gb, g.max_users, g.max_bandwidth_gb, g.oversell,
			(SELECT MAX(h.source) FROM holds h WHERE h.organization_id = o.id AND h.lifted_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > w.now)),
			`+hold.AdminCondition("o.admin_id", "w.now")+`,
			(SELECT string_agg(l.meter || ' ' || COALESCE(l.mode, '') || ' ' || COALESCE(CAST(l.limit_value AS TEXT), ''), ',')
				FROM usage_limits l WHERE l.organization_id = o.id)
		FROM organizations o JOIN (SELECT CAST($1 AS BIGINT) AS now) w ON TRUE
		LEFT JOIN admins a ON a.id = o.admin_id LEFT JOIN partner_groups g ON g.id = a.partner_group_id
		WHERE `+strings.Join(conditions, " OR "), args...)
	if err != nil {
		return nil, fmt.Errorf("read the limits of organizations: %w", err)
	}
	return all, nil
}

// padded lengthens a list to one of few lengths, by repeating its last value,
// so that few statement texts exist.
func padded[T any](vs []T) []T {
	for _, n := range []int{1, 4, 16, 64, 256, 1024} {
		if len(vs) > n {
			continue
		}
		all := append(make([]T, 0, n), vs...)
		for len(all) > 0 && len(all) < n {
			all = append(all, all[len(all)-1])
		}
		return all
	}
	return vs
}

// mark takes the row of a meter, with what is used now, and gives of what was
// told in the month.
func mark(tx *db.Tx, o id.Organization, meter string, period, used int64) (Told, error) {
	return db.One(tx, func(r db.Row) (t Told, err error) { return t, r.Scan(&t.Bits, &t.Month) },
		`INSERT INTO usage_current (organization_id, meter, period, used, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id, meter, period) DO UPDATE SET used = EXCLUDED.used, updated_at = EXCLUDED.updated_at
		RETURNING told, told_period`, o, meter, period, used, tx.Now)
}

// current locks the row of a meter, if there is one.
func current(tx *db.Tx, o id.Organization, meter string, period int64) (used int64, t Told, err error) {
	type row struct {
		used int64
		told Told
	}
	v, err := db.One(tx, func(r db.Row) (v row, err error) { return v, r.Scan(&v.used, &v.told.Bits, &v.told.Month) },
		`UPDATE usage_current SET used = used WHERE organization_id = $1 AND meter = $2 AND period = $3 RETURNING used, told, told_period`, o, meter, period)
	return v.used, v.told, err
}

func keep(tx *db.Tx, o id.Organization, meter string, period int64, t Told) error {
	_, err := tx.Exec(`UPDATE usage_current SET told = $1, told_period = $2 WHERE organization_id = $3 AND meter = $4 AND period = $5`,
		t.Bits, t.Month, o, meter, period)
	return err
}

func platformLimits(tx *db.Tx) ([]Meter, error) {
	return db.All(tx, ScanMeter, `SELECT `+MeterColumns+` FROM meters WHERE built_in ORDER BY key LIMIT 10`)
}

// zone is the one in which months begin.
func zone(tx *db.Tx) (*time.Location, error) {
	name, err := db.One(tx, db.String, `SELECT billing_timezone FROM settings WHERE id = 1`)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the setting billing_timezone: %w", err)
	}
	return zone, nil
}

// catalogue is every meter by its key.
func catalogue(tx *db.Tx) (map[string]Meter, error) {
	all, err := db.All(tx, ScanMeter, `SELECT `+MeterColumns+` FROM meters ORDER BY key LIMIT 1000`)
	byKey := make(map[string]Meter, len(all))
	for _, m := range all {
		byKey[m.Key] = m
	}
	return byKey, err
}

// standing reads the rows of meters that organizations have now.
func standing(tx *db.Tx, of []id.Organization, month int64) (map[id.Organization]map[string]row, error) {
	args := db.Args{month}
	within := db.In(&args, "organization_id", padded(of))
	all := map[id.Organization]map[string]row{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var o id.Organization
		var key string
		var v row
		err := r.Scan(&o, &key, &v.period, &v.used, &v.told.Bits, &v.told.Month)
		if all[o] == nil {
			all[o] = map[string]row{}
		}
		all[o][key] = v
		return struct{}{}, err
	}, `SELECT organization_id, meter, period, used, told, told_period FROM usage_current
		WHERE period IN (0, $1) AND `+within, args...)
	return all, err
}

// many is how many organizations are looked at together.
const many = 256

func scanOrganization(r db.Row) (o id.Organization, err error) { return o, r.Scan(&o) }

func ofAll(tx *db.Tx, after id.Organization) ([]id.Organization, error) {
	return db.All(tx, scanOrganization, `SELECT id FROM organizations WHERE id > $1 ORDER BY id LIMIT $2`, after, many)
}

func ofAdmin(tx *db.Tx, admin id.Admin, after id.Organization) ([]id.Organization, error) {
	return db.All(tx, scanOrganization, `SELECT id FROM organizations WHERE admin_id = $1 AND id > $2 ORDER BY id LIMIT $3`, admin, after, many)
}

func ofGroup(tx *db.Tx, group id.Group, after id.Organization) ([]id.Organization, error) {
	return db.All(tx, scanOrganization, `SELECT o.id FROM organizations o JOIN admins a ON a.id = o.admin_id
		WHERE a.partner_group_id = $1 AND o.id > $2 ORDER BY o.id LIMIT $3`, group, after, many)
}

func ofMeter(tx *db.Tx, key string, after id.Organization) ([]id.Organization, error) {
	return db.All(tx, scanOrganization, `SELECT DISTINCT organization_id FROM usage_current
		WHERE meter = $1 AND organization_id > $2 ORDER BY organization_id LIMIT $3`, key, after, many)
}

// MeterColumns are what ScanMeter reads of the table meters.
const MeterColumns = `key, name, kind, unit, COALESCE(plugin_key, ''), default_limit, mode`

// ScanMeter reads a meter of the catalogue.
func ScanMeter(r db.Row) (m Meter, err error) {
	return m, r.Scan(&m.Key, &m.Name, &m.Kind, &m.Unit, &m.Plugin, &m.Limit, &m.Mode)
}

// take is a statement of its own, so that the next one sees what the wait was for.
func take(tx *db.Tx, lock string) error {
	if tx.Engine() == db.SQLite {
		return nil // it has one writer
	}
	_, err := db.One(tx, db.Int64, `SELECT CAST(1 AS BIGINT) FROM (SELECT `+lock+`(CAST($1 AS BIGINT))) AS l`, int64(turn))
	return err
}
