package org

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/id"
)

// VerifyDomain makes the organization the holder of the domain that it claims,
// if one of records proves it, or a superadmin overrides. Verified again
// changes nothing.
func VerifyDomain(tx *db.Tx, actor audit.Actor, organization id.Organization, in domain.Verification, records []string) (Organization, error) {
	in, err := in.Check(actor.Tier >= audit.Platform)
	if err != nil {
		return Organization{}, err
	}
	if _, _, err := lock(tx, organization); err != nil {
		return Organization{}, err
	}
	before, err := Detail(tx, organization)
	if err != nil {
		return before, err
	}
	if err := before.Status.open(actor); err != nil {
		return before, err
	}
	owner := domain.Owner{Organization: organization}
	claim, err := domain.Of(tx, owner)
	if err != nil {
		return before, err
	}
	if claim.Status == domain.Pending && !in.Override && !claim.Proves(records) {
		return before, domain.Unproved()
	}
	if _, err := domain.Confirm(tx, owner); err != nil || claim.Status == domain.Verified {
		return before, err
	}
	after, err := Detail(tx, organization)
	if err != nil {
		return before, err
	}
	changes, err := audit.Diff(before.since(after), after)
	if err != nil {
		return before, err
	}
	effect.Add(tx, effect.Domains, 1)
	if err := reach(tx, after); err != nil {
		return before, err
	}
	return after, after.record(tx, actor, "organization.domain_verified", in.Reason, changes)
}
