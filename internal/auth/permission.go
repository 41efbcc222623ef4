package auth

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Role is a capacity in which a principal can deal with a thing.
type Role uint8

// The roles, as bits of a set.
const (
	Superadmin   Role = 1 << iota
	Admin             // owner or staff of an admin
	Owner             // of an organization
	Manager           // of an organization
	Member            // of an organization
	Service           // an API key with the permission's scope
	superOrAdmin = Superadmin | Admin
)

// Object says what a route's path names, and so what is loaded within the
// caller's scope before a handler runs.
type Object string

// The objects.
const (
	Nothing      Object = ""
	Organization Object = "organization"
	Reseller     Object = "admin"
)

// Permission is one row of the authorization table: who may do something, to
// what. The table is the whole of it; a route without a row does not start.
type Permission struct {
	Name   string
	Object Object
	Roles  Role
	// Scope is the API-key scope that lets a service in, with Service in Roles.
	Scope Scope
	// Public needs nobody; an invalid token counts as none.
	Public bool
	// Self is open to every signed-in user, whatever the roles, as it touches
	// only the user's own.
	Self bool
	// Held stays open to members while their organization is suspended.
	Held bool
	// Write marks what changes something: refused to the staff of a suspended
	// admin and checked again inside the transaction.
	Write bool
}

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
	AdminRead     = Permission{Name: "admin.read", Object: Reseller, Roles: superOrAdmin}
	BrandingRead  = Permission{Name: "branding.read", Object: Reseller, Roles: superOrAdmin}
	BrandingWrite = Permission{Name: "branding.write", Object: Reseller, Roles: superOrAdmin, Write: true}

	OrganizationList    = Permission{Name: "organization.list", Roles: superOrAdmin}
	OrganizationRead    = Permission{Name: "organization.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	OrganizationUsage   = Permission{Name: "organization.usage", Object: Organization, Roles: superOrAdmin | Owner | Manager | Member | Service, Scope: ScopeUsageRead, Held: true}
	OrganizationPlugins = Permission{Name: "organization.plugins", Object: Organization, Roles: superOrAdmin | Owner | Manager | Member | Service, Scope: ScopeEntitlements}
	// An owner may edit the name alone: fields are checked by org.Edit.
	OrganizationEdit   = Permission{Name: "organization.edit", Object: Organization, Roles: superOrAdmin | Owner, Write: true}
	OrganizationManage = Permission{Name: "organization.manage", Object: Organization, Roles: superOrAdmin, Write: true}
	CreditsAdd         = Permission{Name: "credits.add", Object: Organization, Roles: superOrAdmin, Write: true}
	CreditsRead        = Permission{Name: "credits.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	AdminCreditsRead   = Permission{Name: "admin.credits.read", Object: Reseller, Roles: superOrAdmin}
	MembersRead        = Permission{Name: "members.read", Object: Organization, Roles: superOrAdmin | Owner | Manager}
	MembersManage      = Permission{Name: "members.manage", Object: Organization, Roles: superOrAdmin | Owner | Manager, Write: true}
	KeysRead           = Permission{Name: "api_keys.read", Object: Organization, Roles: superOrAdmin | Owner}
	KeysManage         = Permission{Name: "api_keys.manage", Object: Organization, Roles: superOrAdmin | Owner, Write: true}
	PlatformKeysRead   = Permission{Name: "platform_keys.read", Roles: Superadmin}
	PlatformKeysManage = Permission{Name: "platform_keys.manage", Roles: Superadmin, Write: true}

	MyPlugins     = Permission{Name: "my_organization.plugins", Self: true, Roles: Service, Scope: ScopeEntitlements, Held: true}
	PluginList    = Permission{Name: "plugin.list", Self: true, Held: true}
	Notifications = Permission{Name: "notification.read", Self: true, Held: true}
	Notified      = Permission{Name: "notification.mark", Self: true, Held: true}
	Profile       = Permission{Name: "profile", Self: true, Held: true}
	AuditRead     = Permission{Name: "audit.read", Roles: superOrAdmin | Owner | Service, Scope: ScopeAuditRead}
	Introspect    = Permission{Name: "token.introspect", Roles: Service, Scope: ScopeIntrospect}
	AuthzRead     = Permission{Name: "authz.read", Roles: Superadmin}
)

// Target is the thing in the path of a request, as far as deciding needs it.
type Target struct {
	Exists       bool
	Organization id.Organization
	Admin        id.Admin // of the organization, or the admin itself
}

// Decide says whether p may do what permission allows on target, and in which
// tier. A role that never may is 403, whatever the target; then a target
// outside the tenancy is 404, as if absent; then a role too weak on this target
// is 403; then holds.
func Decide(permission Permission, p *Principal, target Target) (audit.Tier, error) {
	return decide(permission, p, target)
}

func decide(permission Permission, p *Principal, target Target) (audit.Tier, error) {
	if permission.Public {
		return audit.Tenant, nil
	}
	if p.Kind == Anonymous {
		return 0, fault.New(fault.Unauthenticated, "unauthenticated", "Sign in, or send an API key, as a Bearer token.")
	}
	return 0, fault.Denied()
}
