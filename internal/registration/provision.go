package registration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/org"
)

// Provisioned is what provisioning made.
type Provisioned struct {
	Request      Request          `json:"request"`
	Organization org.Organization `json:"organization"`
	Owner        Owner            `json:"owner"`
}

// Revision is the request's.
func (p Provisioned) Revision() int64 { return p.Request.Version }

// Provision makes what was approved, all of it or nothing: the owner, the
// organization with limits, plugins, membership and credit account, the
// notifications and the welcome mail. A request that is active already answers
// the same again. A step that fails is a *Failure; after the rollback give it
// to RecordFailure in a transaction of its own.
func (s *Service) Provision(tx *db.Tx, actor audit.Actor, request id.Request) (Provisioned, error) {
	r, err := lock(tx, request)
	switch {
	case err != nil:
		return Provisioned{}, missing(err)
	case r.Status == Active:
		return provisioned(tx, r)
	case r.Status != Approved:
		return Provisioned{}, r.refuse("provision")
	}
	return s.provision(tx, actor, r)
}

// provision runs the steps on a locked, approved request.
func (s *Service) provision(tx *db.Tx, actor audit.Actor, r Request) (Provisioned, error) {
	var owner Owner
	var o org.Organization
	var err error
	a := attempt{request: r.ID}
	a.step("owner", func() error {
		owner, err = s.owner(tx, actor, r)
		return err
	})
	a.step("organization", func() error {
		o, err = org.Create(tx, actor, org.New{
			Name: r.name(), Slug: r.slug(), Admin: id.Val(r.AdminID), OwnerUser: owner.ID,
			StorageLimitGB: r.StorageLimitGB, MaxUsers: r.MaxUsers, BandwidthLimitGB: r.BandwidthLimitGB,
			CreditLimit: r.InitialCreditLimit, Plugins: r.EnabledPlugins, Request: r.ID,
		})
		return err
	})
	a.step("notifications", func() error { return tellPeople(tx, o, owner) })
	a.step("welcome_mail", func() error { return s.tellWelcome(tx, r, owner, o.Slug) })
	a.step("activation", func() error { return finish(tx, actor, r, o, a.steps) })
	if a.failure != nil {
		return Provisioned{}, a.failure
	}
	effect.Add(tx, effect.Organizations, 1)
	effect.Add(tx, effect.Users, 1)
	return reread(tx, r.ID)
}

// finish closes the request and records it where the organization sees it.
func finish(tx *db.Tx, actor audit.Actor, r Request, o org.Organization, before []Step) error {
	steps := append(before[:len(before):len(before)], Step{Name: "activation", State: done})
	if err := activate(tx, r.ID, o.ID, steps); err != nil {
		return err
	}
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: "registration.provisioned",
		Target:       audit.Target{Type: target, ID: int64(r.ID), Name: r.CompanyName},
		Organization: o.ID, Admin: id.Val(o.AdminID),
		Changes: audit.Changes{
			"status":          {Old: r.Status, New: Active},
			"organization_id": {Old: nil, New: o.ID},
		},
	})
	return err
}

// tellPeople notifies the new owner and the people of its admin.
func tellPeople(tx *db.Tx, o org.Organization, owner Owner) error {
	m := notify.Message{
		Kind: "organization.provisioned", Target: notify.Target{Type: "organization", ID: int64(o.ID)},
		Organization: o.ID, Admin: id.Val(o.AdminID),
	}
	m.Users, m.Title, m.Body = []id.User{owner.ID}, "Your organization is ready", fmt.Sprintf("%s is set up and you are its owner.", o.Name)
	if err := notify.Send(tx, m); err != nil || o.AdminID == nil {
		return err
	}
	people, err := notify.AdminUsers(tx, *o.AdminID)
	if err != nil {
		return err
	}
	m.Users, m.Title, m.Body = people, "New organization", fmt.Sprintf("%s has joined you.", o.Name)
	return notify.Send(tx, m)
}

// provisioned reads back what provisioning made of an active request.
func provisioned(tx *db.Tx, r Request) (Provisioned, error) {
	o, err := organizationOf(tx, r)
	if err != nil {
		return Provisioned{}, err
	}
	owner, err := ownerOf(tx, o)
	return Provisioned{Request: r, Organization: o, Owner: owner}, err
}

func reread(tx *db.Tx, request id.Request) (Provisioned, error) {
	r, err := find(tx, request)
	if err != nil {
		return Provisioned{}, err
	}
	return provisioned(tx, r)
}

// Failure is provisioning that stopped at a step. It unwraps to what the caller
// is told: 409 provisioning_failed where the data is at fault, else the
// internal error.
type Failure struct {
	Request id.Request
	Steps   []Step
	Why     string // for the request, readable by superadmins
	err     error
}

// Error names the step and its cause, for logs.
func (f *Failure) Error() string { return "provision: " + f.err.Error() }

// Unwrap gives what the caller is told.
func (f *Failure) Unwrap() error { return f.err }

// attempt runs steps until one fails.
type attempt struct {
	request id.Request
	steps   []Step
	failure *Failure
}

func (a *attempt) step(name string, f func() error) {
	if a.failure != nil {
		return
	}
	err := f()
	if err == nil {
		a.steps = append(a.steps, Step{Name: name, State: done})
		return
	}
	for i := range a.steps {
		a.steps[i].State = "rolled_back"
	}
	a.steps = append(a.steps, Step{Name: name, State: "failed"})
	a.failure = &Failure{Request: a.request, Steps: a.steps, Why: "An internal error; the log has it under the request id.", err: fmt.Errorf("step %s: %w", name, err)}
	var f409 *fault.Error
	if errors.As(err, &f409) && f409.Kind != fault.Unavailable && f409.Kind != fault.Internal {
		a.failure.Why = explain(f409)
		a.failure.err = fault.New(fault.Conflict, "provisioning_failed", "The step %s failed: %s", name, a.failure.Why).
			With("step", name).With("cause", f409.Code).Because(err)
	}
}

// explain writes a refusal with its fields as one sentence or more.
func explain(f *fault.Error) string {
	var b strings.Builder
	b.WriteString(f.Message)
	for _, field := range f.Fields {
		fmt.Fprintf(&b, " %s: %s", field.Field, field.Message)
	}
	return b.String()
}

// RecordFailure keeps why provisioning failed, with an audit event whose
// outcome is error. Call it in a transaction of its own after the one that
// provisioned was rolled back. It does nothing when cause is not a *Failure, or
// when the request became active or was rejected meanwhile.
func RecordFailure(tx *db.Tx, actor audit.Actor, cause error) error {
	var f *Failure
	if !errors.As(cause, &f) {
		return nil
	}
	r, err := lock(tx, f.Request)
	if err != nil || r.Status == Active || r.Status == Rejected {
		return missing(err)
	}
	if err := fail(tx, r.ID, f.Why, f.Steps); err != nil {
		return fmt.Errorf("keep why provisioning failed: %w", err)
	}
	_, err = audit.Record(tx, audit.Event{
		Actor: actor, Action: "registration.provisioned", Outcome: audit.Failed,
		Target: audit.Target{Type: target, ID: int64(r.ID), Name: r.CompanyName},
		Reason: fmt.Sprintf("step %s: %s", f.Steps[len(f.Steps)-1].Name, f.Why),
	})
	return err
}

// auto provisions a request that was approved by itself, before register
// answers. It never changes that answer: a failure is kept with the request,
// which stays approved for a superadmin, and the applicant hears that much. The
// applicant's going away does not stop it.
func (s *Service) auto(ctx context.Context, actor audit.Actor, request id.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := s.Provision(tx, actor, request)
		return err
	})
	if err == nil {
		return
	}
	kept := s.DB.Write(ctx, func(tx *db.Tx) error { return s.autoFailed(tx, actor, request, err) })
	slog.Error("auto-approved request not provisioned", "request", request, "request_id", actor.RequestID, "error", errors.Join(err, kept).Error())
}

// autoFailed keeps the failure and mails the decision, as there is no welcome.
func (s *Service) autoFailed(tx *db.Tx, actor audit.Actor, request id.Request, cause error) error {
	if err := RecordFailure(tx, actor, cause); err != nil {
		return err
	}
	r, err := find(tx, request)
	if err != nil || r.Status != Approved {
		return err
	}
	return s.tellApproved(tx, r)
}
