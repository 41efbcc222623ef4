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
