package usage

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// keptHours is how long hourly roll-ups are kept; daily ones stay for ever.
const keptHours = 400 * 24 * time.Hour

// Forget removes the marks of events that are older than 32 days and hours
// older than 400, in small steps, and ends reservations that are over. For a
// schedule.
func Forget(ctx context.Context, d *db.DB) error {
	for _, step := range []func(*db.Tx) (bool, error){forgetSeen, forgetHours, forgetReservations} {
		for done := false; !done; {
			err := d.Write(ctx, func(tx *db.Tx) (err error) {
				done, err = step(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
