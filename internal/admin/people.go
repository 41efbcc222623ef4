package admin

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
)

// Role is what a person is to an admin.
type Role string

// The roles.
const (
	Owner Role = "owner"
	Staff Role = "staff"
)

// User is a person of an admin, as it is answered.
type User struct {
	UserID    id.User `json:"user_id" example:"123"`
	Email     string  `json:"email"`
	Name      string  `json:"name"`
	Role      Role    `json:"role" enum:"owner,staff"`
	Status    string  `json:"status" enum:"active,disabled" doc:"Of the user's account"`
	CreatedAt db.Time `json:"created_at" doc:"When the person joined"`
}

// Revision is always the first: nothing of it can be edited.
func (User) Revision() int64 { return 1 }

// UserRef names a user.
type UserRef struct {
	UserID id.User `json:"user_id" minimum:"1" example:"123"`
}

// Users lists the admin's people who have q in their name or address, who
// joined last first.
func Users(tx *db.Tx, admin id.Admin, q string, r page.Request) (page.List[User], error) {
	return users(tx, admin, q, r)
}

// UserOf gives one of the admin's people; fault.Missing where there is none.
func UserOf(tx *db.Tx, admin id.Admin, one id.User) (User, error) {
	return user(tx, admin, one)
}

// AssignOwner gives the admin to a user who is active and owns no other admin.
// The former owner becomes staff. A user who owns it already changes nothing.
func AssignOwner(tx *db.Tx, actor audit.Actor, admin id.Admin, in UserRef) (Admin, error) {
	before, err := lock(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	if id.Val(before.OwnerUserID) == in.UserID && in.UserID != 0 {
		return before, nil
	}
	if err := lockUser(tx, in.UserID); err != nil {
		return Admin{}, unknownUser(err)
	}
	if elsewhere, err := owns(tx, in.UserID); err != nil {
		return Admin{}, err
	} else if elsewhere {
		return Admin{}, fault.New(fault.Conflict, "already_owner", "This user owns another admin; a user owns at most one.")
	}
	if err := setOwner(tx, admin, in.UserID); err != nil {
		return Admin{}, err
	}
	after, err := Detail(tx, admin)
	if err != nil {
		return Admin{}, err
	}
	tx.Publish("auth", "")
	effect.Add(tx, effect.Users, 1)
	if before.OwnerUserID != nil { // staff from now on
		effect.Add(tx, effect.Users, 1)
	}
	if err := record(tx, actor, "admin.owner_assigned", "", &before, &after); err != nil {
		return Admin{}, err
	}
	return after, notify.Send(tx, notify.Message{
		Users: []id.User{in.UserID}, Kind: "admin.owner_assigned", Title: "You own an account",
		Body:   fmt.Sprintf("%s was assigned to you.", after.Name),
		Target: notify.Target{Type: "admin", ID: int64(admin)}, Admin: admin,
	})
}

// AddStaff makes an active user staff of the admin. One who belongs to it
// already is the conflict already_member.
func AddStaff(tx *db.Tx, actor audit.Actor, admin id.Admin, in UserRef) (User, error) {
	a, err := lock(tx, admin)
	if err != nil {
		return User{}, err
	}
	if err := lockUser(tx, in.UserID); err != nil {
		return User{}, unknownUser(err)
	}
	added, err := insertStaff(tx, admin, in.UserID)
	if err != nil {
		return User{}, err
	}
	if !added {
		return User{}, fault.New(fault.Conflict, "already_member", "This user belongs to the admin already.")
	}
	u, err := user(tx, admin, in.UserID)
	if err != nil {
		return User{}, err
	}
	tx.Publish("auth", "")
	effect.Add(tx, effect.Users, 1)
	return u, recordStaff(tx, actor, "admin.staff_added", a, nil, &u)
}

// RemoveStaff takes the admin's rights from a user. The owner cannot go:
// another one is assigned first.
func RemoveStaff(tx *db.Tx, actor audit.Actor, admin id.Admin, gone id.User) error {
	a, err := lock(tx, admin)
	if err != nil {
		return err
	}
	u, err := user(tx, admin, gone)
	if err != nil {
		return err
	}
	if u.Role == Owner {
		return fault.New(fault.Conflict, "owner_required", "The owner cannot be removed; assign another owner first.")
	}
	if err := deleteStaff(tx, admin, gone); err != nil {
		return err
	}
	if err := auth.EndAccessOfStaff(tx, admin, gone); err != nil {
		return err
	}
	tx.Publish("auth", "")
	effect.Add(tx, effect.Users, 1)
	return recordStaff(tx, actor, "admin.staff_removed", a, &u, nil)
}

func recordStaff(tx *db.Tx, actor audit.Actor, action string, a Admin, before, after *User) error {
	changes, err := audit.Diff(before, after)
	if err != nil {
		return err
	}
	return recordChanges(tx, actor, action, "", a, changes)
}
