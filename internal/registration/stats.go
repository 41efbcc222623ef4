package registration

import (
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// Bounds of the statistics.
const (
	MaxDays      = 365
	maxCampaigns = 50
)

// Stats is what became of the requests of the last days, today included, by
// days of UTC.
type Stats struct {
	Days int `json:"days"`
	Reached
	ByDay      []DayReached      `json:"by_day" doc:"Every day, the oldest first; a request counts on the day it came."`
	ByCampaign []CampaignReached `json:"by_campaign" doc:"The fifty that brought the most, those first."`
}

// Reached counts requests by how far they came until now.
type Reached struct {
	Submitted int64 `json:"submitted" doc:"All of them."`
	Approved  int64 `json:"approved" doc:"Those approved, active ones included."`
	Active    int64 `json:"active" doc:"Those with an organization."`
	Rejected  int64 `json:"rejected"`
}

// DayReached is Reached of the requests of a day.
type DayReached struct {
	Date string `json:"date" format:"date"`
	Reached
}

// CampaignReached is Reached of the requests that came with the same UTM fields.
type CampaignReached struct {
	UTMSource   *string `json:"utm_source" doc:"Null where the request had none, as for the others."`
	UTMMedium   *string `json:"utm_medium"`
	UTMCampaign *string `json:"utm_campaign"`
	Reached
}

func (r *Reached) add(more Reached) {
	r.Submitted += more.Submitted
	r.Approved += more.Approved
	r.Active += more.Active
	r.Rejected += more.Rejected
}

// Statistics counts the requests of the last days. It reads those days alone.
func Statistics(tx *db.Tx, days int) (Stats, error) {
	if days < 1 || days > MaxDays {
		return Stats{}, fault.InvalidField("days", "out_of_range", "Give 1 to %d days.", MaxDays)
	}
	today := tx.Now.Std().UTC().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, 1-days)
	some, err := reachedByDay(tx, db.At(first), days)
	if err != nil {
		return Stats{}, fmt.Errorf("count requests by day: %w", err)
	}
	s := Stats{Days: days, ByDay: make([]DayReached, 0, days)}
	for at := first; !at.After(today); at = at.AddDate(0, 0, 1) {
		date := at.Format(time.DateOnly)
		s.ByDay = append(s.ByDay, DayReached{Date: date, Reached: some[date]})
		s.add(some[date])
	}
	if s.ByCampaign, err = reachedByCampaign(tx, db.At(first)); err != nil {
		return Stats{}, fmt.Errorf("count requests by campaign: %w", err)
	}
	return s, nil
}
