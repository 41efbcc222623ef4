// Package admin keeps admins: the resellers and agencies that own
// organizations, brand them and hand them credits. An admin is an account, not
// a person; its people are its owner and its staff.
//
// Locks are taken in one order: the admin, then its partner group, users, and
// its credit account.
package admin

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/quota"
)

// Status says whether an admin is held.
type Status string

// The states. Neither is stored: a hold in force suspends.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
)

// Admin is a reseller account as it is answered.
type Admin struct {
	ID                  id.Admin       `json:"id" example:"1"`
	Name                string         `json:"name" example:"Agency XYZ"`
	ContactEmail        string         `json:"contact_email" example:"admin@agency.com"`
	CompanyName         string         `json:"company_name" example:"Agency XYZ Ltd"`
	Phone               *string        `json:"phone" example:"+1234567890"`
	PartnerGroupID      *id.Group      `json:"partner_group_id" doc:"Its partner group; null: no discount and no policy" example:"1"`
	Status              Status         `json:"status" enum:"active,suspended" doc:"Suspended while any hold is in force"`
	Suspension          *hold.Hold     `json:"suspension" doc:"The oldest hold in force; null while active"`
	Holds               []hold.Hold    `json:"holds" nullable:"false" doc:"Every hold in force, oldest first"`
	OwnerUserID         *id.User       `json:"owner_user_id" doc:"The user who owns it; null until one is assigned"`
	CreditBalance       int64          `json:"credit_balance" doc:"Credits in its pool"`
	CreditsHeld         int64          `json:"credits_held"`
	CreditsAvailable    int64          `json:"credits_available" doc:"What can be passed on: less what backs credit limits"`
	CreditsExpiringSoon int64          `json:"credits_expiring_soon" doc:"Of the balance, what expires within 30 days"`
	OrganizationCount   int64          `json:"organization_count"`
	ReferralCode        string         `json:"referral_code" doc:"Registrations that name it become this admin's organizations"`
	CustomDomain        *string        `json:"custom_domain" example:"portal.agency.com"`
	CustomDomainStatus  domain.Status  `json:"custom_domain_status" enum:"none,pending,verified"`
	DomainVerification  *domain.Record `json:"domain_verification" doc:"The DNS record to set while the domain is pending"`
	CreatedAt           db.Time        `json:"created_at"`
	UpdatedAt           db.Time        `json:"updated_at"`
	Version             int64          `json:"-"`
}

// Revision moves with every change of a settable field.
func (a Admin) Revision() int64 { return a.Version }

// Filter narrows a list; the zero value does not.
type Filter struct {
	Q      string // contained in name, company or e-mail
	Status Status
	Group  id.Group
}

// List gives admins, newest first.
func List(tx *db.Tx, f Filter, r page.Request) (page.List[Admin], error) {
	if f.Status != "" && f.Status != Active && f.Status != Suspended {
		return page.List[Admin]{}, fault.InvalidField("status", "unknown_value", "Use active or suspended.")
	}
	l, err := list(tx, f, r)
	if err != nil {
		return l, err
	}
	return l, complete(tx, l.Data)
}

// Detail gives one admin; fault.Missing where there is none.
func Detail(tx *db.Tx, admin id.Admin) (Admin, error) {
	a, err := get(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	all := []Admin{a}
	err = complete(tx, all)
	return all[0], err
}

// Lock keeps every other transaction from changing the admin until this one
// ends. It gives the admin's version.
func Lock(tx *db.Tx, admin id.Admin) (int64, error) {
	return lockRow(tx, admin)
}

// lock is Lock, then Get: only a statement that begins after the lock is held
// sees what was waited for.
func lock(tx *db.Tx, admin id.Admin) (Admin, error) {
	if _, err := lockRow(tx, admin); err != nil {
		return Admin{}, err
	}
	return Detail(tx, admin)
}

// complete fills in what lies in other tables: holds, from which the status
// follows, and balances.
func complete(tx *db.Tx, all []Admin) error {
	ids := make([]id.Admin, len(all))
	for i, a := range all {
		ids[i] = a.ID
	}
	if len(ids) == 0 {
		return nil
	}
	holds, err := hold.OfAdmins(tx, ids)
	if err != nil {
		return err
	}
	balances, err := credit.AdminBalances(tx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		a := &all[i]
		p := balances[a.ID]
		a.CreditBalance, a.CreditsHeld, a.CreditsAvailable, a.CreditsExpiringSoon = p.Balance, p.Held, p.Available, p.ExpiringSoon
		a.Holds, a.Status = holds[a.ID], Active
		if len(a.Holds) > 0 {
			a.Status, a.Suspension = Suspended, &a.Holds[0]
		} else {
			a.Holds = []hold.Hold{}
		}
	}
	return nil
}

// Create makes an admin with an empty pool and a brand that inherits all. own
// are the platform's host names, which are nobody's custom domain.
func Create(tx *db.Tx, actor audit.Actor, in New, own ...string) (Admin, error) {
	fresh, host, err := in.admin(own)
	if err := fault.Join(err, joinGroup(tx, fresh.PartnerGroupID)); err != nil {
		return Admin{}, err
	}
	admin, err := insert(tx, fresh)
	if err != nil {
		return Admin{}, err
	}
	if err := branding.Create(tx, admin); err != nil {
		return Admin{}, err
	}
	if err := credit.Open(tx, credit.Owner{Admin: admin}); err != nil {
		return Admin{}, err
	}
	if err := setDomain(tx, admin, host); err != nil {
		return Admin{}, err
	}
	a, err := Detail(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	return a, record(tx, actor, "admin.created", "", nil, &a)
}

// Update changes what p gives and leaves the rest. A new group's discount and
// policy hold from now on. own is as in Create.
func Update(tx *db.Tx, actor audit.Actor, admin id.Admin, p Patch, own ...string) (Admin, error) {
	before, err := lock(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	next, host, err := p.apply(before, own)
	moved := id.Val(next.PartnerGroupID) != id.Val(before.PartnerGroupID) || p.PartnerGroupID.Given() && p.PartnerGroupID.Value == 0
	if moved {
		err = fault.Join(err, joinGroup(tx, next.PartnerGroupID))
	}
	if err != nil {
		return Admin{}, err
	}
	if err := setDomain(tx, admin, host); err != nil {
		return Admin{}, err
	}
	after, changed, err := settle(tx, before, next)
	if err != nil || !changed {
		return before, err
	}
	if moved {
		tx.Publish("branding", "")
		tx.Publish("entitlement", "")
		if err := regroup(tx, after); err != nil {
			return Admin{}, err
		}
		if err := quota.AdminLimitsChanged(tx, admin); err != nil {
			return Admin{}, err
		}
	}
	return after, record(tx, actor, "admin.updated", "", &before, &after)
}

// regroup counts whom another group hits, and says where the admin is beyond
// its policy.
func regroup(tx *db.Tx, a Admin) error {
	if !effect.Wanted(tx) {
		return nil
	}
	r, err := counted(tx, a.ID)
	if err != nil {
		return err
	}
	effect.Add(tx, effect.Admins, 1)
	effect.Add(tx, effect.Organizations, a.OrganizationCount)
	effect.Add(tx, effect.Users, r.users)
	if a.PartnerGroupID == nil {
		return nil
	}
	return partner.Exceed(tx, *a.PartnerGroupID, *a.PartnerGroupID, a.ID)
}

// settle stores next and gives the admin as it then is; changed is false, and
// nothing stored, where before is already that.
func settle(tx *db.Tx, before, next Admin) (after Admin, changed bool, err error) {
	now, err := Detail(tx, before.ID) // its domain may have moved
	if err != nil {
		return Admin{}, false, err
	}
	next.CustomDomain, next.CustomDomainStatus, next.DomainVerification = now.CustomDomain, now.CustomDomainStatus, now.DomainVerification
	if changes, err := audit.Diff(before, next); err != nil || len(changes) == 0 {
		return before, false, err
	}
	if err := update(tx, next); err != nil {
		return Admin{}, false, err
	}
	after, err = Detail(tx, before.ID)
	return after, true, err
}

// record writes the event with what moved between the two states; one of them
// may be nil.
func record(tx *db.Tx, actor audit.Actor, action, reason string, before, after *Admin) error {
	changes, err := audit.Diff(before, after)
	if err != nil {
		return err
	}
	return recordChanges(tx, actor, action, reason, *after, changes)
}

func recordChanges(tx *db.Tx, actor audit.Actor, action, reason string, a Admin, changes audit.Changes) error {
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Reason: reason, Changes: changes, Admin: a.ID,
		Target: audit.Target{Type: "admin", ID: int64(a.ID), Name: a.Name},
	})
	return err
}
