package registration

import (
	"encoding/json"
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const columns = `id, status, email, email_key, password_hash, company_name, contact_name, phone, desired_org_name, desired_org_slug,
	utm_source, utm_medium, utm_campaign, referral_code, host, flags,
	org_name, org_slug, initial_credit_limit, storage_limit_gb, max_users, bandwidth_limit_gb, enabled_plugins, admin_id,
	decided_by, decided_at, reason, provision_state, provision_attempts, provision_error, provision_steps,
	organization_id, created_at, updated_at, version`

func scan(row db.Row) (r Request, err error) {
	var hash, plugins, state, steps *string
	var marks string
	err = row.Scan(&r.ID, &r.Status, &r.Email, &r.email, &hash, &r.CompanyName, &r.ContactName, &r.Phone, &r.DesiredOrgName, &r.DesiredOrgSlug,
		&r.UTMSource, &r.UTMMedium, &r.UTMCampaign, &r.ReferralCode, &r.Host, &marks,
		&r.OrgName, &r.OrgSlug, &r.InitialCreditLimit, &r.StorageLimitGB, &r.MaxUsers, &r.BandwidthLimitGB, &plugins, &r.AdminID,
		&r.DecidedBy, &r.DecidedAt, &r.Reason, &state, &r.Provisioning.Attempts, &r.Provisioning.LastError, &steps,
		&r.OrganizationID, &r.CreatedAt, &r.UpdatedAt, &r.Version)
	if err != nil {
		return r, err
	}
	r.Provisioning.State, r.Provisioning.Steps, r.Flags = notTried, []Step{}, []Flag{}
	if hash != nil {
		r.hash = *hash
	}
	if state != nil {
		r.Provisioning.State = *state
	}
	return r, errors.Join(decode(&marks, &r.Flags), decode(plugins, &r.EnabledPlugins), decode(steps, &r.Provisioning.Steps))
}

// decode reads a JSON column; NULL leaves v.
func decode(s *string, v any) error {
	if s == nil {
		return nil
	}
	return json.Unmarshal([]byte(*s), v)
}

// encode writes a JSON column.
func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// missing turns an absent row into the 404.
func missing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.Missing()
	}
	return err
}

// yes turns a query that finds a row or none into a bool.
func yes(tx *db.Tx, query string, args ...any) (bool, error) {
	_, err := db.One(tx, db.Int64, query, args...)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func insert(tx *db.Tx, d Draft, visit Visit, admin id.Admin) (id.Request, error) {
	n, err := tx.Insert(`INSERT INTO registration_requests (status, email, email_key, password_hash, company_name, company_key, contact_name,
			phone, phone_key, desired_org_name, desired_org_slug, utm_source, utm_medium, utm_campaign, referral_code, host,
			flags, search_key, admin_id, provision_attempts, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, $14, $15, '[]', '', $16, 0, 1, $17, $18) RETURNING id`,
		string(Pending), d.Email, d.emailKey, d.hash, d.CompanyName, d.companyKey, d.ContactName,
		optional(d.Phone), optional(d.phoneKey), d.OrgName, optional(d.UTMSource), optional(d.UTMMedium), optional(d.UTMCampaign),
		optional(d.ReferralCode), optional(visit.Host), id.Ref(admin), tx.Now, tx.Now)
	return id.Request(n), err
}

// optional stores an empty text as NULL.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func name(tx *db.Tx, request id.Request, d Draft, slug string, found []Flag) error {
	marks, err := encode(found)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE registration_requests SET desired_org_slug = $1, flags = $2, search_key = $3 WHERE id = $4`,
		slug, marks, text.Key(d.Email+"\n"+d.CompanyName+"\n"+d.ContactName+"\n"+d.OrgName+"\n"+slug), request)
	return err
}

// flagKnown flags the other open requests with r's address: there is an account
// now that was not when they came.
func flagKnown(tx *db.Tx, r Request) error {
	others, err := db.All(tx, scan, `SELECT `+columns+` FROM registration_requests
		WHERE email_key = $1 AND id <> $2 AND status IN ('pending_approval', 'approved') ORDER BY id LIMIT 1000`, r.email, r.ID)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.has(EmailKnown) {
			continue
		}
		marks, err := encode(append(o.Flags, EmailKnown))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE registration_requests SET flags = $1, version = version + 1, updated_at = $2 WHERE id = $3`, marks, tx.Now, o.ID); err != nil {
			return err
		}
	}
	return nil
}

func find(tx *db.Tx, request id.Request) (Request, error) {
	return db.One(tx, scan, `SELECT `+columns+` FROM registration_requests WHERE id = $1`, request)
}

func lock(tx *db.Tx, request id.Request) (Request, error) {
	return db.One(tx, scan, `UPDATE registration_requests SET version = version WHERE id = $1 RETURNING `+columns, request)
}

func approve(tx *db.Tx, r Request) error {
	var plugins *string
	if r.EnabledPlugins != nil {
		s, err := encode(*r.EnabledPlugins)
		if err != nil {
			return err
		}
		plugins = &s
	}
	_, err := tx.Exec(`UPDATE registration_requests SET status = $1, org_name = $2, org_slug = $3, initial_credit_limit = $4,
			storage_limit_gb = $5, max_users = $6, bandwidth_limit_gb = $7, enabled_plugins = $8, admin_id = $9,
			decided_by = $10, decided_at = $11, updated_at = $12, version = version + 1 WHERE id = $13`,
		string(Approved), r.OrgName, r.OrgSlug, r.InitialCreditLimit, r.StorageLimitGB, r.MaxUsers, r.BandwidthLimitGB, plugins, r.AdminID,
		r.DecidedBy, r.DecidedAt, tx.Now, r.ID)
	return err
}

func reject(tx *db.Tx, r Request) error {
	_, err := tx.Exec(`UPDATE registration_requests SET status = $1, reason = $2, password_hash = NULL,
			decided_by = $3, decided_at = $4, updated_at = $5, version = version + 1 WHERE id = $6`,
		string(Rejected), r.Reason, r.DecidedBy, r.DecidedAt, tx.Now, r.ID)
	return err
}

func activate(tx *db.Tx, request id.Request, organization id.Organization, steps []Step) error {
	s, err := encode(steps)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE registration_requests SET status = $1, organization_id = $2, password_hash = NULL, provision_state = $3,
			provision_attempts = provision_attempts + 1, provision_error = NULL, provision_steps = $4, provisioned_at = $5, updated_at = $6,
			version = version + 1 WHERE id = $7`,
		string(Active), organization, done, s, tx.Now, tx.Now, request)
	return err
}

func fail(tx *db.Tx, request id.Request, why string, steps []Step) error {
	s, err := encode(steps)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE registration_requests SET provision_state = $1, provision_attempts = provision_attempts + 1,
			provision_error = $2, provision_steps = $3, updated_at = $4 WHERE id = $5`, failedBefore, why, s, tx.Now, request)
	return err
}

// matching is the filter of the list; an empty text does not narrow.
const matching = ` ($1 = '' OR status = $2) AND ($3 = '' OR search_key LIKE $4 ESCAPE '\')
	AND ($5 = '' OR utm_source = $6) AND ($7 = '' OR utm_medium = $8) AND ($9 = '' OR utm_campaign = $10)`

func list(tx *db.Tx, f Filter, r page.Request) ([]Request, int64, error) {
	status := string(f.Status)
	args := []any{status, status, f.Q, text.Like(f.Q), f.UTMSource, f.UTMSource, f.UTMMedium, f.UTMMedium, f.UTMCampaign, f.UTMCampaign}
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM registration_requests WHERE`+matching, args...)
	if err != nil {
		return nil, 0, err
	}
	query := `SELECT ` + columns + ` FROM registration_requests WHERE` + matching
	if r.After != (page.Position{}) {
		query += ` AND (created_at, id) < ($11, $12)`
		args = append(args, r.After.At, r.After.ID)
	}
	rows, err := db.All(tx, scan, query+` ORDER BY created_at DESC, id DESC`+r.Rows(), args...)
	return rows, total, err
}

func emailKnown(tx *db.Tx, key string) (bool, error) {
	return yes(tx, `SELECT 1 FROM users WHERE email_key = $1
		UNION ALL SELECT 1 FROM registration_requests WHERE email_key = $2 AND status IN ('pending_approval', 'approved') LIMIT 1`, key, key)
}

func companyKnown(tx *db.Tx, key, name string) (bool, error) {
	return yes(tx, `SELECT 1 FROM registration_requests WHERE company_key = $1
		UNION ALL SELECT 1 FROM organizations WHERE name_key = $2 LIMIT 1`, key, name)
}

func phoneKnown(tx *db.Tx, key string) (bool, error) {
	return yes(tx, `SELECT 1 FROM registration_requests WHERE phone_key = $1 LIMIT 1`, key)
}

func adminByReferral(tx *db.Tx, code string) (id.Admin, error) {
	n, err := db.One(tx, db.Int64, `SELECT id FROM admins WHERE referral_code = $1`, code)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id.Admin(n), err
}

func adminExists(tx *db.Tx, admin id.Admin) (bool, error) {
	return yes(tx, `SELECT 1 FROM admins WHERE id = $1`, admin)
}

func slugOf(tx *db.Tx, organization id.Organization) (string, error) {
	return db.One(tx, db.String, `SELECT slug FROM organizations WHERE id = $1`, organization)
}

func resellerOf(tx *db.Tx, organization id.Organization) (id.Admin, error) {
	admin, err := db.One(tx, func(r db.Row) (a *id.Admin, err error) { return a, r.Scan(&a) },
		`SELECT admin_id FROM organizations WHERE id = $1`, organization)
	return id.Val(admin), err
}
