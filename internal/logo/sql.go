package logo

import (
	"errors"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// insert reports whether the owner did not have the picture yet.
func insert(tx *db.Tx, actor audit.Actor, admin id.Admin, sum []byte, p Picture) (fresh bool, err error) {
	var by *int64
	if actor.ID != 0 {
		by = &actor.ID
	}
	_, err = tx.Insert(`INSERT INTO logos (admin_id, hash, kind, width, height, body, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id`,
		id.Ref(admin), sum, string(p.Kind), int64(p.Width), int64(p.Height), p.Body, by, tx.Now)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// prune forgets the oldest pictures of an owner beyond those that are kept; what
// its brand shows stays.
func prune(tx *db.Tx, admin id.Admin) error {
	inUse := `SELECT b.logo_url FROM brandings b WHERE b.admin_id = $1 UNION ALL SELECT b.favicon_url FROM brandings b WHERE b.admin_id = $2`
	shown, err := db.All(tx, func(r db.Row) (s *string, err error) { return s, r.Scan(&s) }, inUse, int64(admin), int64(admin))
	if err != nil {
		return err
	}
	if admin == 0 {
		text, err := db.One(tx, db.String, `SELECT branding FROM settings WHERE id = 1`)
		if err != nil {
			return err
		}
		shown = append(shown, &text)
	}
	type row struct {
		id   int64
		hash []byte
	}
	old, err := db.All(tx, func(r db.Row) (v row, err error) { return v, r.Scan(&v.id, &v.hash) },
		`SELECT id, hash FROM logos WHERE COALESCE(admin_id, 0) = $1 ORDER BY id DESC LIMIT 200 OFFSET $2`, int64(admin), kept)
	if err != nil {
		return err
	}
	for _, o := range old {
		if mentioned(shown, o.hash) {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM logos WHERE id = $1`, o.id); err != nil {
			return err
		}
	}
	return nil
}

func owned(tx *db.Tx, admin id.Admin, sum []byte, kind Kind) (bool, error) {
	n, err := db.One(tx, db.Int64, `SELECT count(*) FROM logos WHERE COALESCE(admin_id, 0) = $1 AND hash = $2 AND kind = $3`, int64(admin), sum, string(kind))
	return n > 0, err
}

func find(tx *db.Tx, sum []byte, kind Kind) (Picture, error) {
	p, err := db.One(tx, func(r db.Row) (p Picture, err error) {
		var width, height int64
		err = r.Scan(&p.Kind, &width, &height, &p.Body)
		p.Width, p.Height = int(width), int(height)
		return p, err
	}, `SELECT kind, width, height, body FROM logos WHERE hash = $1 AND kind = $2 ORDER BY id LIMIT 1`, sum, string(kind))
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return p, err
}
