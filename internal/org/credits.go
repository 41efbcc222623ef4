package org

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// CreditsIn asks for credits for an organization.
type CreditsIn struct {
	Amount    int64           `json:"amount" example:"1000" doc:"Whole credits, at least 1"`
	Reason    string          `json:"reason,omitempty" required:"false" maxLength:"2000" example:"Monthly allowance" doc:"At most 500 characters"`
	Source    credit.Source   `json:"source,omitempty" required:"false" enum:"platform,admin" doc:"Where they come from: an admin's pool (always, for an admin), or the platform (the default of a superadmin)"`
	ExpiresAt *db.Time        `json:"expires_at,omitempty" required:"false" doc:"Absent or null: never"`
	Category  credit.Category `json:"category,omitempty" required:"false" enum:"plan,promo,paid" doc:"What they are, for the order in which credits are burnt; paid, or what the pool's are"`
	Priority  int64           `json:"priority,omitempty" required:"false" minimum:"0" maximum:"1000000" doc:"The smallest is burnt first; counts where category is given"`
}

func (in *CreditsIn) terms() credit.Terms {
	return credit.Terms{Category: in.Category, Priority: in.Priority, Expires: in.ExpiresAt}
}

// Funded is an organization after credits came, with the transaction.
type Funded struct {
	Organization
	Transaction credit.Transaction `json:"transaction"`
}

// AddCredits gives credits to an organization. A reseller's come from its pool,
// which refuses with 402 insufficient_credits when it is short; not to an
// organization that is on hold, nor while the admin is. A superadmin's come
// from the platform, or from the admin's pool where Source says so. ref makes
// a repetition harmless.
func AddCredits(tx *db.Tx, actor audit.Actor, organization id.Organization, in CreditsIn, ref credit.Reference) (Funded, error) {
	fromPool, err := in.check(actor)
	if err != nil {
		return Funded{}, err
	}
	if fromPool { // a transfer to another admin, or a suspension, waits or is seen
		if _, _, err := lock(tx, organization); err != nil {
			return Funded{}, err
		}
	}
	t, err := in.move(tx, actor, organization, fromPool, ref)
	if err != nil {
		return Funded{}, err
	}
	return funded(tx, actor, organization, t, t.Amount, "organization.credits_added", in.Reason)
}

// funded records what a transaction did to the organization, whose balance it
// moved by so much. Only now is the account locked: what it held before follows
// from this.
func funded(tx *db.Tx, actor audit.Actor, organization id.Organization, t credit.Transaction, by int64, action, reason string) (Funded, error) {
	after, err := Detail(tx, organization)
	if err != nil {
		return Funded{}, err
	}
	before := after
	before.balance(after.CreditBalance - by)
	changes, err := audit.Diff(before, after)
	if err != nil {
		return Funded{}, err
	}
	if err := reach(tx, after); err != nil {
		return Funded{}, err
	}
	return Funded{after, t}, after.record(tx, actor, action, reason, changes)
}

// ReturnIn asks for credits of an organization back into its admin's pool.
type ReturnIn struct {
	Amount int64  `json:"amount" example:"100" doc:"Whole credits, at least 1"`
	Reason string `json:"reason" minLength:"1" maxLength:"2000" example:"Plan changed" doc:"At most 500 characters"`
}

// Deallocate takes unspent credits that came from the admin's pool back into
// it: 402 insufficient_credits beyond that.
func Deallocate(tx *db.Tx, actor audit.Actor, organization id.Organization, in ReturnIn, ref credit.Reference) (Funded, error) {
	reason, err := whyAndHowMuch(in.Amount, in.Reason)
	if err != nil {
		return Funded{}, err
	}
	if _, _, err := lock(tx, organization); err != nil {
		return Funded{}, err
	}
	before, err := Detail(tx, organization)
	if err != nil {
		return Funded{}, err
	}
	if before.AdminID == nil {
		return Funded{}, fault.New(fault.Conflict, "no_pool", "The organization belongs to the platform; there is no admin's pool.")
	}
	t, err := credit.Deallocate(tx, actor, organization, *before.AdminID, in.Amount, reason, ref)
	if err != nil {
		return Funded{}, err
	}
	return funded(tx, actor, organization, t, -t.Amount, "organization.credits_deallocated", reason)
}

// AdjustCredits sets an organization's balance right from outside.
func AdjustCredits(tx *db.Tx, actor audit.Actor, organization id.Organization, in credit.Adjustment, ref credit.Reference) (Funded, error) {
	if err := in.Check(); err != nil {
		return Funded{}, err
	}
	t, err := credit.Adjust(tx, actor, credit.Owner{Organization: organization}, in, ref)
	if err != nil {
		return Funded{}, err
	}
	by := t.Amount
	if in.Direction == "out" {
		by = -by
	}
	return funded(tx, actor, organization, t, by, "organization.credits_adjusted", in.Reason)
}

// Refund gives back what a service of the organization consumed, to the lots it
// came from.
func Refund(tx *db.Tx, actor audit.Actor, of id.Transaction, in credit.Refund, ref credit.Reference) (credit.Transaction, error) {
	owner, err := credit.TransactionOwner(tx, of)
	if err != nil {
		return credit.Transaction{}, err
	}
	if owner.Organization == 0 {
		return credit.Transaction{}, fault.New(fault.Conflict, "not_refundable", "Only what was consumed or captured can be refunded.")
	}
	t, err := credit.RefundBy(tx, actor, of, in, ref)
	if err != nil {
		return credit.Transaction{}, err
	}
	_, err = funded(tx, actor, owner.Organization, t, t.Amount, "organization.credits_refunded", in.Reason)
	return t, err
}

func whyAndHowMuch(amount int64, reason string) (string, error) {
	var v fault.Validation
	if amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	reason = text.Prose("reason", reason, MaxReason, &v)
	if reason == "" && v.Err() == nil {
		v.Add("reason", "required", "Say why.")
	}
	return reason, v.Err()
}

// move makes the transaction.
func (in CreditsIn) move(tx *db.Tx, actor audit.Actor, organization id.Organization, fromPool bool, ref credit.Reference) (credit.Transaction, error) {
	o, err := Detail(tx, organization)
	switch {
	case err != nil:
		return credit.Transaction{}, err
	case fromPool:
		return allocate(tx, actor, o, in, ref)
	}
	return credit.Add(tx, actor, organization, in.Amount, in.Reason, in.terms(), ref)
}

// balance makes n the balance, and works out what is available.
func (o *Organization) balance(n int64) {
	o.CreditBalance, o.CreditsAvailable = n, credit.Available(n, o.CreditsHeld, o.CreditLimit)
}

// since is o with the credits of now: no lock of the organization keeps them
// still, and what moved them has records of its own.
func (o Organization) since(now Organization) Organization {
	o.CreditsHeld = now.CreditsHeld
	o.balance(now.CreditBalance)
	return o
}

// check validates and says whether the credits come from the admin's pool.
func (in *CreditsIn) check(actor audit.Actor) (fromPool bool, err error) {
	var v fault.Validation
	if in.Amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	in.Reason = text.Prose("reason", in.Reason, MaxReason, &v)
	switch in.Source {
	case "", credit.FromAdmin:
	case credit.FromPlatform:
		if actor.Tier < audit.Platform {
			return false, fault.DeniedField("source")
		}
	default:
		v.Add("source", "unknown_value", "Use platform or admin.")
	}
	return actor.Tier < audit.Platform || in.Source == credit.FromAdmin, v.Err()
}

// allocate takes the credits from the pool of the organization's admin.
func allocate(tx *db.Tx, actor audit.Actor, o Organization, in CreditsIn, ref credit.Reference) (credit.Transaction, error) {
	admin := id.Val(o.AdminID)
	if admin == 0 {
		return credit.Transaction{}, fault.InvalidField("source", "no_admin", "The organization belongs to the platform; there is no admin's pool.")
	}
	if actor.Tier < audit.Platform && o.EffectiveStatus != Active {
		if o.AdminSuspended {
			return credit.Transaction{}, fault.New(fault.Forbidden, "admin_suspended", "While the account is suspended, it cannot hand out credits.")
		}
		return credit.Transaction{}, fault.New(fault.Forbidden, "organization_suspended", "The organization is suspended; it cannot receive credits from its admin.")
	}
	group, err := groupOf(tx, admin)
	if err != nil {
		return credit.Transaction{}, err
	}
	policy, err := policyOf(tx, group)
	if err != nil {
		return credit.Transaction{}, err
	}
	return credit.Allocate(tx, actor, admin, o.ID, in.Amount, in.Reason,
		credit.Policy{Group: group, DiscountBP: int64(policy.CreditDiscountPercent), Oversell: policy.Oversell}, in.terms(), ref)
}
