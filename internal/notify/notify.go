// Package notify tells people in the product what concerns them. A
// notification is a row per user, written in the transaction of what it tells,
// with exact counters beside it: how many there are and how many are unread.
//
// A user's counters are locked before the row is inserted, so a user's
// notifications become visible in the order of their ids: who has seen one has
// missed none before it.
package notify

import (
	"errors"
	"slices"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Topic is published with the user's id when something of a user's changed.
const Topic = "notify"

// Message is one thing to tell several people.
type Message struct {
	Users        []id.User // each is told once, however often it stands here
	Kind         string    // "registration.requested": stable, for programs
	Title        string
	Body         string
	Target       Target
	Organization id.Organization
	Admin        id.Admin
}

// Target is the thing it is about.
type Target struct {
	Type string `json:"type" example:"organization"`
	ID   int64  `json:"id"`
}

// Notification is what one user was told.
type Notification struct {
	ID             id.Notification  `json:"id"`
	Kind           string           `json:"kind" example:"credits.added"`
	Title          string           `json:"title"`
	Body           string           `json:"body"`
	Target         Target           `json:"target"`
	OrganizationID *id.Organization `json:"organization_id"`
	AdminID        *id.Admin        `json:"admin_id"`
	Read           bool             `json:"read"`
	ReadAt         *db.Time         `json:"read_at"`
	CreatedAt      db.Time          `json:"created_at"`
}

// Revision is always the first: nothing of a notification can be edited.
func (Notification) Revision() int64 { return 1 }

// Send writes the notifications in tx. Nobody to tell is no error.
func Send(tx *db.Tx, m Message) error {
	users := slices.Clone(m.Users)
	slices.Sort(users) // the order in which all take these locks
	for _, u := range slices.Compact(users) {
		if err := count(tx, u, 1, 1); err != nil {
			return err
		}
		if err := insert(tx, u, m); err != nil {
			return err
		}
		changed(tx, u)
	}
	return nil
}

func changed(tx *db.Tx, u id.User) { tx.Publish(Topic, strconv.FormatInt(int64(u), 10)) }

// Superadmins are the active platform staff.
func Superadmins(tx *db.Tx) ([]id.User, error) { return superadmins(tx) }

// AdminUsers are the active people of an admin.
func AdminUsers(tx *db.Tx, a id.Admin) ([]id.User, error) { return adminUsers(tx, a) }

// OrganizationOwners are the active owners of an organization.
func OrganizationOwners(tx *db.Tx, o id.Organization) ([]id.User, error) {
	return organizationOwners(tx, o)
}

// List gives a user's notifications, newest first.
func List(tx *db.Tx, u id.User, unreadOnly bool, r page.Request) (page.List[Notification], error) {
	rows, err := list(tx, u, unreadOnly, r)
	if err != nil {
		return page.List[Notification]{}, err
	}
	total, unread, err := counts(tx, u)
	if unreadOnly {
		total = unread
	}
	return page.Of(r, rows, total, func(n Notification) page.Position {
		return page.Position{At: int64(n.CreatedAt), ID: int64(n.ID)}
	}), err
}

// Unread is how many of a user's notifications are unread, exactly.
func Unread(tx *db.Tx, u id.User) (int64, error) {
	_, unread, err := counts(tx, u)
	return unread, err
}

// MarkRead marks one notification read; again changes nothing. Another user's
// is 404.
func MarkRead(tx *db.Tx, u id.User, n id.Notification) (Notification, error) {
	if err := count(tx, u, 0, 0); err != nil { // the lock, before the row's
		return Notification{}, err
	}
	found, err := one(tx, u, n)
	if errors.Is(err, db.ErrNoRows) {
		return Notification{}, fault.Missing()
	}
	if err != nil || found.Read {
		return found, err
	}
	if err := markRead(tx, u, n); err != nil {
		return Notification{}, err
	}
	if err := count(tx, u, 0, -1); err != nil {
		return Notification{}, err
	}
	changed(tx, u)
	return one(tx, u, n)
}

// MarkAllRead marks all of a user's notifications read and gives how many
// were not.
func MarkAllRead(tx *db.Tx, u id.User) (updated int64, err error) {
	if err := count(tx, u, 0, 0); err != nil {
		return 0, err
	}
	if updated, err = markAllRead(tx, u); err != nil || updated == 0 {
		return updated, err
	}
	changed(tx, u)
	return updated, count(tx, u, 0, -updated)
}
