package registration_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/registration"
	"github.com/tenantry/tenantry/internal/settings"
)

// approved makes a request that waits for provisioning.
func (w *world) approved(n int) id.Request {
	w.Helper()
	r := w.registered(applicant(n))
	if _, err := w.approve(r.ID, registration.Approval{}); err != nil {
		w.Fatal(err)
	}
	return r.ID
}

func TestTransitions(t *testing.T) {
	actions := map[string]func(w *world, n id.Request) error{
		"approve":   func(w *world, n id.Request) error { _, err := w.approve(n, registration.Approval{}); return err },
		"reject":    func(w *world, n id.Request) error { _, err := w.reject(n, "no"); return err },
		"provision": func(w *world, n id.Request) error { _, err := w.provision(n); return err },
	}
	paths := map[registration.Status][]string{
		registration.Pending: nil, registration.Approved: {"approve"},
		registration.Rejected: {"reject"}, registration.Active: {"approve", "provision"},
	}
	takes := map[registration.Status][]string{
		registration.Pending: {"approve", "reject"}, registration.Approved: {"provision", "reject"},
		registration.Rejected: {}, registration.Active: {"provision"},
	}
	each(t, func(w *world) {
		n := 0
		for status, path := range paths {
			for name, act := range actions {
				n++
				r := w.registered(applicant(n))
				for _, step := range path {
					if err := actions[step](w, r.ID); err != nil {
						w.Fatal(err)
					}
				}
				before := w.count(events)
				err := act(w, r.ID)
				if slices.Contains(takes[status], name) {
					if err != nil {
						w.Errorf("%s of %s: %v", name, status, err)
					}
					continue
				}
				f := wantCode(w.T, err, "invalid_transition")
				if f.Extra["current_status"] != status || f.Extra["allowed"] == nil || w.count(events) != before {
					w.Errorf("%s of %s: got %+v", name, status, f)
				}
			}
		}
		if _, err := w.approve(999, registration.Approval{}); !fault.Is(err, fault.NotFound) {
			w.Errorf("got %v, want 404", err)
		}
	})
}

func TestProvisionMakesAllOfIt(t *testing.T) {
	each(t, func(w *world) {
		n := w.approved(1)
		if c := w.count("organizations"); c != 0 {
			w.Fatalf("approval made %d organizations", c)
		}
		p, err := w.provision(n)
		if err != nil {
			w.Fatal(err)
		}
		o := p.Organization
		if o.StorageLimitGB != 10 || o.MaxUsers != 10 || o.BandwidthLimitGB != 100 || o.CreditLimit != 0 || len(o.EnabledPlugins) == 0 || o.MemberCount != 1 {
			w.Errorf("got %+v, want the settings' defaults", o)
		}
		for from, want := range map[string]int64{
			"credit_accounts WHERE kind = 'organization'":                         1,
			"memberships WHERE role = 'owner'":                                    1,
			"registration_requests WHERE password_hash IS NULL":                   1,
			"users WHERE password_hash IS NOT NULL AND NOT email_verified":        1,
			"slugs WHERE organization_id IS NOT NULL":                             1,
			"notifications WHERE kind = 'organization.provisioned'":               1,
			events + " WHERE action = 'registration.provisioned'":                 1,
			events + " WHERE action = 'organization.created'":                     1,
			events + " WHERE action = 'registration.approved' AND outcome = 'ok'": 1,
		} {
			if got := w.count(from); got != want {
				w.Errorf("%s: got %d, want %d", from, got, want)
			}
		}
		subjects := []string{}
		for _, m := range w.mails(p.Owner.Email) {
			subjects = append(subjects, m.Subject)
			if !strings.Contains(m.Text, "https://tenantry.example/") || strings.ContainsAny(m.Text, "{}") {
				w.Errorf("got mail %q", m.Text)
			}
		}
		want := []string{"Tenantry: we received your request", "Tenantry: your request was approved", "Welcome to Tenantry"}
		if !slices.Equal(subjects, want) {
			w.Errorf("got mails %q, want %q", subjects, want)
		}
		welcome := w.mails(p.Owner.Email)[2].Text
		_, token, found := strings.Cut(welcome, "https://tenantry.example/verify?token=")
		token, _, _ = strings.Cut(token, "\n")
		var owner auth.User
		err = w.s.DB.Write(w.Context(), func(tx *db.Tx) (err error) {
			owner, err = auth.VerifyEmail(tx, audit.Actor{Type: audit.User, ID: int64(p.Owner.ID)}, token)
			return err
		})
		if !found || err != nil || !owner.EmailVerified {
			w.Errorf("by the link of %q: got %+v, %v", welcome, owner, err)
		}
		p.Owner.EmailVerified = true
		again, err := w.provision(n)
		if err != nil || again.Organization.ID != o.ID || again.Owner != p.Owner || w.count("organizations") != 1 {
			w.Errorf("again: got %+v, %v", again, err)
		}
		if s := p.Request.Provisioning; s.State != "done" || s.Attempts != 1 || s.LastError != nil || len(s.Steps) != 5 {
			w.Errorf("got provisioning %+v", s)
		}
	})
}

func TestRejectPurgesAndFrees(t *testing.T) {
	each(t, func(w *world) {
		r := w.registered(applicant(1))
		if _, err := w.reject(r.ID, " \n"); fault.Code(err) != "required" {
			w.Errorf("without a reason: got %v", err)
		}
		if _, err := w.reject(r.ID, "We do not know you."); err != nil {
			w.Fatal(err)
		}
		if w.count("registration_requests WHERE password_hash IS NOT NULL") != 0 || w.count("slugs") != 0 {
			w.Error("the hash or the slug is still there")
		}
		if m := w.mails(applicant(1).Email); len(m) != 2 || !strings.Contains(m[1].Text, "We do not know you.") {
			w.Errorf("got mails %+v", m)
		}
		in := applicant(2)
		in.DesiredOrgSlug = r.DesiredOrgSlug
		w.registered(in)
	})
}

func TestOverrides(t *testing.T) {
	each(t, func(w *world) {
		r, other := w.registered(applicant(1)), w.registered(applicant(2))
		taken, bad, tooMuch := other.DesiredOrgSlug, "-", int64(-2)
		if _, err := w.approve(r.ID, registration.Approval{OrgSlug: &taken}); fault.Code(err) != "slug_taken" {
			w.Errorf("got %v, want slug_taken", err)
		}
		_, err := w.approve(r.ID, registration.Approval{
			OrgSlug: &bad, MaxUsers: &tooMuch, InitialCreditLimit: &tooMuch, EnabledPlugins: &[]string{"no-such"}, AdminID: patch.Of(id.Admin(77)),
		})
		if f := wantCode(w.T, err, "validation_failed"); len(f.Fields) != 5 {
			w.Errorf("got %+v, want all five fields", f.Fields)
		}
		over, most := int64(settings.MaxCredit+1), int64(settings.MaxCredit)
		_, err = w.approve(r.ID, registration.Approval{InitialCreditLimit: &over})
		_ = wantCode(w.T, err, "out_of_range")
		free, zero, endless, none := "brand-new", int64(0), org.Unlimited, []string{}
		q, err := w.approve(r.ID, registration.Approval{
			OrgSlug: &free, InitialCreditLimit: &most, StorageLimitGB: &endless, BandwidthLimitGB: &zero, EnabledPlugins: &none, AdminID: patch.Null[id.Admin](), Provision: true,
		})
		if err != nil || q.Status != registration.Active {
			w.Fatalf("got %+v, %v", q, err)
		}
		p, err := w.provision(r.ID)
		if o := p.Organization; err != nil || o.Slug != free || o.StorageLimitGB != org.Unlimited || o.BandwidthLimitGB != 0 || o.CreditLimit != most || len(o.EnabledPlugins) != 0 {
			w.Errorf("got %+v, %v", o, err)
		}
		in := applicant(3)
		in.DesiredOrgSlug = r.DesiredOrgSlug // released
		w.registered(in)
	})
}

func TestKnownOwnerKeepsThePassword(t *testing.T) {
	each(t, func(w *world) {
		first, err := w.provision(w.approved(1))
		if err != nil {
			w.Fatal(err)
		}
		in := applicant(2)
		in.Email, in.Password = applicant(1).Email, "another good password"
		r := w.registered(in)
		if _, err := w.approve(r.ID, registration.Approval{}); err != nil {
			w.Fatal(err)
		}
		var before, after string
		hash := func(into *string) {
			w.read(func(tx *db.Tx) (err error) {
				*into, err = db.One(tx, db.String, `SELECT password_hash FROM users WHERE id = $1`, first.Owner.ID)
				return err
			})
		}
		hash(&before)
		second, err := w.provision(r.ID)
		hash(&after)
		if err != nil || second.Owner.ID != first.Owner.ID || before != after || second.Organization.ID == first.Organization.ID {
			w.Errorf("got %+v, %v; hash kept: %t", second, err, before == after)
		}
	})
}

func TestFailureLeavesNothingAndIsRemembered(t *testing.T) {
	each(t, func(w *world) {
		r := w.registered(applicant(1))
		n := r.ID
		if _, err := w.approve(n, registration.Approval{}); err != nil {
			w.Fatal(err)
		}
		for i, c := range []struct{ table, step string }{
			{"memberships", "organization"}, {"credit_accounts", "organization"}, {"notification_counts", "notifications"}, {"jobs", "welcome_mail"},
		} {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec("ALTER TABLE " + c.table + " RENAME TO broken")
				return err
			})
			_, err := w.provision(n)
			if err == nil {
				w.Fatalf("without %s: provisioned all the same", c.table)
			}
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec("ALTER TABLE broken RENAME TO " + c.table)
				return err
			})
			w.write(func(tx *db.Tx) error { return registration.RecordFailure(tx, w.root, err) })
			q := w.request(n)
			p := q.Provisioning
			last := registration.Step{}
			if len(p.Steps) > 0 {
				last = p.Steps[len(p.Steps)-1]
			}
			if q.Status != registration.Approved || p.State != "failed" || p.Attempts != int64(i+1) || p.LastError == nil || last.Name != c.step || last.State != "failed" {
				w.Errorf("without %s: got %s %+v", c.table, q.Status, p)
			}
			if strings.Contains(*p.LastError, c.table) || w.count("organizations") != 0 || w.count("users") != 1 || w.count("slugs WHERE request_id IS NOT NULL") != 1 {
				w.Errorf("without %s: something is left, or shows: %s", c.table, *p.LastError)
			}
		}
		if got := w.count(events + " WHERE outcome = 'error' AND action = 'registration.provisioned'"); got != 4 {
			w.Errorf("got %d events of failure, want 4", got)
		}
		p, err := w.provision(n)
		if err != nil || p.Request.Provisioning.Attempts != 5 || p.Request.Provisioning.State != "done" || p.Request.Provisioning.LastError != nil {
			w.Errorf("got %+v, %v", p, err)
		}
	})
}

func TestFailureOfTheDataNamesTheStep(t *testing.T) {
	each(t, func(w *world) {
		in := applicant(1)
		w.write(func(tx *db.Tx) error {
			u, err := auth.CreateUser(tx, auth.NewUser{Email: in.Email, Name: "Gone"})
			if err != nil {
				return err
			}
			_, err = tx.Exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, u.ID)
			return err
		})
		r := w.registered(in)
		if _, err := w.approve(r.ID, registration.Approval{}); err != nil {
			w.Fatal(err)
		}
		_, err := w.provision(r.ID)
		if f := wantCode(w.T, err, "provisioning_failed"); f.Extra["step"] != "owner" || f.Extra["cause"] != "user_disabled" {
			w.Errorf("got %+v", f)
		}
		_, refused := w.provision(999)
		before := w.request(r.ID)
		w.write(func(tx *db.Tx) error { return registration.RecordFailure(tx, w.root, refused) })
		if after := w.request(r.ID); after.Provisioning.Attempts != before.Provisioning.Attempts {
			w.Error("a refusal that was no failure was recorded")
		}
	})
}

func TestAutoApprovalFailsQuietly(t *testing.T) {
	each(t, func(w *world) {
		w.autoApprove()
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec("ALTER TABLE memberships RENAME TO broken")
			return err
		})
		r := w.registered(applicant(1))
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec("ALTER TABLE broken RENAME TO memberships")
			return err
		})
		mails := w.mails(applicant(1).Email)
		if len(mails) != 2 || !strings.Contains(mails[1].Subject, "approved") {
			w.Errorf("got mails %+v, want that it came and that it was approved", mails)
		}
		if q := w.request(r.ID); r.Status != registration.Pending || q.Status != registration.Approved || q.Provisioning.State != "failed" {
			w.Errorf("got %+v and %+v", r, q)
		}
		if _, err := w.provision(r.ID); err != nil {
			w.Error(err)
		}
	})
}

func TestProvisionRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		n := w.approved(1)
		const racers = 100
		got, errs := make([]registration.Provisioned, racers), make([]error, racers)
		var group sync.WaitGroup
		for i := range racers {
			group.Go(func() { got[i], errs[i] = w.provision(n) })
		}
		group.Wait()
		for i := range racers {
			if errs[i] != nil || got[i].Organization.ID != got[0].Organization.ID || got[i].Owner != got[0].Owner {
				t.Fatalf("racer %d: got %+v, %v", i, got[i], errs[i])
			}
		}
		if w.count("organizations") != 1 || w.count("memberships") != 1 || w.count(events+" WHERE action = 'registration.provisioned'") != 1 {
			t.Error("more than one organization, membership or event")
		}
	})
}

func TestApproveAgainstReject(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for i := range 10 {
			r := w.registered(applicant(i))
			var group sync.WaitGroup
			errs := make([]error, 8)
			for j := range errs {
				group.Go(func() {
					if j%2 == 0 {
						_, errs[j] = w.approve(r.ID, registration.Approval{Provision: true})
					} else {
						_, errs[j] = w.reject(r.ID, "no")
					}
				})
			}
			group.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if fault.Code(err) != "invalid_transition" {
					t.Errorf("got %v", err)
				}
			}
			if won != 1 {
				t.Errorf("round %d: %d won, want 1", i, won)
			}
		}
	})
}

func TestOneAddressInTwoRequests(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var requests []id.Request
		for i := range 8 {
			in := applicant(i)
			in.Email = "same@person.example"
			r := w.registered(in)
			if _, err := w.approve(r.ID, registration.Approval{}); err != nil {
				t.Fatal(err)
			}
			requests = append(requests, r.ID)
		}
		var group sync.WaitGroup
		errs := make([]error, len(requests))
		for i, n := range requests {
			group.Go(func() { _, errs[i] = w.provision(n) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if w.count("users WHERE NOT superadmin") != 1 || w.count("organizations") != 8 {
			t.Errorf("got %d users and %d organizations, want 1 and 8", w.count("users WHERE NOT superadmin"), w.count("organizations"))
		}
	})
}

// A request from before its address had an account is flagged once it has one;
// the slug is the company's, whatever the organization shall be called.
func TestFlaggedLater(t *testing.T) {
	each(t, func(w *world) {
		first := applicant(1)
		first.DesiredOrgName = "Another Name"
		waiting := w.registered(first)
		if r := w.request(waiting.ID); slices.Contains(r.Flags, registration.EmailKnown) || waiting.DesiredOrgSlug == "another-name" {
			w.Fatalf("before: got flags %v and the slug %q", r.Flags, waiting.DesiredOrgSlug)
		}
		second := applicant(2)
		second.Email = first.Email
		other := w.registered(second)
		if _, err := w.approve(other.ID, registration.Approval{}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.provision(other.ID); err != nil {
			w.Fatal(err)
		}
		if r := w.request(waiting.ID); !slices.Contains(r.Flags, registration.EmailKnown) {
			w.Errorf("after: got flags %v", r.Flags)
		}
	})
}
