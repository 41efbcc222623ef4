package branding

import (
	"errors"
	"strings"

	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

const fieldColumns = `b.logo_url, b.favicon_url, b.primary_color, b.secondary_color, b.app_name, b.footer_text, b.support_email, b.hide_powered_by`

const columns = `b.admin_id, ` + fieldColumns + `, b.version, b.created_at, b.updated_at`

func fieldDest(f *brand.Fields) []any {
	return []any{&f.LogoURL, &f.FaviconURL, &f.PrimaryColor, &f.SecondaryColor, &f.AppName, &f.FooterText, &f.SupportEmail, &f.HidePoweredBy}
}

func scan(r db.Row) (b Branding, err error) {
	dest := append([]any{&b.AdminID}, fieldDest(&b.Branding)...)
	return b, r.Scan(append(dest, &b.Version, &b.CreatedAt, &b.UpdatedAt)...)
}

func insert(tx *db.Tx, admin id.Admin) error {
	_, err := tx.Exec(`INSERT INTO brandings (admin_id, version, created_at, updated_at) VALUES ($1, 1, $2, $3) ON CONFLICT DO NOTHING`, admin, tx.Now, tx.Now)
	return err
}

func one(tx *db.Tx, admin id.Admin) (Branding, error) {
	return db.One(tx, scan, `SELECT `+columns+` FROM brandings b WHERE b.admin_id = $1`, admin)
}

func lock(tx *db.Tx, admin id.Admin) (Branding, error) {
	return db.One(tx, scan, `UPDATE brandings AS b SET version = version WHERE b.admin_id = $1 RETURNING `+strings.ReplaceAll(columns, "b.", ""), admin)
}

func update(tx *db.Tx, b Branding) error {
	f := b.Branding
	_, err := tx.Exec(`UPDATE brandings SET logo_url = $1, favicon_url = $2, primary_color = $3, secondary_color = $4, app_name = $5,
		footer_text = $6, support_email = $7, hide_powered_by = $8, version = $9, updated_at = $10 WHERE admin_id = $11`,
		f.LogoURL, f.FaviconURL, f.PrimaryColor, f.SecondaryColor, f.AppName, f.FooterText, f.SupportEmail, f.HidePoweredBy,
		b.Version, b.UpdatedAt, b.AdminID)
	return err
}

// mayHide asks the admin's partner group; without one it may.
func mayHide(tx *db.Tx, admin id.Admin) (may bool, err error) {
	may, err = db.One(tx, func(r db.Row) (b bool, err error) { return b, r.Scan(&b) },
		`SELECT g.may_hide_powered_by FROM admins a JOIN partner_groups g ON g.id = a.partner_group_id WHERE a.id = $1`, admin)
	if errors.Is(err, db.ErrNoRows) {
		return true, nil
	}
	return may, err
}

func adminName(tx *db.Tx, admin id.Admin) (string, error) {
	return db.One(tx, db.String, `SELECT name FROM admins WHERE id = $1`, admin)
}

// audience counts an admin's organizations, their members, and the verified
// hosts of all of them.
func audience(tx *db.Tx, admin id.Admin) (organizations, users, domains int64, err error) {
	_, err = db.One(tx, func(r db.Row) (int64, error) { return 0, r.Scan(&organizations, &users) },
		`SELECT count(*), CAST(COALESCE(sum(members), 0) AS BIGINT) FROM organizations WHERE admin_id = $1`, admin)
	if err != nil {
		return 0, 0, 0, err
	}
	domains, err = db.One(tx, db.Int64, `SELECT count(*) FROM custom_domains d LEFT JOIN organizations o ON o.id = d.organization_id
		WHERE d.status = 'verified' AND (d.admin_id = $1 OR o.admin_id = $2)`, admin, admin)
	return organizations, users, domains, err
}

// level is one level of inheritance, found.
type level struct {
	fields  brand.Fields
	version int64
}

// levelOf gives an admin's level; none is the empty level.
func levelOf(tx *db.Tx, admin id.Admin) (level, error) {
	if admin == 0 {
		return level{}, nil
	}
	b, err := one(tx, admin)
	if errors.Is(err, db.ErrNoRows) {
		return level{}, nil
	}
	return level{fields: b.Branding, version: b.Version}, err
}

// platform gives the platform's own brand, as JSON, and the settings' version.
func platform(tx *db.Tx) (text string, version int64, err error) {
	_, err = db.One(tx, func(r db.Row) (n int64, err error) { return 0, r.Scan(&text, &version) }, `SELECT branding, version FROM settings WHERE id = 1`)
	return text, version, err
}

// organizationAdmin gives the admin of an organization, zero for the platform's own.
func organizationAdmin(tx *db.Tx, o id.Organization) (id.Admin, error) {
	a, err := db.One(tx, func(r db.Row) (a *id.Admin, err error) { return a, r.Scan(&a) }, `SELECT admin_id FROM organizations WHERE id = $1`, o)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id.Val(a), err
}

// hostHeld asks for a hold in force on the owner of a verified host.
func hostHeld(tx *db.Tx, host string) (bool, error) {
	held, err := db.One(tx, db.Int64, `SELECT count(*) FROM custom_domains d LEFT JOIN organizations o ON o.id = d.organization_id
		WHERE d.host = $1 AND d.status = 'verified' AND (`+hold.OrganizationCondition("d.organization_id", "$2")+`
		OR `+hold.AdminCondition("COALESCE(d.admin_id, o.admin_id)", "$3")+`)`, host, tx.Now, tx.Now)
	return held > 0, err
}
