package registration

import (
	"context"
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/text"
)

// Lengths of what an applicant writes, in characters.
const (
	maxName  = org.MaxName
	maxUTM   = 255
	maxCode  = 64
	maxTries = 20 // of derived slugs, each a free one a moment before
)

// Input is the body of register.
type Input struct {
	Email          string `json:"email" doc:"Where the decision is sent; the owner signs in with it." example:"user@example.com" minLength:"3" maxLength:"254"`
	Password       string `json:"password" doc:"Of the future owner; stored as an argon2id hash only." example:"securepassword" minLength:"1" maxLength:"256"`
	CompanyName    string `json:"company_name" example:"Acme Corp" minLength:"1" maxLength:"200"`
	ContactName    string `json:"contact_name" example:"John Doe" minLength:"1" maxLength:"120"`
	Phone          string `json:"phone,omitempty" required:"false" example:"+1234567890" maxLength:"40"`
	DesiredOrgName string `json:"desired_org_name,omitempty" required:"false" doc:"The company's name where absent." example:"Acme Corp" maxLength:"200"`
	DesiredOrgSlug string `json:"desired_org_slug,omitempty" required:"false" doc:"Derived from the name where absent, and then suffixed until it is free." example:"acme-corp" maxLength:"100"`
	UTMSource      string `json:"utm_source,omitempty" required:"false" example:"google" maxLength:"255"`
	UTMMedium      string `json:"utm_medium,omitempty" required:"false" example:"cpc" maxLength:"255"`
	UTMCampaign    string `json:"utm_campaign,omitempty" required:"false" example:"summer" maxLength:"255"`
	ReferralCode   string `json:"referral_code,omitempty" required:"false" doc:"Of the admin who brings the customer." maxLength:"64"`
}

// Visit is how the applicant came.
type Visit struct {
	Host string // the host name of the request; counts when it is a verified custom domain
}

// Receipt is all that an applicant is told, whatever happens next.
type Receipt struct {
	ID             id.Request `json:"id"`
	Status         Status     `json:"status" enum:"pending_approval"`
	DesiredOrgSlug string     `json:"desired_org_slug"`
	StatusURL      string     `json:"status_url" doc:"A signed link that shows where the request stands."`
}

// Location is where the applicant finds the request again.
func (r Receipt) Location() string {
	_, token, _ := strings.Cut(r.StatusURL, statusPath)
	return "/api/tenants/register/status?token=" + token
}

// Draft is an input that was checked, with its password hashed.
type Draft struct {
	Email, CompanyName, ContactName, Phone, OrgName, Slug string
	UTMSource, UTMMedium, UTMCampaign, ReferralCode       string

	emailKey, companyKey, phoneKey, hash string
}

// Register takes a request: checked whole, its password hashed before anything
// is locked, then stored in one transaction with its flags, the notification
// of the superadmins and the applicant's mail. A slug that was asked for and is
// held is 409 slug_taken. With auto_approve_registrations it is approved and
// provisioned before the answer, unless the e-mail is known. The receipt is the
// same in every case.
func (s *Service) Register(ctx context.Context, actor audit.Actor, visit Visit, in Input) (Receipt, error) {
	draft, err := s.prepare(ctx, in)
	if err != nil {
		return Receipt{}, err
	}
	var r Request
	err = s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		r, err = s.submit(tx, actor, visit, draft)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	if r.Status == Approved {
		s.auto(ctx, audit.Product(actor.RequestID), r.ID)
	}
	return Receipt{ID: r.ID, Status: Pending, DesiredOrgSlug: r.DesiredOrgSlug, StatusURL: s.StatusURL(r.ID)}, nil
}

// Check says all that is wrong with an input, and does nothing.
func (s *Service) Check(ctx context.Context, in Input) error {
	return s.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := in.check(tx)
		return err
	})
}

// prepare checks everything that can be checked outside the transaction, and
// hashes the password.
func (s *Service) prepare(ctx context.Context, in Input) (Draft, error) {
	var d Draft
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		d, err = in.check(tx)
		if err != nil || d.Slug == "" {
			return err
		}
		free, err := org.SlugFree(tx, d.Slug)
		if err == nil && !free {
			err = org.SlugTaken(tx, d.Slug)
		}
		return err
	})
	if err != nil {
		return d, err
	}
	d.hash, err = s.Hasher.Hash(ctx, in.Password)
	return d, err
}

// check validates all fields at once.
func (in Input) check(tx *db.Tx) (Draft, error) {
	var v fault.Validation
	var d Draft
	d.Email, d.emailKey = text.Email("email", in.Email, &v)
	d.CompanyName = text.Name("company_name", in.CompanyName, maxName, &v)
	d.ContactName = text.Name("contact_name", in.ContactName, auth.MaxName, &v)
	d.Phone = text.Phone("phone", in.Phone, &v)
	d.OrgName = text.Line("desired_org_name", in.DesiredOrgName, maxName, &v)
	if d.OrgName == "" {
		d.OrgName = d.CompanyName
	}
	if d.Slug = in.DesiredOrgSlug; d.Slug != "" {
		org.CheckSlug("desired_org_slug", d.Slug, &v)
	}
	d.UTMSource = text.Line("utm_source", in.UTMSource, maxUTM, &v)
	d.UTMMedium = text.Line("utm_medium", in.UTMMedium, maxUTM, &v)
	d.UTMCampaign = text.Line("utm_campaign", in.UTMCampaign, maxUTM, &v)
	if d.ReferralCode = text.Line("referral_code", in.ReferralCode, maxCode, &v); d.ReferralCode != "" {
		admin, err := adminByReferral(tx, d.ReferralCode)
		if err != nil {
			return d, err
		}
		if admin == 0 {
			_ = v.Merge(fault.UnknownReference("referral_code"))
		}
	}
	d.companyKey, d.phoneKey = companyKey(d.CompanyName), phoneKey(d.Phone)
	if err := checkPassword(tx, in.Password, d.Email, &v); err != nil {
		return d, err
	}
	return d, v.Err()
}

// submit stores the request, and approves it where the settings say so.
func (s *Service) submit(tx *db.Tx, actor audit.Actor, visit Visit, d Draft) (Request, error) {
	admin, known, err := broughtBy(tx, visit.Host, d.ReferralCode)
	if err != nil {
		return Request{}, err
	}
	if !known {
		visit.Host = ""
	}
	found, err := flags(tx, d)
	if err != nil {
		return Request{}, fmt.Errorf("look up flags: %w", err)
	}
	request, err := insert(tx, d, visit, admin)
	if err != nil {
		return Request{}, fmt.Errorf("store a registration request: %w", err)
	}
	slug, err := reserve(tx, d, request)
	if err != nil {
		return Request{}, err
	}
	if found, err = lookAlike(tx, slug, found); err != nil {
		return Request{}, err
	}
	if err := name(tx, request, d, slug, found); err != nil {
		return Request{}, fmt.Errorf("name request %d: %w", request, err)
	}
	r, err := find(tx, request)
	if err != nil {
		return Request{}, err
	}
	return s.announce(tx, actor, r)
}

// announce tells of a new request, and approves it where the settings say so.
func (s *Service) announce(tx *db.Tx, actor audit.Actor, r Request) (Request, error) {
	if err := record(tx, actor, "registration.requested", nil, r); err != nil {
		return r, err
	}
	staff, err := notify.Superadmins(tx)
	if err != nil {
		return r, err
	}
	err = notify.Send(tx, notify.Message{
		Users: staff, Kind: "registration.requested", Title: "New registration request",
		Body: fmt.Sprintf("%s asks for the organization %s.", r.CompanyName, r.slug()), Target: notify.Target{Type: target, ID: int64(r.ID)},
	})
	if err != nil {
		return r, err
	}
	if err := s.tellReceived(tx, r); err != nil {
		return r, err
	}
	on, err := autoApproves(tx)
	if err != nil || !on || r.has(EmailKnown) {
		return r, err
	}
	product := audit.Product(actor.RequestID)
	if err := s.approve(tx, product, r, r); err != nil {
		return r, err
	}
	return find(tx, r.ID)
}

// reserve holds the slug that was asked for, or the first free one derived from
// the company: the request waits for nobody who holds another.
func reserve(tx *db.Tx, d Draft, request id.Request) (string, error) {
	slug := d.Slug
	if slug == "" {
		slug = org.DeriveSlug(d.CompanyName)
	}
	for range maxTries {
		ok, err := org.ReserveForRequest(tx, slug, request)
		switch {
		case err != nil:
			return "", fmt.Errorf("reserve a slug: %w", err)
		case ok:
			return slug, nil
		case d.Slug != "":
			return "", org.SlugTaken(tx, slug)
		}
		next, err := org.Suggestions(tx, org.DeriveSlug(d.CompanyName), 1)
		if err != nil {
			return "", err
		}
		if len(next) == 0 {
			break
		}
		slug = next[0]
	}
	return "", fault.New(fault.Unavailable, "overloaded", "Many ask for this name right now; try again shortly.")
}
