package usage

import (
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// keptReservations is how long one is kept that has ended.
const keptReservations = 32 * 24 * time.Hour

const reservationColumns = `id, organization_id, plugin_key, meter, quantity, committed, state, created_at, expires_at, ended_at, period`

func scanReservation(r db.Row) (v Reservation, err error) {
	return v, r.Scan(&v.ID, &v.OrganizationID, &v.Plugin, &v.Meter, &v.Quantity, &v.Committed, &v.State, &v.CreatedAt, &v.ExpiresAt, &v.EndedAt, &v.period)
}

func findReservation(tx *db.Tx, o id.Organization, n id.Reservation) (Reservation, error) {
	r, err := db.One(tx, scanReservation, `SELECT `+reservationColumns+` FROM usage_reservations WHERE organization_id = $1 AND id = $2`, o, n)
	if errors.Is(err, db.ErrNoRows) {
		return r, fault.Missing()
	}
	if r.State == Open && r.ExpiresAt <= tx.Now {
		r.State, r.EndedAt = Expired, &r.ExpiresAt
	}
	return r, err
}

func insertReservation(tx *db.Tx, r Reservation) (id.Reservation, error) {
	n, err := tx.Insert(`INSERT INTO usage_reservations (organization_id, meter, period, plugin_key, quantity, state, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, 'open', $6, $7) RETURNING id`, r.OrganizationID, r.Meter, r.period, r.Plugin, r.Quantity, r.CreatedAt, r.ExpiresAt)
	return id.Reservation(n), err
}

func scanStanding(r db.Row) (s standing, err error) { return s, r.Scan(&s.used, &s.reserved) }

func standingOf(tx *db.Tx, k rowKey) (standing, error) {
	return db.One(tx, scanStanding, `SELECT used, reserved FROM usage_current WHERE organization_id = $1 AND meter = $2 AND period = $3`, k.organization, k.meter, k.period)
}

// setAside adds to what is set aside where the limit has room, in one
// statement; ok is false, and the row as it stands, where it has not.
func setAside(tx *db.Tx, k rowKey, quantity int64, l quota.Limit) (s standing, ok bool, err error) {
	bound := l.Limit != unlimited && l.Mode == quota.Hard
	s, err = db.One(tx, scanStanding, `UPDATE usage_current SET reserved = reserved + $1
		WHERE organization_id = $2 AND meter = $3 AND period = $4 AND reserved < $5
			AND (NOT $6 OR CASE WHEN used > 0 THEN used ELSE 0 END + reserved + $7 <= $8)
		RETURNING used, reserved`, quantity, k.organization, k.meter, k.period, int64(most)-quantity, bound, quantity, l.Limit)
	if errors.Is(err, db.ErrNoRows) {
		s, err = standingOf(tx, k)
		return s, false, err
	}
	return s, err == nil, err
}

func freeRoom(tx *db.Tx, k rowKey, quantity int64) error {
	_, err := tx.Exec(`UPDATE usage_current SET reserved = reserved - $1 WHERE organization_id = $2 AND meter = $3 AND period = $4`,
		quantity, k.organization, k.meter, k.period)
	return err
}

// expireReservations takes the meter's row, and then ends what is over of it
// and frees its room: in this order everywhere.
func expireReservations(tx *db.Tx, k rowKey) error {
	if err := addCurrent(tx, []*row{{rowKey: k}}); err != nil {
		return err
	}
	over, err := db.All(tx, db.Int64, `UPDATE usage_reservations SET state = 'expired', ended_at = expires_at
		WHERE organization_id = $1 AND meter = $2 AND period = $3 AND state = 'open' AND expires_at <= $4 RETURNING quantity`,
		k.organization, k.meter, k.period, tx.Now)
	if err != nil {
		return fmt.Errorf("end reservations that are over: %w", err)
	}
	sum := int64(0)
	for _, q := range over {
		sum += q
	}
	if sum == 0 {
		return nil
	}
	return freeRoom(tx, k, sum)
}

func endReservation(tx *db.Tx, r Reservation, to ReservationState) (bool, error) {
	n, err := tx.Exec(`UPDATE usage_reservations SET state = $1, ended_at = $2 WHERE organization_id = $3 AND id = $4 AND state = 'open'`,
		string(to), tx.Now, r.OrganizationID, r.ID)
	return n == 1, err
}

func storeCommitted(tx *db.Tx, r Reservation) error {
	_, err := tx.Exec(`UPDATE usage_reservations SET committed = $1 WHERE organization_id = $2 AND id = $3`, r.Committed, r.OrganizationID, r.ID)
	return err
}

// dueReservations are the meters' rows of some that are over, in the order in
// which all lock them.
func dueReservations(tx *db.Tx) ([]rowKey, error) {
	return db.All(tx, func(r db.Row) (k rowKey, err error) { return k, r.Scan(&k.organization, &k.meter, &k.period) },
		`SELECT DISTINCT organization_id, meter, period FROM usage_reservations WHERE state = 'open' AND expires_at <= $1
		ORDER BY organization_id, meter, period LIMIT 100`, tx.Now)
}

func dropReservations(tx *db.Tx) (int64, error) {
	return tx.Exec(`DELETE FROM usage_reservations WHERE id IN
		(SELECT id FROM usage_reservations WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT 1000)`, tx.Now.Add(-keptReservations))
}
