package org

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/text"
)

// An organization is read with its plugins in one statement, and with whether
// there are holds, so that the few that have any ask for them. $1 is until when
// credits expire soon.
const (
	selectOrganization  = `SELECT ` + organizationColumns + organizationTables
	organizationColumns = `o.id, o.name, o.slug, o.admin_id, o.owner_user_id, o.status,
	o.storage_limit_gb, o.max_users, o.bandwidth_limit_gb, o.members, o.invited, o.created_at, o.updated_at, o.version,
	d.host, d.status, d.token,
	COALESCE(c.credit_limit, 0), COALESCE(c.credits_posted - c.debits_posted, 0), COALESCE(c.debits_pending, 0), c.limit_backed_by IS NOT NULL,
	CAST(COALESCE((SELECT SUM(l.remaining - l.held) FROM credit_lots l WHERE l.account_id = c.id AND l.remaining > 0 AND l.expires_at <= $1), 0) AS BIGINT),
	(SELECT string_agg(p.plugin_key, ',') FROM organization_plugins p WHERE p.organization_id = o.id),
	EXISTS (SELECT 1 FROM holds h WHERE h.organization_id = o.id AND h.lifted_at IS NULL)
		OR EXISTS (SELECT 1 FROM holds h WHERE h.admin_id = o.admin_id AND h.lifted_at IS NULL)`
	organizationTables = `
	FROM organizations o
	LEFT JOIN custom_domains d ON d.organization_id = o.id
	LEFT JOIN credit_accounts c ON c.organization_id = o.id AND c.kind = 'organization' `
)

// scanner scans rows of organizationColumns, and of columns after them into
// more: one for each query, since the rows share where they are scanned into.
func scanner(more ...any) func(db.Row) (Organization, error) {
	var row Organization
	var status, token, plugins *string
	into := append([]any{
		&row.ID, &row.Name, &row.Slug, &row.AdminID, &row.OwnerUserID, &row.Status,
		&row.StorageLimitGB, &row.MaxUsers, &row.BandwidthLimitGB, &row.MemberCount, &row.InvitedCount, &row.CreatedAt, &row.UpdatedAt, &row.Version,
		&row.CustomDomain, &status, &token,
		&row.CreditLimit, &row.CreditBalance, &row.CreditsHeld, &row.backed, &row.CreditsExpiringSoon, &plugins, &row.held,
	}, more...)
	return func(r db.Row) (Organization, error) {
		if err := r.Scan(into...); err != nil {
			return Organization{}, err
		}
		o := row
		o.balance(o.CreditBalance)
		o.EnabledPlugins = []string{}
		if plugins != nil {
			o.EnabledPlugins = strings.Split(*plugins, ",")
			slices.Sort(o.EnabledPlugins)
		}
		o.CustomDomainStatus = domain.None
		if o.CustomDomain != nil {
			o.CustomDomainStatus = domain.Status(*status)
			o.DomainVerification = domain.Stored(*o.CustomDomain, o.CustomDomainStatus, *token).Record()
		}
		return o, nil
	}
}

// found completes one organization, or turns no row into the 404.
func found(tx *db.Tx, o Organization, err error) (Organization, error) {
	if errors.Is(err, db.ErrNoRows) {
		return o, fault.Missing()
	}
	if err != nil {
		return o, err
	}
	all := []Organization{o}
	err = complete(tx, all)
	return all[0], err
}

func detailBy(tx *db.Tx, column string, value any) (Organization, error) {
	o, err := db.One(tx, scanner(), selectOrganization+`WHERE o.`+column+` = $2`, tx.Now.Add(credit.Soon), value)
	return found(tx, o, err)
}

// complete adds the holds to organizations, in one statement for all that have
// any, and works out their states.
func complete(tx *db.Tx, all []Organization) error {
	var held []Organization
	for _, o := range all {
		if o.held {
			held = append(held, o)
		}
	}
	own, resellers, err := holdsOf(tx, held)
	if err != nil {
		return err
	}
	for i := range all {
		o := &all[i]
		if o.Holds = own[o.ID]; o.Holds == nil {
			o.Holds = []hold.Hold{}
		}
		o.AdminSuspended, o.held = resellers[id.Val(o.AdminID)], false
		o.settle()
	}
	return nil
}

// padded lengthens an IN list to one of few lengths, by repeating its last
// value, so that few statement texts exist.
func padded(vs []any) []any {
	for _, n := range []int{1, 8, 64, page.MaxLimit + 1} {
		for len(vs) < n && len(vs) > n/8 {
			vs = append(vs, vs[len(vs)-1])
		}
		if len(vs) <= n {
			break
		}
	}
	return vs
}

// holdsOf gives the holds of the organizations themselves, and which of their
// admins have any.
func holdsOf(tx *db.Tx, all []Organization) (map[id.Organization][]hold.Hold, map[id.Admin]bool, error) {
	if len(all) == 0 {
		return nil, nil, nil
	}
	var ids, admins []any
	for _, o := range all {
		ids = append(ids, o.ID)
		if o.AdminID != nil && !slices.Contains(admins, any(*o.AdminID)) {
			admins = append(admins, *o.AdminID)
		}
	}
	if len(admins) == 0 {
		admins = []any{int64(0)}
	}
	ids, admins = padded(ids), padded(admins)
	type row struct {
		hold.Hold
		organization *id.Organization
		admin        *id.Admin
	}
	const columns = `SELECT organization_id, admin_id, source, reason, placed_by, placed_at, expires_at, id FROM holds
		WHERE lifted_at IS NULL AND (expires_at IS NULL OR expires_at > `
	query := columns + `$1) AND organization_id IN (` + marks(2, len(ids)) + `) UNION ALL ` +
		columns + fmt.Sprintf(`$%d) AND admin_id IN (`, len(ids)+2) + marks(len(ids)+3, len(admins)) + `) ORDER BY 8`
	args := append(append(append([]any{tx.Now}, ids...), tx.Now), admins...)
	rows, err := db.All(tx, func(r db.Row) (v row, err error) {
		var n int64
		return v, r.Scan(&v.organization, &v.admin, &v.Source, &v.Reason, &v.By, &v.At, &v.ExpiresAt, &n)
	}, query, args...)
	own, resellers := map[id.Organization][]hold.Hold{}, map[id.Admin]bool{}
	for _, v := range rows {
		if v.admin != nil {
			resellers[*v.admin] = true
		} else {
			own[*v.organization] = append(own[*v.organization], v.Hold)
		}
	}
	return own, resellers, err
}

// conditions collects what a list is narrowed by; parameters are numbered in
// order of appearance, after those that are there from the start.
type conditions struct {
	all  []string
	args db.Args
}

func (c *conditions) add(condition string) { c.all = append(c.all, condition) }

// arg keeps a value and gives its place.
func (c *conditions) arg(v any) string {
	return c.args.Add(v)
}

// where makes the condition of a list.
func (f Filter) where(tx *db.Tx, of Reach, args ...any) (string, []any) {
	c := conditions{args: args}
	c.within(of)
	if f.Admin != 0 {
		c.add("o.admin_id = " + c.arg(f.Admin))
	}
	itself := func() string { return hold.OrganizationCondition("o.id", c.arg(tx.Now)) }
	reseller := func() string { return hold.AdminCondition("o.admin_id", c.arg(tx.Now)) }
	c.status(f.Status, itself)
	c.status(f.EffectiveStatus, func() string { return "(" + itself() + " OR " + reseller() + ")" })
	if f.Q != "" {
		like := text.Like(f.Q)
		c.add(`(o.name_key LIKE ` + c.arg(like) + ` ESCAPE '\' OR o.slug LIKE ` + c.arg(like) + ` ESCAPE '\'
			OR EXISTS (SELECT 1 FROM users u WHERE u.id = o.owner_user_id AND u.email_key LIKE ` + c.arg(like) + ` ESCAPE '\'))`)
	}
	if len(c.all) == 0 {
		return "", c.args
	}
	return "WHERE " + strings.Join(c.all, " AND "), c.args
}

// within narrows to what the caller reaches.
func (c *conditions) within(of Reach) {
	if of.All {
		return
	}
	var any []string
	for _, a := range of.Admins {
		any = append(any, "o.admin_id = "+c.arg(a))
	}
	for _, o := range of.Organizations {
		any = append(any, "o.id = "+c.arg(o))
	}
	if len(any) == 0 {
		any = []string{"FALSE"}
	}
	c.add("(" + strings.Join(any, " OR ") + ")")
}

// status narrows to a state, of which held says what suspends.
func (c *conditions) status(s Status, held func() string) {
	switch s {
	case Archived:
		c.add("o.status = 'archived'")
	case Suspended:
		c.add("o.status <> 'archived' AND " + held())
	case Active:
		c.add("o.status <> 'archived' AND NOT " + held())
	}
}

// plain reports that nothing has to be searched: to count such a list costs
// little.
func (f Filter) plain() bool { return f.Q == "" && f.Status == "" && f.EffectiveStatus == "" }

// list reads the page and, where it is cheap, how long the whole list is in one
// statement; else only a page that does not show it has it counted.
func list(tx *db.Tx, of Reach, f Filter, by order, r page.Request) (page.List[Organization], error) {
	total := int64(-1)
	columns, scan := organizationColumns, scanner()
	where, args := f.where(tx, of, tx.Now.Add(credit.Soon))
	if f.plain() {
		columns += ",\n\t(SELECT COUNT(*) FROM organizations o " + where + ")"
		scan = scanner(&total)
	}
	if r.After != (page.Position{}) {
		if where == "" {
			where = "WHERE "
		} else {
			where += " AND "
		}
		value, err := f.Sort.after(r.After, by)
		if err != nil {
			return page.List[Organization]{}, err
		}
		n := len(args)
		where += fmt.Sprintf("(%s, o.id) %s ($%d, $%d)", by.column, map[bool]string{true: "<", false: ">"}[by.down], n+1, n+2)
		args = append(args, value, r.After.ID)
	}
	down := ""
	if by.down {
		down = " DESC"
	}
	rows, err := db.Upto(tx, r.Limit+1, scan, `SELECT `+columns+organizationTables+where+
		fmt.Sprintf(` ORDER BY %s%s, o.id%s`, by.column, down, down)+r.Rows(), args...)
	if err != nil {
		return page.List[Organization]{}, err
	}
	if total < 0 { // not counted, or there was no row to say it
		total, err = r.Total(len(rows), func() (int64, error) {
			where, args := f.where(tx, of)
			return db.One(tx, db.Int64, `SELECT COUNT(*) FROM organizations o `+where, args...)
		})
	}
	if err != nil {
		return page.List[Organization]{}, err
	}
	l := page.Of(r, rows, total, f.Sort.position)
	return l, complete(tx, l.Data)
}

// lock holds the organization's row to the end of the transaction.
func lock(tx *db.Tx, organization id.Organization) (version int64, admin id.Admin, err error) {
	type row struct {
		version int64
		admin   *id.Admin
	}
	v, err := db.One(tx, func(r db.Row) (v row, err error) { return v, r.Scan(&v.version, &v.admin) },
		`UPDATE organizations SET version = version WHERE id = $1 RETURNING version, admin_id`, organization)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return v.version, id.Val(v.admin), err
}

func adminOf(tx *db.Tx, organization id.Organization) (id.Admin, error) {
	a, err := db.One(tx, func(r db.Row) (a *id.Admin, err error) { return a, r.Scan(&a) },
		`SELECT admin_id FROM organizations WHERE id = $1`, organization)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return id.Val(a), err
}

// lockAdmin holds the admin's row and gives its group; ok is false when there
// is no such admin.
func lockAdmin(tx *db.Tx, admin id.Admin) (group id.Group, ok bool, err error) {
	g, err := db.One(tx, func(r db.Row) (g *id.Group, err error) { return g, r.Scan(&g) },
		`UPDATE admins SET version = version WHERE id = $1 RETURNING partner_group_id`, admin)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return id.Val(g), err == nil, err
}

func countOrganization(tx *db.Tx, admin id.Admin, by int64) error {
	_, err := tx.Exec(`UPDATE admins SET organization_count = organization_count + $1 WHERE id = $2`, by, admin)
	return err
}

// insert makes the row; ok is false when the slug is another organization's.
func insert(tx *db.Tx, in New, l Limits) (organization id.Organization, ok bool, err error) {
	n, err := tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status,
			storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, 0, 0, 1, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
		id.Ref(in.Admin), in.Name, text.Key(in.Name), in.Slug,
		l.StorageLimitGB, l.MaxUsers, l.BandwidthLimitGB, tx.Now, tx.Now)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return id.Organization(n), err == nil, err
}

// sumLimits adds up an admin's organizations that are not archived, but for one.
func sumLimits(tx *db.Tx, admin id.Admin, but id.Organization) (sums, error) {
	return db.One(tx, func(r db.Row) (s sums, err error) {
		return s, r.Scan(&s.organizations, &s.StorageLimitGB, &s.MaxUsers, &s.BandwidthLimitGB, &s.unlimited[0], &s.unlimited[1], &s.unlimited[2])
	}, `SELECT COUNT(*),
			CAST(COALESCE(SUM(storage_limit_gb) FILTER (WHERE storage_limit_gb > 0), 0) AS BIGINT),
			CAST(COALESCE(SUM(max_users) FILTER (WHERE max_users > 0), 0) AS BIGINT),
			CAST(COALESCE(SUM(bandwidth_limit_gb) FILTER (WHERE bandwidth_limit_gb > 0), 0) AS BIGINT),
			COUNT(*) FILTER (WHERE storage_limit_gb = -1), COUNT(*) FILTER (WHERE max_users = -1), COUNT(*) FILTER (WHERE bandwidth_limit_gb = -1)
		FROM organizations WHERE admin_id = $1 AND id <> $2 AND status <> 'archived'`, admin, but)
}

// lockTree locks the organization's admin and another one, in order, and then
// the organization; it gives the group of its admin. Should the organization
// be moved meanwhile, its admin is fixed once its own row is locked.
func lockTree(tx *db.Tx, organization id.Organization, other id.Admin) (id.Group, error) {
	for {
		admin, err := adminOf(tx, organization)
		if err != nil {
			return 0, err
		}
		groups := map[id.Admin]id.Group{}
		for _, a := range []id.Admin{min(admin, other), max(admin, other)} {
			if _, done := groups[a]; done || a == 0 {
				continue
			}
			g, ok, err := lockAdmin(tx, a)
			if err == nil && !ok {
				err = fault.UnknownReference("admin_id")
			}
			if err != nil {
				return 0, err
			}
			groups[a] = g
		}
		_, now, err := lock(tx, organization)
		if err != nil || now == admin {
			return groups[admin], err
		}
	}
}

func groupOf(tx *db.Tx, admin id.Admin) (id.Group, error) {
	g, err := db.One(tx, func(r db.Row) (g *id.Group, err error) { return g, r.Scan(&g) },
		`SELECT partner_group_id FROM admins WHERE id = $1`, admin)
	return id.Val(g), err
}

func update(tx *db.Tx, o Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET name = $1, name_key = $2, admin_id = $3, storage_limit_gb = $4, max_users = $5,
		bandwidth_limit_gb = $6, version = version + 1, updated_at = $7 WHERE id = $8`,
		o.Name, text.Key(o.Name), o.AdminID, o.StorageLimitGB, o.MaxUsers, o.BandwidthLimitGB, tx.Now, o.ID)
	quota.Changed(tx, o.ID)
	return err
}

func touch(tx *db.Tx, organization id.Organization) error {
	_, err := tx.Exec(`UPDATE organizations SET version = version + 1, updated_at = $1 WHERE id = $2`, tx.Now, organization)
	return err
}

func statusOf(tx *db.Tx, organization id.Organization) (Status, error) {
	s, err := db.One(tx, db.String, `SELECT status FROM organizations WHERE id = $1`, organization)
	return Status(s), err
}

func archive(tx *db.Tx, organization id.Organization, status Status) error {
	_, err := tx.Exec(`UPDATE organizations SET status = $1 WHERE id = $2`, string(status), organization)
	quota.Changed(tx, organization)
	return err
}

// concerned are the owners of an organization and the people of its admin.
func concerned(tx *db.Tx, organization id.Organization, admin id.Admin) ([]id.User, error) {
	return db.All(tx, func(r db.Row) (u id.User, err error) { return u, r.Scan(&u) },
		`SELECT user_id FROM memberships WHERE organization_id = $1 AND role = 'owner'
		UNION SELECT user_id FROM admin_users WHERE admin_id = $2 ORDER BY 1 LIMIT 1000`, organization, admin)
}

// consumed gives the bytes of storage in use and of bandwidth in the month
// that began on this day since 1970.
func consumed(tx *db.Tx, organization id.Organization, month int64) (storage, bandwidth int64, err error) {
	type row struct{ storage, bandwidth int64 }
	v, err := db.One(tx, func(r db.Row) (v row, err error) { return v, r.Scan(&v.storage, &v.bandwidth) },
		`SELECT CAST(COALESCE(SUM(used) FILTER (WHERE meter = 'storage_bytes'), 0) AS BIGINT),
			CAST(COALESCE(SUM(used) FILTER (WHERE meter = 'bandwidth_bytes'), 0) AS BIGINT)
		FROM usage_current WHERE organization_id = $1
		AND (meter = 'storage_bytes' AND period = 0 OR meter = 'bandwidth_bytes' AND period = $2)`, organization, month)
	return v.storage, v.bandwidth, err
}

// frozen counts the keys in force and the open invitations of an organization.
func frozen(tx *db.Tx, organization id.Organization) (keys, invitations int64, err error) {
	_, err = db.One(tx, func(r db.Row) (n int64, err error) { return 0, r.Scan(&keys, &invitations) },
		`SELECT (SELECT COUNT(*) FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)),
			(SELECT COUNT(*) FROM invitations WHERE organization_id = $3 AND state = 'open' AND expires_at > $4)`,
		organization, tx.Now, organization, tx.Now)
	return keys, invitations, err
}
