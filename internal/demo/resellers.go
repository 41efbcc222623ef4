package demo

import (
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/brand"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/settings"
)

// group is a partner group, once made.
type group struct {
	id id.Group
	partner.New
}

// reseller is an admin, once made.
type reseller struct {
	brandData
	id       id.Admin
	referral string
	owner    *person
	staff    *person
}

func at[T any](v T) *T { return &v }

// tellPlatform begins the story: staff, settings, partner groups.
func (s *seed) tellPlatform() {
	s.staff = []*person{s.person("Ada Berg", "tenantry"), s.person("Tom Keller", "tenantry")}
	start := s.ago(Days+2, 8)
	for i, p := range s.staff {
		s.change(s.later(start, float64(i), float64(i)+0.5), "a superadmin", func(tx *db.Tx) error { return s.appoint(tx, p) })
	}
	s.change(s.ago(Days+2, 11), "the settings", func(tx *db.Tx) error {
		_, err := settings.Update(tx, s.root(0), settings.Patch{DefaultStorageLimitGB: patch.Of(int64(20)), DefaultMaxUsers: patch.Of(int64(15))})
		return err
	})
	s.groups = []*group{
		{New: partner.New{Name: "Gold Partners", Description: at("Premium partner tier"), CreditDiscountPercent: 2000, MaxOrganizations: at(int64(50)), Oversell: at(true)}},
		{New: partner.New{Name: "Silver Partners", Description: at("Established partners"), CreditDiscountPercent: 1250, MaxOrganizations: at(int64(25)), MaxStorageGB: at(int64(2000)), MaxUsers: at(int64(500))}},
		{New: partner.New{
			Name: "Starters", Description: at("Agencies in their first year"), CreditDiscountPercent: 500, MaxOrganizations: at(int64(10)), MaxStorageGB: at(int64(400)), MaxUsers: at(int64(150)),
			MaxBandwidthGB: at(int64(2000)), MayHidePoweredBy: at(false),
			AllowedPlugins: []string{"analytics", "booking", "calendar", "contacts", "crm", "email", "files", "forms", "instagram", "linkedin"},
		}},
	}
	for i, g := range s.groups {
		s.change(s.ago(Days+2, 12+float64(i)/4), "the group "+g.Name, func(tx *db.Tx) error {
			made, err := partner.Create(tx, s.root(0), g.New)
			g.id = made.ID
			return err
		})
	}
}

// appoint makes a superadmin.
func (s *seed) appoint(tx *db.Tx, p *person) error {
	u, err := auth.CreateUser(tx, auth.NewUser{Email: p.email, Name: p.name, PasswordHash: s.hash, EmailVerified: true, Superadmin: true})
	if err != nil {
		return err
	}
	p.id = u.ID
	_, err = audit.Record(tx, audit.Event{
		Actor: audit.Product(""), Action: "superadmin.created", Target: audit.Target{Type: "user", ID: int64(u.ID), Name: u.Name},
	})
	return err
}

// root is a superadmin as an actor.
func (s *seed) root(i int) audit.Actor { return s.staff[i%len(s.staff)].as(audit.Platform) }

// tellResellers brings the admins in, with their people, brands and credits.
func (s *seed) tellResellers() {
	for i, b := range brands {
		r := &reseller{brandData: b, owner: s.person(b.owner, b.domain), staff: s.somebody(b.domain)}
		s.admins = append(s.admins, r)
		came := s.ago(Days+1-i/2, 9+float64(i%2)*3)
		s.change(came, "the admin "+b.name, func(tx *db.Tx) error { return s.welcome(tx, r) })
		s.tellPeople(r, came, i%2 == 0)
		s.tellBrand(r, s.later(came, 3, 20))
		s.tellGrants(r, came, i)
		if b.suspended != "" {
			s.change(s.ago(suspendedAgo, 10.5), "the suspension of "+b.name, func(tx *db.Tx) error {
				_, err := admin.Suspend(tx, s.root(1), r.id, admin.Suspension{Reason: b.suspended})
				return err
			})
		}
	}
	s.tellReturn(s.admins[len(s.admins)-1])
}

// tellPeople gives the admin its owner, and staff where it has any.
func (s *seed) tellPeople(r *reseller, came time.Time, staffed bool) {
	s.change(s.later(came, 0.1, 0.4), "the owner of "+r.name, func(tx *db.Tx) error {
		if err := s.meet(tx, r.owner); err != nil {
			return err
		}
		_, err := admin.AssignOwner(tx, s.root(0), r.id, admin.UserRef{UserID: r.owner.id})
		return err
	})
	if !staffed {
		return
	}
	s.change(s.later(came, 30, 90), "staff of "+r.name, func(tx *db.Tx) error {
		if err := s.meet(tx, r.staff); err != nil {
			return err
		}
		_, err := admin.AddStaff(tx, s.root(1), r.id, admin.UserRef{UserID: r.staff.id})
		return err
	})
}

// tellGrants fills the admin's pool every fifteen days, each admin's on days of
// its own.
func (s *seed) tellGrants(r *reseller, came time.Time, i int) {
	for n, amount := range r.grants {
		when := s.later(came, 2, 8)
		if n > 0 {
			when = working(when.AddDate(0, 0, 15*n-i%5*2))
		}
		reason := fmt.Sprintf("Allocation of %s", when.Format("January"))
		s.change(when, "a grant to "+r.name, func(tx *db.Tx) error {
			_, err := admin.GrantCredits(tx, s.root(n), r.id, admin.Grant{Amount: amount, Reason: reason}, credit.Reference{})
			return err
		})
	}
}

// tellReturn suspends the admin for a while.
func (s *seed) tellReturn(r *reseller) {
	s.change(s.ago(41, 15), "a short suspension", func(tx *db.Tx) error {
		_, err := admin.Suspend(tx, s.root(0), r.id, admin.Suspension{Reason: "Identity check of the owner is open"})
		return err
	})
	s.change(s.ago(39, 9.3), "its end", func(tx *db.Tx) error {
		_, err := admin.Reactivate(tx, s.root(0), r.id)
		return err
	})
}

// welcome makes the admin.
func (s *seed) welcome(tx *db.Tx, r *reseller) error {
	in := admin.New{Name: r.name, ContactEmail: "office@" + r.domain + ".example", CompanyName: &r.company, Phone: at(fmt.Sprintf("+49 30 555%04d", len(r.name)*137%10000))}
	if r.portal {
		in.CustomDomain = at("portal." + r.domain + ".example")
	}
	if r.group >= 0 {
		in.PartnerGroupID = &s.groups[r.group].id
	}
	made, err := admin.Create(tx, s.root(0), in)
	r.id, r.referral = made.ID, made.ReferralCode
	if err != nil || !r.portal {
		return err
	}
	_, err = admin.VerifyDomain(tx, s.root(0), r.id, domain.Verification{Override: true, Reason: "Record was shown in a call"}, nil)
	return err
}

// tellBrand dresses the reseller's white label.
func (s *seed) tellBrand(r *reseller, when time.Time) {
	in := branding.Edit{Branding: brand.Patch{
		AppName: patch.Of(r.app), PrimaryColor: patch.Of(r.primary), SecondaryColor: patch.Of(r.second),
		SupportEmail: patch.Of("help@" + r.domain + ".example"), FooterText: patch.Of("© 2026 " + r.company),
	}}
	if r.hidePoweredBy {
		in.Branding.HidePoweredBy = patch.Of(true)
	}
	s.change(when, "the brand of "+r.name, func(tx *db.Tx) error {
		_, err := branding.Update(tx, r.owner.as(audit.Reseller), r.id, in)
		return err
	})
}
