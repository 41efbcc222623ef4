package org

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/settings"
)

// MaxLimit is the highest limit of storage, users and bandwidth.
const MaxLimit = settings.MaxLimit

// Limits are what an organization may use.
type Limits struct {
	CreditLimit      int64
	StorageLimitGB   int64
	MaxUsers         int64
	BandwidthLimitGB int64
}

func (o Organization) limits() Limits {
	return Limits{CreditLimit: o.CreditLimit, StorageLimitGB: o.StorageLimitGB, MaxUsers: o.MaxUsers, BandwidthLimitGB: o.BandwidthLimitGB}
}

// defaults are the limits that the settings give.
func defaults(tx *db.Tx) (Limits, error) {
	s, err := settings.Load(tx)
	return Limits{StorageLimitGB: s.DefaultStorageLimitGB, MaxUsers: s.DefaultMaxUsers,
		BandwidthLimitGB: s.DefaultBandwidthLimitGB, CreditLimit: s.DefaultCreditLimit}, err
}

func (l Limits) check(v *fault.Validation) {
	checkLimit(v, "storage_limit_gb", l.StorageLimitGB)
	checkLimit(v, "max_users", l.MaxUsers)
	checkLimit(v, "bandwidth_limit_gb", l.BandwidthLimitGB)
	if l.CreditLimit < 0 || l.CreditLimit > settings.MaxCredit {
		v.Add("credit_limit", "out_of_range", "Give a number from 0 to %d.", int64(settings.MaxCredit))
	}
}

func checkLimit(v *fault.Validation, field string, n int64) {
	if n < Unlimited || n > MaxLimit {
		v.Add(field, "out_of_range", "Give a number from 0 to %d, or -1 for unlimited.", int64(MaxLimit))
	}
}

// seated looks, after a change of the seats that are taken, whether it crosses
// a threshold. The organization is locked.
func seated(tx *db.Tx, organization id.Organization) error {
	return quota.SeatsTaken(tx, organization)
}

func billingZone(tx *db.Tx) (*time.Location, error) {
	s, err := settings.Load(tx)
	if err != nil {
		return nil, err
	}
	return s.Location()
}

// policyOf is what the admin's group allows it; the zero value, without a
// group, binds nothing.
func policyOf(tx *db.Tx, group id.Group) (partner.Group, error) {
	if group == 0 {
		return partner.Group{}, nil
	}
	return partner.Detail(tx, group)
}

// checkRoom refuses, with limit_exceeded, limits that the pool of the admin's
// group has no room for beside its other organizations, unless it may sell more
// than it has. Only what is raised is
// looked at; old is nil for a new organization. The admin must be locked: the
// sum of its organizations' limits is stable only then.
func checkRoom(tx *db.Tx, admin id.Admin, policy partner.Group, organization id.Organization, old *Limits, now Limits) error {
	if policy.ID == 0 {
		return nil
	}
	others, err := sumLimits(tx, admin, organization)
	if err != nil {
		return err
	}
	was := Limits{}
	if old != nil {
		was = *old
	} else if m := policy.MaxOrganizations; m != nil && others.organizations >= *m {
		return exceeded("admin_id", *m, 0)
	}
	if policy.Oversell {
		return nil // its organizations may be promised more than there is
	}
	for _, l := range []struct {
		field              string
		bound              *int64
		was, now           int64
		others, unlimiteds int64
	}{
		{"storage_limit_gb", policy.MaxStorageGB, was.StorageLimitGB, now.StorageLimitGB, others.StorageLimitGB, others.unlimited[0]},
		{"max_users", policy.MaxUsers, was.MaxUsers, now.MaxUsers, others.MaxUsers, others.unlimited[1]},
		{"bandwidth_limit_gb", policy.MaxBandwidthGB, was.BandwidthLimitGB, now.BandwidthLimitGB, others.BandwidthLimitGB, others.unlimited[2]},
	} {
		if l.bound == nil || !raises(l.was, l.now) {
			continue
		}
		room := max(*l.bound-l.others, 0)
		if l.unlimiteds > 0 {
			room = 0
		}
		if l.now == Unlimited || l.now > room {
			return exceeded(l.field, *l.bound, room)
		}
	}
	return nil
}

// raises reports whether now allows more than was.
func raises(was, now int64) bool {
	return was != Unlimited && (now == Unlimited || now > was)
}

// exceeded is the refusal of what lies beyond the admin's pool.
func exceeded(field string, limit, room int64) error {
	e := fault.New(fault.Forbidden, "limit_exceeded", "The admin's partner group allows %d in all, of which %d is left.", limit, room)
	e.Fields = []fault.Field{{Field: field, Code: "limit_exceeded", Message: "Beyond what the admin's partner group leaves."}}
	return e.With("limit", limit).With("remaining", room)
}

// sums are the limits of an admin's organizations together.
type sums struct {
	Limits
	organizations int64
	unlimited     [3]int64 // how many are, in storage, users and bandwidth
}
