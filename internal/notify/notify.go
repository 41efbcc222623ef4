// Package notify tells people in the product what concerns them. A
// notification is a row per user, written in the transaction of what it tells,
// with an exact unread counter beside it.
package notify

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

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
	Type string
	ID   int64
}

// Send writes the notifications in tx.
func Send(tx *db.Tx, m Message) error {
	return send(tx, m)
}
