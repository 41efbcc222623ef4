// Package hold keeps why an organization or an admin is suspended: a set of
// holds, each placed and lifted on its own. An expired hold is none, without a
// timer: every reader compares with the clock.
package hold

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Source is the tier or the reason that placed a hold.
type Source string

// The sources.
const (
	Platform Source = "platform"
	Admin    Source = "admin"
	Quota    Source = "quota"
	Billing  Source = "billing"
)

// Subject is what is held: exactly one of the two.
type Subject struct {
	Organization id.Organization
	Admin        id.Admin
}

// Hold is one reason, as it is answered.
type Hold struct {
	Source    Source   `json:"source"`
	Reason    string   `json:"reason"`
	By        *id.User `json:"by"` // null is the product itself
	At        db.Time  `json:"at"`
	ExpiresAt *db.Time `json:"expires_at"`
}

// Place puts a hold; one of the same source that is in force stays as it is,
// and placed is false.
func Place(tx *db.Tx, on Subject, source Source, reason string, by id.User, expires *db.Time) (placed bool, err error) {
	return place(tx, on, source, reason, by, expires)
}

// Lift ends the holds of these sources and gives how many there were.
func Lift(tx *db.Tx, on Subject, sources []Source, by id.User) (lifted int64, err error) {
	return lift(tx, on, sources, by)
}

// Active gives the holds in force, oldest first.
func Active(tx *db.Tx, on Subject) ([]Hold, error) {
	return active(tx, on)
}
