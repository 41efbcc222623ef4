package admin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/text"
)

const columns = `a.id, a.name, a.contact_email, a.company_name, a.phone, a.partner_group_id, a.referral_code,
	a.organization_count, a.version, a.created_at, a.updated_at, d.host, d.status, d.token,
	(SELECT u.user_id FROM admin_users u WHERE u.admin_id = a.id AND u.role = 'owner')`

const from = ` FROM admins a LEFT JOIN custom_domains d ON d.admin_id = a.id `

func scan(r db.Row) (a Admin, err error) {
	var status, token *string
	err = r.Scan(&a.ID, &a.Name, &a.ContactEmail, &a.CompanyName, &a.Phone, &a.PartnerGroupID, &a.ReferralCode,
		&a.OrganizationCount, &a.Version, &a.CreatedAt, &a.UpdatedAt, &a.CustomDomain, &status, &token, &a.OwnerUserID)
	a.CustomDomainStatus = domain.None
	if err == nil && a.CustomDomain != nil {
		a.CustomDomainStatus = domain.Status(*status)
		a.DomainVerification = domain.Stored(*a.CustomDomain, a.CustomDomainStatus, *token).Record()
	}
	return a, err
}

func get(tx *db.Tx, admin id.Admin) (Admin, error) {
	a, err := db.One(tx, scan, `SELECT `+columns+from+`WHERE a.id = $1`, admin)
	return a, missing(err, "read an admin")
}

func lockRow(tx *db.Tx, admin id.Admin) (version int64, err error) {
	version, err = db.One(tx, db.Int64, `UPDATE admins SET version = version WHERE id = $1 RETURNING version`, admin)
	return version, missing(err, "lock an admin")
}

// missing turns an absent row into the fault that says so.
func missing(err error, what string) error {
	switch {
	case errors.Is(err, db.ErrNoRows):
		return fault.Missing()
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// where writes the filter as conditions with their arguments.
func (f Filter) where(now db.Time) (string, []any) {
	const held = `EXISTS (SELECT 1 FROM holds h WHERE h.admin_id = a.id AND h.lifted_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > $1))`
	switch f.Status {
	case Suspended:
		return f.and(held, now)
	case Active:
		return f.and(`NOT `+held, now)
	}
	return f.and(`TRUE`)
}

func (f Filter) and(first string, args ...any) (string, []any) {
	all := []string{`WHERE ` + first}
	if f.Q != "" {
		args = append(args, text.Like(f.Q))
		all = append(all, `a.name_key LIKE $`+strconv.Itoa(len(args))+` ESCAPE '\'`)
	}
	if f.Group != 0 {
		args = append(args, f.Group)
		all = append(all, `a.partner_group_id = $`+strconv.Itoa(len(args)))
	}
	return strings.Join(all, ` AND `), args
}

func list(tx *db.Tx, f Filter, r page.Request) (page.List[Admin], error) {
	where, args := f.where(tx.Now)
	total, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM admins a `+where, args...)
	if err != nil {
		return page.List[Admin]{}, fmt.Errorf("count admins: %w", err)
	}
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: math.MaxInt64, ID: math.MaxInt64}
	}
	n := len(args)
	rows, err := db.All(tx, scan, fmt.Sprintf(`SELECT `+columns+from+where+` AND (a.created_at, a.id) < ($%d, $%d)
		ORDER BY a.created_at DESC, a.id DESC`, n+1, n+2)+r.Rows(),
		append(args, after.At, after.ID)...)
	if err != nil {
		return page.List[Admin]{}, fmt.Errorf("list admins: %w", err)
	}
	return page.Of(r, rows, total, func(a Admin) page.Position {
		return page.Position{At: int64(a.CreatedAt), ID: int64(a.ID)}
	}), nil
}

// insert makes the row with a referral code that nobody has.
func insert(tx *db.Tx, a Admin) (id.Admin, error) {
	for range 5 {
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, phone, partner_group_id,
				referral_code, organization_count, version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
			a.Name, a.searchKey(), a.ContactEmail, a.CompanyName, a.Phone, a.PartnerGroupID, newCode(), tx.Now, tx.Now)
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("create an admin: %w", err)
		}
		return id.Admin(n), nil
	}
	return 0, errors.New("create an admin: no referral code is free")
}

// newCode draws a referral code that can be read out: 12 characters, 60 bits.
func newCode() string { return strings.ToLower(rand.Text()[:12]) }

func (a Admin) searchKey() string {
	return text.Key(a.Name + "\n" + a.CompanyName + "\n" + a.ContactEmail)
}

func update(tx *db.Tx, a Admin) error {
	_, err := tx.Exec(`UPDATE admins SET name = $1, name_key = $2, contact_email = $3, company_name = $4, phone = $5,
			partner_group_id = $6, version = version + 1, updated_at = $7 WHERE id = $8`,
		a.Name, a.searchKey(), a.ContactEmail, a.CompanyName, a.Phone, a.PartnerGroupID, tx.Now, a.ID)
	if err != nil {
		return fmt.Errorf("update an admin: %w", err)
	}
	return nil
}

// reached is whom a suspension hits, besides the organizations.
type reached struct{ users, domains, credits, keys, invitations int64 }

func counted(tx *db.Tx, admin id.Admin) (reached, error) {
	r, err := db.One(tx, func(row db.Row) (r reached, err error) {
		return r, row.Scan(&r.users, &r.domains, &r.credits, &r.keys, &r.invitations)
	}, `SELECT
		(SELECT COUNT(*) FROM (SELECT user_id FROM admin_users WHERE admin_id = $1
			UNION SELECT m.user_id FROM memberships m JOIN organizations o ON o.id = m.organization_id WHERE o.admin_id = $2) p),
		(SELECT COUNT(*) FROM custom_domains d LEFT JOIN organizations o ON o.id = d.organization_id
			WHERE d.status = 'verified' AND (d.admin_id = $3 OR o.admin_id = $4)),
		(SELECT CAST(COALESCE(SUM(c.credits_posted - c.debits_posted), 0) AS BIGINT) FROM credit_accounts c
			LEFT JOIN organizations o ON o.id = c.organization_id
			WHERE c.credits_posted > c.debits_posted AND (c.kind = 'admin' AND c.admin_id = $5 OR c.kind = 'organization' AND o.admin_id = $6)),
		(SELECT COUNT(*) FROM api_keys k JOIN organizations o ON o.id = k.organization_id
			WHERE o.admin_id = $7 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $8)),
		(SELECT COUNT(*) FROM invitations i JOIN organizations o ON o.id = i.organization_id
			WHERE o.admin_id = $9 AND i.state = 'open' AND i.expires_at > $10)`,
		admin, admin, admin, admin, admin, admin, admin, tx.Now, admin, tx.Now)
	if err != nil {
		return reached{}, fmt.Errorf("count whom an admin reaches: %w", err)
	}
	return r, nil
}
