package auth

import "strings"

// The authorization table (SPEC 3).
var (
	Public = Permission{Name: "public", Public: true}

	RequestManage = Permission{Name: "request.manage", Roles: Superadmin, Write: true}
	RequestRead   = Permission{Name: "request.read", Roles: Superadmin}
	GroupManage   = Permission{Name: "partner_group.manage", Roles: Superadmin, Write: true}
	GroupRead     = Permission{Name: "partner_group.read", Roles: Superadmin}
	SettingsRead  = Permission{Name: "settings.read", Roles: Superadmin}
	SettingsWrite = Permission{Name: "settings.write", Roles: Superadmin, Write: true}
	PluginManage  = Permission{Name: "plugin.manage", Roles: Superadmin, Write: true}
	AdminList     = Permission{Name: "admin.list", Roles: Superadmin}
	AdminCreate   = Permission{Name: "admin.create", Roles: Superadmin, Write: true}
	AdminManage   = Permission{Name: "admin.manage", Object: Reseller, Roles: Superadmin, Write: true}
	// Overriding the proof is the superadmin's: checked by admin.VerifyDomain.
	AdminVerify   = Permission{Name: "admin.domain.verify", Object: Reseller, Roles: superOrAdmin, Write: true}
	AdminRead     = Permission{Name: "admin.read", Object: Reseller, Roles: superOrAdmin}
	BrandingRead  = Permission{Name: "branding.read", Object: Reseller, Roles: superOrAdmin}
	BrandingWrite = Permission{Name: "branding.write", Object: Reseller, Roles: superOrAdmin, Write: true}

	OrganizationList    = Permission{Name: "organization.list", Roles: superOrAdmin}
	OrganizationRead    = Permission{Name: "organization.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	OrganizationUsage   = Permission{Name: "organization.usage", Object: Organization, Roles: superOrAdmin | Owner | Manager | Member | ServiceKey, Scope: ScopeUsageRead, Held: true}
	OrganizationPlugins = Permission{Name: "organization.plugins", Object: Organization, Roles: superOrAdmin | Owner | Manager | Member | ServiceKey, Scope: ScopeEntitlements}
	// An owner may edit the name alone: fields are checked by org.Edit.
	OrganizationEdit   = Permission{Name: "organization.edit", Object: Organization, Roles: superOrAdmin | Owner, Write: true}
	OrganizationManage = Permission{Name: "organization.manage", Object: Organization, Roles: superOrAdmin, Write: true}
	CreditsAdd         = Permission{Name: "credits.add", Object: Organization, Roles: superOrAdmin, Write: true}
	CreditsRead        = Permission{Name: "credits.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	CreditsReturn      = Permission{Name: "credits.deallocate", Object: Organization, Roles: superOrAdmin, Write: true}
	CreditsAdjust      = Permission{Name: "credits.adjust", Object: Organization, Roles: Superadmin, Write: true}
	CreditsSpend       = Permission{Name: "credits.spend", Object: Organization, Roles: ServiceKey, Scope: ScopeCreditsSpend, Write: true}
	// Whose hold, transaction or account it is, is looked up inside.
	CreditsSettle      = Permission{Name: "credits.settle", Roles: ServiceKey, Scope: ScopeCreditsSpend, Held: true, Write: true}
	CreditsRefund      = Permission{Name: "credits.refund", Roles: Superadmin | ServiceKey, Scope: ScopeCreditsSpend, Held: true, Write: true}
	CreditsLook        = Permission{Name: "credits.look", Roles: superOrAdmin | Owner | Manager | ServiceKey, Scope: ScopeCreditsSpend}
	CreditsExplain     = Permission{Name: "credits.explain", Roles: superOrAdmin | Owner | Manager}
	CreditsTrace       = Permission{Name: "credits.trace", Roles: superOrAdmin}
	CreditsVerify      = Permission{Name: "credits.verify", Roles: Superadmin}
	CreditsFlow        = Permission{Name: "credits.flow", Roles: superOrAdmin}
	AdminCreditsAdjust = Permission{Name: "admin.credits.adjust", Object: Reseller, Roles: Superadmin, Write: true}
	AdminCreditsRead   = Permission{Name: "admin.credits.read", Object: Reseller, Roles: superOrAdmin}
	MembersRead        = Permission{Name: "members.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	MembersManage      = Permission{Name: "members.manage", Object: Organization, Roles: superOrAdmin | Owner | Manager, Write: true}
	KeysRead           = Permission{Name: "api_keys.read", Object: Organization, Roles: superOrAdmin | Owner}
	KeysManage         = Permission{Name: "api_keys.manage", Object: Organization, Roles: superOrAdmin | Owner, Write: true}
	// A key outlives the leave to act for an owner, so that nobody makes one under it.
	KeysIssue          = Permission{Name: "api_keys.issue", Object: Organization, Roles: superOrAdmin | Owner, Write: true, Personal: true}
	PlatformKeysRead   = Permission{Name: "platform_keys.read", Roles: Superadmin}
	PlatformKeysManage = Permission{Name: "platform_keys.manage", Roles: Superadmin, Write: true}

	AccessGrant = Permission{Name: "access.grant", Object: Organization, Roles: superOrAdmin, Write: true, Personal: true}
	AccessRead  = Permission{Name: "access.read", Object: Organization, Roles: superOrAdmin | Owner}
	// Whose grant the staff of an admin may end is checked by EndAccess.
	AccessEnd = Permission{Name: "access.end", Object: Organization, Roles: superOrAdmin | Owner, Write: true, Personal: true}
	// Checking stays open while an organization is on hold: the answer says so.
	EntitlementCheck = Permission{Name: "entitlement.check", Object: Organization, Roles: ServiceKey, Scope: ScopeEntitlements, Held: true}
	UsageReport      = Permission{Name: "usage.report", Roles: ServiceKey, Scope: ScopeUsageWrite, Write: true}
	UsageReserve     = Permission{Name: "usage.reserve", Object: Organization, Roles: ServiceKey, Scope: ScopeUsageWrite, Write: true}
	UsageTop         = Permission{Name: "usage.top", Roles: superOrAdmin}
	MeterList        = Permission{Name: "meter.list", Self: true, Roles: ServiceKey, Scope: ScopeEntitlements, Held: true}
	MeterManage      = Permission{Name: "meter.manage", Roles: Superadmin, Write: true}

	MyPlugins     = Permission{Name: "my_organization.plugins", Self: true, Roles: ServiceKey, Scope: ScopeEntitlements, Held: true}
	PluginList    = Permission{Name: "plugin.list", Self: true, Held: true}
	Notifications = Permission{Name: "notification.read", Self: true, Held: true}
	Notified      = Permission{Name: "notification.mark", Self: true, Held: true, Personal: true}
	Profile       = Permission{Name: "profile", Self: true, Held: true}
	Account       = Permission{Name: "account", Self: true, Held: true, Personal: true}
	AuditRead     = Permission{Name: "audit.read", Roles: superOrAdmin | Owner | ServiceKey, Scope: ScopeAuditRead}
	Introspect    = Permission{Name: "token.introspect", Roles: ServiceKey, Scope: ScopeIntrospect}
	AuthzRead     = Permission{Name: "authz.read", Roles: Superadmin}
	UserList      = Permission{Name: "user.list", Roles: Superadmin}
	SystemRead    = Permission{Name: "system.read", Roles: Superadmin}
)

// Table is every row of the authorization table, as it is published.
var Table = []Permission{
	Public,
	RequestManage, RequestRead, GroupManage, GroupRead, SettingsRead, SettingsWrite, PluginManage,
	AdminList, AdminCreate, AdminManage, AdminVerify, AdminRead, BrandingRead, BrandingWrite,
	OrganizationList, OrganizationRead, OrganizationUsage, OrganizationPlugins, OrganizationEdit, OrganizationManage,
	CreditsAdd, CreditsRead, CreditsReturn, CreditsAdjust, CreditsSpend, CreditsSettle, CreditsRefund, CreditsLook, CreditsExplain, CreditsTrace, CreditsVerify, CreditsFlow,
	AdminCreditsAdjust, AdminCreditsRead, MembersRead, MembersManage, KeysRead, KeysManage,
	KeysIssue, PlatformKeysRead, PlatformKeysManage, AccessGrant, AccessRead, AccessEnd,
	EntitlementCheck, UsageReport, UsageReserve, UsageTop, MeterList, MeterManage,
	MyPlugins, PluginList, Notifications, Notified, Profile, Account, AuditRead, Introspect, AuthzRead, UserList, SystemRead,
}

// roleNames are the names of single roles as the API writes them.
var roleNames = []struct {
	role Role
	name string
}{
	{Superadmin, "superadmin"}, {Admin, "admin"}, {Owner, "owner"}, {Manager, "manager"}, {Member, "member"}, {ServiceKey, "service"},
}

// Names lists the roles of the set, strongest first.
func (r Role) Names() []string {
	names := []string{}
	for _, n := range roleNames {
		if r&n.role != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// String names a single role, and joins the names of a set.
func (r Role) String() string { return strings.Join(r.Names(), ",") }

// Rule is a row of the table as the API answers it.
type Rule struct {
	Permission string   `json:"permission" doc:"Name of the permission"`
	Object     string   `json:"object" doc:"What the path names and must lie in the caller's tenancy: organization, admin, or nothing"`
	Roles      []string `json:"roles" doc:"Roles that may, each on the object itself"`
	Scope      string   `json:"scope" doc:"Scope that an API key needs; empty: no API key may"`
	Public     bool     `json:"public" doc:"Needs no sign-in"`
	Self       bool     `json:"self" doc:"Open to every signed-in user, as it touches only the user's own"`
	Held       bool     `json:"held" doc:"Stays open to members and keys while their organization or its admin is suspended"`
	Write      bool     `json:"write" doc:"Changes something: refused to the staff of a suspended admin"`
	Personal   bool     `json:"personal" doc:"Closed to whoever acts for another: touches the person's own account, or would outlive the leave to act"`
}

// Rule is p as the API answers it.
func (p Permission) Rule() Rule {
	return Rule{Permission: p.Name, Object: string(p.Object), Roles: p.Roles.Names(), Scope: string(p.Scope),
		Public: p.Public, Self: p.Self, Held: p.Held, Write: p.Write, Personal: p.Personal}
}

// Rules is the whole table as the API answers it.
func Rules() []Rule {
	rules := make([]Rule, len(Table))
	for i, p := range Table {
		rules[i] = p.Rule()
	}
	return rules
}
