package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/patch"
)

// plugins are sets that every partner group allows, dependencies included.
var plugins = [][]string{
	{"calendar", "contacts", "crm", "email", "files"},
	{"calendar", "contacts", "files", "linkedin"},
	{"booking", "calendar", "contacts", "files"},
	{"analytics", "calendar", "contacts", "email", "files", "forms"},
	{"calendar", "contacts", "crm", "files", "instagram", "linkedin"},
}

// tellWork is what happens to organizations once they are made, until trouble
// begins.
func (s *seed) tellWork() {
	for i, t := range s.tenants {
		s.tellCredits(t)
		s.tellMembers(t, i)
		if i%3 == 0 {
			s.tellPlugins(t, i)
		}
		if i%4 == 1 {
			s.tellLimits(t)
		}
		if i%9 == 3 {
			s.tellDomain(t, i%2 == 1)
		}
		if i%7 == 2 {
			s.tellName(t)
		}
	}
}

// during is a moment of the tenant's untroubled life, share of the way, at work
// where there is time for it.
func (t *tenant) during(share float64) time.Time {
	when := t.made.Add(time.Duration(share * float64(t.until.Sub(t.made)))).Truncate(time.Second)
	if at := working(when); at.Before(t.until) {
		return at
	}
	return when
}

// tellCredits gives credits every thirty days, from the reseller's pool or the
// platform.
func (s *seed) tellCredits(t *tenant) {
	low, high := 10, 40
	if t.reseller != nil && t.reseller.group == 2 || t.reseller != nil && t.reseller.group < 0 {
		low, high = 3, 12
	}
	for month := 0; ; month++ {
		when := working(s.later(t.made.AddDate(0, 0, 30*month), 0.5, 6))
		if !when.Before(t.until) {
			return
		}
		in := org.CreditsIn{Amount: int64(s.between(low, high) * 100), Reason: []string{"Start", "Monthly allowance"}[min(month, 1)]}
		s.change(when, "credits of "+t.company, func(tx *db.Tx) error {
			_, err := org.AddCredits(tx, s.hand(t), t.id, in, credit.Reference{})
			return err
		})
	}
}

func (s *seed) tellPlugins(t *tenant, i int) {
	set := slices.Clone(plugins[i%len(plugins)])
	s.change(t.during(0.1+0.5*s.rng.Float64()), "plugins of "+t.company, func(tx *db.Tx) error {
		_, err := org.Edit(tx, s.hand(t), t.id, org.Patch{EnabledPlugins: patch.Of(set)})
		return err
	})
}

// tellLimits raises what a superadmin gives.
func (s *seed) tellLimits(t *tenant) {
	p := org.LimitsPatch{
		StorageLimitGB: patch.Of(int64(s.between(3, 20) * 10)), MaxUsers: patch.Of(int64(s.between(4, 12) * 5)),
		CreditLimit: patch.Of(int64(s.between(0, 8) * 250)),
	}
	s.change(t.during(0.2+0.7*s.rng.Float64()), "limits of "+t.company, func(tx *db.Tx) error {
		_, err := org.SetLimits(tx, s.root(len(t.company)), t.id, p)
		return err
	})
}

// tellDomain sets a custom domain, and proves some.
func (s *seed) tellDomain(t *tenant, proved bool) {
	when := t.during(0.1 + 0.4*s.rng.Float64())
	s.change(when, "the domain of "+t.company, func(tx *db.Tx) error {
		_, err := org.Edit(tx, s.hand(t), t.id, org.Patch{CustomDomain: patch.Of("app." + t.domain + ".example")})
		return err
	})
	if proved {
		s.change(when.Add(50*time.Minute), "the proof of the domain of "+t.company, func(tx *db.Tx) error {
			_, err := org.VerifyDomain(tx, s.root(0), t.id, domain.Verification{Override: true, Reason: "Record was shown in a call"}, nil)
			return err
		})
	}
}

func (s *seed) tellName(t *tenant) {
	s.change(t.during(0.3+0.6*s.rng.Float64()), "the name of "+t.company, func(tx *db.Tx) error {
		_, err := org.Edit(tx, t.owner.as(audit.Tenant), t.id, org.Patch{Name: patch.Of(fmt.Sprintf("%s International", t.company))})
		return err
	})
}
