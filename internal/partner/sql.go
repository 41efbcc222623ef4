package partner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const columns = `id, name, description, credit_discount_bp, max_organizations, max_storage_gb, max_users, max_bandwidth_gb,
	allowed_plugins, may_hide_powered_by, oversell, version, created_at, updated_at,
	(SELECT COUNT(*) FROM admins a WHERE a.partner_group_id = partner_groups.id)`

func scan(r db.Row) (g Group, err error) {
	var plugins *string
	err = r.Scan(&g.ID, &g.Name, &g.Description, &g.CreditDiscountPercent, &g.MaxOrganizations, &g.MaxStorageGB, &g.MaxUsers, &g.MaxBandwidthGB,
		&plugins, &g.MayHidePoweredBy, &g.Oversell, &g.Version, &g.CreatedAt, &g.UpdatedAt, &g.MemberCount)
	if err == nil && plugins != nil {
		err = json.Unmarshal([]byte(*plugins), &g.AllowedPlugins)
	}
	return g, err
}

// found turns an absent row into the fault that says so.
func found(g Group, err error) (Group, error) {
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Group{}, fault.Missing()
	case err != nil:
		return Group{}, fmt.Errorf("read a partner group: %w", err)
	}
	return g, nil
}

func get(tx *db.Tx, group id.Group) (Group, error) {
	return found(db.One(tx, scan, `SELECT `+columns+` FROM partner_groups WHERE id = $1`, group))
}

// lock reads in a second statement: on PostgreSQL only that one sees the
// members who came while the first waited.
func lock(tx *db.Tx, group id.Group) (Group, error) {
	if _, err := tx.Exec(`UPDATE partner_groups SET version = version WHERE id = $1`, group); err != nil {
		return Group{}, fmt.Errorf("lock a partner group: %w", err)
	}
	return get(tx, group)
}

func list(tx *db.Tx, q string, r page.Request) (page.List[Group], error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	like := text.Like(q)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM partner_groups WHERE name_key LIKE $1 ESCAPE '\'`, like)
	if err != nil {
		return page.List[Group]{}, fmt.Errorf("count partner groups: %w", err)
	}
	rows, err := db.All(tx, scan, `SELECT `+columns+` FROM partner_groups
		WHERE name_key LIKE $1 ESCAPE '\' AND (created_at, id) < ($2, $3)
		ORDER BY created_at DESC, id DESC`+r.Rows(), like, after.At, after.ID)
	if err != nil {
		return page.List[Group]{}, fmt.Errorf("list partner groups: %w", err)
	}
	return page.Of(r, rows, total, func(g Group) page.Position {
		return page.Position{At: int64(g.CreatedAt), ID: int64(g.ID)}
	}), nil
}

// insert gives created false, and nothing else, where the name is taken.
func insert(tx *db.Tx, g Group) (_ Group, created bool, err error) {
	plugins, err := keys(g.AllowedPlugins)
	if err != nil {
		return Group{}, false, err
	}
	g, err = db.One(tx, scan, `INSERT INTO partner_groups (name, name_key, description, credit_discount_bp,
			max_organizations, max_storage_gb, max_users, max_bandwidth_gb,
			allowed_plugins, may_hide_powered_by, oversell, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13)
		ON CONFLICT DO NOTHING RETURNING `+columns,
		g.Name, text.Key(g.Name), g.Description, int64(g.CreditDiscountPercent), g.MaxOrganizations, g.MaxStorageGB, g.MaxUsers, g.MaxBandwidthGB,
		plugins, g.MayHidePoweredBy, g.Oversell, tx.Now, tx.Now)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Group{}, false, nil
	case err != nil:
		return Group{}, false, fmt.Errorf("create a partner group: %w", err)
	}
	return g, true, nil
}

func update(tx *db.Tx, g Group) (Group, error) {
	plugins, err := keys(g.AllowedPlugins)
	if err != nil {
		return Group{}, err
	}
	return found(db.One(tx, scan, `UPDATE partner_groups SET name = $1, name_key = $2, description = $3, credit_discount_bp = $4,
			max_organizations = $5, max_storage_gb = $6, max_users = $7, max_bandwidth_gb = $8,
			allowed_plugins = $9, may_hide_powered_by = $10, oversell = $11, version = version + 1, updated_at = $12
		WHERE id = $13 RETURNING `+columns,
		g.Name, text.Key(g.Name), g.Description, int64(g.CreditDiscountPercent), g.MaxOrganizations, g.MaxStorageGB, g.MaxUsers, g.MaxBandwidthGB,
		plugins, g.MayHidePoweredBy, g.Oversell, tx.Now, g.ID))
}

// claimName makes sure of a new name before update takes it: a violated unique
// index would end the transaction on PostgreSQL. A row that takes the name and
// goes again holds off every other claimant until this transaction ends.
func claimName(tx *db.Tx, before, after Group) (free bool, err error) {
	key := text.Key(after.Name)
	if key == text.Key(before.Name) {
		return true, nil
	}
	after.AllowedPlugins = nil
	placeholder, free, err := insert(tx, after)
	if err != nil || !free {
		return false, err
	}
	if _, err := tx.Exec(`DELETE FROM partner_groups WHERE id = $1`, placeholder.ID); err != nil {
		return false, fmt.Errorf("claim a partner group's name: %w", err)
	}
	return true, nil
}

// member is an admin of a group.
type member struct {
	id   id.Admin
	name string
}

// move gives a group's admins to another, and tells whom, in order of id.
func move(tx *db.Tx, from, to id.Group) ([]member, error) {
	all, err := db.All(tx, func(r db.Row) (m member, err error) { return m, r.Scan(&m.id, &m.name) },
		`UPDATE admins SET partner_group_id = $1, version = version + 1, updated_at = $2 WHERE partner_group_id = $3 RETURNING id, name`,
		to, tx.Now, from)
	if err != nil {
		return nil, fmt.Errorf("move the admins of a partner group: %w", err)
	}
	slices.SortFunc(all, func(a, b member) int { return cmp.Compare(a.id, b.id) })
	return all, nil
}

func remove(tx *db.Tx, group id.Group) error {
	if _, err := tx.Exec(`DELETE FROM partner_groups WHERE id = $1`, group); err != nil {
		return fmt.Errorf("delete a partner group: %w", err)
	}
	return nil
}

// reach counts the organizations of the group's admins, and the people of both.
func reach(tx *db.Tx, group id.Group) (organizations, users int64, err error) {
	organizations, err = db.One(tx, db.Int64, `SELECT CAST(COALESCE(SUM(organization_count), 0) AS BIGINT) FROM admins WHERE partner_group_id = $1`, group)
	if err == nil {
		users, err = db.One(tx, db.Int64, `SELECT COUNT(*) FROM (
			SELECT u.user_id FROM admin_users u JOIN admins a ON a.id = u.admin_id WHERE a.partner_group_id = $1
			UNION SELECT m.user_id FROM memberships m JOIN organizations o ON o.id = m.organization_id
			JOIN admins a ON a.id = o.admin_id WHERE a.partner_group_id = $2) people`, group, group)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count whom a partner group reaches: %w", err)
	}
	return organizations, users, nil
}

// pluginsAmong counts those of the keys that the catalogue has.
func pluginsAmong(tx *db.Tx, keys []string) (int64, error) {
	if len(keys) == 0 {
		return 0, nil
	}
	args, marks := make([]any, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		args[i], marks[i] = key, "$"+strconv.Itoa(i+1)
	}
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM plugins WHERE key IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return 0, fmt.Errorf("look plugins up: %w", err)
	}
	return n, nil
}

// keys writes a list of plugins as it is stored: JSON, or NULL for all.
func keys(plugins []string) (*string, error) {
	if plugins == nil {
		return nil, nil
	}
	b, err := json.Marshal(plugins)
	if err != nil {
		return nil, fmt.Errorf("write a list of plugins: %w", err)
	}
	s := string(b)
	return &s, nil
}
