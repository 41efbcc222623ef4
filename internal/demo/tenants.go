package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/registration"
)

// How many of the companies end in which state; the rest are pending.
const (
	provisioned = 60
	rejected    = 7
	waiting     = 4 // approved, not yet provisioned
)

// tenant is a company on its way to an organization.
type tenant struct {
	company  string
	domain   string
	owner    *person
	reseller *reseller // nil is the platform
	asked    time.Time
	made     time.Time // when provisioned
	until    time.Time // when trouble begins, or the end
	request  id.Request
	id       id.Organization
}

// shares says whose customers the companies are: an index of admins, -1 is the
// platform.
var shares = []int{0, 1, -1, 0, 2, 1, 3, 0, 4, 1, 5, 0, 6, -1, 1, 2, 0, 7, 3, -1}

// tellTenants lets the companies ask, and decides.
func (s *seed) tellTenants() {
	for i, company := range companies {
		t := &tenant{company: company, domain: org.DeriveSlug(company)}
		t.owner = s.somebody(t.domain)
		if share := shares[i%len(shares)]; share >= 0 {
			t.reseller = s.admins[share]
		}
		switch {
		case i < provisioned:
			t.asked = s.asking((float64(i) + 1.6*s.rng.Float64() - 0.8) / provisioned)
			s.tellAsking(t, i)
			s.tellProvisioning(t, i)
			s.trouble(t, i)
			s.tenants = append(s.tenants, t)
		case i < provisioned+rejected:
			t.asked = s.ago(Days-10-(i-provisioned)*11, 7+s.rng.Float64()*13)
			s.tellAsking(t, i)
			s.tellRejection(t, i)
		case i < provisioned+rejected+waiting:
			t.asked = s.ago(3+i%4, float64(7+i%10))
			s.tellAsking(t, i)
			s.tellApproval(t, i, working(s.later(t.asked, 4, 30)), false)
		default:
			t.asked = s.later(s.end, -200, -2)
			s.tellAsking(t, i)
		}
	}
}

// tellAsking lets the company register: by its reseller's host or code, with
// the campaign that brought it.
func (s *seed) tellAsking(t *tenant, i int) {
	campaign := utm[s.rng.IntN(len(utm))]
	in := registration.Input{
		Email: t.owner.email, Password: Password, CompanyName: t.company, ContactName: t.owner.name,
		Phone:     fmt.Sprintf("+49 30 %07d", s.between(1_000_000, 9_999_999)),
		UTMSource: campaign[0], UTMMedium: campaign[1], UTMCampaign: campaign[2],
	}
	if i%3 != 0 {
		in.DesiredOrgName, in.DesiredOrgSlug = t.company, t.domain
	}
	if i == len(companies)-1 {
		in.Email = "office@mailinator.com" // a flag to look at
	}
	s.act(t.asked, "the request of "+t.company, func(ctx context.Context) error {
		visit := registration.Visit{}
		if t.reseller != nil {
			in.ReferralCode = t.reseller.referral
			if t.reseller.portal {
				visit.Host = "portal." + t.reseller.domain + ".example"
			}
		}
		r, err := s.requests.Register(ctx, audit.Actor{Type: audit.Nobody, IP: t.owner.ip, UserAgent: t.owner.agent}, visit, in)
		t.request = r.ID
		return err
	})
}

// tellApproval lets a superadmin approve, every third with overrides.
func (s *seed) tellApproval(t *tenant, i int, when time.Time, atOnce bool) {
	in := registration.Approval{Provision: atOnce}
	if i%3 == 0 {
		in.StorageLimitGB, in.MaxUsers = at(int64(s.between(2, 10)*10)), at(int64(s.between(3, 12)*5))
	}
	if i%7 == 0 {
		in.InitialCreditLimit = at(int64(s.between(1, 10) * 500))
	}
	if i%11 == 0 {
		in.OrgName = at(t.company + " Group")
	}
	if i%20 == 19 {
		in.AdminID = patch.Null[id.Admin]()
	}
	s.change(when, "the approval of "+t.company, func(tx *db.Tx) error {
		_, err := s.requests.Approve(tx, s.root(i), t.request, in)
		return err
	})
}

// tellProvisioning approves and provisions, half of the time in two steps.
func (s *seed) tellProvisioning(t *tenant, i int) {
	approved := working(s.later(t.asked, 2, 30))
	t.made = approved
	if i%2 == 0 {
		t.made = s.later(approved, 0.2, 5)
	}
	s.tellApproval(t, i, approved, i%2 == 1)
	s.change(t.made.Add(time.Second), "the provisioning of "+t.company, func(tx *db.Tx) error {
		p, err := s.requests.Provision(tx, s.root(i), t.request)
		t.id, t.owner.id = p.Organization.ID, p.Owner.ID
		return err
	})
}

func (s *seed) tellRejection(t *tenant, i int) {
	reason := refusals[i%len(refusals)]
	s.change(working(s.later(t.asked, 5, 60)), "the rejection of "+t.company, func(tx *db.Tx) error {
		_, err := s.requests.Reject(tx, s.root(i), t.request, registration.Rejection{Reason: reason})
		return err
	})
}

// hand is who looks after the tenant: its reseller, or a superadmin. Ids are
// known only while playing.
func (s *seed) hand(t *tenant) audit.Actor {
	if t.reseller == nil {
		return s.root(len(t.company))
	}
	return t.reseller.owner.as(audit.Reseller)
}
