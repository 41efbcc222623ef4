package registration

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/settings"
	"github.com/tenantry/tenantry/internal/text"
)

// Approval is the body of approve: what to make different from what was asked
// for, and from the settings' defaults.
type Approval struct {
	OrgName            *string               `json:"org_name,omitempty" required:"false" doc:"Instead of the desired name." example:"Custom Name" maxLength:"200"`
	OrgSlug            *string               `json:"org_slug,omitempty" required:"false" doc:"Instead of the desired slug, which is then free again." example:"custom-slug" maxLength:"100"`
	InitialCreditLimit *int64                `json:"initial_credit_limit,omitempty" required:"false" doc:"How far below zero the balance may go." example:"5000" minimum:"0"`
	StorageLimitGB     *int64                `json:"storage_limit_gb,omitempty" required:"false" doc:"-1 is unlimited." example:"20" minimum:"-1"`
	MaxUsers           *int64                `json:"max_users,omitempty" required:"false" doc:"-1 is unlimited." example:"25" minimum:"-1"`
	BandwidthLimitGB   *int64                `json:"bandwidth_limit_gb,omitempty" required:"false" doc:"A month; -1 is unlimited." minimum:"-1"`
	EnabledPlugins     *[]string             `json:"enabled_plugins,omitempty" required:"false" doc:"The whole set; absent enables the catalogue's defaults." maxItems:"200"`
	AdminID            patch.Field[id.Admin] `json:"admin_id,omitzero" required:"false" doc:"Whose organization it becomes; null is the platform's own. Absent: the host or referral code it came by decides."`
	Provision          bool                  `json:"provision,omitempty" required:"false" doc:"Provision at once, in the same transaction."`
}

// Rejection is the body of reject.
type Rejection struct {
	Reason string `json:"reason" doc:"The applicant reads it." example:"Invalid business information provided" minLength:"1" maxLength:"1000"`
}

// Approve accepts a pending request, keeps the overrides and reserves the
// slug. It creates nothing, unless in.Provision: then it provisions in the same
// transaction; see KeepApproval for when that fails.
func (s *Service) Approve(tx *db.Tx, actor audit.Actor, request id.Request, in Approval) (Request, error) {
	before, err := lock(tx, request)
	if err != nil {
		return Request{}, missing(err)
	}
	after, err := in.apply(tx, before)
	switch {
	case err != nil:
		return Request{}, err
	case before.Status != Pending:
		return Request{}, before.refuse("approve")
	}
	if err := s.approve(tx, actor, before, after); err != nil {
		return Request{}, err
	}
	if in.Provision {
		p, err := s.Provision(tx, actor, request)
		return p.Request, err
	}
	r, err := find(tx, request)
	if err != nil {
		return Request{}, err
	}
	return r, s.tellApproved(tx, r)
}

// KeepApproval lets an approval stand whose provisioning failed, and keeps why,
// as RecordFailure does. Whoever decided otherwise meanwhile goes before.
func (s *Service) KeepApproval(tx *db.Tx, actor audit.Actor, request id.Request, in Approval, cause error) error {
	var f *Failure
	if !errors.As(cause, &f) {
		return nil
	}
	in.Provision = false
	_, err := s.Approve(tx, actor, request, in)
	switch {
	case fault.Code(err) == "invalid_transition":
		return nil
	case err != nil:
		return err
	}
	return RecordFailure(tx, actor, cause)
}

// approve stores the decision.
func (s *Service) approve(tx *db.Tx, actor audit.Actor, before, after Request) error {
	if after.slug() != before.slug() {
		ok, err := org.ReserveForRequest(tx, after.slug(), before.ID)
		if err == nil && !ok {
			err = org.SlugTaken(tx, after.slug())
		}
		if err == nil {
			err = org.ReleaseRequest(tx, before.slug(), before.ID)
		}
		if err != nil {
			return err
		}
	}
	after.Status, after.DecidedBy, after.DecidedAt = Approved, id.Ref(actor.UserID()), &tx.Now
	if err := approve(tx, after); err != nil {
		return fmt.Errorf("approve request %d: %w", before.ID, err)
	}
	return record(tx, actor, "registration.approved", &before, after)
}

// apply checks the overrides and puts them into the request.
func (in Approval) apply(tx *db.Tx, r Request) (Request, error) {
	var v fault.Validation
	if in.OrgName != nil {
		name := text.Name("org_name", *in.OrgName, maxName, &v)
		r.OrgName = &name
	}
	if in.OrgSlug != nil {
		org.CheckSlug("org_slug", *in.OrgSlug, &v)
		r.OrgSlug = in.OrgSlug
	}
	r.InitialCreditLimit = amount("initial_credit_limit", in.InitialCreditLimit, 0, settings.MaxCredit, &v)
	r.StorageLimitGB = amount("storage_limit_gb", in.StorageLimitGB, org.Unlimited, org.MaxLimit, &v)
	r.MaxUsers = amount("max_users", in.MaxUsers, org.Unlimited, org.MaxLimit, &v)
	r.BandwidthLimitGB = amount("bandwidth_limit_gb", in.BandwidthLimitGB, org.Unlimited, org.MaxLimit, &v)
	if in.EnabledPlugins != nil {
		keys := slices.Sorted(slices.Values(*in.EnabledPlugins))
		if keys == nil {
			keys = []string{}
		}
		r.EnabledPlugins = &keys
		if err := v.Merge(plugin.Check(tx, keys, nil, "enabled_plugins")); err != nil {
			return r, err
		}
	}
	if in.AdminID.Given() {
		known, err := adminExists(tx, in.AdminID.Value)
		if err != nil {
			return r, err
		}
		if !known {
			_ = v.Merge(fault.UnknownReference("admin_id"))
		}
	}
	r.AdminID = in.AdminID.Pointer(r.AdminID)
	return r, v.Err()
}

// amount checks an optional number.
func amount(field string, n *int64, least, most int64, v *fault.Validation) *int64 {
	if n != nil && (*n < least || *n > most) {
		v.Add(field, "out_of_range", "Use a whole number from %d to %d.", least, most)
	}
	return n
}

// Reject declines a request that is not active yet: the password hash goes, the
// slug is free again, and the applicant reads the reason.
func (s *Service) Reject(tx *db.Tx, actor audit.Actor, request id.Request, in Rejection) (Request, error) {
	before, err := lock(tx, request)
	if err != nil {
		return Request{}, missing(err)
	}
	var v fault.Validation
	reason := text.Prose("reason", in.Reason, 1000, &v)
	if reason == "" {
		v.Add("reason", "required", "Tell the applicant why.")
	}
	if err := v.Err(); err != nil {
		return Request{}, err
	}
	if before.Status != Pending && before.Status != Approved {
		return Request{}, before.refuse("reject")
	}
	after := before
	after.Status, after.Reason, after.DecidedBy, after.DecidedAt = Rejected, &reason, id.Ref(actor.UserID()), &tx.Now
	if err := reject(tx, after); err != nil {
		return Request{}, fmt.Errorf("reject request %d: %w", request, err)
	}
	if err := org.ReleaseRequest(tx, before.slug(), request); err != nil {
		return Request{}, err
	}
	if err := record(tx, actor, "registration.rejected", &before, after); err != nil {
		return Request{}, err
	}
	if err := s.tellRejected(tx, after); err != nil {
		return Request{}, err
	}
	return find(tx, request)
}

// target names a request in audit events and notifications.
const target = "registration_request"

// record writes the audit event of a request or a decision, before is nil of a
// new one; the platform alone sees it.
func record(tx *db.Tx, actor audit.Actor, action string, before *Request, after Request) error {
	changes, err := audit.Diff(before, &after)
	if err != nil {
		return err
	}
	reason := ""
	if after.Reason != nil {
		reason = *after.Reason
	}
	_, err = audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Reason: reason, Changes: changes,
		Target: audit.Target{Type: target, ID: int64(after.ID), Name: after.CompanyName},
	})
	return err
}
