package credit

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
)

// OpenLot is a lot that has credits left.
type OpenLot struct {
	LotView
	Held int64 `json:"held" doc:"What of the remaining is set aside"`
}

// Lots lists the lots of a wallet that have credits left: what expires soonest
// first, what never does last.
func Lots(tx *db.Tx, of Owner, r page.Request) (page.List[OpenLot], error) {
	a, err := stateOf(tx, of)
	if err != nil {
		return page.List[OpenLot]{}, err
	}
	total, err := countLots(tx, a.id)
	if err != nil {
		return page.List[OpenLot]{}, err
	}
	rows, err := openLots(tx, a.id, r)
	return page.Of(r, rows, total, func(l OpenLot) page.Position {
		return page.Position{At: endOf(l.ExpiresAt), ID: int64(l.ID)}
	}), err
}

// endOf is when something expires; what never does is after everything.
func endOf(at *db.Time) int64 {
	if at == nil {
		return never
	}
	return int64(*at)
}

// Holds lists the holds of an organization in a state, newest first.
func Holds(tx *db.Tx, of Owner, state HoldState, r page.Request) (page.List[Hold], error) {
	a, err := stateOf(tx, of)
	if err != nil {
		return page.List[Hold]{}, err
	}
	total, err := countHolds(tx, a.id, state)
	if err != nil {
		return page.List[Hold]{}, err
	}
	found, err := holdsIn(tx, a.id, state, r)
	rows := make([]Hold, len(found))
	for i, h := range found {
		rows[i] = h.seen()
	}
	return page.Of(r, rows, total, func(h Hold) page.Position {
		return page.Position{At: int64(h.CreatedAt), ID: int64(h.ID)}
	}), err
}

// MaxDays bounds a history of balances.
const MaxDays = 92

// BalanceHistory is what a wallet held at the end of each day of the billing time
// zone; of the last one, what it holds now.
type BalanceHistory struct {
	Timezone string       `json:"timezone" doc:"In whose days"`
	Data     []DayBalance `json:"data" nullable:"false" doc:"Oldest first"`
	AsOf     db.Time      `json:"as_of"`
}

// DayBalance is the balance at the end of a day.
type DayBalance struct {
	Date    string `json:"date" format:"date" example:"2026-11-26"`
	Balance int64  `json:"balance"`
}

// HistoryOf gives the balances of the last days, at most MaxDays, today
// included: two look-ups each, however much moved.
func HistoryOf(tx *db.Tx, of Owner, days int) (BalanceHistory, error) {
	if days < 1 || days > MaxDays {
		return BalanceHistory{}, fault.InvalidField("days", "out_of_range", "Give 1 to %d days.", MaxDays)
	}
	a, err := stateOf(tx, of)
	if err != nil {
		return BalanceHistory{}, err
	}
	zone, err := timezone(tx)
	if err != nil {
		return BalanceHistory{}, err
	}
	h := BalanceHistory{Timezone: zone.String(), Data: make([]DayBalance, days), AsOf: tx.Now}
	today := dayOf(tx.Now, zone)
	for i := range days {
		d := today.AddDate(0, 0, i-days+1)
		h.Data[i] = DayBalance{Date: d.Format(time.DateOnly), Balance: a.balance()}
		if i < days-1 {
			if h.Data[i].Balance, err = balanceBefore(tx, a.id, db.At(d.AddDate(0, 0, 1))); err != nil {
				return h, err
			}
		}
	}
	return h, nil
}

// dayOf is the beginning of the day that a moment lies in.
func dayOf(at db.Time, zone *time.Location) time.Time {
	y, m, d := at.Std().In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}
