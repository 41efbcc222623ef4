package admin

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/partner"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/text"
)

// Lengths of the fields, in characters.
const (
	MaxName   = 100
	MaxReason = 500
)

// New is what an admin is made from.
type New struct {
	Name           string    `json:"name" maxLength:"400" example:"Agency XYZ" doc:"At most 100 characters"`
	ContactEmail   string    `json:"contact_email" maxLength:"254" example:"admin@agency.com"`
	CompanyName    *string   `json:"company_name,omitempty" required:"false" example:"Agency XYZ Ltd" doc:"At most 100 characters; the name when absent"`
	Phone          *string   `json:"phone,omitempty" required:"false" example:"+1234567890"`
	PartnerGroupID *id.Group `json:"partner_group_id,omitempty" required:"false" example:"1" doc:"Absent or null: no discount and no policy"`
	CustomDomain   *string   `json:"custom_domain,omitempty" required:"false" example:"portal.agency.com" doc:"Host name under which its brand is shown, once verified"`
}

// Patch is a merging PUT: an absent field stays; null clears phone, partner
// group and custom domain.
type Patch struct {
	Name           patch.Field[string]   `json:"name,omitzero" required:"false" example:"Agency XYZ"`
	ContactEmail   patch.Field[string]   `json:"contact_email,omitzero" required:"false" example:"admin@agency.com"`
	CompanyName    patch.Field[string]   `json:"company_name,omitzero" required:"false" example:"Agency XYZ Ltd"`
	Phone          patch.Field[string]   `json:"phone,omitzero" required:"false" example:"+1234567890" doc:"null clears"`
	PartnerGroupID patch.Field[id.Group] `json:"partner_group_id,omitzero" required:"false" example:"1" doc:"null leaves the group"`
	CustomDomain   patch.Field[string]   `json:"custom_domain,omitzero" required:"false" example:"portal.agency.com" doc:"A change is pending until verified; null clears"`
}

func (in New) admin(own []string) (a Admin, host *string, err error) {
	a = Admin{Name: in.Name, ContactEmail: in.ContactEmail, Phone: in.Phone, PartnerGroupID: in.PartnerGroupID}
	var v fault.Validation
	if in.CompanyName != nil {
		a.CompanyName = text.Name("company_name", *in.CompanyName, MaxName, &v)
	}
	if in.CustomDomain != nil {
		host = hostOf(patch.Of(*in.CustomDomain), own, &v)
	}
	err = a.check(&v)
	if in.CompanyName == nil {
		a.CompanyName = a.Name
	}
	return a, host, err
}

func (p Patch) apply(a Admin, own []string) (_ Admin, host *string, err error) {
	var v fault.Validation
	notNull(&v, "name", &p.Name)
	notNull(&v, "contact_email", &p.ContactEmail)
	notNull(&v, "company_name", &p.CompanyName)
	a.Name = p.Name.Or(a.Name)
	a.ContactEmail = p.ContactEmail.Or(a.ContactEmail)
	if p.CompanyName.Set {
		a.CompanyName = text.Name("company_name", p.CompanyName.Value, MaxName, &v)
	}
	a.Phone = p.Phone.Pointer(a.Phone)
	a.PartnerGroupID = p.PartnerGroupID.Pointer(a.PartnerGroupID)
	host = hostOf(p.CustomDomain, own, &v)
	return a, host, a.check(&v)
}

// notNull notes a null and takes it out, so that the rest can be judged.
func notNull[T any](v *fault.Validation, field string, p *patch.Field[T]) {
	if p.Null {
		v.Add(field, "required", "This cannot be null; leave the field out to keep its value.")
		*p = patch.Field[T]{}
	}
}

// check cleans the texts of a, but for the company, which may be the name's
// copy, and reports all that is wrong with its values.
func (a *Admin) check(v *fault.Validation) error {
	a.Name = text.Name("name", a.Name, MaxName, v)
	a.ContactEmail, _ = text.Email("contact_email", a.ContactEmail, v)
	if a.Phone != nil {
		phone := text.Phone("phone", *a.Phone, v)
		a.Phone = &phone
		if phone == "" {
			a.Phone = nil
		}
	}
	return v.Err()
}

// joinGroup makes sure of a group that is named and keeps it from being deleted
// until the transaction ends.
func joinGroup(tx *db.Tx, group *id.Group) error {
	if group == nil {
		return nil
	}
	_, err := partner.Lock(tx, *group)
	if fault.Is(err, fault.NotFound) {
		return fault.UnknownReference("partner_group_id")
	}
	return err
}

// reasonOf cleans a reason, which must be given.
func reasonOf(s string, v *fault.Validation) string {
	return text.Name("reason", s, MaxReason, v)
}

// unknownUser turns the absence of a user into the refusal of the field.
func unknownUser(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.UnknownReference("user_id")
	}
	return err
}
