package auth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// table is SPEC 3 once more, in the order superadmin, admin, owner, manager,
// member, service key with all scopes; each on what is its own.
const table = `
public                   x x x x x x
request.manage           x . . . . .
request.read             x . . . . .
partner_group.manage     x . . . . .
partner_group.read       x . . . . .
settings.read            x . . . . .
settings.write           x . . . . .
plugin.manage            x . . . . .
admin.list               x . . . . .
admin.create             x . . . . .
admin.manage             x . . . . .
admin.domain.verify      x x . . . .
admin.read               x x . . . .
branding.read            x x . . . .
branding.write           x x . . . .
organization.list        x x . . . .
organization.read        x x x x . .
organization.usage       x x x x x x
organization.plugins     x x x x x x
organization.edit        x x x . . .
organization.manage      x x . . . .
credits.add              x x . . . .
credits.read             x x x x . .
credits.deallocate       x x . . . .
credits.adjust           x . . . . .
credits.spend            . . . . . x
credits.settle           . . . . . x
credits.refund           x . . . . x
credits.look             x x x x . x
credits.explain          x x x x . .
credits.trace            x x . . . .
credits.verify           x . . . . .
credits.flow             x x . . . .
admin.credits.adjust     x . . . . .
admin.credits.read       x x . . . .
members.read             x x x x . .
members.manage           x x x x . .
api_keys.read            x x x . . .
api_keys.manage          x x x . . .
api_keys.issue           x x x . . .
platform_keys.read       x . . . . .
platform_keys.manage     x . . . . .
access.grant             x x . . . .
access.read              x x x . . .
access.end               x x x . . .
entitlement.check        . . . . . x
usage.report             . . . . . x
usage.reserve            . . . . . x
usage.top                x x . . . .
meter.list               x x x x x x
meter.manage             x . . . . .
my_organization.plugins  x x x x x x
plugin.list              x x x x x .
notification.read        x x x x x .
notification.mark        x x x x x .
profile                  x x x x x .
account                  x x x x x .
audit.read               x x x . . x
token.introspect         . . . . . x
authz.read               x . . . . .
user.list                x . . . . .
system.read              x . . . . .
`

// Two resellers with an organization each.
var (
	own     = auth.Target{Exists: true, Organization: 11, Admin: 1}
	foreign = auth.Target{Exists: true, Organization: 22, Admin: 2}
)

// principals are the six columns of the table, under a hold.
func principals(hold auth.Hold) []*auth.Principal {
	admin := auth.Free
	if hold == auth.AdminSuspended {
		admin = hold
	}
	all := []*auth.Principal{
		{Kind: auth.Person, User: auth.UserInfo{ID: 1, Superadmin: true}},
		{Kind: auth.Person, User: auth.UserInfo{ID: 2}, Admins: []auth.AdminRole{{Admin: own.Admin, Hold: admin}}},
	}
	for i, role := range []auth.Role{auth.Owner, auth.Manager, auth.Member} {
		all = append(all, &auth.Principal{Kind: auth.Person, User: auth.UserInfo{ID: id.User(i + 3)},
			Memberships: []auth.Membership{{Organization: own.Organization, Admin: own.Admin, Role: role, Hold: hold}}})
	}
	return append(all, &auth.Principal{Kind: auth.KeyHolder, Key: auth.KeyInfo{ID: 1, Organization: own.Organization, Admin: own.Admin, Scopes: auth.Scopes, Hold: hold}})
}

// permissions reads the table and holds it against auth.Table, row for row.
func permissions(t *testing.T) map[string][]bool {
	t.Helper()
	rows := map[string][]bool{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			rows[words[0]] = append(rows[words[0]], w == "x")
		}
	}
	for _, p := range auth.Table {
		if len(rows[p.Name]) != 6 {
			t.Fatalf("%s is not in this table", p.Name)
		}
	}
	if len(rows) != len(auth.Table) {
		t.Fatalf("%d rows here, %d in the product", len(rows), len(auth.Table))
	}
	return rows
}

func TestTable(t *testing.T) {
	rows := permissions(t)
	for _, p := range auth.Table {
		for i, who := range principals(auth.Free) {
			want := ""
			if !rows[p.Name][i] {
				want = "forbidden"
			}
			if _, err := auth.Decide(p, who, own); fault.Code(err) != want {
				t.Errorf("%s, column %d: got %v, want %q", p.Name, i+1, err, want)
			}
		}
		want := "unauthenticated"
		if p.Public {
			want = ""
		}
		for _, nobody := range []*auth.Principal{nil, {}} {
			if _, err := auth.Decide(p, nobody, own); fault.Code(err) != want {
				t.Errorf("%s, nobody: got %v, want %q", p.Name, err, want)
			}
		}
	}
}

// What is another's answers like what does not exist; what a role never may is
// 403 before the target is looked at.
func TestForeignIsAbsent(t *testing.T) {
	rows := permissions(t)
	for _, p := range auth.Table {
		if p.Object == auth.Nothing {
			continue
		}
		for i, who := range principals(auth.Free) {
			_, there := auth.Decide(p, who, foreign)
			_, nowhere := auth.Decide(p, who, auth.Target{})
			want := "not_found"
			if !rows[p.Name][i] {
				want = "forbidden"
			}
			if i == 0 && rows[p.Name][0] {
				if there != nil || fault.Code(nowhere) != "not_found" {
					t.Errorf("%s, superadmin: got %v and %v", p.Name, there, nowhere)
				}
				continue
			}
			if fault.Code(there) != want || there.Error() != nowhere.Error() {
				t.Errorf("%s, column %d: foreign %v, absent %v, want both %s", p.Name, i+1, there, nowhere, want)
			}
		}
	}
}

// A key without a permission's scope may not, whatever it holds besides.
func TestScopes(t *testing.T) {
	for _, p := range auth.Table {
		if p.Public || p.Roles&auth.ServiceKey == 0 {
			continue
		}
		for _, scope := range auth.Scopes {
			k := &auth.Principal{Kind: auth.KeyHolder, Key: auth.KeyInfo{ID: 1, Organization: own.Organization, Scopes: []auth.Scope{scope}}}
			_, err := auth.Decide(p, k, own)
			includes := p.Scope == auth.ScopeUsageRead && (scope == auth.ScopeEntitlements || scope == auth.ScopeUsageWrite)
			if allowed := err == nil; allowed != (scope == p.Scope || includes) {
				t.Errorf("%s with %s: got %v", p.Name, scope, err)
			}
		}
	}
	wide := &auth.Principal{Kind: auth.KeyHolder, Key: auth.KeyInfo{ID: 1, Scopes: auth.Scopes}}
	if _, err := auth.Decide(auth.OrganizationUsage, wide, foreign); err != nil {
		t.Errorf("a platform-wide key: got %v", err)
	}
}

// open is what members and keys of a suspended organization keep.
var open = []string{"public", "organization.usage", "entitlement.check", "meter.list", "my_organization.plugins", "plugin.list", "notification.read", "notification.mark", "profile", "account",
	"credits.settle", "credits.refund"} // what is held already is settled

func TestHolds(t *testing.T) {
	rows := permissions(t)
	for _, hold := range []auth.Hold{auth.OrganizationSuspended, auth.AdminSuspended} {
		for _, p := range auth.Table {
			for i, who := range principals(hold) {
				want := ""
				switch staff := i == 1; {
				case !rows[p.Name][i]:
					want = "forbidden"
				case i == 0: // untouched
				case staff && hold == auth.AdminSuspended && p.Write && !p.Self:
					want = "admin_suspended"
				case !staff && !slices.Contains(open, p.Name):
					want = string(hold)
				}
				if _, err := auth.Decide(p, who, own); fault.Code(err) != want {
					t.Errorf("%s, %s, column %d: got %v, want %q", hold, p.Name, i+1, err, want)
				}
			}
		}
	}
}

// Whoever acts for a member may what the member may, but for what is the
// member's own.
func TestActing(t *testing.T) {
	for _, p := range auth.Table {
		for _, who := range principals(auth.Free)[2:5] {
			_, alone := auth.Decide(p, who, own)
			who.Acting = &auth.Acting{Grant: 1, By: auth.UserInfo{ID: 99, Superadmin: true}}
			want := fault.Code(alone)
			if p.Personal {
				want = "not_while_acting"
			}
			if tier, err := auth.Decide(p, who, own); fault.Code(err) != want || tier != audit.Tenant {
				t.Errorf("%s: got %v in tier %v, want %q", p.Name, err, tier, want)
			}
			if _, err := auth.Decide(p, who, foreign); p.Object != auth.Nothing && err == nil {
				t.Errorf("%s: reaches another tenant", p.Name)
			}
			if a := who.Actor(audit.Tenant); a.ID != 99 || a.OnBehalfOf == nil || a.OnBehalfOf.ID != int64(who.User.ID) || a.As() != who.User.ID {
				t.Errorf("the actor: got %+v", a)
			}
		}
	}
}

// A hold on one role does not stop another.
func TestRolesAddUp(t *testing.T) {
	p := &auth.Principal{Kind: auth.Person, User: auth.UserInfo{ID: 9},
		Admins: []auth.AdminRole{{Admin: 1, Hold: auth.AdminSuspended}, {Admin: 2}},
		Memberships: []auth.Membership{
			{Organization: 11, Admin: 1, Role: auth.Member, Hold: auth.AdminSuspended},
			{Organization: 33, Role: auth.Owner}, {Organization: 44, Role: auth.Owner, Hold: auth.OrganizationSuspended},
		}}
	for _, c := range []struct {
		may    auth.Permission
		target auth.Target
		want   string
	}{
		{auth.OrganizationRead, own, ""},
		{auth.OrganizationEdit, own, "admin_suspended"},
		{auth.OrganizationEdit, foreign, ""},
		{auth.OrganizationEdit, auth.Target{Exists: true, Organization: 33}, ""},
		{auth.OrganizationManage, auth.Target{Exists: true, Organization: 33}, "forbidden"},
		{auth.OrganizationEdit, auth.Target{Exists: true, Organization: 44}, "organization_suspended"},
		{auth.AdminRead, auth.Target{Exists: true, Admin: 1}, ""},
		{auth.BrandingWrite, auth.Target{Exists: true, Admin: 1}, "admin_suspended"},
		{auth.AdminRead, auth.Target{Exists: true, Admin: 3}, "not_found"},
		{auth.OrganizationRead, auth.Target{Exists: true, Organization: 55, Admin: 0}, "not_found"},
	} {
		if _, err := auth.Decide(c.may, p, c.target); fault.Code(err) != c.want {
			t.Errorf("%s on %+v: got %v, want %q", c.may.Name, c.target, err, c.want)
		}
	}
	r := auth.Visible(auth.AuditRead, p)
	if r.All || !slices.Equal(r.Admins, []id.Admin{1, 2}) || !slices.Equal(r.Organizations, []id.Organization{33}) {
		t.Errorf("the audit that is seen: got %+v", r)
	}
	if r := auth.Visible(auth.OrganizationList, principals(auth.Free)[0]); !r.All {
		t.Errorf("a superadmin sees: got %+v", r)
	}
	if r := auth.Visible(auth.OrganizationList, nil); r.All || len(r.Admins)+len(r.Organizations) > 0 {
		t.Errorf("nobody sees: got %+v", r)
	}
}

func TestRules(t *testing.T) {
	names := map[string]bool{}
	for _, r := range auth.Rules() {
		if names[r.Permission] {
			t.Errorf("%s is there twice", r.Permission)
		}
		names[r.Permission] = true
		if slices.Contains(r.Roles, "service") != (r.Scope != "") {
			t.Errorf("%s: roles %v and scope %q do not go together", r.Permission, r.Roles, r.Scope)
		}
	}
}
