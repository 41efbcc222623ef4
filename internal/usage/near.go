package usage

import (
	"cmp"
	"slices"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// Pressed is an organization that has used most of a limit, or all of it.
type Pressed struct {
	OrganizationID id.Organization `json:"organization_id"`
	Name           string          `json:"name"`
	Slug           string          `json:"slug"`
	AdminID        *id.Admin       `json:"admin_id"`
	Meter          string          `json:"meter"`
	Unit           string          `json:"unit"`
	Used           int64           `json:"used" doc:"Of a counter in this month; of a gauge now"`
	Limit          int64           `json:"limit"`
	Percent        float64         `json:"percent"`
	State          State           `json:"state" enum:"warning,exceeded"`
}

// Pressure is who is near a limit.
type Pressure struct {
	Threshold int       `json:"threshold" doc:"From how many percent on"`
	Total     int       `json:"total" doc:"How many there are, of organization and meter"`
	Data      []Pressed `json:"data" nullable:"false" doc:"The highest percentage first"`
	AsOf      db.Time   `json:"as_of"`
}

// maxTold bounds how many are looked at that a threshold was told of.
const maxTold = 20_000

// PressureOf gives the organizations within reach that use quota.WarnAt
// percent of a limit or more, at most so many. Those that a threshold was told
// of are looked at, by their index, and held against the limits that hold now.
func PressureOf(tx *db.Tx, of auth.Reach, most int) (Pressure, error) {
	known, err := knownIn(tx)
	if err != nil {
		return Pressure{}, err
	}
	_, month := Month(tx.Now, known.zone)
	all, err := toldOf(tx, of, month, maxTold)
	if err != nil {
		return Pressure{}, err
	}
	p := Pressure{Threshold: quota.WarnAt, Data: []Pressed{}, AsOf: tx.Now}
	for chunk := range slices.Chunk(all, 500) {
		found, err := known.press(tx, chunk)
		if err != nil {
			return p, err
		}
		p.Data = append(p.Data, found...)
	}
	slices.SortFunc(p.Data, func(a, b Pressed) int {
		return cmp.Or(cmp.Compare(b.Percent, a.Percent), cmp.Compare(a.OrganizationID, b.OrganizationID), cmp.Compare(a.Meter, b.Meter))
	})
	p.Total = len(p.Data)
	p.Data = p.Data[:min(most, len(p.Data))]
	return p, nil
}

// toldRow is a meter of an organization that a threshold was told of.
type toldRow struct {
	organization id.Organization
	meter        string
	used         int64
}

// press holds rows against the limits.
func (c *catalogue) press(tx *db.Tx, rows []toldRow) ([]Pressed, error) {
	ids := make([]id.Organization, len(rows))
	for i, r := range rows {
		ids[i] = r.organization
	}
	accounts, err := quota.Accounts(tx, ids, nil)
	if err != nil {
		return nil, err
	}
	byID := map[id.Organization]*quota.Account{}
	for i := range accounts {
		byID[accounts[i].ID] = &accounts[i]
	}
	var found []Pressed
	for _, r := range rows {
		a, m := byID[r.organization], c.meters[r.meter]
		if a == nil || a.Archived || m.Key == "" {
			continue
		}
		used := r.used
		if m.Kind == quota.People {
			used = a.Members + a.Invited
		}
		limit := a.Limit(m).Limit
		if limit == unlimited {
			continue
		}
		if percent, state := measure(float64(used), float64(limit)); state != OK {
			found = append(found, Pressed{OrganizationID: a.ID, Name: a.Name, Slug: a.Slug, AdminID: id.Ref(a.Admin), Meter: m.Key, Unit: m.Unit,
				Used: used, Limit: limit, Percent: *percent, State: state})
		}
	}
	return found, nil
}
