package admin

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
)

// Verification asks to verify the admin's custom domain.
type Verification struct {
	Override bool   `json:"override,omitempty" required:"false" doc:"Take it as verified without a look at the DNS; superadmins only, with a reason"`
	Reason   string `json:"reason,omitempty" required:"false" maxLength:"2000" doc:"Required with override; at most 500 characters"`
}

// ownerOf is the admin as the holder of a host.
func ownerOf(admin id.Admin) domain.Owner { return domain.Owner{Admin: admin} }

// hostOf reads a custom domain that is to be set: nil leaves it, empty clears
// it. own are the platform's host names, which nobody may claim.
func hostOf(p patch.Field[string], own []string, v *fault.Validation) *string {
	if !p.Set {
		return nil
	}
	host := ""
	if !p.Null {
		host = domain.Normalize("custom_domain", p.Value, own, v)
	}
	return &host
}

// setDomain makes host the admin's claim; nil leaves what it has.
func setDomain(tx *db.Tx, admin id.Admin, host *string) error {
	if host == nil {
		return nil
	}
	before, err := domain.Of(tx, ownerOf(admin))
	if err != nil {
		return err
	}
	after, err := domain.Set(tx, ownerOf(admin), *host)
	if after.Host != before.Host {
		effect.Add(tx, effect.Domains, 1)
	}
	return err
}

// HostToVerify gives the host whose records VerifyDomain wants to see; empty
// when it does not need any.
func HostToVerify(tx *db.Tx, admin id.Admin) (string, error) {
	c, err := domain.Of(tx, ownerOf(admin))
	if err != nil || c.Status != domain.Pending {
		return "", err
	}
	return c.Host, nil
}

// VerifyDomain makes the admin the holder of the domain that it claims, if one
// of records proves it, or a superadmin overrides. Verified again changes
// nothing.
func VerifyDomain(tx *db.Tx, actor audit.Actor, admin id.Admin, in Verification, records []string) (Admin, error) {
	reason, err := in.check(actor)
	if err != nil {
		return Admin{}, err
	}
	before, err := lock(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	claim, err := domain.Of(tx, ownerOf(admin))
	if err != nil {
		return Admin{}, err
	}
	if claim.Status == domain.Pending && !in.Override && !claim.Proves(records) {
		return Admin{}, domain.Unproved()
	}
	if _, err := domain.Confirm(tx, ownerOf(admin)); err != nil || claim.Status == domain.Verified {
		return before, err
	}
	after, err := Get(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	effect.Add(tx, effect.Domains, 1)
	return after, record(tx, actor, "admin.domain_verified", reason, &before, &after)
}

func (in Verification) check(actor audit.Actor) (reason string, err error) {
	if !in.Override {
		return "", nil
	}
	if actor.Tier < audit.Platform {
		return "", fault.DeniedField("override")
	}
	var v fault.Validation
	reason = reasonOf(in.Reason, &v)
	return reason, v.Err()
}
