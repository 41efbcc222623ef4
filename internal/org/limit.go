package org

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
)

// Limits are what an organization may use.
type Limits struct {
	CreditLimit      int64
	StorageLimitGB   int64
	MaxUsers         int64
	BandwidthLimitGB int64
}

// MaxLimit is the highest limit that can be set: sums of it stay far from
// overflow.
const MaxLimit = 1_000_000_000_000

func (l Limits) check(v *fault.Validation) {
	checkLimit(v, "storage_limit_gb", l.StorageLimitGB, Unlimited)
	checkLimit(v, "max_users", l.MaxUsers, Unlimited)
	checkLimit(v, "bandwidth_limit_gb", l.BandwidthLimitGB, Unlimited)
	checkLimit(v, "credit_limit", l.CreditLimit, 0)
}

func checkLimit(v *fault.Validation, field string, n, least int64) {
	if n < least || n > MaxLimit {
		v.Add(field, "out_of_range", "Use a whole number from %d to %d.", least, int64(MaxLimit))
	}
}

// lockReseller locks the admin, if there is one, and gives its group.
func lockReseller(tx *db.Tx, admin id.Admin, field string) (id.Group, error) {
	if admin == 0 {
		return 0, nil
	}
	group, ok, err := lockAdmin(tx, admin)
	if err == nil && !ok {
		err = fault.UnknownReference(field)
	}
	return group, err
}

// checkRoom refuses, with limit_exceeded, limits that the pool of an admin's
// group has no room for. Only what is raised is looked at. The admin must be
// locked: the sum of its organizations' limits is stable only then.
func checkRoom(tx *db.Tx, admin id.Admin, group id.Group, organization id.Organization, old, now Limits, isNew bool) error {
	if group == 0 {
		return nil
	}
	policy, err := partner.Get(tx, group)
	if err != nil || policy.Oversell {
		return err
	}
	others, err := sumLimits(tx, admin, organization)
	if err != nil {
		return err
	}
	if isNew {
		if m := policy.MaxOrganizations; m != nil && others.organizations >= *m {
			return exceeded("max_organizations", *m, *m-others.organizations)
		}
	}
	for _, l := range []struct {
		field         string
		bound         *int64
		old, now, sum int64
		endless       int64
	}{
		{"storage_limit_gb", policy.MaxStorageGB, old.StorageLimitGB, now.StorageLimitGB, others.StorageLimitGB, others.endless[0]},
		{"max_users", policy.MaxUsers, old.MaxUsers, now.MaxUsers, others.MaxUsers, others.endless[1]},
		{"bandwidth_limit_gb", policy.MaxBandwidthGB, old.BandwidthLimitGB, now.BandwidthLimitGB, others.BandwidthLimitGB, others.endless[2]},
	} {
		if l.bound == nil || !isNew && !raises(l.old, l.now) {
			continue
		}
		room := max(*l.bound-l.sum, 0)
		if l.endless > 0 {
			room = 0
		}
		if l.now == Unlimited || l.now > room {
			return exceeded(l.field, *l.bound, room)
		}
	}
	return nil
}

// raises reports whether now allows more than old.
func raises(old, now int64) bool {
	return old != Unlimited && (now == Unlimited || now > old)
}

// exceeded is the refusal of a limit beyond the admin's pool.
func exceeded(field string, limit, room int64) error {
	e := fault.New(fault.Forbidden, "limit_exceeded", "The admin's partner group allows %d in all; %d of it is left.", limit, room)
	e.Fields = []fault.Field{{Field: field, Code: "limit_exceeded", Message: "Beyond what the admin's partner group leaves."}}
	return e.With("limit", limit).With("remaining", room)
}

// sums are the limits of an admin's organizations together.
type sums struct {
	Limits
	organizations int64
	endless       [3]int64 // how many are unlimited in storage, users, bandwidth
}
