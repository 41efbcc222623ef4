package auth

import (
	"errors"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/patch"
	"github.com/tenantry/tenantry/internal/text"
)

// Status says whether a user may sign in.
type Status string

// The states of a user.
const (
	Active   Status = "active"
	Disabled Status = "disabled"
)

// User is a person with an account. The password hash never leaves the table.
type User struct {
	ID            id.User `json:"id"`
	Email         string  `json:"email"`
	Name          string  `json:"name"`
	Phone         *string `json:"phone"`
	EmailVerified bool    `json:"email_verified" doc:"True once a link mailed to the address was used"`
	Superadmin    bool    `json:"superadmin" doc:"Belongs to the platform's staff"`
	Status        Status  `json:"status" enum:"active,disabled"`
	CreatedAt     db.Time `json:"created_at"`
	UpdatedAt     db.Time `json:"updated_at"`
	Version       int64   `json:"-"`
}

// Revision is the version that If-Match compares.
func (u User) Revision() int64 { return u.Version }

// Users lists everybody, newest first; q is a part of name or e-mail.
func Users(tx *db.Tx, q string, r page.Request) (page.List[User], error) {
	like := text.Like(q)
	total, err := countUsers(tx, like)
	if err != nil {
		return page.List[User]{}, err
	}
	rows, err := listUsers(tx, like, r)
	return page.Of(r, rows, total, func(u User) page.Position { return page.Position{At: int64(u.CreatedAt), ID: int64(u.ID)} }), err
}

// NewUser is what a user is made of. The hash comes from Hasher.Hash; an empty
// one makes an account that cannot sign in by password yet.
type NewUser struct {
	Email         string
	Name          string
	Phone         *string
	PasswordHash  string
	EmailVerified bool
	Superadmin    bool
}

// CreateUser stores a new user in tx. An address that is known is 409
// email_taken. The caller records the event of which this is a part.
func CreateUser(tx *db.Tx, in NewUser) (User, error) {
	var v fault.Validation
	email, key := text.Email("email", in.Email, &v)
	name := text.Name("name", in.Name, MaxName, &v)
	var phone *string
	if in.Phone != nil {
		if p := text.Phone("phone", *in.Phone, &v); p != "" {
			phone = &p
		}
	}
	if err := v.Err(); err != nil {
		return User{}, err
	}
	u := User{Email: email, Name: name, Phone: phone, EmailVerified: in.EmailVerified, Superadmin: in.Superadmin,
		Status: Active, CreatedAt: tx.Now, UpdatedAt: tx.Now, Version: 1}
	n, err := insertUser(tx, u, key, in.PasswordHash)
	if errors.Is(err, db.ErrNoRows) {
		return User{}, fault.New(fault.Conflict, "email_taken", "There is an account with this e-mail address already.")
	}
	u.ID = id.User(n)
	return u, err
}

// MaxName bounds the name of a person, in characters.
const MaxName = 120

// UserByEmail finds a user by the address, however it is written; 404 where
// there is none.
func UserByEmail(tx *db.Tx, email string) (User, error) {
	u, err := userByKey(tx, emailKey(email))
	return u, missing(err)
}

// UserByID finds a user; 404 where there is none.
func UserByID(tx *db.Tx, u id.User) (User, error) {
	found, err := userByID(tx, u)
	return found, missing(err)
}

// LockUser locks the row until tx ends and gives its version, for If-Match.
func LockUser(tx *db.Tx, u id.User) (int64, error) {
	found, err := lockUser(tx, u)
	return found.Version, missing(err)
}

// ProfileEdit is what a user may change of the own account; absent fields stay.
type ProfileEdit struct {
	Name  patch.Field[string] `json:"name,omitzero" required:"false" doc:"Name of the person" example:"Jane Doe"`
	Phone patch.Field[string] `json:"phone,omitzero" required:"false" doc:"Telephone number; null removes it" example:"+1234567890"`
}

// EditProfile changes the actor's own account.
func EditProfile(tx *db.Tx, actor audit.Actor, in ProfileEdit) (User, error) {
	before, err := lockUser(tx, actor.UserID())
	if err != nil {
		return User{}, missing(err)
	}
	after := before
	var v fault.Validation
	if in.Name.Null {
		v.Add("name", "required", "A name cannot be removed.")
	} else if in.Name.Set {
		after.Name = text.Name("name", in.Name.Value, MaxName, &v)
	}
	if in.Phone.Set {
		after.Phone = nil
		if p := text.Phone("phone", in.Phone.Value, &v); p != "" {
			after.Phone = &p
		}
	}
	if err := v.Err(); err != nil {
		return User{}, err
	}
	changes, err := audit.Diff(before, after)
	if err != nil || len(changes) == 0 {
		return before, err
	}
	after.Version++
	after.UpdatedAt = tx.Now
	if err := updateProfile(tx, after); err != nil {
		return User{}, err
	}
	Changed(tx)
	return after, record(tx, actor, "user.updated", userTarget(after.ID, after.Name), changes)
}

func userTarget(u id.User, name string) audit.Target {
	return audit.Target{Type: "user", ID: int64(u), Name: name}
}

// record writes an event about the actor's own account, in the actor's own tenant.
func record(tx *db.Tx, actor audit.Actor, action string, target audit.Target, changes audit.Changes) error {
	_, err := audit.Record(tx, audit.Event{Actor: actor, Action: action, Target: target,
		Organization: actor.Organization, Admin: actor.Admin, Changes: changes})
	return err
}

// emailKey is the key of an address as somebody typed it at sign-in: what is no
// address has one too, under which nobody is found.
func emailKey(email string) string {
	var v fault.Validation
	if _, key := text.Email("email", email, &v); v.Err() == nil {
		return key
	}
	return text.Key(email)
}

// missing makes a row that is not there the 404 that callers may see.
func missing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.Missing()
	}
	return err
}
