// Package hold keeps why an organization or an admin is suspended: a set of
// holds, each placed and lifted on its own. An expired hold is none, without a
// timer: every reader compares with the clock. A hold on an admin is on the
// admin alone; that it reaches the admin's organizations is how readers ask
// (see Condition), so lifting it never has to find them.
package hold

import (
	"errors"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
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

// Sources are all sources, in the order in which they are documented.
var Sources = []Source{Platform, Admin, Quota, Billing}

// Valid reports one of the four sources.
func (s Source) Valid() bool {
	return s == Platform || s == Admin || s == Quota || s == Billing
}

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

var errSubject = errors.New("hold: a subject is either an organization or an admin, and a source one of the four")

// Place puts a hold, for ever or until expires; one of the same source that is
// in force stays as it is, and placed is false. expires must lie ahead. The
// caches of who may sign in, of what a host shows and of what may be done are
// told after the commit (topics "auth", "branding" and "entitlement").
func Place(tx *db.Tx, on Subject, source Source, reason string, by id.User, expires *db.Time) (placed bool, err error) {
	if !on.valid() || !source.Valid() {
		return false, errSubject
	}
	if expires != nil && *expires <= tx.Now {
		return false, fault.InvalidField("expires_at", "in_the_past", "Give a time that lies ahead.")
	}
	placed, err = place(tx, on, source, reason, by, expires)
	if placed {
		on.changed(tx)
	}
	return placed, err
}

// Lift ends the holds of these sources that are in force and gives how many
// there were. Two that lift at once lift each hold once between them. Caches are
// told as by Place.
func Lift(tx *db.Tx, on Subject, sources []Source, by id.User) (lifted int64, err error) {
	if !on.valid() {
		return 0, errSubject
	}
	lifted, err = lift(tx, on, sources, by)
	if lifted > 0 {
		on.changed(tx)
	}
	return lifted, err
}

// changed tells the caches, by names that belong to packages above.
func (s Subject) changed(tx *db.Tx) {
	tx.Publish("auth", "")
	tx.Publish("branding", "")
	of := ""
	if s.Organization != 0 {
		of = strconv.FormatInt(int64(s.Organization), 10)
	}
	tx.Publish("entitlement", of)
}

// Active gives the holds in force, oldest first.
func Active(tx *db.Tx, on Subject) ([]Hold, error) {
	if !on.valid() {
		return nil, errSubject
	}
	return active(tx, on)
}

// OfOrganizations gives the holds in force on each of these organizations
// themselves, oldest first; those without are not in the map. For pages of a
// list: at most 200 ids.
func OfOrganizations(tx *db.Tx, ids []id.Organization) (map[id.Organization][]Hold, error) {
	return activeOf(tx, "organization_id", ids)
}

// OfAdmins is OfOrganizations for admins.
func OfAdmins(tx *db.Tx, ids []id.Admin) (map[id.Admin][]Hold, error) {
	return activeOf(tx, "admin_id", ids)
}

func (s Subject) valid() bool { return (s.Organization == 0) != (s.Admin == 0) }
