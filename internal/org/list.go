package org

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Reach is whose organizations a list may show.
type Reach = auth.Reach

// Filter narrows a list; zero values filter nothing.
type Filter struct {
	Status          Status
	EffectiveStatus Status
	Admin           id.Admin
	Q               string // contained in name, slug or the owner's address
}

// List gives the organizations within reach, newest first. It costs two
// statements however many it answers, and one more where any has holds.
func List(tx *db.Tx, of Reach, f Filter, r page.Request) (page.List[Organization], error) {
	return list(tx, of, f, r)
}

// Detail gives one organization; fault.Missing where there is none. It costs
// one statement, and another where there are holds.
func Detail(tx *db.Tx, organization id.Organization) (Organization, error) {
	return detail(tx, organization)
}

// settle works out the states from the holds.
func (o *Organization) settle() {
	if o.Status != Archived {
		o.Status = Active
		if len(o.Holds) > 0 {
			o.Status = Suspended
		}
	}
	o.EffectiveStatus = o.Status
	if o.Status == Active && o.AdminSuspended {
		o.EffectiveStatus = Suspended
	}
}

// Lock keeps every other transaction from changing the organization until this
// one ends, and gives its version. It takes the admin's lock first, so that a
// change of limits can follow.
func Lock(tx *db.Tx, organization id.Organization) (int64, error) {
	if _, err := lockTree(tx, organization, 0); err != nil {
		return 0, err
	}
	version, _, err := lock(tx, organization)
	return version, err
}
