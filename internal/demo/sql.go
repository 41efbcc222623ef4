package demo

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/mail"
)

// content is what a database holds before seeding.
type content int

const (
	nothing content = iota
	seeded          // this demo, whole
	half            // this demo, interrupted
	foreign         // anything else
)

// look tells what the database holds. The first reseller of the demo stands for
// all of it, usage for its end.
func (s *seed) look(ctx context.Context) (content, error) {
	found := nothing
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := db.One(tx, db.Int64, `SELECT id FROM admins WHERE contact_email = $1 LIMIT 1`, "office@"+brands[0].domain+".example")
		if err == nil {
			n, err := count(tx, "usage_current")
			if found = seeded; n == 0 {
				found = half
			}
			return err
		}
		if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		n, err := db.One(tx, db.Int64, `SELECT (SELECT COUNT(*) FROM organizations) + (SELECT COUNT(*) FROM admins) + (SELECT COUNT(*) FROM registration_requests)`)
		if n > 0 {
			found = foreign
		}
		return err
	})
	return found, err
}

// dropMails takes back the mails that the story queued: nobody shall be written
// to about things that never happened.
func dropMails(tx *db.Tx) error {
	_, err := tx.Exec(`DELETE FROM jobs WHERE kind = $1 AND state = 'ready'`, mail.Kind)
	return err
}

// setUsage stores what an organization consumes now, in bytes.
func setUsage(tx *db.Tx, t *tenant, meter string, period, used int64) error {
	_, err := tx.Exec(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id, meter, period) DO UPDATE SET used = excluded.used, updated_at = excluded.updated_at`,
		t.id, meter, period, used, tx.Now)
	return err
}

func count(tx *db.Tx, table string) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM `+table)
}
