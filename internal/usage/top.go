package usage

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
)

// Top is an organization among those that use most.
type Top struct {
	OrganizationID id.Organization `json:"organization_id"`
	Name           string          `json:"name"`
	Slug           string          `json:"slug"`
	AdminID        *id.Admin       `json:"admin_id"`
	Meter          string          `json:"meter"`
	Used           int64           `json:"used" doc:"Of a counter in this month; of a gauge now"`
}

// TopOf lists the organizations that use most of a meter, within what the
// caller may see.
func TopOf(tx *db.Tx, of auth.Reach, meter string, r page.Request) (page.List[Top], error) {
	known, err := knownIn(tx)
	if err != nil {
		return page.List[Top]{}, err
	}
	m, ok := known.meters[meter]
	switch {
	case !ok:
		return page.List[Top]{}, fault.InvalidField("meter", "unknown_meter", "Name a meter of the catalogue; see GET /api/tenants/meters.")
	case m.Kind == quota.People:
		return page.List[Top]{}, fault.InvalidField("meter", "not_applicable", "Seats stand with each organization.")
	}
	period := int64(0)
	if m.Kind == quota.Counter {
		_, period = Month(tx.Now, known.zone)
	}
	return listTop(tx, of, meter, period, r)
}

// PluginUsage is what each plugin reported.
type PluginUsage struct {
	OrganizationID id.Organization `json:"organization_id"`
	Period         Period          `json:"period"`
	Data           []PluginMeter   `json:"data"`
}

// PluginMeter is one plugin's part of one meter.
type PluginMeter struct {
	Plugin string     `json:"plugin"`
	Meter  string     `json:"meter"`
	Kind   quota.Kind `json:"kind" enum:"counter,gauge"`
	Unit   string     `json:"unit"`
	Used   int64      `json:"used" doc:"Of a counter in this month; of a gauge now"`
	Events int64      `json:"events" doc:"In this month"`
}

// ByPlugin gives each plugin's part of what an organization uses.
func ByPlugin(tx *db.Tx, o id.Organization) (PluginUsage, error) {
	known, err := knownIn(tx)
	if err != nil {
		return PluginUsage{}, err
	}
	period, month := Month(tx.Now, known.zone)
	u := PluginUsage{OrganizationID: o, Period: period, Data: []PluginMeter{}}
	all, err := pluginParts(tx, o, month, windowOf(period.To-1, known.zone).day)
	for _, p := range all {
		m := known.meters[p.Meter]
		p.Kind, p.Unit = m.Kind, m.Unit
		u.Data = append(u.Data, p)
	}
	return u, err
}
