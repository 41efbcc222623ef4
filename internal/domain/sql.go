package domain

import (
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

const whose = `(organization_id = $1 OR admin_id = $2)`

func scanClaim(r db.Row) (c Claim, err error) { return c, r.Scan(&c.Host, &c.Status, &c.token) }

func claimOf(tx *db.Tx, o Owner) (Claim, error) {
	return db.One(tx, scanClaim, `SELECT host, status, token FROM custom_domains WHERE `+whose, id.Ref(o.Organization), id.Ref(o.Admin))
}

func claimsOf(tx *db.Tx, organizations []id.Organization) (map[id.Organization]Claim, error) {
	claims := map[id.Organization]Claim{}
	if len(organizations) == 0 {
		return claims, nil
	}
	args, marks := make([]any, len(organizations)), make([]string, len(organizations))
	for i, o := range organizations {
		args[i], marks[i] = o, "$"+strconv.Itoa(i+1)
	}
	_, err := db.All(tx, func(r db.Row) (c Claim, err error) {
		var o id.Organization
		err = r.Scan(&o, &c.Host, &c.Status, &c.token)
		claims[o] = c
		return c, err
	}, `SELECT organization_id, host, status, token FROM custom_domains WHERE organization_id IN (`+strings.Join(marks, ", ")+`)
		ORDER BY organization_id LIMIT 1000`, args...)
	return claims, err
}

func remove(tx *db.Tx, o Owner) error {
	_, err := tx.Exec(`DELETE FROM custom_domains WHERE `+whose, id.Ref(o.Organization), id.Ref(o.Admin))
	return err
}

func insert(tx *db.Tx, o Owner, c Claim) error {
	_, err := tx.Exec(`INSERT INTO custom_domains (organization_id, admin_id, host, status, token, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		id.Ref(o.Organization), id.Ref(o.Admin), c.Host, string(c.Status), c.token, tx.Now)
	return err
}

// confirm marks the claim verified unless another has the host. Those who
// confirm one host take turns on a row of its own, because a unique index alone
// would answer the second with a dead transaction.
func confirm(tx *db.Tx, o Owner, host string) (taken bool, err error) {
	if _, err := tx.Exec(`INSERT INTO domain_turns (host, taken_at) VALUES ($1, $2)
		ON CONFLICT (host) DO UPDATE SET taken_at = excluded.taken_at`, host, tx.Now); err != nil {
		return false, err
	}
	n, err := tx.Exec(`UPDATE custom_domains SET status = 'verified', verified_at = $1
		WHERE (organization_id = $2 OR admin_id = $3) AND host = $4
		AND NOT EXISTS (SELECT 1 FROM custom_domains h WHERE h.host = $5 AND h.status = 'verified')`,
		tx.Now, id.Ref(o.Organization), id.Ref(o.Admin), host, host)
	return n == 0, err
}

func holder(tx *db.Tx, host string) (Owner, error) {
	return db.One(tx, func(r db.Row) (o Owner, err error) {
		var organization *id.Organization
		var admin *id.Admin
		err = r.Scan(&organization, &admin)
		return Owner{Organization: id.Val(organization), Admin: id.Val(admin)}, err
	}, `SELECT organization_id, admin_id FROM custom_domains WHERE host = $1 AND status = 'verified'`, host)
}
