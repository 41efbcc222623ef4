package credit

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
)

// tellAdmin tells the people of the admin that received a grant.
func tellAdmin(tx *db.Tx, t Transaction, actor audit.Actor) error {
	users, err := adminUsers(tx, id.Val(t.Admin))
	if err != nil {
		return err
	}
	return tell(tx, users, actor, notify.Message{Kind: "credits.granted", Title: "Credits granted",
		Body:   t.sentence("Your account received"),
		Target: notify.Target{Type: "admin", ID: int64(id.Val(t.Admin))}, Admin: id.Val(t.Admin)})
}

// tellOwners tells the owners of the organization that received credits, and
// the people of the admin when the platform took them from its pool.
func tellOwners(tx *db.Tx, t Transaction, actor audit.Actor) error {
	to := id.Val(t.Organization)
	if t.Source == FromAdmin && actor.Tier >= audit.Platform {
		if err := tellPool(tx, t, actor); err != nil {
			return err
		}
	}
	users, err := owners(tx, to)
	if err != nil {
		return err
	}
	return tell(tx, users, actor, notify.Message{Kind: "credits.added", Title: "Credits added",
		Body:   t.sentence("Your organization received"),
		Target: notify.Target{Type: "organization", ID: int64(to)}, Organization: to})
}

// tellPool tells the people of the admin whose pool the platform drew on.
func tellPool(tx *db.Tx, t Transaction, actor audit.Actor) error {
	admin, to := id.Val(t.Admin), id.Val(t.Organization)
	users, err := adminUsers(tx, admin)
	if err != nil {
		return err
	}
	o, err := belonging(tx, to)
	if err != nil {
		return err
	}
	return tell(tx, users, actor, notify.Message{Kind: "credits.allocated", Title: "Credits taken from your pool",
		Body:   fmt.Sprintf("The platform gave %d credits of your pool to %s.", t.Amount, o.name) + t.because(),
		Target: notify.Target{Type: "organization", ID: int64(to)}, Organization: to, Admin: admin})
}

// tellLimit tells the owners of the organization whose limit changed, and the
// people of its admin.
func tellLimit(tx *db.Tx, of id.Organization, old, limit int64, actor audit.Actor) error {
	users, err := owners(tx, of)
	if err != nil {
		return err
	}
	o, err := belonging(tx, of)
	if err != nil {
		return err
	}
	people, err := adminUsers(tx, o.admin)
	if err != nil {
		return err
	}
	users = append(users, people...)
	slices.Sort(users)
	return tell(tx, slices.Compact(users), actor, notify.Message{Kind: "credit_limit.changed", Title: "Credit limit changed",
		Body:   fmt.Sprintf("The credit limit of %s went from %d to %d.", o.name, old, limit),
		Target: notify.Target{Type: "organization", ID: int64(of)}, Organization: of, Admin: o.admin})
}

// tell leaves out who did it.
func tell(tx *db.Tx, users []id.User, actor audit.Actor, m notify.Message) error {
	m.Users = slices.DeleteFunc(users, func(u id.User) bool { return u == actor.UserID() })
	if len(m.Users) == 0 {
		return nil
	}
	return notify.Send(tx, m)
}

func (t Transaction) sentence(who string) string {
	return fmt.Sprintf("%s %d credits; the balance is now %d.", who, t.Amount, t.BalanceAfter) + t.because()
}

func (t Transaction) because() string {
	if t.Reason == nil {
		return ""
	}
	return " Reason: " + *t.Reason
}
