package api

import (
	"context"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

const orgsPath, orgPath, orgsTag = "/api/tenants/organizations", "/api/tenants/organizations/{org_id}", "Organizations"

func lockOrganization(tx *db.Tx, c *Call) (int64, error) { return org.Lock(tx, c.Organization) }

// organizationRoutes are the tenants: their records, state, limits, credits,
// plugins and domains.
func (s *Server) organizationRoutes() []route {
	return append(s.organizationRecords(), append(organizationActions(), append(s.organizationDomain(), organizationPlugins()...)...)...)
}

func (s *Server) organizationRecords() []route {
	detail := func(_ *db.Tx, c *Call, _ *struct{}) (org.Organization, error) { return *c.detail, nil }
	return []route{
		read(op{Method: "GET", Path: orgsPath, ID: "list-organizations", Tag: orgsTag, Summary: "List organizations", May: auth.OrganizationList,
			Description: "A superadmin sees all, the people of an admin its own."},
			func(tx *db.Tx, c *Call, in *struct {
				ListInput
				Status    string `query:"status" enum:"active,suspended,archived" doc:"The organization's own status."`
				Effective string `query:"effective_status" enum:"active,suspended,archived" doc:"With the holds on its admin."`
				Admin     int64  `query:"admin_id" minimum:"1" doc:"Those of this admin."`
				Q         string `query:"q" maxLength:"200" doc:"Part of name, slug or the owner's e-mail."`
				Sort      string `query:"sort" enum:"created_at,-created_at,name,-name,slug,-slug,member_count,-member_count" doc:"The order; with - downwards. Without it the newest first. A cursor belongs to its order."`
			}) (page.List[org.Organization], error) {
				r, err := in.keyed()
				if err != nil {
					return page.List[org.Organization]{}, err
				}
				f := org.Filter{Sort: org.Sort(in.Sort), Status: org.Status(in.Status), EffectiveStatus: org.Status(in.Effective), Admin: id.Admin(in.Admin), Q: in.Q}
				return org.List(tx, auth.Visible(auth.OrganizationList, c.Principal), f, r)
			}),
		read(op{Method: "GET", Path: orgPath + "/detail", ID: "get-organization-detail", Tag: orgsTag, Summary: "Read an organization", May: auth.OrganizationRead, Find: findDetail}, detail),
		read(op{Method: "GET", Path: orgPath, ID: "get-organization", Tag: orgsTag, Summary: "Read an organization", May: auth.OrganizationRead, Find: findDetail}, detail),
		change(op{Method: "PUT", Path: orgPath + "/edit", ID: "edit-organization", Tag: orgsTag, Refuses: []int{402, 409}, Summary: "Change an organization", May: auth.OrganizationEdit, Lock: lockOrganization,
			Description: "Merges: an absent field stays; null clears the custom domain and restores defaults of limits and plugins. An owner may change the name alone. admin_id, for superadmins, transfers the organization with its credits."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.Patch }) (org.Changed, error) {
				return org.Edit(tx, c.Actor, c.Organization, in.Body, s.Hosts...)
			}),
	}
}

// findDetail reads the whole organization in the path, in the caller's scope:
// whose it is and what is answered of it cost one statement together.
func findDetail(s *Server, ctx context.Context, c *Call) (auth.Target, error) {
	var o org.Organization
	err := s.DB.In(c.Principal.Scope()).Read(ctx, func(tx *db.Tx) (err error) {
		o, err = org.DetailAt(tx, auth.Place{Object: auth.Organization, Text: c.r.PathValue("org_id")})
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return auth.Target{}, nil
	}
	c.detail = &o
	return auth.Target{Exists: err == nil, Organization: o.ID, Admin: id.Val(o.AdminID)}, err
}

func organizationActions() []route {
	return []route{
		change(op{Method: "PUT", Path: orgPath + "/status", ID: "set-organization-status", Tag: orgsTag, Refuses: []int{409}, Summary: "Suspend, reactivate or archive an organization", May: auth.OrganizationManage, Lock: lockOrganization,
			Description: "Suspending places the caller's hold, with expires_at until then; activating lifts the caller's; while others remain, the answer is suspended with holds. Archived is final for all but a superadmin: nobody else changes an archived organization."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.StatusChange }) (org.Organization, error) {
				return org.SetStatus(tx, c.Actor, c.Organization, in.Body)
			}),
		change(op{Method: "PUT", Path: orgPath + "/limits", ID: "set-organization-limits", Tag: orgsTag, Refuses: []int{402, 409}, Summary: "Set limits of an organization", May: auth.OrganizationManage, Lock: lockOrganization,
			Description: "Any of the limits; null restores the default. Lowering below what is used deletes nothing, blocks growth, and is answered with warnings."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.LimitsPatch }) (org.Changed, error) {
				return org.SetLimits(tx, c.Actor, c.Organization, in.Body)
			}),
		change(op{Method: "PUT", Path: orgPath + "/credit-limit", ID: "set-credit-limit", Tag: orgsTag, Refuses: []int{402, 409}, Summary: "Set the credit limit of an organization", May: auth.OrganizationManage, Lock: lockOrganization,
			Description: "How far below zero the balance may go. One that an admin sets is covered by the admin's own balance, unless its group oversells."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.CreditLimitPatch }) (org.Changed, error) {
				return org.SetCreditLimit(tx, c.Actor, c.Organization, in.Body)
			}),
		change(op{Method: "POST", Path: orgPath + "/credits/add", ID: "add-credits", Tag: orgsTag, Refuses: []int{402}, Summary: "Add credits to an organization", May: auth.CreditsAdd, Lock: lockOrganization,
			Description: "An admin's credits come from its pool: 402 when it is short. A superadmin's come from the platform, or with source admin from the pool."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.CreditsIn }) (org.Funded, error) {
				return org.AddCredits(tx, c.Actor, c.Organization, in.Body, creditReference(c))
			}),
		change(op{Method: "POST", Path: orgPath + "/credits/deallocate", ID: "deallocate-credits", Tag: orgsTag, Refuses: []int{402, 409}, Summary: "Take credits of an organization back into its admin's pool", May: auth.CreditsReturn, Lock: lockOrganization,
			Description: "Of what came from the pool, what is neither spent nor held: 402 beyond that. It goes back to the lots it came from."},
			func(tx *db.Tx, c *Call, in *struct{ Body org.ReturnIn }) (org.Funded, error) {
				return org.Deallocate(tx, c.Actor, c.Organization, in.Body, creditReference(c))
			}),
		change(op{Method: "POST", Path: orgPath + "/credits/adjust", ID: "adjust-organization-credits", Tag: orgsTag, Refuses: []int{402}, Summary: "Set the credits of an organization right", May: auth.CreditsAdjust, Lock: lockOrganization,
			Description: "Gives credits from outside, or writes them off as far as they are free."},
			func(tx *db.Tx, c *Call, in *struct{ Body credit.Adjustment }) (org.Funded, error) {
				return org.AdjustCredits(tx, c.Actor, c.Organization, in.Body, creditReference(c))
			}),
	}
}

// organizationDomain looks the proof up before the transaction begins.
func (s *Server) organizationDomain() []route {
	return []route{
		prepared(op{Method: "POST", Path: orgPath + "/domain/verify", ID: "verify-organization-domain", Tag: orgsTag, Refuses: []int{409}, Summary: "Verify the custom domain of an organization", May: auth.OrganizationManage, Lock: lockOrganization,
			Description: "Looks for the TXT record that domain_verification names. A superadmin may override with a reason."},
			func(ctx context.Context, c *Call, in *struct{ Body *domain.Verification }) (func(*db.Tx) (org.Organization, error), error) {
				ask := domain.Verification{}
				if in.Body != nil {
					ask = *in.Body
				}
				records, err := s.proofs(ctx, c, ask.Override, func(tx *db.Tx) (string, error) {
					return domain.HostToVerify(tx, domain.Owner{Organization: c.Organization})
				})
				return func(tx *db.Tx) (org.Organization, error) {
					return org.VerifyDomain(tx, c.Actor, c.Organization, ask, records)
				}, err
			}),
	}
}

func organizationPlugins() []route {
	return []route{
		read(op{Method: "GET", Path: orgPath + "/plugins", ID: "list-organization-plugins", Tag: orgsTag, Summary: "List the plugins of an organization", May: auth.OrganizationPlugins,
			Description: "The whole catalogue, each plugin with whether the organization has it enabled; to a service, none is while the organization is suspended."},
			func(tx *db.Tx, c *Call, in *ListInput) (page.List[plugin.Entitlement], error) {
				r, err := in.page()
				if err != nil {
					return page.List[plugin.Entitlement]{}, err
				}
				return org.Plugins(tx, c.Principal, c.Organization, r)
			}),
		read(op{Method: "GET", Path: "/api/tenants/my-organization/plugins", ID: "list-my-plugins", Tag: "Current user", Summary: "List the plugins of my organization", May: auth.MyPlugins,
			Description: "What is enabled for the caller's active organization: nothing while it is suspended, everything for a superadmin."},
			func(tx *db.Tx, c *Call, in *ListInput) (page.List[plugin.Entitlement], error) {
				r, err := in.page()
				if err != nil {
					return page.List[plugin.Entitlement]{}, err
				}
				return org.MyPlugins(tx, c.Principal, r)
			}),
	}
}
