package admin

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
)

// Grant asks for credits of the platform for an admin.
type Grant struct {
	AdminID *id.Admin `json:"admin_id,omitempty" required:"false" example:"1" doc:"Where given, the admin of the path"`
	Amount  int64     `json:"amount" example:"10000" doc:"Whole credits, at least 1"`
	Reason  string    `json:"reason" maxLength:"2000" example:"Monthly allocation" doc:"At most 500 characters"`
}

// Granted is the admin after a grant, with the transaction that made it so.
type Granted struct {
	Admin
	Transaction credit.Transaction `json:"transaction"`
}

// GrantCredits puts credits into the admin's pool at face amount, whether or
// not it is suspended. The transaction keeps the discount of the admin's group
// in force now. ref makes a repetition harmless.
func GrantCredits(tx *db.Tx, actor audit.Actor, admin id.Admin, in Grant, ref credit.Reference) (Granted, error) {
	reason, err := in.check(admin)
	if err != nil {
		return Granted{}, err
	}
	before, err := lock(tx, admin)
	if err != nil {
		return Granted{}, err
	}
	policy, err := policyOf(tx, before)
	if err != nil {
		return Granted{}, err
	}
	done, err := credit.Grant(tx, actor, admin, in.Amount, reason, policy, ref)
	if err != nil {
		return Granted{}, err
	}
	after, err := Detail(tx, admin)
	if err != nil {
		return Granted{}, err
	}
	before.settle(after, done.Amount)
	effect.Add(tx, effect.Admins, 1)
	return Granted{after, done}, record(tx, actor, "admin.credits_granted", reason, &before, &after)
}

// AdjustCredits sets the balance of the admin's pool right from outside.
func AdjustCredits(tx *db.Tx, actor audit.Actor, admin id.Admin, in credit.Adjustment, ref credit.Reference) (Granted, error) {
	if err := in.Check(); err != nil {
		return Granted{}, err
	}
	before, err := lock(tx, admin)
	if err != nil {
		return Granted{}, err
	}
	done, err := credit.Adjust(tx, actor, credit.Owner{Admin: admin}, in, ref)
	if err != nil {
		return Granted{}, err
	}
	after, err := Detail(tx, admin)
	if err != nil {
		return Granted{}, err
	}
	by := done.Amount
	if in.Direction == "out" {
		by = -by
	}
	before.settle(after, by)
	effect.Add(tx, effect.Admins, 1)
	return Granted{after, done}, record(tx, actor, "admin.credits_adjusted", in.Reason, &before, &after)
}

// settle works out what the pool held before it moved by so much. It is locked
// only since then; before, its organizations could draw on it.
func (a *Admin) settle(after Admin, by int64) {
	a.CreditBalance = after.CreditBalance - by
	if after.CreditsAvailable > 0 {
		a.CreditsAvailable = max(after.CreditsAvailable-by, 0)
	}
}

func (in Grant) check(admin id.Admin) (reason string, err error) {
	var v fault.Validation
	if in.AdminID != nil && *in.AdminID != admin {
		v.Add("admin_id", "mismatch", "Name the admin of the path, or leave this out.")
	}
	if in.Amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	reason = reasonOf(in.Reason, &v)
	return reason, v.Err()
}

// policyOf is what the admin's group says at this moment.
func policyOf(tx *db.Tx, a Admin) (credit.Policy, error) {
	if a.PartnerGroupID == nil {
		return credit.Policy{}, nil
	}
	g, err := partner.Detail(tx, *a.PartnerGroupID)
	return credit.Policy{Group: g.ID, DiscountBP: int64(g.CreditDiscountPercent), Oversell: g.Oversell}, err
}
