package org

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// Verification asks to verify the organization's custom domain.
type Verification struct {
	Override bool   `json:"override,omitempty" required:"false" doc:"Take it as verified without a look at the DNS; superadmins only, with a reason"`
	Reason   string `json:"reason,omitempty" required:"false" maxLength:"2000" doc:"Required with override; at most 500 characters"`
}

func (in *Verification) check(actor audit.Actor) error {
	if !in.Override {
		in.Reason = ""
		return nil
	}
	if actor.Tier < audit.Platform {
		return fault.DeniedField("override")
	}
	var v fault.Validation
	in.Reason = text.Name("reason", in.Reason, MaxReason, &v)
	return v.Err()
}

// HostToVerify gives the host whose records VerifyDomain wants to see; empty
// when it does not need any.
func HostToVerify(tx *db.Tx, organization id.Organization) (string, error) {
	c, err := domain.Of(tx, domain.Owner{Organization: organization})
	if err != nil || c.Status != domain.Pending {
		return "", err
	}
	return c.Host, nil
}

// VerifyDomain makes the organization the holder of the domain that it claims,
// if one of records proves it, or a superadmin overrides. Verified again
// changes nothing.
func VerifyDomain(tx *db.Tx, actor audit.Actor, organization id.Organization, in Verification, records []string) (Organization, error) {
	if err := in.check(actor); err != nil {
		return Organization{}, err
	}
	if _, _, err := lock(tx, organization); err != nil {
		return Organization{}, err
	}
	before, err := detail(tx, organization)
	if err != nil {
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
	after, err := detail(tx, organization)
	if err != nil {
		return before, err
	}
	changes, err := audit.Diff(before, after)
	if err != nil {
		return before, err
	}
	effect.Add(tx, effect.Domains, 1)
	if err := reach(tx, after); err != nil {
		return before, err
	}
	return after, after.record(tx, actor, "organization.domain_verified", in.Reason, changes)
}
