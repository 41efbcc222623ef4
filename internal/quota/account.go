package quota

import (
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Account is an organization as far as its limits need it.
type Account struct {
	ID       id.Organization
	Slug     string
	Name     string
	Admin    id.Admin // zero is the platform
	Archived bool
	// Held is the source of a hold on the organization itself, or "".
	Held string
	// AdminHeld says that there is a hold on its admin.
	AdminHeld        bool
	Members, Invited int64

	storage, users, bandwidth                int64 // the organization's, GB and people
	groupStorage, groupUsers, groupBandwidth *int64
	oversell                                 bool
	own                                      map[string]Setting
}

// Setting is what differs for one organization from a meter's own limit and
// mode. Nil and "" are no difference.
type Setting struct {
	Limit *int64
	Mode  Mode
}

// Find gives one account; fault.Missing where there is no such organization.
func Find(tx *db.Tx, organization id.Organization) (Account, error) {
	all, err := accounts(tx, []id.Organization{organization}, nil)
	if err == nil && len(all) == 0 {
		err = fault.Missing()
	}
	if err != nil {
		return Account{}, err
	}
	return all[0], nil
}

// Accounts finds many at once, by id or by slug; those that do not exist are
// left out.
func Accounts(tx *db.Tx, ids []id.Organization, slugs []string) ([]Account, error) {
	return accounts(tx, ids, slugs)
}

// Hold is the code of whatever holds the account, and the level that
// does; "" when nothing does.
func (a *Account) Hold() (code string, by Level) {
	switch {
	case a.Held != "" && a.Held == string(ByAdmin):
		return "organization_suspended", ByAdmin
	case a.Held != "":
		return "organization_suspended", ByPlatform
	case a.AdminHeld:
		return "admin_suspended", ByAdmin
	case a.Archived:
		return "organization_archived", ByOrganization
	}
	return "", ""
}

// Setting gives what was set for the organization alone.
func (a *Account) Setting(meter string) Setting { return a.own[meter] }

// Limit is the effective limit of a meter.
func (a *Account) Limit(m Meter) Limit {
	set := a.own[m.Key]
	l := Limit{Limit: Unlimited, Mode: m.Mode}
	if set.Mode != "" {
		l.Mode = set.Mode
	}
	l.least(a.ownLimit(m), ByOrganization)
	if g := a.groupLimit(m); g != nil && !a.oversell {
		l.least(*g, ByGroup)
	}
	l.least(m.Limit, ByPlatform)
	return l
}

func (l *Limit) least(n int64, by Level) {
	if n != Unlimited && (l.Limit == Unlimited || n < l.Limit) {
		l.Limit, l.By = n, by
	}
}

// ownLimit is the organization's, in the meter's unit.
func (a *Account) ownLimit(m Meter) int64 {
	switch m.Key {
	case Storage:
		return bytes(a.storage)
	case Bandwidth:
		return bytes(a.bandwidth)
	case Seats:
		return a.users
	}
	if l := a.own[m.Key].Limit; l != nil {
		return *l
	}
	return Unlimited
}

func (a *Account) groupLimit(m Meter) *int64 {
	var gigabytes *int64
	switch m.Key {
	case Storage:
		gigabytes = a.groupStorage
	case Bandwidth:
		gigabytes = a.groupBandwidth
	case Seats:
		return a.groupUsers
	}
	if gigabytes == nil {
		return nil
	}
	return new(bytes(*gigabytes))
}

func bytes(gigabytes int64) int64 {
	if gigabytes == Unlimited {
		return Unlimited
	}
	return gigabytes * Gigabyte
}

// settings reads what string_agg wrote: "meter mode limit" with commas between.
func settings(s *string) map[string]Setting {
	if s == nil {
		return nil
	}
	all := map[string]Setting{}
	for row := range strings.SplitSeq(*s, ",") {
		part := strings.Split(row, " ")
		if len(part) != 3 {
			continue
		}
		set := Setting{Mode: Mode(part[1])}
		if n, err := strconv.ParseInt(part[2], 10, 64); err == nil {
			set.Limit = &n
		}
		all[part[0]] = set
	}
	return all
}
