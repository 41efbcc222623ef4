package quota

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
)

// Percentages at which people are told.
const (
	WarnAt = 80
	FullAt = 100
	BackAt = 75 // below it, after a warning
)

// Told says of which thresholds people were told in a month.
type Told struct {
	Bits  int64
	Month int64
}

const (
	toldWarning int64 = 1 << iota
	toldFull
	toldBack
)

// Watch tells the organization's owners, its admin's people and the
// superadmins when use has reached 80 or 100 % of the limit, and when it is
// back below 75 %: each once a month. It gives what is to be kept with the
// meter's row, which the caller has locked; hint, where not "", is a further
// sentence.
func (a *Account) Watch(tx *db.Tx, m Meter, used int64, t Told, month int64, hint func() (string, error)) (Told, error) {
	if t.Month != month {
		t = Told{Month: month}
	}
	now := t.Bits | reached(used, a.Limit(m).Limit, t.Bits)
	if now == t.Bits {
		return t, nil
	}
	more := ""
	if hint != nil && now&^t.Bits&toldBack == 0 {
		var err error
		if more, err = hint(); err != nil {
			return t, err
		}
	}
	err := a.tell(tx, m, used, now&^t.Bits, more)
	t.Bits = now
	return t, err
}

// reached gives the thresholds that use is at, told or not.
func reached(used, limit, told int64) int64 {
	switch {
	case limit == Unlimited && told&toldWarning != 0: // it was lifted
		return toldBack
	case limit == Unlimited:
		return 0
	case atLeast(used, limit, FullAt):
		return toldWarning | toldFull
	case atLeast(used, limit, WarnAt):
		return toldWarning
	case told&toldWarning != 0 && !atLeast(used, limit, BackAt):
		return toldBack
	}
	return 0
}

// atLeast reports whether used is so many percent of the limit, exactly. Of a
// limit of zero anything is all of it, and nothing is none.
func atLeast(used, limit, percent int64) bool {
	if used <= 0 {
		return false
	}
	uh, ul := bits.Mul64(uint64(used), 100)
	lh, ll := bits.Mul64(uint64(limit), uint64(percent))
	return uh > lh || uh == lh && ul >= ll
}

func (a *Account) tell(tx *db.Tx, m Meter, used, crossed int64, more string) error {
	users, err := notify.Superadmins(tx)
	if err != nil {
		return err
	}
	owners, err := notify.OrganizationOwners(tx, a.ID)
	if err != nil {
		return err
	}
	users = append(users, owners...)
	if a.Admin != 0 {
		people, err := notify.AdminUsers(tx, a.Admin)
		if err != nil {
			return err
		}
		users = append(users, people...)
	}
	limit := a.Limit(m).Limit
	kind, title := "usage.warning", fmt.Sprintf("%s: %d %% of the limit", m.Name, WarnAt)
	switch {
	case crossed&toldFull != 0:
		kind, title = "usage.exceeded", fmt.Sprintf("%s: the limit is reached", m.Name)
	case crossed&toldBack != 0:
		kind, title = "usage.back", fmt.Sprintf("%s: back below %d %%", m.Name, BackAt)
	}
	body := fmt.Sprintf("%s uses %s of %s.", a.Name, Amount(used, m.Unit), Amount(limit, m.Unit))
	if limit == Unlimited {
		body = fmt.Sprintf("%s uses %s, and has no limit any more.", a.Name, Amount(used, m.Unit))
	}
	if more != "" {
		body += " " + more
	}
	return notify.Send(tx, notify.Message{Users: users, Kind: kind, Title: title, Body: body,
		Target: notify.Target{Type: "organization", ID: int64(a.ID)}, Organization: a.ID, Admin: a.Admin})
}

// Amount writes a quantity for people: bytes as GB, anything else with its
// unit.
func Amount(n int64, unit string) string {
	if unit == "bytes" {
		return strconv.FormatFloat(math.Round(float64(n)/float64(Gigabyte)*100)/100, 'f', -1, 64) + " GB"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// SeatsTaken notes how many seats are taken after a change of them, and tells
// when that crosses a threshold. The organization is locked.
func SeatsTaken(tx *db.Tx, organization id.Organization) error {
	Changed(tx, organization)
	if err := KeepLimits(tx); err != nil {
		return err
	}
	zone, err := zone(tx)
	if err != nil {
		return err
	}
	a, err := Find(tx, organization)
	if err != nil {
		return err
	}
	m, err := builtin(tx, Seats)
	if err != nil {
		return err
	}
	if a.Limit(m).Limit == Unlimited {
		return nil
	}
	_, month := Month(tx.Now, zone)
	had, err := mark(tx, organization, Seats, 0, a.Members+a.Invited)
	if err != nil {
		return err
	}
	now, err := a.Watch(tx, m, a.Members+a.Invited, had, month, nil)
	if err != nil || now == had {
		return err
	}
	return keep(tx, organization, Seats, 0, now)
}

// SeatLimit is the effective limit of seats.
func SeatLimit(tx *db.Tx, organization id.Organization) (Limit, error) {
	a, err := Find(tx, organization)
	if err != nil {
		return Limit{}, err
	}
	m, err := builtin(tx, Seats)
	return a.Limit(m), err
}

func builtin(tx *db.Tx, key string) (Meter, error) {
	all, err := platformLimits(tx)
	if err != nil {
		return Meter{}, err
	}
	for _, m := range all {
		if m.Key == key {
			return m, nil
		}
	}
	return Meter{}, fmt.Errorf("quota: the meter %s is not in the catalogue", key)
}
