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

// tellOwners tells the owners of the organization that received credits.
func tellOwners(tx *db.Tx, t Transaction, actor audit.Actor) error {
	to := id.Val(t.Organization)
	users, err := owners(tx, to)
	if err != nil {
		return err
	}
	return tell(tx, users, actor, notify.Message{Kind: "credits.added", Title: "Credits added",
		Body:   t.sentence("Your organization received"),
		Target: notify.Target{Type: "organization", ID: int64(to)}, Organization: to})
}

// tellLimit tells the owners of the organization whose limit changed.
func tellLimit(tx *db.Tx, of id.Organization, old, limit int64, actor audit.Actor) error {
	users, err := owners(tx, of)
	if err != nil {
		return err
	}
	return tell(tx, users, actor, notify.Message{Kind: "credit_limit.changed", Title: "Credit limit changed",
		Body:   fmt.Sprintf("The credit limit of your organization went from %d to %d.", old, limit),
		Target: notify.Target{Type: "organization", ID: int64(of)}, Organization: of})
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
	s := fmt.Sprintf("%s %d credits; the balance is now %d.", who, t.Amount, t.BalanceAfter)
	if t.Reason != nil {
		s += " Reason: " + *t.Reason
	}
	return s
}
