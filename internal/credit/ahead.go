package credit

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/pace"
)

const day = 24 * time.Hour

// ahead says when what is available in a wallet runs out, if as much leaves it
// as in the last seven days, or since it was opened. Hours are whole, so that
// the answer stands still while nothing moves. What expires is not foreseen.
func ahead(tx *db.Tx, of Owner, available int64) (pace.Outlook, error) {
	hour := tx.Now.Std().Truncate(time.Hour)
	from := hour.Add(time.Hour - pace.Days*day)
	opened, err := openedAt(tx, of)
	if err != nil {
		return pace.Outlook{}, err
	}
	gone, err := left(tx, of, db.At(from))
	if err != nil {
		return pace.Outlook{}, err
	}
	span := hour.Add(time.Hour).Sub(opened.Std().Truncate(time.Hour))
	span = min(max(span, day), pace.Days*day)
	perDay := float64(max(gone, 0)) / (float64(span) / float64(day))
	return pace.Ahead(db.At(hour), available, perDay, 0), nil
}

// left is what left a wallet for good since a time: of an organization what was
// consumed less what came back, of a pool what was passed on less what was taken
// back.
func left(tx *db.Tx, of Owner, from db.Time) (int64, error) {
	if of.Admin != 0 {
		return passedOn(tx, of.Admin, from)
	}
	return consumedSince(tx, of.Organization, from)
}
