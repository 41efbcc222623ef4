package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const columns = `plugins.id, plugins.key, plugins.name, plugins.description, plugins.category, plugins.plugin_version, plugins.core,
	plugins.depends_on, plugins.default_enabled, plugins.version, plugins.created_at, plugins.updated_at`

// scan reads the columns, and what follows them into more.
func scan(r db.Row, more ...any) (p Plugin, err error) {
	var depends string
	err = r.Scan(append([]any{&p.ID, &p.Key, &p.Name, &p.Description, &p.Category, &p.Version, &p.Core,
		&depends, &p.DefaultEnabled, &p.Row, &p.CreatedAt, &p.UpdatedAt}, more...)...)
	if err == nil {
		err = json.Unmarshal([]byte(depends), &p.DependsOn)
	}
	return p, err
}

func one(r db.Row) (Plugin, error) { return scan(r) }

func get(tx *db.Tx, key string) (Plugin, error) {
	p, err := db.One(tx, one, `SELECT `+columns+` FROM plugins WHERE key = $1`, key)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Plugin{}, fault.Missing()
	case err != nil:
		return Plugin{}, fmt.Errorf("read a plugin: %w", err)
	}
	return p, nil
}

func everything(tx *db.Tx) ([]Plugin, error) {
	all, err := db.All(tx, one, `SELECT `+columns+` FROM plugins ORDER BY key LIMIT $1`, MaxCatalogue)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return all, nil
}

func lockCatalogue(tx *db.Tx) error {
	if _, err := tx.Exec(`UPDATE plugins SET version = version`); err != nil {
		return fmt.Errorf("lock the catalogue: %w", err)
	}
	return nil
}

// below gives the position under which a page lies.
func below(r page.Request) page.Position {
	if r.After == (page.Position{}) {
		return page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	return r.After
}

func list(tx *db.Tx, q string, r page.Request) (page.List[Plugin], error) {
	const where = `WHERE (key LIKE $1 ESCAPE '\' OR search_key LIKE $2 ESCAPE '\')`
	like, after := text.Like(q), below(r)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM plugins `+where, like, like)
	if err != nil {
		return page.List[Plugin]{}, fmt.Errorf("count plugins: %w", err)
	}
	rows, err := db.All(tx, one, `SELECT `+columns+` FROM plugins `+where+` AND (created_at, id) < ($3, $4)
		ORDER BY created_at DESC, id DESC`+r.Rows(), like, like, after.At, after.ID)
	if err != nil {
		return page.List[Plugin]{}, fmt.Errorf("list plugins: %w", err)
	}
	return page.Of(r, rows, total, Plugin.position), nil
}

func (p Plugin) position() page.Position {
	return page.Position{At: int64(p.CreatedAt), ID: int64(p.ID)}
}

func (p Plugin) searchKey() string { return text.Key(p.Name + "\n" + p.Category) }

// insert gives created false, and nothing else, where the key is taken.
func insert(tx *db.Tx, p Plugin) (_ Plugin, created bool, err error) {
	depends, err := json.Marshal(p.DependsOn)
	if err != nil {
		return Plugin{}, false, fmt.Errorf("write dependencies: %w", err)
	}
	p, err = db.One(tx, one, `INSERT INTO plugins (key, name, search_key, description, category, plugin_version, core, depends_on, default_enabled, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11) ON CONFLICT DO NOTHING RETURNING `+columns,
		p.Key, p.Name, p.searchKey(), p.Description, p.Category, p.Version, p.Core, string(depends), p.DefaultEnabled, tx.Now, tx.Now)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Plugin{}, false, nil
	case err != nil:
		return Plugin{}, false, fmt.Errorf("create a plugin: %w", err)
	}
	return p, true, nil
}

func update(tx *db.Tx, p Plugin) (Plugin, error) {
	depends, err := json.Marshal(p.DependsOn)
	if err != nil {
		return Plugin{}, fmt.Errorf("write dependencies: %w", err)
	}
	p, err = db.One(tx, one, `UPDATE plugins SET name = $1, search_key = $2, description = $3, category = $4, plugin_version = $5, core = $6,
			depends_on = $7, default_enabled = $8, version = version + 1, updated_at = $9
		WHERE key = $10 RETURNING `+columns,
		p.Name, p.searchKey(), p.Description, p.Category, p.Version, p.Core, string(depends), p.DefaultEnabled, tx.Now, p.Key)
	if err != nil {
		return Plugin{}, fmt.Errorf("update a plugin: %w", err)
	}
	return p, nil
}

// remove deletes the plugin. One that an organization enabled meanwhile stays:
// the reference from there decides, and the refusal says so.
func remove(tx *db.Tx, key string) error {
	_, err := tx.Exec(`DELETE FROM plugins WHERE key = $1`, key)
	switch {
	case db.Referenced(err):
		return inUse()
	case err != nil:
		return fmt.Errorf("delete a plugin: %w", err)
	}
	return nil
}

// users counts the organizations that have the plugin.
func users(tx *db.Tx, key string) (int64, error) {
	n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM organization_plugins WHERE plugin_key = $1`, key)
	if err != nil {
		return 0, fmt.Errorf("count who has a plugin: %w", err)
	}
	return n, nil
}

// uses are how many name a plugin.
type uses struct{ organizations, groups, requests int64 }

// usesOf counts who names the plugin. Lists of keys are stored as JSON, in
// which a key stands in quotes and needs no escape.
func usesOf(tx *db.Tx, key string) (uses, error) {
	named := text.Like(`"` + key + `"`)
	u, err := db.One(tx, func(r db.Row) (u uses, err error) {
		return u, r.Scan(&u.organizations, &u.groups, &u.requests)
	}, `SELECT (SELECT COUNT(*) FROM organization_plugins WHERE plugin_key = $1),
		(SELECT COUNT(*) FROM partner_groups WHERE allowed_plugins LIKE $2 ESCAPE '\'),
		(SELECT COUNT(*) FROM registration_requests WHERE status = 'approved' AND enabled_plugins LIKE $3 ESCAPE '\')`, key, named, named)
	if err != nil {
		return uses{}, fmt.Errorf("count who names a plugin: %w", err)
	}
	return u, nil
}

func seeded(tx *db.Tx) ([]string, error) {
	all, err := db.All(tx, db.String, `SELECT key FROM plugin_seeds ORDER BY key LIMIT $1`, MaxCatalogue)
	if err != nil {
		return nil, fmt.Errorf("read which plugins were brought in: %w", err)
	}
	return all, nil
}

// seed brings one plugin in, unless another process just did.
func seed(tx *db.Tx, p Plugin) error {
	n, err := tx.Exec(`INSERT INTO plugin_seeds (key, seeded_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, p.Key, tx.Now)
	if err == nil && n == 1 {
		_, _, err = insert(tx, p)
	}
	if err != nil {
		return fmt.Errorf("bring a plugin in: %w", err)
	}
	return nil
}

func enabled(tx *db.Tx, o id.Organization) ([]string, error) {
	all, err := db.All(tx, db.String, `SELECT plugin_key FROM organization_plugins WHERE organization_id = $1 ORDER BY plugin_key LIMIT $2`, o, MaxCatalogue)
	if err != nil {
		return nil, fmt.Errorf("read an organization's plugins: %w", err)
	}
	return all, nil
}

func disable(tx *db.Tx, o id.Organization, key string) error {
	if _, err := tx.Exec(`DELETE FROM organization_plugins WHERE organization_id = $1 AND plugin_key = $2`, o, key); err != nil {
		return fmt.Errorf("disable a plugin: %w", err)
	}
	return nil
}

// changed drops what is cached of what the organization may do.
func changed(tx *db.Tx, o id.Organization) {
	tx.Publish("entitlement", strconv.FormatInt(int64(o), 10))
}

// enable refuses a plugin that was deleted since the catalogue was read.
func enable(tx *db.Tx, o id.Organization, key, field string) error {
	n, err := tx.Exec(`INSERT INTO organization_plugins (organization_id, plugin_key, enabled_at)
		SELECT CAST($1 AS BIGINT), key, CAST($2 AS BIGINT) FROM plugins WHERE key = $3`, o, tx.Now, key)
	switch {
	case db.Referenced(err), err == nil && n == 0:
		return fault.InvalidField(field, "unknown_plugin", "Name plugins of the catalogue; see GET /api/tenants/available-plugins.")
	case err != nil:
		return fmt.Errorf("enable a plugin: %w", err)
	}
	return nil
}

// entitlements pages through the catalogue, or through what the organization
// has of it.
func entitlements(tx *db.Tx, o id.Organization, only bool, r page.Request) (page.List[Entitlement], error) {
	const from = `FROM plugins LEFT JOIN organization_plugins e ON e.plugin_key = plugins.key AND e.organization_id = $1
		WHERE (e.plugin_key IS NOT NULL OR NOT $2)`
	after := below(r)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) `+from, o, only)
	if err != nil {
		return page.List[Entitlement]{}, fmt.Errorf("count an organization's plugins: %w", err)
	}
	rows, err := db.All(tx, func(row db.Row) (e Entitlement, err error) {
		e.Plugin, err = scan(row, &e.EnabledAt)
		e.Enabled = e.EnabledAt != nil
		return e, err
	}, `SELECT `+columns+`, e.enabled_at `+from+` AND (plugins.created_at, plugins.id) < ($3, $4)
		ORDER BY plugins.created_at DESC, plugins.id DESC`+r.Rows(), o, only, after.At, after.ID)
	if err != nil {
		return page.List[Entitlement]{}, fmt.Errorf("list an organization's plugins: %w", err)
	}
	return page.Of(r, rows, total, func(e Entitlement) page.Position { return e.position() }), nil
}
