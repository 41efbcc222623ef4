package partner

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/id"
)

// ofGroup are the admins of a group, or one of them: parameters 1 to 3.
const ofGroup = `a.partner_group_id = $1 AND (a.id = $2 OR $3)`

func ofGroupArgs(of id.Group, only id.Admin) []any { return []any{of, only, only == 0} }

// members names the group's admins, the first of them.
func members(tx *db.Tx, group id.Group) ([]effect.Party, error) {
	all, err := db.All(tx, func(r db.Row) (effect.Party, error) {
		p := effect.Party{Type: "admin"}
		return p, r.Scan(&p.ID, &p.Name)
	}, `SELECT id, name FROM admins WHERE partner_group_id = $1 ORDER BY id LIMIT $2`, group, effect.Most)
	if err != nil {
		return nil, fmt.Errorf("name the admins of a partner group: %w", err)
	}
	return all, nil
}

// overBounds finds the admins whose organizations have been given more than
// the policy's bounds.
func overBounds(tx *db.Tx, p Group, of id.Group, only id.Admin) (over []effect.Excess, err error) {
	bound := func(b *int64) int64 {
		if b == nil {
			return math.MaxInt64
		}
		return *b
	}
	args := append(ofGroupArgs(of, only), bound(p.MaxOrganizations), bound(p.MaxStorageGB), bound(p.MaxUsers), bound(p.MaxBandwidthGB),
		p.MaxStorageGB != nil, p.MaxUsers != nil, p.MaxBandwidthGB != nil, effect.Most)
	all, err := db.All(tx, func(r db.Row) (shares, error) {
		s := shares{admin: effect.Party{Type: "admin"}}
		return s, r.Scan(&s.admin.ID, &s.admin.Name, &s.organizations, &s.given[0], &s.given[1], &s.given[2], &s.unlimited[0], &s.unlimited[1], &s.unlimited[2])
	}, `SELECT id, name, organizations, storage, people, bandwidth, any_storage, any_people, any_bandwidth FROM (
			SELECT a.id, a.name, COUNT(*) AS organizations,
				CAST(COALESCE(SUM(o.storage_limit_gb) FILTER (WHERE o.storage_limit_gb > 0), 0) AS BIGINT) AS storage,
				CAST(COALESCE(SUM(o.max_users) FILTER (WHERE o.max_users > 0), 0) AS BIGINT) AS people,
				CAST(COALESCE(SUM(o.bandwidth_limit_gb) FILTER (WHERE o.bandwidth_limit_gb > 0), 0) AS BIGINT) AS bandwidth,
				COUNT(*) FILTER (WHERE o.storage_limit_gb = -1) AS any_storage, COUNT(*) FILTER (WHERE o.max_users = -1) AS any_people,
				COUNT(*) FILTER (WHERE o.bandwidth_limit_gb = -1) AS any_bandwidth
			FROM admins a JOIN organizations o ON o.admin_id = a.id AND o.status <> 'archived' WHERE `+ofGroup+` GROUP BY a.id, a.name) given
		WHERE organizations > $4 OR storage > $5 OR people > $6 OR bandwidth > $7
			OR any_storage > 0 AND $8 OR any_people > 0 AND $9 OR any_bandwidth > 0 AND $10
		ORDER BY id LIMIT $11`, args...)
	if err != nil {
		return nil, fmt.Errorf("look for who is beyond a policy's bounds: %w", err)
	}
	for _, s := range all {
		over = append(over, s.beyond(p)...)
	}
	return over, nil
}

// overPlugins finds the organizations that have plugins which the policy does
// not allow, and counts these.
func overPlugins(tx *db.Tx, p Group, of id.Group, only id.Admin) ([]effect.Excess, error) {
	if p.AllowedPlugins == nil {
		return nil, nil
	}
	args, but := ofGroupArgs(of, only), ""
	if len(p.AllowedPlugins) > 0 {
		marks := make([]string, len(p.AllowedPlugins))
		for i, key := range p.AllowedPlugins {
			args = append(args, key)
			marks[i] = "$" + strconv.Itoa(len(args))
		}
		but = ` AND e.plugin_key NOT IN (` + strings.Join(marks, ", ") + `)`
	}
	args = append(args, effect.Most)
	return excess(tx, "organization", "allowed_plugins", `SELECT o.id, o.name, 0, COUNT(*)
		FROM admins a JOIN organizations o ON o.admin_id = a.id JOIN organization_plugins e ON e.organization_id = o.id
		WHERE `+ofGroup+but+` GROUP BY o.id, o.name ORDER BY o.id LIMIT $`+strconv.Itoa(len(args)), args...)
}

// overBrand finds the admins that leave out the platform's name where the
// policy does not let them.
func overBrand(tx *db.Tx, p Group, of id.Group, only id.Admin) ([]effect.Excess, error) {
	if p.MayHidePoweredBy {
		return nil, nil
	}
	return excess(tx, "admin", "may_hide_powered_by", `SELECT a.id, a.name, 0, 1 FROM admins a JOIN brandings b ON b.admin_id = a.id
		WHERE `+ofGroup+` AND b.hide_powered_by ORDER BY a.id LIMIT $4`, append(ofGroupArgs(of, only), effect.Most)...)
}

// overCredit finds the admins that back higher credit limits than they have
// credits, where the policy does not let them oversell.
func overCredit(tx *db.Tx, p Group, of id.Group, only id.Admin) ([]effect.Excess, error) {
	if p.Oversell {
		return nil, nil
	}
	return excess(tx, "admin", "oversell", `SELECT a.id, a.name, c.credits_posted - c.debits_posted, c.limits_backed
		FROM admins a JOIN credit_accounts c ON c.admin_id = a.id AND c.kind = 'admin'
		WHERE `+ofGroup+` AND c.limits_backed > c.credits_posted - c.debits_posted ORDER BY a.id LIMIT $4`, append(ofGroupArgs(of, only), effect.Most)...)
}

// excess reads who is over something: id, name, what is allowed and what there is.
func excess(tx *db.Tx, kind, field, query string, args ...any) ([]effect.Excess, error) {
	all, err := db.All(tx, func(r db.Row) (effect.Excess, error) {
		e := effect.Excess{Party: effect.Party{Type: kind}, Field: field}
		err := r.Scan(&e.ID, &e.Name, &e.Limit, &e.Used)
		e.Over = e.Used - e.Limit
		return e, err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look for who is beyond a policy's %s: %w", field, err)
	}
	return all, nil
}
