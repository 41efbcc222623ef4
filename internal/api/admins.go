package api

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

const adminsPath, adminsTag = "/api/tenants/admins", "Admins"

func lockAdmin(tx *db.Tx, c *Call) (int64, error) { return admin.Lock(tx, c.Admin) }

// adminRoutes are the resellers: their records, credits, holds and people.
func (s *Server) adminRoutes() []route {
	return slices.Concat(s.adminRecords(), adminActions(), adminPeople(), s.adminDomain())
}

func (s *Server) adminRecords() []route {
	return []route{
		read(op{Method: "GET", Path: adminsPath, ID: "list-admins", Tag: adminsTag, Summary: "List admins", May: auth.AdminList},
			func(tx *db.Tx, _ *Call, in *struct {
				ListInput
				Q      string `query:"q" maxLength:"200" doc:"Part of name, company or e-mail."`
				Status string `query:"status" enum:"active,suspended" doc:"Whether a hold lies on the admin."`
				Group  int64  `query:"partner_group_id" minimum:"1" doc:"Those in this partner group."`
			}) (page.List[admin.Admin], error) {
				r, err := in.page()
				if err != nil {
					return page.List[admin.Admin]{}, err
				}
				return admin.List(tx, admin.Filter{Q: in.Q, Status: admin.Status(in.Status), Group: id.Group(in.Group)}, r)
			}),
		change(op{Method: "POST", Path: adminsPath, ID: "create-admin", Tag: adminsTag, Summary: "Create an admin", May: auth.AdminCreate, Status: 201},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.New }) (admin.Admin, error) {
				a, err := admin.Create(tx, c.Actor, in.Body, s.Hosts...)
				c.Created(adminsPath+"/%d", a.ID)
				return a, err
			}),
		read(op{Method: "GET", Path: adminsPath + "/{id}", ID: "get-admin", Tag: adminsTag, Summary: "Read an admin", May: auth.AdminRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (admin.Admin, error) { return admin.Detail(tx, c.Admin) }),
		change(op{Method: "PUT", Path: adminsPath + "/{id}", ID: "update-admin", Tag: adminsTag, Summary: "Change an admin", May: auth.AdminManage, Lock: lockAdmin,
			Description: "Merges: an absent field stays; null clears phone, partner group and custom domain."},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.Patch }) (admin.Admin, error) {
				return admin.Update(tx, c.Actor, c.Admin, in.Body, s.Hosts...)
			}),
	}
}

func adminActions() []route {
	return []route{
		change(op{Method: "POST", Path: adminsPath + "/{id}/grant-credits", ID: "grant-credits", Tag: adminsTag, Summary: "Grant credits to an admin", May: auth.AdminManage, Lock: lockAdmin,
			Description: "Credits arrive at face amount; the transaction keeps the price after the discount of the admin's group."},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.Grant }) (admin.Granted, error) {
				return admin.GrantCredits(tx, c.Actor, c.Admin, in.Body, creditReference(c))
			}),
		change(op{Method: "POST", Path: adminsPath + "/{id}/credits/adjust", ID: "adjust-admin-credits", Tag: adminsTag, Refuses: []int{402}, Summary: "Set the credits of an admin right", May: auth.AdminCreditsAdjust, Lock: lockAdmin,
			Description: "Gives credits from outside, or writes them off as far as they are free."},
			func(tx *db.Tx, c *Call, in *struct{ Body credit.Adjustment }) (admin.Granted, error) {
				return admin.AdjustCredits(tx, c.Actor, c.Admin, in.Body, creditReference(c))
			}),
		change(op{Method: "POST", Path: adminsPath + "/{id}/suspend", ID: "suspend-admin", Tag: adminsTag, Summary: "Suspend an admin", May: auth.AdminManage, Lock: lockAdmin,
			Description: "Puts the platform's hold on the admin; it reaches all its organizations. Where it is in force already, nothing changes."},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.Suspension }) (admin.Admin, error) {
				return admin.Suspend(tx, c.Actor, c.Admin, in.Body)
			}),
		change(op{Method: "POST", Path: adminsPath + "/{id}/reactivate", ID: "reactivate-admin", Tag: adminsTag, Summary: "Reactivate an admin", May: auth.AdminManage, Lock: lockAdmin},
			func(tx *db.Tx, c *Call, _ *struct{}) (admin.Admin, error) {
				return admin.Reactivate(tx, c.Actor, c.Admin)
			}),
	}
}

func adminPeople() []route {
	const path = adminsPath + "/{id}/users"
	lock := func(tx *db.Tx, c *Call) (int64, error) {
		u, err := admin.UserOf(tx, c.Admin, id.User(c.ID("user_id")))
		return u.Revision(), err
	}
	return []route{
		change(op{Method: "POST", Path: adminsPath + "/{id}/assign-owner", ID: "assign-admin-owner", Tag: adminsTag, Refuses: []int{409}, Summary: "Assign the owner of an admin", May: auth.AdminManage, Lock: lockAdmin,
			Description: "The user is active and owns no other admin; the former owner becomes staff."},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.UserRef }) (admin.Admin, error) {
				return admin.AssignOwner(tx, c.Actor, c.Admin, in.Body)
			}),
		read(op{Method: "GET", Path: path, ID: "list-admin-users", Tag: adminsTag, Summary: "List the people of an admin", May: auth.AdminRead},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Q string `query:"q" maxLength:"200" doc:"Part of name or e-mail."`
			}) (page.List[admin.User], error) {
				r, err := in.page()
				if err != nil {
					return page.List[admin.User]{}, err
				}
				return admin.Users(tx, c.Admin, in.Q, r)
			}),
		change(op{Method: "POST", Path: path, ID: "add-admin-user", Tag: adminsTag, Refuses: []int{409}, Summary: "Add a user to the staff of an admin", May: auth.AdminManage, Status: 201},
			func(tx *db.Tx, c *Call, in *struct{ Body admin.UserRef }) (admin.User, error) {
				u, err := admin.AddStaff(tx, c.Actor, c.Admin, in.Body)
				c.Created(adminsPath+"/%d/users/%d", c.Admin, u.UserID)
				return u, err
			}),
		read(op{Method: "GET", Path: path + "/{user_id}", ID: "get-admin-user", Tag: adminsTag, Summary: "Read one of the people of an admin", May: auth.AdminRead},
			func(tx *db.Tx, c *Call, _ *struct{}) (admin.User, error) {
				return admin.UserOf(tx, c.Admin, id.User(c.ID("user_id")))
			}),
		change(op{Method: "DELETE", Path: path + "/{user_id}", ID: "remove-admin-user", Tag: adminsTag, Refuses: []int{409}, Summary: "Remove a user from the staff of an admin", May: auth.AdminManage, Lock: lock},
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, admin.RemoveStaff(tx, c.Actor, c.Admin, id.User(c.ID("user_id")))
			}),
	}
}

// adminDomain looks the proof up before the transaction begins.
func (s *Server) adminDomain() []route {
	return []route{
		prepared(op{Method: "POST", Path: adminsPath + "/{id}/domain/verify", ID: "verify-admin-domain", Tag: adminsTag, Refuses: []int{409}, Summary: "Verify the custom domain of an admin", May: auth.AdminVerify, Lock: lockAdmin,
			Description: "Looks for the TXT record that domain_verification names. A superadmin may override with a reason."},
			func(ctx context.Context, c *Call, in *struct{ Body *domain.Verification }) (func(*db.Tx) (admin.Admin, error), error) {
				ask := domain.Verification{}
				if in.Body != nil {
					ask = *in.Body
				}
				records, err := s.proofs(ctx, c, ask.Override, func(tx *db.Tx) (string, error) { return domain.HostToVerify(tx, domain.Owner{Admin: c.Admin}) })
				return func(tx *db.Tx) (admin.Admin, error) { return admin.VerifyDomain(tx, c.Actor, c.Admin, ask, records) }, err
			}),
	}
}

// proofs looks up the TXT records of the host that is to be verified, unless
// none is, or they are overridden.
func (s *Server) proofs(ctx context.Context, c *Call, override bool, host func(*db.Tx) (string, error)) (records []string, err error) {
	if override {
		return nil, nil
	}
	var name string
	err = s.DB.In(c.Principal.Scope()).Read(ctx, func(tx *db.Tx) (err error) {
		name, err = host(tx)
		return err
	})
	if err != nil || name == "" {
		return nil, err
	}
	return s.Resolver.Lookup(ctx, name)
}

// creditReference makes a transaction unique under the request's
// Idempotency-Key, for ever. A dry run uses no key up.
func creditReference(c *Call) credit.Reference {
	if c.IdempotencyKey() == "" || c.dryRun {
		return credit.Reference{}
	}
	return credit.Reference{Principal: c.Owner(), Key: c.IdempotencyKey()}
}
