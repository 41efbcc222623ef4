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

// VerifyDomain makes the admin the holder of the domain that it claims, if one
// of records proves it, or a superadmin overrides. Verified again changes
// nothing.
func VerifyDomain(tx *db.Tx, actor audit.Actor, admin id.Admin, in domain.Verification, records []string) (Admin, error) {
	in, err := in.Check(actor.Tier >= audit.Platform)
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
	after, err := Detail(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	effect.Add(tx, effect.Domains, 1)
	return after, record(tx, actor, "admin.domain_verified", in.Reason, &before, &after)
}
