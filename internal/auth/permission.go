package auth

// Role is a capacity in which a principal can deal with a thing.
type Role uint8

// The roles, as bits of a set.
const (
	Superadmin   Role = 1 << iota
	Admin             // owner or staff of an admin
	Owner             // of an organization
	Manager           // of an organization
	Member            // of an organization
	ServiceKey        // an API key with the permission's scope
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
	// Personal is closed to whoever acts for another: it touches the person's
	// own account, or would outlive the leave to act.
	Personal bool
}
