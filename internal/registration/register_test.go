package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/registration"
)

func faultOf(err error) *fault.Error {
	var f *fault.Error
	errors.As(err, &f)
	return f
}

// The bodies of the reference, as they stand there.
const (
	registerBody = `{"email": "user@example.com","password": "securepassword","company_name": "Acme Corp","contact_name": "John Doe",
		"phone": "+1234567890","desired_org_name": "Acme Corp","desired_org_slug": "acme-corp",
		"utm_source": "google","utm_medium": "cpc","utm_campaign": "summer"}`
	approveBody = `{"org_name": "Custom Name","org_slug": "custom-slug","initial_credit_limit": 5000,"storage_limit_gb": 20,"max_users": 25}`
	rejectBody  = `{"reason": "Invalid business information provided"}`
)

func TestReference(t *testing.T) {
	each(t, func(w *world) {
		var in registration.Input
		strictly(w.T, registerBody, &in)
		r := w.registered(in)
		if r.ID == 0 || r.Status != registration.Pending || r.DesiredOrgSlug != "acme-corp" || !strings.HasPrefix(r.StatusURL, "https://tenantry.example/") {
			w.Errorf("got receipt %+v", r)
		}
		q := w.request(r.ID)
		if q.Email != "user@example.com" || *q.UTMSource != "google" || *q.UTMMedium != "cpc" || *q.UTMCampaign != "summer" || len(q.Flags) != 0 {
			w.Errorf("got request %+v", q)
		}
		b, err := json.Marshal(q)
		if err != nil || strings.Contains(string(b), "argon2") || strings.Contains(string(b), "password") {
			w.Errorf("got %s, %v: the password shows", b, err)
		}

		var approval registration.Approval
		strictly(w.T, approveBody, &approval)
		q, err = w.approve(r.ID, approval)
		if err != nil || q.Status != registration.Approved || *q.OrgSlug != "custom-slug" || *q.MaxUsers != 25 || q.OrganizationID != nil || *q.DecidedBy != w.staff {
			w.Fatalf("approve: got %+v, %v", q, err)
		}
		p, err := w.provision(r.ID)
		if err != nil {
			w.Fatal(err)
		}
		o := p.Organization
		if o.Name != "Custom Name" || o.Slug != "custom-slug" || o.CreditLimit != 5000 || o.StorageLimitGB != 20 || o.MaxUsers != 25 || o.BandwidthLimitGB != 100 {
			w.Errorf("got organization %+v", o)
		}
		if p.Request.Status != registration.Active || *p.Request.OrganizationID != o.ID || p.Owner.Email != "user@example.com" || p.Owner.Name != "John Doe" || p.Owner.EmailVerified {
			w.Errorf("got %+v", p)
		}

		other := w.registered(applicant(1))
		var rejection registration.Rejection
		strictly(w.T, rejectBody, &rejection)
		if q, err = w.reject(other.ID, rejection.Reason); err != nil || q.Status != registration.Rejected || *q.Reason != rejection.Reason {
			w.Errorf("reject: got %+v, %v", q, err)
		}
	})
}

func TestRegisterRefusesAllAtOnce(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.register(registration.Input{
			Email: "nobody", Password: "short", CompanyName: " ", ContactName: "a\u202eb", Phone: "call me",
			DesiredOrgSlug: "-x", UTMSource: strings.Repeat("u", 256), ReferralCode: "nobody's",
		})
		f := wantCode(w.T, err, "validation_failed")
		got := map[string]string{}
		for _, x := range f.Fields {
			got[x.Field] = x.Code
		}
		want := map[string]string{
			"email": "invalid_email", "password": "password_too_short", "company_name": "required", "contact_name": "invalid_text",
			"phone": "invalid_phone", "desired_org_slug": "invalid_slug", "utm_source": "too_long", "referral_code": "unknown_reference",
		}
		for field, code := range want {
			if got[field] != code {
				w.Errorf("%s: got %q, want %q", field, got[field], code)
			}
		}
		if n := w.count("registration_requests"); n != 0 {
			w.Errorf("%d requests stored", n)
		}
	})
}

func TestSlugs(t *testing.T) {
	each(t, func(w *world) {
		in := applicant(1)
		in.CompanyName = "Müller & Söhne GmbH"
		if r := w.registered(in); r.DesiredOrgSlug != "muller-and-sohne-gmbh" && r.DesiredOrgSlug != "mueller-and-soehne-gmbh" {
			w.Errorf("derived %q", r.DesiredOrgSlug)
		}
		again := applicant(2)
		again.CompanyName = in.CompanyName
		derived := w.registered(again).DesiredOrgSlug
		if !strings.HasSuffix(derived, "-2") {
			w.Errorf("got %q, want a suffix", derived)
		}
		asked := applicant(3)
		asked.DesiredOrgSlug = derived
		_, err := w.register(asked)
		f := wantCode(w.T, err, "slug_taken")
		if s, _ := f.Extra["suggestions"].([]string); len(s) == 0 {
			w.Errorf("got no suggestions in %v", f.Extra)
		}
		w.read(func(tx *db.Tx) error {
			for slug, reason := range map[string]string{derived: "slug_taken", "admin": "reserved_slug", "A B": "invalid_slug", "fresh-one": ""} {
				a, err := registration.SlugStatus(tx, slug)
				if err != nil {
					return err
				}
				if a.Available != (reason == "") || a.Reason != nil && *a.Reason != reason || a.Available == (len(a.Suggestions) > 0) {
					w.Errorf("%q: got %+v, want reason %q", slug, a, reason)
				}
			}
			return nil
		})
	})
}

func TestSlugRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const racers = 50
		errs := make([]error, racers)
		var group sync.WaitGroup
		for i := range racers {
			group.Go(func() {
				in := applicant(i)
				in.DesiredOrgSlug = "the-one"
				_, errs[i] = w.register(in)
			})
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if fault.Code(err) != "slug_taken" {
				t.Errorf("got %v", err)
			}
		}
		if n := w.count("registration_requests"); won != 1 || n != 1 {
			t.Errorf("got %d winners and %d requests, want 1 of each", won, n)
		}
	})
}

func TestFlags(t *testing.T) {
	each(t, func(w *world) {
		first := applicant(1)
		first.CompanyName, first.DesiredOrgSlug = "Acme Corp", "acme-corp"
		w.registered(first)
		second := registration.Input{
			Email: "OWNER1@company1.example", Password: "correct horse battery", CompanyName: "ACME, Ltd.", ContactName: "Eve",
			Phone: "0049 30 000001", DesiredOrgSlug: "acrne-c0rp",
		}
		r := w.registered(second)
		got := w.request(r.ID).Flags
		for _, f := range []registration.Flag{registration.EmailKnown, registration.LookAlikeSlug, registration.SameCompany, registration.SamePhone} {
			if !slices.Contains(got, f) {
				w.Errorf("got %v, want %s among them", got, f)
			}
		}
		third := applicant(3)
		third.Email = "x@sub.mailinator.com"
		if got := w.request(w.registered(third).ID).Flags; !slices.Equal(got, []registration.Flag{registration.DisposableMail}) {
			w.Errorf("got %v, want the disposable domain", got)
		}
		known := applicant(4)
		known.Email = "root@tenantry.example"
		if r := w.registered(known); r.Status != registration.Pending || !slices.Contains(w.request(r.ID).Flags, registration.EmailKnown) {
			w.Errorf("a user's address: got %+v", r)
		}
	})
}

func TestStatusLink(t *testing.T) {
	each(t, func(w *world) {
		r := w.registered(applicant(1))
		u, err := url.Parse(r.StatusURL)
		if err != nil {
			w.Fatal(err)
		}
		token := u.Query().Get("token")
		look := func() (out registration.Standing) {
			w.read(func(tx *db.Tx) (err error) {
				out, err = w.s.StatusByToken(tx, token)
				return err
			})
			return out
		}
		if s := look(); s.Status != registration.Pending || s.CompanyName != "Company B1" || s.Organization != nil {
			w.Errorf("got %+v", s)
		}
		if _, err := w.approve(r.ID, registration.Approval{Provision: true}); err != nil {
			w.Fatal(err)
		}
		if s := look(); s.Status != registration.Active || s.Organization == nil || *s.Organization != r.DesiredOrgSlug {
			w.Errorf("got %+v", s)
		}
		for _, bad := range []string{"", "x", token[1:], token[:len(token)-2] + "AA", strings.ToUpper(token)} {
			err := w.db.Read(context.Background(), func(tx *db.Tx) error {
				_, err := w.s.StatusByToken(tx, bad)
				return err
			})
			if !fault.Is(err, fault.NotFound) {
				w.Errorf("%q: got %v, want 404", bad, err)
			}
		}
	})
}

func TestWhoBroughtThem(t *testing.T) {
	each(t, func(w *world) {
		w.write(func(tx *db.Tx) error {
			for _, q := range []string{
				`INSERT INTO admins (id, name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
					VALUES (11, 'A', 'a', 'a@a.example', 'A', 'code-a', 0, 1, 0, 0), (12, 'B', 'b', 'b@b.example', 'B', 'code-b', 0, 1, 0, 0)`,
				`INSERT INTO brandings (admin_id, app_name, version, created_at, updated_at) VALUES (12, 'Bright', 1, 0, 0)`,
				`INSERT INTO custom_domains (admin_id, host, status, token, created_at) VALUES (11, 'a.example', 'pending', 't', 0), (12, 'b.example', 'verified', 't', 0)`,
			} {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			return nil
		})
		for i, c := range []struct {
			host, code string
			admin      int64
		}{{"", "", 0}, {"a.example", "", 0}, {"b.example", "", 12}, {"", "code-a", 11}, {"b.example", "code-a", 12}, {"a.example", "code-a", 11}} {
			in := applicant(i)
			in.ReferralCode = c.code
			r, err := w.s.Register(context.Background(), audit.Actor{Type: audit.Nobody}, registration.Visit{Host: c.host}, in)
			if err != nil {
				w.Fatal(err)
			}
			q := w.request(r.ID)
			if got := q.AdminID; c.admin == 0 && got != nil || c.admin != 0 && (got == nil || int64(*got) != c.admin) {
				w.Errorf("%+v: got admin %v", c, got)
			}
			if c.admin == 12 && w.mails(in.Email)[0].From != "Bright" {
				w.Errorf("got mail %+v", w.mails(in.Email))
			}
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(w *world) {
		for i := range 5 {
			in := applicant(i)
			in.UTMSource = []string{"google", "news"}[i%2]
			r := w.registered(in)
			if i == 4 {
				if _, err := w.reject(r.ID, "no"); err != nil {
					w.Fatal(err)
				}
			}
		}
		for _, c := range []struct {
			f    registration.Filter
			want int64
		}{
			{registration.Filter{}, 5},
			{registration.Filter{Status: registration.Pending}, 4},
			{registration.Filter{Status: registration.Rejected}, 1},
			{registration.Filter{UTMSource: "google"}, 3},
			{registration.Filter{UTMSource: "google", Status: registration.Rejected}, 1},
			{registration.Filter{Q: "COMPANY3.example"}, 1},
			{registration.Filter{Q: "%"}, 0},
		} {
			w.read(func(tx *db.Tx) error {
				l, err := registration.List(tx, c.f, page.Request{Limit: 50})
				if l.Pagination.Total != c.want || int64(len(l.Data)) != c.want {
					w.Errorf("%+v: got %d, want %d", c.f, l.Pagination.Total, c.want)
				}
				return err
			})
		}
		var seen []registration.Request
		r := page.Request{Limit: 2}
		for {
			var l page.List[registration.Request]
			w.read(func(tx *db.Tx) (err error) {
				l, err = registration.List(tx, registration.Filter{}, r)
				return err
			})
			seen = append(seen, l.Data...)
			if !l.Pagination.HasMore {
				break
			}
			var err error
			if r.After, err = page.ParseCursor(l.Pagination.NextCursor); err != nil {
				w.Fatal(err)
			}
		}
		if len(seen) != 5 || !slices.IsSortedFunc(seen, func(a, b registration.Request) int { return int(b.ID - a.ID) }) {
			w.Errorf("paged through %d requests", len(seen))
		}
	})
}

func TestNobodyLearnsOfAnAddress(t *testing.T) {
	each(t, func(w *world) {
		w.autoApprove()
		in := applicant(1)
		fresh := w.registered(in)
		in.DesiredOrgSlug = "another-one"
		known := w.registered(in)
		if fresh.Status != known.Status || known.DesiredOrgSlug != "another-one" {
			w.Errorf("got %+v and %+v", fresh, known)
		}
		if a, b := w.request(fresh.ID).Status, w.request(known.ID).Status; a != registration.Active || b != registration.Pending {
			w.Errorf("got %s and %s, want active and pending_approval", a, b)
		}
		w.read(func(tx *db.Tx) error {
			_, err := auth.UserByEmail(tx, in.Email)
			return err
		})
		if n := w.count("notifications WHERE user_id = $1 AND kind = 'registration.requested'", w.staff); n != 2 {
			w.Errorf("the superadmin heard %d times, want 2", n)
		}
	})
}
