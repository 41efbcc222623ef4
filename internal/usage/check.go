package usage

import (
	"context"
	"math"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// Check asks whether an organization may do something.
type Check struct {
	Plugin   string  `json:"plugin" example:"ecommerce" maxLength:"64" doc:"Key of the plugin that asks"`
	Amount   *int64  `json:"amount,omitempty" minimum:"0" example:"10" doc:"Credits that it would cost"`
	Meter    *string `json:"meter,omitempty" maxLength:"64" example:"storage_bytes" doc:"Key of the meter that it would move"`
	Quantity *int64  `json:"quantity,omitempty" minimum:"0" example:"1000000" doc:"By how much; without it 1"`
}

// Decision is the answer to a check. The figures are the meter's where one was
// asked for, else the credits' where an amount was: what may be used, what is
// used or set aside, and what is left.
type Decision struct {
	Allowed   bool         `json:"allowed"`
	Code      string       `json:"code" enum:"ok,organization_suspended,admin_suspended,organization_archived,unknown_plugin,plugin_disabled,limit_exceeded,insufficient_credits" doc:"Why not; limit_exceeded beside allowed marks a soft limit that is passed"`
	Plugin    string       `json:"plugin"`
	Meter     *string      `json:"meter"`
	Mode      *quota.Mode  `json:"mode" enum:"hard,soft" doc:"What the meter's limit does; null: no meter was asked for"`
	Limit     *int64       `json:"limit" doc:"null: unlimited, or nothing was asked for"`
	Used      *int64       `json:"used" doc:"With what reservations set aside"`
	Remaining *int64       `json:"remaining" doc:"null: unlimited, or nothing was asked for"`
	ResetAt   *db.Time     `json:"reset_at" doc:"When a monthly counter begins anew"`
	DecidedBy *quota.Level `json:"decided_by" enum:"organization,admin,group,platform" doc:"The level whose word it is: it denies, or sets the limit; null: nothing bounds it"`
}

// Check decides from memory: what this process committed shows at once, what
// another did within a second. An unknown meter is refused with unknown_meter.
func (s *Service) Check(ctx context.Context, o id.Organization, in Check) (Decision, error) {
	if err := in.valid(); err != nil {
		return Decision{}, err
	}
	known, err := s.catalogue(ctx)
	if err != nil {
		return Decision{}, err
	}
	e, err := s.entitlement(ctx, o, "")
	if err != nil {
		return Decision{}, err
	}
	d := Decision{Allowed: true, Code: "ok", Plugin: in.Plugin, Meter: in.Meter}
	if in.Meter != nil {
		m, ok := known.meters[*in.Meter]
		if !ok {
			return Decision{}, fault.InvalidField("meter", "unknown_meter", "Name a meter of the catalogue; see GET /api/tenants/meters.")
		}
		e.meter(&d, m, in.Quantity)
	}
	if in.Amount != nil {
		e.credit(&d, *in.Amount)
	}
	switch code, by := e.account.Hold(); {
	case code != "":
		d.deny(code, by)
	case !known.plugins[in.Plugin]:
		d.deny("unknown_plugin", quota.ByPlatform)
	case !e.plugins[in.Plugin]:
		d.deny("plugin_disabled", quota.ByOrganization)
	}
	return d, nil
}

func (in Check) valid() error {
	var v fault.Validation
	switch {
	case in.Plugin == "":
		v.Add("plugin", "required", "Name the plugin that asks.")
	case len(in.Plugin) > 64:
		v.Add("plugin", "bad_length", "The key of a plugin has at most 64 characters.")
	}
	for field, n := range map[string]*int64{"amount": in.Amount, "quantity": in.Quantity} {
		if n != nil && *n < 0 {
			v.Add(field, "out_of_range", "Give a number that is not negative.")
		}
	}
	if in.Quantity != nil && in.Meter == nil {
		v.Add("meter", "required", "Name the meter that the quantity is of.")
	}
	return v.Err()
}

func (d *Decision) deny(code string, by quota.Level) {
	d.Allowed, d.Code, d.DecidedBy = false, code, &by
}

// meter decides by a meter's limit.
func (e *entitlement) meter(d *Decision, m quota.Meter, quantity *int64) {
	l := e.account.Limit(m)
	used := e.stands(m)
	d.Mode, d.Used = &l.Mode, &used
	if m.Kind == quota.Counter {
		d.ResetAt = &e.period.To
	}
	if l.Limit == quota.Unlimited {
		return
	}
	d.Limit, d.Remaining, d.DecidedBy = &l.Limit, new(max(l.Limit-used, 0)), &l.By
	more := int64(1)
	if quantity != nil {
		more = *quantity
	}
	if used > math.MaxInt64-more || used+more > l.Limit {
		d.Allowed, d.Code = l.Mode == quota.Soft, "limit_exceeded"
	}
}

// stands is what a meter stands at, with what is set aside.
func (e *entitlement) stands(m quota.Meter) int64 {
	if m.Kind == quota.People {
		return e.account.Members + e.account.Invited
	}
	s := e.meters[m.Key]
	return max(s.used, 0) + s.reserved
}

// credit decides by what can be spent.
func (e *entitlement) credit(d *Decision, amount int64) {
	if d.Meter == nil {
		c := e.credits
		d.Limit, d.Used, d.Remaining = new(max(c.Balance+c.Limit, 0)), &c.Held, &c.Available
		d.DecidedBy = new(quota.ByOrganization)
	}
	if d.Allowed && amount > e.credits.Available {
		d.deny("insufficient_credits", quota.ByOrganization)
	}
}
