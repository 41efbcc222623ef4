package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

// question asks how a request of a user would be decided.
type question struct {
	User   int64  `query:"user_id" required:"true" minimum:"1" doc:"Who would ask."`
	Method string `query:"method" required:"true" enum:"GET,POST,PUT,PATCH,DELETE" doc:"The method of the request."`
	Path   string `query:"path" required:"true" minLength:"1" maxLength:"2000" doc:"The path of the request, with its ids; what follows a question mark does not count." example:"/api/tenants/organizations/7/edit"`
}

// explanation is a decision with what it rests on.
type explanation struct {
	UserID     id.User         `json:"user_id"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Operation  *string         `json:"operation" doc:"The route that the request meets; null for none."`
	Route      *string         `json:"route" doc:"Its path."`
	Permission *auth.Rule      `json:"permission" doc:"The row of the authorization table that decides."`
	Object     *judged         `json:"object" doc:"The thing in the path that has to lie in the user's tenancy; null where there is none."`
	Roles      []auth.RoleHeld `json:"roles" doc:"Every role that the user holds now."`
	Holds      []heldBy        `json:"holds" doc:"The holds in force on the object and its admin, or without an object on all that the user belongs to."`
	Allowed    bool            `json:"allowed"`
	Status     int             `json:"status" doc:"Of the answer: that of success where it is allowed."`
	Code       *string         `json:"code" doc:"Of the refusal; null where it is allowed."`
	Role       *string         `json:"role" doc:"The role that lets the user in; null where none does, or none is needed."`
	Tier       *string         `json:"tier" enum:"platform,reseller,tenant" doc:"In which capacity the user would act; null where refused."`
	Stopped    *string         `json:"stopped" enum:"organization_suspended,admin_suspended" doc:"What stops a role that otherwise would do; null for nothing."`
	Why        string          `json:"why"`
}

// judged is the object of a decision.
type judged struct {
	Type           string           `json:"type" enum:"organization,admin"`
	Exists         bool             `json:"exists"`
	InScope        bool             `json:"in_scope" doc:"Whether the user's roles reach it."`
	OrganizationID *id.Organization `json:"organization_id"`
	AdminID        *id.Admin        `json:"admin_id"`
}

// heldBy is a hold with what it lies on: one of the two.
type heldBy struct {
	OrganizationID *id.Organization `json:"organization_id"`
	AdminID        *id.Admin        `json:"admin_id"`
	hold.Hold
}

// explain decides as the door would, and says what the decision rests on.
func (s *Server) explain(tx *db.Tx, q *question) (explanation, error) {
	e := explanation{UserID: id.User(q.User), Method: q.Method, Path: q.Path, Holds: []heldBy{}}
	p, u, err := auth.PrincipalOf(tx, e.UserID)
	if fault.Is(err, fault.NotFound) {
		return e, fault.UnknownReference("user_id")
	}
	if err != nil {
		return e, err
	}
	e.Roles = p.Held()
	o, r, none := s.met(q.Method, q.Path)
	if o == nil {
		e.refused(none, "No route of the API takes this request.")
		return e, nil
	}
	rule := o.May.Rule()
	e.Operation, e.Route, e.Permission = &o.ID, &o.Path, &rule
	target, err := auth.TargetAt(tx, o.place(r))
	if err != nil {
		return e, err
	}
	v := auth.Judge(o.May, p, target)
	if o.May.Object != auth.Nothing {
		e.Object = &judged{Type: string(o.May.Object), Exists: target.Exists, InScope: auth.InScope(o.May.Object, p, target),
			OrganizationID: id.Ref(target.Organization), AdminID: id.Ref(target.Admin)}
	}
	if e.Holds, err = holdsMet(tx, o, p, target); err != nil {
		return e, err
	}
	if u.Status != auth.Active && !o.May.Public {
		e.refused(fault.New(fault.Unauthenticated, "invalid_token", "The user is disabled."), "The user is disabled: no token of theirs is taken.")
		return e, nil
	}
	e.decided(o, v)
	return e, nil
}

// met gives the route that a request meets, with the request; else the refusal
// of what meets none.
func (s *Server) met(method, path string) (*op, *http.Request, error) {
	path, _, _ = strings.Cut(path, "?")
	r := &http.Request{Method: method, URL: &url.URL{Path: path}}
	if !cleanPath(r) {
		return nil, r, fault.Missing()
	}
	_, pattern := s.mux.Handler(r)
	i := slices.IndexFunc(s.ops, func(o op) bool { return o.Method+" "+o.Path == pattern })
	if i < 0 {
		return nil, r, s.unmatched(r)
	}
	values := strings.Split(path, "/")
	for n, part := range strings.Split(s.ops[i].Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			r.SetPathValue(strings.TrimSuffix(name, "}"), values[n])
		}
	}
	return &s.ops[i], r, nil
}

// decided puts the verdict into words.
func (e *explanation) decided(o *op, v auth.Verdict) {
	text := func(s string) *string { return &s }
	if v.Hold != auth.Free {
		e.Stopped = text(string(v.Hold))
	}
	if v.Err != nil {
		e.refused(v.Err, reasons(o, e.Object, v))
		return
	}
	e.Allowed, e.Status, e.Tier = true, o.success, text(tiers[v.Tier])
	switch {
	case o.May.Public:
		e.Why = "The route is public."
	case o.May.Self:
		e.Why = "The route is open to every signed-in user, as it touches only the user's own."
	default:
		e.Role = text(v.Role.String())
		e.Why = fmt.Sprintf("The user has the role %s, which may.", v.Role)
	}
	e.Why += " What the request says, and the state of what it touches, can still be refused."
}

func (e *explanation) refused(err error, why string) {
	p := problemOf(err, "")
	e.Status, e.Code, e.Why = p.Status, &p.Code, why
}

// reasons says why a verdict refuses.
func reasons(o *op, object *judged, v auth.Verdict) (why string) {
	who := strings.Join(roleNames(o.May), ", ")
	switch {
	case v.Hold == auth.OrganizationSuspended:
		why = "The user has a role that may, but the organization is suspended or archived."
	case v.Hold == auth.AdminSuspended:
		why = "The user has a role that may, but the admin is suspended."
	case object != nil && fault.Is(v.Err, fault.NotFound) && !object.Exists:
		why = fmt.Sprintf("There is no such %s.", object.Type)
	case fault.Is(v.Err, fault.NotFound):
		why = "It lies outside the user's tenancy, and is answered as if it did not exist."
	case object != nil && object.InScope:
		why = fmt.Sprintf("The user's role on this object may not; who may: %s.", who)
	default:
		why = fmt.Sprintf("No role of the user may; who may: %s.", who)
	}
	return why
}

var tiers = map[audit.Tier]string{audit.Platform: "platform", audit.Reseller: "reseller", audit.Tenant: "tenant"}

// holdsMet are the holds in force on the target and its admin; where a route
// has no target, on all that p belongs to.
func holdsMet(tx *db.Tx, o *op, p *auth.Principal, target auth.Target) ([]heldBy, error) {
	organizations, admins := []id.Organization{target.Organization}, []id.Admin{target.Admin}
	if o.May.Object == auth.Nothing {
		for _, m := range p.Memberships {
			organizations, admins = append(organizations, m.Organization), append(admins, m.Admin)
		}
		for _, a := range p.Admins {
			admins = append(admins, a.Admin)
		}
	}
	met := []heldBy{}
	own, err := hold.OfOrganizations(tx, distinct(organizations))
	if err != nil {
		return nil, err
	}
	above, err := hold.OfAdmins(tx, distinct(admins))
	if err != nil {
		return nil, err
	}
	for o, holds := range own {
		for _, h := range holds {
			met = append(met, heldBy{OrganizationID: id.Ref(o), Hold: h})
		}
	}
	for a, holds := range above {
		for _, h := range holds {
			met = append(met, heldBy{AdminID: id.Ref(a), Hold: h})
		}
	}
	slices.SortFunc(met, func(a, b heldBy) int {
		return cmp.Or(cmp.Compare(id.Val(a.OrganizationID), id.Val(b.OrganizationID)), cmp.Compare(id.Val(a.AdminID), id.Val(b.AdminID)), cmp.Compare(a.Source, b.Source))
	})
	return met, nil
}

// distinct gives the ids without zero and repetition, as many as a page of a
// list has.
func distinct[T id.Any](ids []T) []T {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > 0 && ids[0] == 0 {
		ids = ids[1:]
	}
	return ids[:min(len(ids), 200)]
}
