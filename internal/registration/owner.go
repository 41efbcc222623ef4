package registration

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
)

// Owner is the owner of a provisioned organization, as it is answered.
type Owner struct {
	ID            id.User `json:"id"`
	Email         string  `json:"email"`
	Name          string  `json:"name"`
	EmailVerified bool    `json:"email_verified" doc:"True once a link mailed to the address was used."`
}

// owner gives the user who will own the organization: one who exists stays as
// he is, password included; else one is made of the request. The product by
// itself never ties an organization to an account that exists: whoever
// registers has not shown that the address is his.
func (s *Service) owner(tx *db.Tx, actor audit.Actor, r Request) (Owner, error) {
	u, err := auth.UserByEmail(tx, r.Email)
	if fault.Is(err, fault.NotFound) {
		u, err = auth.CreateUser(tx, auth.NewUser{Email: r.Email, Name: r.ContactName, Phone: r.Phone, PasswordHash: r.hash})
		if err == nil {
			return ownerFrom(u), flagKnown(tx, r)
		}
		if fault.Code(err) == "email_taken" { // by another request, a moment ago
			u, err = auth.UserByEmail(tx, r.Email)
		}
	}
	switch {
	case err != nil:
		return Owner{}, fmt.Errorf("find or make the owner: %w", err)
	case actor.Type == audit.System:
		return Owner{}, fault.New(fault.Conflict, "email_known", "There is an account with this e-mail address; a superadmin must decide.")
	case u.Status != auth.Active:
		return Owner{}, fault.New(fault.Conflict, "user_disabled", "The account with this e-mail address is disabled.")
	}
	return ownerFrom(u), nil
}

func ownerFrom(u auth.User) Owner {
	return Owner{ID: u.ID, Email: u.Email, Name: u.Name, EmailVerified: u.EmailVerified}
}

// organizationOf reads the organization of an active request.
func organizationOf(tx *db.Tx, r Request) (org.Organization, error) {
	return org.Detail(tx, id.Val(r.OrganizationID))
}

// ownerOf reads the owner of what was provisioned.
func ownerOf(tx *db.Tx, o org.Organization) (Owner, error) {
	u, err := auth.UserByID(tx, id.Val(o.OwnerUserID))
	return ownerFrom(u), err
}
