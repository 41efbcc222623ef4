package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/auth"
)

// This file says once more, in words of its own, what SPEC 3 and 6 ask of every
// request. Of the authorization table it takes each row's roles, object and
// scope; what holds do follows from the lists here, never from the flags or the
// code that decides.

// actor is somebody who calls, with what is known of it.
type actor struct {
	name string
	// home is whose eyes own, sibling and foreign are seen with.
	home string
	// as is nobody, dead (a token that has ended), person or key.
	as string
	// organizations and admins give the role on each object.
	organizations, admins map[string]string
	// suspended is the admin whose hold lies on the actor from the beginning.
	suspended bool
	// scopes of a key; wide is one of the platform's.
	scopes []auth.Scope
	wide   bool
	// sees are the tenants whose canaries it may see; all of them where nil is
	// not meant, see everything.
	sees       []string
	everything bool
}

// objects are what a path can name.
const (
	own, sibling, foreign, deleted, absent = "own", "sibling", "foreign", "deleted", "absent"
	// The thing of another organization, or none, under the own one.
	strayed, missing = "own/foreign", "own/absent"
)

var objects = []string{own, sibling, foreign, deleted, absent}

func on(role string, objects ...string) map[string]string {
	m := map[string]string{}
	for _, o := range objects {
		m[o] = role
	}
	return m
}

// principals are the nine of the matrix, and the keys of services.
var principals = []actor{
	{name: "anonymous", home: "a", as: "nobody"},
	{name: "member", home: "a", as: "person", organizations: on("member", own), sees: []string{"a1", "abrand"}},
	{name: "manager", home: "a", as: "person", organizations: on("manager", own), sees: []string{"a1", "abrand"}},
	{name: "owner", home: "a", as: "person", organizations: on("owner", own), sees: []string{"a1", "astaff", "abrand"}},
	{name: "admin A", home: "a", as: "person", organizations: on("admin", own, sibling, deleted), admins: on("admin", own), sees: []string{"a", "a1", "a2", "a0", "astaff", "abrand"}},
	{name: "admin B", home: "b", as: "person", organizations: on("admin", own, sibling), admins: on("admin", own), sees: []string{"b", "b1", "b2", "bstaff", "bbrand"}},
	{name: "superadmin", home: "a", as: "person", organizations: on("superadmin", own, sibling, foreign, deleted), admins: on("superadmin", own, sibling, foreign), everything: true},
	{name: "user of a suspended admin", home: "s", as: "person", organizations: on("admin", own, sibling), admins: on("admin", own), suspended: true, sees: []string{"s", "s1", "s2", "sstaff", "sbrand"}},
	{name: "revoked token", home: "a", as: "dead"},
	{name: "organization key", home: "a", as: "key", organizations: on("service", own), scopes: auth.Scopes, sees: []string{"a1", "astaff", "abrand"}},
	{name: "key without scope", home: "a", as: "key", organizations: on("service", own), scopes: []auth.Scope{auth.ScopeCreditsSpend}, sees: []string{"a1", "abrand"}},
	{name: "platform key", home: "a", as: "key", organizations: on("service", own, sibling, foreign, deleted), scopes: auth.Scopes, wide: true, everything: true},
}

// tokens are the kinds that are tried under each hold, all on their own.
var tokens = []actor{
	named("access token of a member", "member"), named("access token of a manager", "manager"), named("access token of an owner", "owner"),
	named("access token of an admin's staff", "admin A"), named("access token of a superadmin", "superadmin"),
	named("refreshed token of an owner", "owner"), named("revoked token", "revoked token"), named("expired token", "revoked token"),
	named("organization key", "organization key"), named("platform key", "platform key"), named("revoked key", "revoked token"), named("expired key", "revoked token"),
}

func named(name, like string) actor {
	a := principals[slices.IndexFunc(principals, func(a actor) bool { return a.name == like })]
	a.name = name
	return a
}

// holding is a hold that lies on the own organization or its admin.
type holding struct {
	on     string // organization, admin, or nothing
	source string // archived is not one, and bites like one
}

var holdings = []holding{
	{"organization", "platform"}, {"organization", "admin"}, {"organization", "quota"}, {"organization", "billing"}, {"organization", "archived"},
	{"admin", "platform"}, {"admin", "billing"},
}

func (h holding) String() string { return strings.TrimSpace(h.source + " on " + h.on) }

// refusal is what it answers to whom it stops.
func (h holding) refusal() string { return "403 " + h.on + "_suspended" }

// kept are the permissions that SPEC 6 leaves to the members and keys of a
// suspended organization: profile, notifications, usage, and plugins, of which
// none is enabled; and SPEC 7 and 8 to its services: what became of open holds,
// refunds, and the question whether it may, which is answered with no. The
// catalogues are the same for all, and no tenant's.
var kept = []string{"profile", "account", "notification.read", "notification.mark", "organization.usage", "my_organization.plugins", "plugin.list",
	"credits.settle", "credits.refund", "entitlement.check", "meter.list"}

// barred are the operations that spend or use what is a suspended
// organization's, which no key may, a platform-wide one neither. A batch has a
// refusal for each of its own.
var barred = []string{"consume-credits", "hold-credits", "reserve-usage", "commit-usage-reservation"}

// cell is one request of the matrix.
type cell struct {
	op     api.Operation
	who    *actor
	object string // "" where nothing in the request names one
	hold   holding
}

func (c cell) String() string {
	s := fmt.Sprintf("%s %s, %s", c.op.Method, c.op.Path, c.who.name)
	if c.object != "" {
		s += ", " + c.object
	}
	if c.hold.on != "" {
		s += ", " + c.hold.String()
	}
	return s
}

// success says that authorization lets the request in; what it then ends with
// is the route's own.
const success = "success"

// row is the row of the authorization table, not of the route: a route that
// brings one of its own is seen.
func row(o api.Operation) auth.Permission {
	i := slices.IndexFunc(auth.Table, func(p auth.Permission) bool { return p.Name == o.Permission })
	if i < 0 {
		return auth.Permission{}
	}
	return auth.Table[i]
}

// expected is what SPEC asks: success, or status and code.
func (c cell) expected() string {
	may := row(c.op)
	roles := may.Roles.Names()
	switch {
	case may.Public:
		return success
	case c.who.as == "nobody":
		return "401 unauthenticated"
	case c.who.as == "dead":
		return "401 invalid_token"
	case c.who.as == "key" && (!slices.Contains(roles, "service") || !slices.Contains(c.who.scopes, may.Scope)):
		return "403 forbidden"
	case c.who.as == "person" && !may.Self && !slices.ContainsFunc(roles, c.who.is):
		return "403 forbidden"
	}
	role, object := "", objectOf(c.op)
	switch {
	case may.Self:
	case object == auth.Organization:
		role = c.who.organizations[c.tenant()]
	case object == auth.Reseller:
		role = c.who.admins[c.tenant()]
	case c.who.as == "key":
		role = "service"
	default:
		role = roles[slices.IndexFunc(roles, c.who.is)]
	}
	switch {
	case object != auth.Nothing && role == "":
		return "404 not_found"
	case object != auth.Nothing && !slices.Contains(roles, role):
		return "403 forbidden"
	case !c.passes(role):
		return c.stopped()
	case c.object == strayed || c.object == missing:
		return "404 not_found"
	}
	return success
}

// objectOf is what has to lie in the caller's tenancy: what the path names, or
// what a thing belongs to that its handler looks up.
func objectOf(o api.Operation) auth.Object {
	if may := row(o); may.Object != auth.Nothing {
		return may.Object
	}
	kinds, err := parameters(o)
	if err != nil || len(kinds) == 0 {
		return auth.Nothing
	}
	return belongs[kinds[len(kinds)-1]]
}

// is reports whether the actor has the role anywhere.
func (a *actor) is(role string) bool {
	for _, m := range []map[string]string{a.organizations, a.admins} {
		for _, r := range m {
			if r == role {
				return true
			}
		}
	}
	return false
}

// tenant is the tenant that the request is about.
func (c cell) tenant() string {
	t, _, _ := strings.Cut(c.object, "/")
	return t
}

// passes reports whether no hold stops the role.
func (c cell) passes(role string) bool {
	writes := c.op.Method != http.MethodGet
	onOrganization := c.hold.on == "organization" || c.object == deleted
	switch {
	case slices.Contains(barred, c.op.ID):
		return c.hold.on == "" && c.object != deleted
	case role == "superadmin" || role == "" || c.who.wide:
		return true
	case role == "admin" && c.op.Permission == "credits.add" && onOrganization:
		return false // full access, save allocating credits
	case role == "admin":
		return !writes || !c.who.suspended && c.hold.on != "admin"
	}
	return c.hold.on == "" || slices.Contains(kept, c.op.Permission)
}

func (c cell) stopped() string {
	switch {
	case c.who.suspended:
		return holding{on: "admin"}.refusal()
	case c.hold.on == "":
		return holding{on: "organization"}.refusal()
	}
	return c.hold.refusal()
}
