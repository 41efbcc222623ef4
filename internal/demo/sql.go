package demo

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
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
// all of it. While it is being made mails wait that are taken back in the end;
// those of later are younger than its organizations.
func (s *seed) look(ctx context.Context) (content, error) {
	found := nothing
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := db.One(tx, db.Int64, `SELECT id FROM admins WHERE contact_email = $1 LIMIT 1`, "office@"+brands[0].domain+".example")
		if err == nil {
			n, err := db.One(tx, db.Int64, `SELECT CASE WHEN EXISTS (SELECT 1 FROM organizations) THEN (SELECT COUNT(*) FROM jobs
				WHERE kind = $1 AND state = 'ready' AND created_at < (SELECT MAX(created_at) FROM organizations)) ELSE 1 END`, mail.Kind)
			if found = seeded; n > 0 {
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

// volumes are the limits of an organization, in GB.
type volumes struct{ storage, bandwidth int64 }

// volumesOf gives those of all organizations; for an unlimited one something
// to measure by.
func volumesOf(tx *db.Tx) (map[id.Organization]volumes, error) {
	all := map[id.Organization]volumes{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var o id.Organization
		var v volumes
		err := r.Scan(&o, &v.storage, &v.bandwidth)
		all[o] = v
		return struct{}{}, err
	}, `SELECT id, CASE WHEN storage_limit_gb < 0 THEN 500 ELSE storage_limit_gb END, CASE WHEN bandwidth_limit_gb < 0 THEN 500 ELSE bandwidth_limit_gb END
		FROM organizations ORDER BY id LIMIT 1000`)
	return all, err
}

func count(tx *db.Tx, table string) (int64, error) {
	return db.One(tx, db.Int64, `SELECT COUNT(*) FROM `+table)
}
