package org

import (
	"errors"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// marks writes the parameters of an IN list, numbered from from.
func marks(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// anys makes arguments of an IN list.
func anys[T any](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// The primary key decides: the insert waits for a concurrent one of the same
// slug, then either takes over this request's own row or changes nothing. No
// organization ever gives its slug up.
func holdSlug(tx *db.Tx, slug string, organization id.Organization, request id.Request) (bool, error) {
	n, err := tx.Exec(`INSERT INTO slugs (slug, skeleton, organization_id, request_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (slug) DO UPDATE SET organization_id = excluded.organization_id
		WHERE slugs.organization_id IS NULL AND slugs.request_id = excluded.request_id`,
		slug, skeleton(slug), id.Ref(organization), id.Ref(request))
	return n == 1, err
}

func freeRequestSlug(tx *db.Tx, slug string, request id.Request) error {
	_, err := tx.Exec(`DELETE FROM slugs WHERE slug = $1 AND request_id = $2 AND organization_id IS NULL`, slug, request)
	return err
}

func takenSlugs(tx *db.Tx, slugs []string) (map[string]bool, error) {
	found, err := db.All(tx, db.String, `SELECT slug FROM slugs WHERE slug IN (`+marks(1, len(slugs))+`)`, anys(slugs)...)
	taken := make(map[string]bool, len(found))
	for _, s := range found {
		taken[s] = true
	}
	return taken, err
}

func lookAlike(tx *db.Tx, slug string) (string, error) {
	s, err := db.One(tx, db.String, `SELECT slug FROM slugs
		WHERE skeleton = $1 AND slug <> $2 ORDER BY slug LIMIT 1`, skeleton(slug), slug)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return s, err
}
