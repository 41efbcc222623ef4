package usage

import (
	"errors"
	"fmt"
	"math"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/text"
)

const meterColumns = `id, key, name, description, kind, unit, plugin_key, default_limit, mode, built_in, version, created_at, updated_at`

func scanMeter(r db.Row) (m Meter, err error) {
	return m, r.Scan(&m.ID, &m.Key, &m.Name, &m.Description, &m.Kind, &m.Unit, &m.Plugin, &m.Limit, &m.Mode, &m.BuiltIn, &m.Version, &m.CreatedAt, &m.UpdatedAt)
}

func absentMeter(m Meter, err error) (Meter, error) {
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return m, err
}

func findMeter(tx *db.Tx, key string) (Meter, error) {
	return absentMeter(db.One(tx, scanMeter, `SELECT `+meterColumns+` FROM meters WHERE key = $1`, key))
}

func lockMeter(tx *db.Tx, key string) (Meter, error) {
	return absentMeter(db.One(tx, scanMeter, `UPDATE meters SET version = version WHERE key = $1 RETURNING `+meterColumns, key))
}

// below gives the position under which a page lies.
func below(r page.Request) page.Position {
	if r.After == (page.Position{}) {
		return page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	return r.After
}

func listMeters(tx *db.Tx, q string, r page.Request) (page.List[Meter], error) {
	const where = `WHERE (key LIKE $1 ESCAPE '\' OR search_key LIKE $2 ESCAPE '\')`
	like, after := text.Like(q), below(r)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM meters `+where, like, like)
	if err != nil {
		return page.List[Meter]{}, fmt.Errorf("count meters: %w", err)
	}
	rows, err := db.All(tx, scanMeter, `SELECT `+meterColumns+` FROM meters `+where+` AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC`+r.Rows(), like, like, after.At, after.ID)
	if err != nil {
		return page.List[Meter]{}, fmt.Errorf("list meters: %w", err)
	}
	return page.Of(r, rows, total, func(m Meter) page.Position { return page.Position{At: int64(m.CreatedAt), ID: int64(m.ID)} }), nil
}

func countMeters(tx *db.Tx) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM meters`)
}

// insertMeter gives created false where the key is taken.
func insertMeter(tx *db.Tx, m Meter) (_ Meter, created bool, err error) {
	m, err = db.One(tx, scanMeter, `INSERT INTO meters (key, name, search_key, description, kind, unit, plugin_key, default_limit, mode, built_in, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, 1, $10, $11) ON CONFLICT DO NOTHING RETURNING `+meterColumns,
		m.Key, m.Name, text.Key(m.Name), m.Description, string(m.Kind), m.Unit, m.Plugin, m.Limit, string(m.Mode), tx.Now, tx.Now)
	if errors.Is(err, db.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

func updateMeter(tx *db.Tx, m Meter) (Meter, error) {
	return db.One(tx, scanMeter, `UPDATE meters SET name = $1, search_key = $2, description = $3, unit = $4, plugin_key = $5, default_limit = $6, mode = $7,
			version = version + 1, updated_at = $8 WHERE id = $9 RETURNING `+meterColumns,
		m.Name, text.Key(m.Name), m.Description, m.Unit, m.Plugin, m.Limit, string(m.Mode), tx.Now, m.ID)
}

func deleteMeter(tx *db.Tx, key string) error {
	_, err := tx.Exec(`DELETE FROM meters WHERE key = $1`, key)
	return err
}

// meterUsed reports whether anything was measured by the meter, set aside or
// limited for an organization.
func meterUsed(tx *db.Tx, key string) (bool, error) {
	return db.One(tx, func(r db.Row) (yes bool, err error) { return yes, r.Scan(&yes) },
		`SELECT EXISTS (SELECT 1 FROM usage_current WHERE meter = $1) OR EXISTS (SELECT 1 FROM usage_limits WHERE meter = $2)`, key, key)
}

// meterReach counts the organizations that a meter matters to, and their people:
// those that have a limit of it, or that something stands for now. Seats matter
// to all.
func meterReach(tx *db.Tx, m Meter, month int64) (organizations, users int64, err error) {
	const of = `SELECT COUNT(*), CAST(COALESCE(SUM(o.members), 0) AS BIGINT) FROM organizations o`
	scan := func(r db.Row) (struct{}, error) { return struct{}{}, r.Scan(&organizations, &users) }
	if m.Kind == quota.People {
		_, err = db.One(tx, scan, of)
		return organizations, users, err
	}
	_, err = db.One(tx, scan, of+` WHERE EXISTS (SELECT 1 FROM usage_current c WHERE c.organization_id = o.id AND c.meter = $1 AND c.period IN (0, $2))
		OR EXISTS (SELECT 1 FROM usage_limits l WHERE l.organization_id = o.id AND l.meter = $3)`, m.Key, month, m.Key)
	return organizations, users, err
}

// meterBeyond gives the organizations that use more than the meter's limit now,
// the furthest beyond first.
func meterBeyond(tx *db.Tx, m Meter, month int64) ([]effect.Excess, error) {
	scan := func(r db.Row) (effect.Excess, error) {
		var o id.Organization
		var name string
		var used int64
		err := r.Scan(&o, &name, &used)
		return effect.Beyond(partyOf(o, name), m.Key, m.Limit, used), err
	}
	if m.Kind == quota.People {
		return db.All(tx, scan, `SELECT o.id, o.name, o.members + o.invited FROM organizations o WHERE o.members + o.invited > $1
			ORDER BY o.members + o.invited DESC, o.id LIMIT $2`, m.Limit, effect.Most)
	}
	return db.All(tx, scan, `SELECT o.id, o.name, c.used FROM usage_current c JOIN organizations o ON o.id = c.organization_id
		WHERE c.meter = $1 AND c.period IN (0, $2) AND c.used > $3 ORDER BY c.used DESC, o.id LIMIT $4`, m.Key, month, m.Limit, effect.Most)
}

const intoLimits = `INSERT INTO usage_limits (organization_id, meter, limit_value, mode, updated_at) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (organization_id, meter) DO UPDATE SET limit_value = EXCLUDED.limit_value, mode = EXCLUDED.mode, updated_at = EXCLUDED.updated_at`

func storeLimit(tx *db.Tx, o id.Organization, meter string, limit *int64, mode *string) error {
	if limit == nil && mode == nil {
		_, err := tx.Exec(`DELETE FROM usage_limits WHERE organization_id = $1 AND meter = $2`, o, meter)
		return err
	}
	_, err := tx.Exec(intoLimits, o, meter, limit, mode, tx.Now)
	return err
}

// lockOrganization holds the organization's row to the end of the transaction.
func lockOrganization(tx *db.Tx, o id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET version = version WHERE id = $1`, o)
	return err
}
