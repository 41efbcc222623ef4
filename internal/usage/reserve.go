package usage

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// ReservationState is what became of a reservation. Each ends once.
type ReservationState string

// The states.
const (
	Open      ReservationState = "open"
	Committed ReservationState = "committed"
	Released  ReservationState = "released"
	Expired   ReservationState = "expired"
)

// Reservation is room set aside before it is used: it counts against the limit
// until it is committed, released or over.
type Reservation struct {
	ID             id.Reservation   `json:"id"`
	OrganizationID id.Organization  `json:"organization_id"`
	Plugin         string           `json:"plugin"`
	Meter          string           `json:"meter"`
	Quantity       int64            `json:"quantity"`
	Committed      *int64           `json:"committed" doc:"What was used in the end"`
	State          ReservationState `json:"state" enum:"open,committed,released,expired"`
	CreatedAt      db.Time          `json:"created_at"`
	ExpiresAt      db.Time          `json:"expires_at"`
	EndedAt        *db.Time         `json:"ended_at"`

	period int64
}

// Reserved is a reservation just made, with what is left beside it.
type Reserved struct {
	Reservation
	Remaining *int64 `json:"remaining" doc:"null: unlimited"`
	Exceeded  bool   `json:"exceeded" doc:"A soft limit is passed"`
}

// NewReservation asks for room.
type NewReservation struct {
	Plugin    string `json:"plugin" example:"ecommerce" maxLength:"64"`
	Meter     string `json:"meter" example:"storage_bytes" maxLength:"64"`
	Quantity  int64  `json:"quantity" minimum:"1" example:"5000000"`
	ExpiresIn *int64 `json:"expires_in,omitempty" minimum:"10" maximum:"86400" example:"900" doc:"Seconds; without it 900"`
}

// Commitment says what was used of a reservation.
type Commitment struct {
	Quantity *int64 `json:"quantity,omitempty" minimum:"0" doc:"Without it all of it; more than was set aside has to fit as well"`
}

const reservedFor = 15 * time.Minute

// known is the catalogue inside a transaction, for what is not asked often.
func knownIn(tx *db.Tx) (*catalogue, error) {
	c := &catalogue{at: tx.Now}
	var err error
	if c.meters, c.plugins, err = loadCatalogue(tx); err != nil {
		return nil, err
	}
	c.zone, err = zone(tx)
	return c, err
}

// Reserve sets room aside, whoever else does at the same time: what is used and
// what is set aside never pass a hard limit together. Beyond it is 403
// limit_exceeded, naming the level that denies.
func Reserve(tx *db.Tx, o id.Organization, in NewReservation) (Reserved, error) {
	known, err := knownIn(tx)
	if err != nil {
		return Reserved{}, err
	}
	m, a, err := in.check(tx, known, o)
	if err != nil {
		return Reserved{}, err
	}
	r := Reservation{OrganizationID: o, Plugin: in.Plugin, Meter: in.Meter, Quantity: in.Quantity, State: Open,
		CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(reservedFor)}
	if in.ExpiresIn != nil {
		r.ExpiresAt = tx.Now.Add(time.Duration(*in.ExpiresIn) * time.Second)
	}
	if m.Kind == quota.Counter {
		_, r.period = Month(tx.Now, known.zone)
	}
	if err := expireReservations(tx, r.key()); err != nil {
		return Reserved{}, err
	}
	l := a.Limit(m)
	stand, ok, err := setAside(tx, r.key(), r.Quantity, l)
	if err != nil {
		return Reserved{}, err
	}
	if !ok {
		return Reserved{}, beyond(l, stand, r.Quantity)
	}
	if r.ID, err = insertReservation(tx, r); err != nil {
		return Reserved{}, err
	}
	quota.Changed(tx, o)
	done := Reserved{Reservation: r}
	if l.Limit != unlimited {
		total := max(stand.used, 0) + stand.reserved
		done.Remaining, done.Exceeded = new(max(l.Limit-total, 0)), total > l.Limit
	}
	return done, nil
}

func (r Reservation) key() rowKey { return rowKey{r.OrganizationID, r.Meter, r.period} }

// check refuses what nobody may set aside.
func (in NewReservation) check(tx *db.Tx, known *catalogue, o id.Organization) (m quota.Meter, a quota.Account, err error) {
	var v fault.Validation
	m, ok := known.meters[in.Meter]
	switch {
	case !ok:
		v.Add("meter", "unknown_meter", "Name a meter of the catalogue; see GET /api/tenants/meters.")
	case m.Kind == quota.People:
		v.Add("meter", "not_applicable", "Seats are taken by invitations.")
	case m.Plugin != "" && m.Plugin != in.Plugin:
		v.Add("plugin", "invalid_reference", "Another plugin reports this meter.")
	}
	if !known.plugins[in.Plugin] {
		v.Add("plugin", "unknown_plugin", "Name a plugin of the catalogue; see GET /api/tenants/available-plugins.")
	}
	if in.Quantity < 1 || in.Quantity > MaxValue {
		v.Add("quantity", "out_of_range", "Give a number from 1 to %d.", int64(MaxValue))
	}
	if err := v.Err(); err != nil {
		return m, a, err
	}
	if a, err = quota.Find(tx, o); err != nil {
		return m, a, err
	}
	if err := stopped(&a); err != nil {
		return m, a, err
	}
	has, err := enabledPlugins(tx, o)
	if err == nil && !has[in.Plugin] {
		err = fault.New(fault.Forbidden, "plugin_disabled", "The organization does not have this plugin.").With("decided_by", quota.ByOrganization)
	}
	return m, a, err
}

// stopped is the refusal of whatever stops the organization.
func stopped(a *quota.Account) error {
	switch code, by := a.Hold(); code {
	case "":
		return nil
	case "admin_suspended":
		return fault.New(fault.Forbidden, "admin_suspended", "The account that manages this is suspended.").With("decided_by", by)
	default: // an archived one is refused alike
		return fault.New(fault.Forbidden, "organization_suspended", "The organization is suspended.").With("decided_by", by)
	}
}

// beyond is the refusal of what a hard limit has no room for.
func beyond(l quota.Limit, s standing, asked int64) error {
	used := max(s.used, 0) + s.reserved
	e := fault.New(fault.Forbidden, "limit_exceeded", "The limit is %d, of which %d is left; %d was asked for.", l.Limit, max(l.Limit-used, 0), asked)
	e.Fields = []fault.Field{{Field: "quantity", Code: "limit_exceeded", Message: "Beyond what is left."}}
	return e.With("limit", l.Limit).With("used", used).With("remaining", max(l.Limit-used, 0)).With("decided_by", l.By)
}

// ReservationOf gives one; fault.Missing where the organization has no such.
func ReservationOf(tx *db.Tx, o id.Organization, n id.Reservation) (Reservation, error) {
	return findReservation(tx, o, n)
}

// Commit turns a reservation into use. One that ended already is 409
// invalid_transition.
func Commit(tx *db.Tx, o id.Organization, n id.Reservation, in Commitment) (Reservation, error) {
	if err := quota.KeepLimits(tx); err != nil {
		return Reservation{}, err
	}
	known, err := knownIn(tx)
	if err != nil {
		return Reservation{}, err
	}
	r, err := end(tx, o, n, Committed)
	if err != nil {
		return r, err
	}
	a, err := quota.Find(tx, o)
	if err != nil {
		return r, err
	}
	if err := stopped(&a); err != nil {
		return r, err
	}
	m, ok := known.meters[r.Meter]
	if !ok {
		return r, fault.New(fault.Conflict, "meter_deleted", "The meter is no longer in the catalogue; release the reservation.")
	}
	used := r.Quantity
	if in.Quantity != nil {
		used = *in.Quantity
	}
	if used < 0 || used > MaxValue {
		return r, fault.InvalidField("quantity", "out_of_range", "Give a number from 0 to %d.", int64(MaxValue))
	}
	t := newTally(tx, known)
	t.add(&counted{event: &event{source: r.Plugin, meter: r.Meter, amount: used, delta: m.Kind == quota.Gauge}, account: &a, meter: m, at: tx.Now, own: tx.Now})
	if err := t.store(); err != nil {
		return r, err
	}
	if l := a.Limit(m); used > r.Quantity && l.Mode == quota.Hard {
		for k := range t.rows {
			s, err := standingOf(tx, k)
			if err != nil {
				return r, err
			}
			if !l.Allows(max(s.used, 0) + s.reserved) {
				s.used -= used
				return r, beyond(l, s, used)
			}
		}
	}
	r.Committed = &used
	return r, storeCommitted(tx, r)
}

// Release gives the room back. One that was released already stays so; one that
// ended otherwise is 409 invalid_transition.
func Release(tx *db.Tx, o id.Organization, n id.Reservation) (Reservation, error) {
	r, err := end(tx, o, n, Released)
	if r.State == Released && fault.Code(err) == "invalid_transition" {
		return r, nil // by whoever did at the same time, too
	}
	return r, err
}

// end moves a reservation that is open to what it shall be and frees its room.
func end(tx *db.Tx, o id.Organization, n id.Reservation, to ReservationState) (Reservation, error) {
	r, err := findReservation(tx, o, n)
	if err != nil {
		return r, err
	}
	if err := expireReservations(tx, r.key()); err != nil {
		return r, err
	}
	ended, err := endReservation(tx, r, to)
	if err != nil {
		return r, err
	}
	if !ended {
		if r, err = findReservation(tx, o, n); err != nil {
			return r, err
		}
		return r, fault.New(fault.Conflict, "invalid_transition", "The reservation is %s.", r.State).
			With("current_status", r.State).With("allowed", []ReservationState{})
	}
	quota.Changed(tx, o)
	r.State, r.EndedAt = to, &tx.Now
	return r, freeRoom(tx, r.key(), r.Quantity)
}

// forgetReservations ends some that are over, and removes some that ended long
// ago.
func forgetReservations(tx *db.Tx) (done bool, err error) {
	due, err := dueReservations(tx)
	if err != nil {
		return false, err
	}
	for _, k := range due {
		if err := expireReservations(tx, k); err != nil {
			return false, err
		}
		quota.Changed(tx, k.organization)
	}
	if len(due) > 0 {
		return false, nil
	}
	n, err := dropReservations(tx)
	return n == 0, err
}

// ExpireReservations frees what reservations that are over set aside. For a
// schedule; reserving for the same meter frees it too.
func ExpireReservations(ctx context.Context, d *db.DB) error {
	for done := false; !done; {
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			done, err = forgetReservations(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
