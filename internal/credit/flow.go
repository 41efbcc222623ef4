package credit

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Flow is how credits moved day by day within somebody's reach: of an admin
// what was granted to it, what it passed on, and what its organizations used.
// A figure that is beyond the largest number is that number.
type Flow struct {
	Days     int       `json:"days"`
	Timezone string    `json:"timezone" doc:"In whose days"`
	Data     []FlowDay `json:"data" nullable:"false" doc:"Oldest first; a day on which nothing moved is there too"`
	AsOf     db.Time   `json:"as_of" doc:"Up to when transactions are in it: now, or where very many wait to be added up, the last minutes are not"`
}

// FlowDay is what moved on a day.
type FlowDay struct {
	Date        string `json:"date" format:"date" example:"2026-11-26"`
	Granted     int64  `json:"granted" doc:"From the platform to admins"`
	Added       int64  `json:"added" doc:"From the platform to organizations"`
	Allocated   int64  `json:"allocated" doc:"From admins to their organizations"`
	Deallocated int64  `json:"deallocated" doc:"Back from organizations to their admins"`
	Consumed    int64  `json:"consumed" doc:"By plugins, captured holds included"`
	Refunded    int64  `json:"refunded" doc:"Given back of what was consumed"`
	Expired     int64  `json:"expired"`
}

func (d *FlowDay) add(k Kind, amount int64) {
	switch k {
	case Granted:
		d.Granted = plus(d.Granted, amount)
	case Added:
		d.Added = plus(d.Added, amount)
	case Allocated:
		d.Allocated = plus(d.Allocated, amount)
	case Deallocated:
		d.Deallocated = plus(d.Deallocated, amount)
	case Consumed, Captured:
		d.Consumed = plus(d.Consumed, amount)
	case Refunded:
		d.Refunded = plus(d.Refunded, amount)
	case Expired:
		d.Expired = plus(d.Expired, amount)
	}
}

// Reach is whose credits a flow shows; the zero value is nobody's.
type Reach struct {
	All    bool
	Admins []id.Admin // with their organizations
}

// MaxFlowDays bounds a flow.
const MaxFlowDays = 366

// FlowOf adds up the last days, today included. It reads a row for each day,
// kind and admin, and the transactions that FillDays has not come to yet.
func FlowOf(tx *db.Tx, of Reach, days int) (Flow, error) {
	if days < 1 || days > MaxFlowDays {
		return Flow{}, fault.InvalidField("days", "out_of_range", "Give 1 to %d days.", MaxFlowDays)
	}
	zone, err := timezone(tx)
	if err != nil {
		return Flow{}, err
	}
	f := Flow{Days: days, Timezone: zone.String(), Data: make([]FlowDay, days), AsOf: tx.Now}
	first := dayOf(tx.Now, zone).AddDate(0, 0, 1-days)
	for i := range f.Data {
		f.Data[i].Date = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	moved, upTo, err := filledDays(tx, of, dayNumber(db.At(first), zone))
	if err != nil {
		return f, err
	}
	fresh, err := unfilled(tx, of, upTo.transaction, maxFresh+1)
	if err != nil {
		return f, err
	}
	if len(fresh) > maxFresh {
		f.AsOf = upTo.at
	} else {
		for _, t := range fresh {
			moved = append(moved, movedOn{dayNumber(t.at, zone), t.kind, t.amount})
		}
	}
	for _, m := range moved {
		if i := m.day - dayNumber(db.At(first), zone); i >= 0 && i < int64(days) {
			f.Data[i].add(m.kind, m.amount)
		}
	}
	return f, nil
}

// dayNumber is the number of days from 1970 to the date in the zone.
func dayNumber(at db.Time, zone *time.Location) int64 {
	y, m, d := at.Std().In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

const (
	// maxFresh bounds how many transactions a flow adds up itself.
	maxFresh = 10_000
	// settled is how old a transaction is before it is added up for good: twice
	// as long as any request may take, so that none with a lower id is still to
	// be committed.
	settled = time.Minute
	// fillStep is how many are added up in one transaction.
	fillStep = 5_000
)

// movedOn is what one kind of transaction moved on a day.
type movedOn struct {
	day    int64
	kind   Kind
	amount int64
}

// fresh is a transaction as far as a flow needs it.
type fresh struct {
	id     id.Transaction
	admin  id.Admin // the organization's now, else its own
	kind   Kind
	amount int64
	at     db.Time
}

// mark is how far the days are filled.
type mark struct {
	transaction id.Transaction
	at          db.Time
}

// FillDays adds up what moved since it last did, in small steps, so that flows
// read days instead of the ledger. For a schedule.
func FillDays(ctx context.Context, d *db.DB) error {
	for more := true; more; {
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			more, err = fillDays(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func fillDays(tx *db.Tx) (more bool, err error) {
	zone, err := timezone(tx)
	if err != nil {
		return false, err
	}
	from, err := lockFilled(tx)
	if err != nil {
		return false, err
	}
	all, err := unfilled(tx, Reach{All: true}, from.transaction, fillStep)
	if err != nil {
		return false, err
	}
	type key struct {
		admin id.Admin
		day   int64
		kind  Kind
	}
	type sum struct{ count, amount int64 }
	sums := map[key]sum{}
	to, done := from, 0
	for _, t := range all {
		if t.at > tx.Now.Add(-settled) {
			break
		}
		k := key{t.admin, dayNumber(t.at, zone), t.kind}
		sums[k] = sum{sums[k].count + 1, plus(sums[k].amount, t.amount)}
		to, done = mark{t.id, t.at}, done+1
	}
	if done == 0 {
		return false, nil
	}
	for k, n := range sums {
		if err := addToDay(tx, k.admin, k.day, k.kind, n.count, n.amount); err != nil {
			return false, err
		}
	}
	return done == fillStep, keepFilled(tx, to)
}
