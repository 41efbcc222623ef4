// Package usage measures what organizations use, and answers whether they may
// use more: what services report (Service.Report), check (Service.Check) and set
// aside (Reserve), and what people read of it. Months begin at midnight in the
// setting billing_timezone; a GB is 10⁹ bytes.
//
// Each event counts once, by its organization, source and id, for 32 days. What
// was acknowledged is durable and in the next answer of any process. What a
// check answers is what this process has committed, and at most a second behind
// what another one has.
package usage

import (
	"math"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// The built-in meters.
const (
	StorageMeter   = quota.Storage
	BandwidthMeter = quota.Bandwidth
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
	unlimited = quota.Unlimited
	gigabyte  = quota.Gigabyte
	warnAt    = quota.WarnAt // percent
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

// Of gives the organization's usage; fault.Missing where there is no such. Its
// limits are the effective ones. An invitation that is over takes no seat,
// whether or not it was tidied up.
func Of(tx *db.Tx, organization id.Organization) (Usage, error) {
	zone, err := zone(tx)
	if err != nil {
		return Usage{}, err
	}
	period, month := Month(tx.Now, zone)
	a, err := quota.Find(tx, organization)
	if err != nil {
		return Usage{}, err
	}
	meters, err := builtins(tx)
	if err != nil {
		return Usage{}, err
	}
	stand, err := standings(tx, organization, month)
	if err != nil {
		return Usage{}, err
	}
	over, err := expiredInvitations(tx, organization)
	if err != nil {
		return Usage{}, err
	}
	figures, err := credit.Balance(tx, organization)
	limit := func(meter string) int64 { return a.Limit(meters[meter]).Limit }
	return Usage{
		OrganizationID: organization, Period: period, Credits: figures, AsOf: tx.Now,
		Users:   seats(a.Members, a.Invited-over, limit(quota.Seats)),
		Storage: volume(stand[StorageMeter].used, limit(StorageMeter)), Bandwidth: volume(stand[BandwidthMeter].used, limit(BandwidthMeter)),
	}, err
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

// volume takes bytes, and a limit in bytes that is whole GB.
func volume(bytes, limit int64) Volume {
	bytes = max(bytes, 0)
	v := Volume{Used: float64(bytes) / float64(gigabyte), UsedBytes: bytes, Limit: limit, State: OK}
	if limit == unlimited {
		return v
	}
	v.Limit = limit / gigabyte
	v.Remaining = new(float64(max(limit-bytes, 0)) / float64(gigabyte))
	v.Percent, v.State = measure(float64(bytes), float64(limit))
	return v
}

// measure gives the percentage, to two decimals, and what it means.
// Of a limit of zero nothing is 0 % and anything is 100 %.
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
