package credit

import (
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// SetLimit sets how far below zero an organization may go. One set by its
// admin is backed: the sum of all that the admin backs stays within its
// balance, unless its group oversells; beyond that it refuses with
// insufficient_credits. One set by the platform (byAdmin false) rests on
// nobody. Lowering a limit under what is overdrawn is allowed and blocks
// spending. The same limit again changes nothing, whoever sets it.
func SetLimit(tx *db.Tx, actor audit.Actor, of id.Organization, limit int64, byAdmin bool, backing Backing) error {
	if limit < 0 {
		return negativeLimit()
	}
	old, err := lockLimit(tx, of)
	if err != nil || old.limit == limit {
		return err
	}
	now := limited{limit: limit}
	if byAdmin {
		now.by = backing.Admin
	}
	if err := back(tx, old, now, backing.Oversell); err != nil {
		return err
	}
	if err := saveLimit(tx, of, now); err != nil {
		return err
	}
	if err := crossLimit(tx, of, old.limit); err != nil {
		return err
	}
	return tellLimit(tx, of, old.limit, limit, actor)
}

// crossLimit warns where what is overdrawn or held is that much of the limit only
// since the limit has moved.
func crossLimit(tx *db.Tx, of id.Organization, before int64) error {
	b, err := openBook(tx, Owner{Organization: of})
	if err != nil {
		return err
	}
	w, err := b.wallet(Owner{Organization: of})
	if err != nil {
		return err
	}
	was := *w
	was.limit = before
	w.level = was.conditions()
	b.watch(w)
	w.touched = w.touched || len(b.warnings) > 0
	return b.flush()
}

// Release takes an organization's limit off the admin that backs it; the limit
// stays, as one of the platform's. For an organization that changes its admin.
func Release(tx *db.Tx, of id.Organization) error {
	old, err := lockLimit(tx, of)
	if err != nil || old.by == 0 {
		return err
	}
	now := limited{limit: old.limit}
	if err := back(tx, old, now, true); err != nil {
		return err
	}
	return saveLimit(tx, of, now)
}

// limited is a limit and the admin that backs it, if any.
type limited struct {
	limit int64
	by    id.Admin
}

// back moves the cover from what it was to what it shall be, admins in order
// of id.
func back(tx *db.Tx, old, now limited, oversell bool) error {
	change := map[id.Admin]int64{}
	if old.by != 0 {
		change[old.by] -= old.limit
	}
	if now.by != 0 {
		change[now.by] += now.limit
	}
	first, second := min(old.by, now.by), max(old.by, now.by)
	for i, admin := range []id.Admin{first, second} {
		if admin == 0 || i == 1 && admin == first || change[admin] == 0 {
			continue
		}
		if err := cover(tx, admin, change[admin], oversell); err != nil {
			return err
		}
	}
	return nil
}

func negativeLimit() error {
	return fault.InvalidField("credit_limit", "too_small", "Give a whole number of credits, at least 0.")
}
