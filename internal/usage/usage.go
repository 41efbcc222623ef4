// Package usage says what an organization uses of what it may: seats, storage,
// bandwidth of the month, credits. Months begin at midnight in the setting
// billing_timezone; a GB is 10⁹ bytes.
package usage

import (
	"math"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/settings"
)

// The built-in meters.
const (
	StorageMeter   = "storage_bytes"   // a gauge
	BandwidthMeter = "bandwidth_bytes" // a monthly counter
)

// State says how near a limit is.
type State string

// The states.
const (
	OK       State = "ok"
	Warning  State = "warning"  // 80 % or more
	Exceeded State = "exceeded" // beyond the limit
)

const (
	unlimited = -1
	gigabyte  = 1_000_000_000
	warnAt    = 80 // percent
)

// Usage is what an organization uses, as it is answered.
type Usage struct {
	OrganizationID id.Organization `json:"organization_id"`
	Period         Period          `json:"period"`
	Users          Seats           `json:"users"`
	Storage        Volume          `json:"storage_gb" doc:"What is stored now"`
	Bandwidth      Volume          `json:"bandwidth_gb" doc:"Of this period"`
	Credits        credit.Figures  `json:"credits"`
	AsOf           db.Time         `json:"as_of"`
}

// Period is the month that counts; To is its first moment that does not.
type Period struct {
	From db.Time `json:"from"`
	To   db.Time `json:"to"`
}

// Seats are counted as members and open invitations together: both leave less
// for others.
type Seats struct {
	Used      int64    `json:"used" doc:"Members"`
	Invited   int64    `json:"invited" doc:"Open invitations; each holds a seat"`
	Limit     int64    `json:"limit" doc:"-1 is unlimited"`
	Remaining *int64   `json:"remaining" doc:"null: unlimited"`
	Percent   *float64 `json:"percent" doc:"Of members and invitations together; null: unlimited"`
	State     State    `json:"state" enum:"ok,warning,exceeded"`
}

// Volume is an amount of data.
type Volume struct {
	Used      float64  `json:"used" doc:"GB (10⁹ bytes), unrounded"`
	UsedBytes int64    `json:"used_bytes"`
	Limit     int64    `json:"limit" doc:"GB; -1 is unlimited"`
	Remaining *float64 `json:"remaining" doc:"GB; null: unlimited"`
	Percent   *float64 `json:"percent" doc:"null: unlimited"`
	State     State    `json:"state" enum:"ok,warning,exceeded"`
}

// Of gives the organization's usage; fault.Missing where there is no such.
func Of(tx *db.Tx, organization id.Organization) (Usage, error) {
	s, err := settings.Load(tx)
	if err != nil {
		return Usage{}, err
	}
	zone, err := s.Location()
	if err != nil {
		return Usage{}, err
	}
	period, key := Month(tx.Now, zone)
	r, err := read(tx, organization, key)
	if err != nil {
		return Usage{}, err
	}
	figures, err := credit.Balance(tx, organization)
	return Usage{
		OrganizationID: organization, Period: period, Credits: figures, AsOf: tx.Now,
		Users:   seats(r.members, r.invited, r.maxUsers),
		Storage: volume(r.storage, r.storageLimit), Bandwidth: volume(r.bandwidth, r.bandwidthLimit),
	}, err
}

// Month is the month that a moment lies in, and its key: the days from 1970 to
// its first, by the calendar of the zone.
func Month(at db.Time, zone *time.Location) (Period, int64) {
	t := at.Std().In(zone)
	from := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, zone)
	to := time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, zone)
	const day = 24 * 60 * 60
	key := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix() / day
	return Period{From: db.At(from), To: db.At(to)}, key
}

func seats(members, invited, limit int64) Seats {
	s := Seats{Used: members, Invited: invited, Limit: limit, State: OK}
	if limit == unlimited {
		return s
	}
	taken := members + invited
	s.Remaining = new(max(limit-taken, 0))
	s.Percent, s.State = measure(float64(taken), float64(limit))
	return s
}

func volume(bytes, limit int64) Volume {
	v := Volume{Used: float64(bytes) / gigabyte, UsedBytes: bytes, Limit: limit, State: OK}
	if limit == unlimited {
		return v
	}
	v.Remaining = new(float64(max(limit*gigabyte-bytes, 0)) / gigabyte)
	v.Percent, v.State = measure(float64(bytes), float64(limit)*gigabyte)
	return v
}

// measure gives the percentage, to two decimals, and what it means. Of a limit
// of zero nothing is 0 % and anything is 100 %.
func measure(used, limit float64) (*float64, State) {
	percent := 0.0
	switch {
	case limit > 0:
		percent = used / limit * 100
	case used > 0:
		percent = 100
	}
	state := OK
	switch {
	case used > limit:
		state = Exceeded
	case percent >= warnAt:
		state = Warning
	}
	return new(math.Round(percent*100) / 100), state
}
