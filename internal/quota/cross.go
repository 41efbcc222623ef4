package quota

import (
	"errors"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// A threshold is crossed by use, or by a limit that moves. Whoever changes what
// a limit follows from calls one of these in the same transaction; each tells of
// every meter that stands beyond a threshold of its limit now, or is back.

// LimitsChanged is for one organization: its own limits, or its admin.
func LimitsChanged(tx *db.Tx, organization id.Organization) error {
	done := false
	return cross(tx, "", func(id.Organization) ([]id.Organization, error) {
		if done {
			return nil, nil
		}
		done = true
		return []id.Organization{organization}, nil
	})
}

// GroupLimitsChanged is for the organizations of all admins of a partner group:
// its bounds, or who is in it.
func GroupLimitsChanged(tx *db.Tx, group id.Group) error {
	return cross(tx, "", func(after id.Organization) ([]id.Organization, error) { return ofGroup(tx, group, after) })
}

// AdminLimitsChanged is for the organizations of an admin: its group.
func AdminLimitsChanged(tx *db.Tx, admin id.Admin) error {
	return cross(tx, "", func(after id.Organization) ([]id.Organization, error) { return ofAdmin(tx, admin, after) })
}

// MeterLimitChanged is for all organizations: the platform's limit of a meter.
func MeterLimitChanged(tx *db.Tx, key string) error {
	return cross(tx, key, func(after id.Organization) ([]id.Organization, error) {
		if key == Seats {
			return ofAll(tx, after)
		}
		return ofMeter(tx, key, after)
	})
}

// cross looks at organizations, some at a time and in order of id; only is the
// meter, or "" for every one.
func cross(tx *db.Tx, only string, next func(after id.Organization) ([]id.Organization, error)) error {
	if err := moveLimits(tx); err != nil {
		return err
	}
	zone, err := zone(tx)
	if err != nil {
		return err
	}
	meters, err := catalogue(tx)
	if err != nil {
		return err
	}
	_, month := Month(tx.Now, zone)
	for after := id.Organization(0); ; {
		some, err := next(after)
		if err != nil || len(some) == 0 {
			return err
		}
		stand, err := standing(tx, some, month)
		if err != nil {
			return err
		}
		all, err := accounts(tx, some, nil)
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b Account) int { return int(a.ID - b.ID) })
		for i := range all {
			a := &all[i]
			if err := a.cross(tx, meters, stand[a.ID], only, month); err != nil {
				return err
			}
		}
		after = some[len(some)-1]
	}
}

// row is what a meter of an organization stands at, and what was told of it.
type row struct {
	period, used int64
	told         Told
}

// cross tells of those meters that crossed, in order of their keys.
func (a *Account) cross(tx *db.Tx, meters map[string]Meter, rows map[string]row, only string, month int64) error {
	seats := rows[Seats]
	seats.used = a.Members + a.Invited
	keys := slices.Collect(maps.Keys(rows))
	if _, known := rows[Seats]; !known {
		keys = append(keys, Seats)
	}
	slices.Sort(keys)
	for _, key := range keys {
		m, known := meters[key]
		if !known || only != "" && only != key {
			continue
		}
		r := rows[key]
		if key == Seats {
			r = seats
		}
		if !a.crosses(m, r, month) {
			continue
		}
		if err := crossed(tx, a.ID, m, r, month); err != nil {
			return err
		}
	}
	return nil
}

// crosses reports whether there is something to tell that was not told.
func (a *Account) crosses(m Meter, r row, month int64) bool {
	told := r.told.Bits
	if r.told.Month != month {
		told = 0
	}
	return reached(r.used, a.Limit(m).Limit, told)&^told != 0
}

// crossed takes the meter's row, looks again at what is there by then, and tells.
func crossed(tx *db.Tx, o id.Organization, m Meter, r row, month int64) error {
	used, had, err := current(tx, o, m.Key, r.period)
	if errors.Is(err, db.ErrNoRows) {
		used = r.used
		had, err = mark(tx, o, m.Key, r.period, used)
	}
	if err != nil {
		return err
	}
	a, err := Find(tx, o)
	if err != nil {
		return err
	}
	if m.Key == Seats {
		used = a.Members + a.Invited
	}
	now, err := a.Watch(tx, m, used, had, month, nil)
	if err != nil || now == had {
		return err
	}
	return keep(tx, o, m.Key, r.period, now)
}
