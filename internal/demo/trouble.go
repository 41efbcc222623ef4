package demo

import (
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
)

// trouble is what ends a tenant's quiet life.
type trouble struct {
	days int // before the end
	kind string
	why  string
}

// troubles by the index of the company.
var troubles = map[int]trouble{
	4:  {21, "platform", "Spam complaints from several networks"},
	8:  {33, "archived", ""},
	11: {12, "admin", "The customer asked for a break"},
	16: {16, "back", "Identity check of the owner is open"},
	17: {6, "billing", "Invoice 2026-0417 is unpaid for 30 days"},
	23: {5, "admin", "Contract ended, export of the data is running"},
	29: {7, "both", "Chargeback of the last payment"},
	36: {10, "archived", ""},
	41: {8, "back", "Password of the owner was found in a leak"},
	47: {3, "billing", "Invoice 2026-0522 is unpaid for 14 days"},
	51: {2, "quota", "Storage is 20 % above the limit"},
}

// trouble sets when the tenant's quiet life ends.
func (s *seed) trouble(t *tenant, i int) {
	t.until = s.end
	if x, ok := troubles[i]; ok {
		t.until = s.ago(x.days, 9+float64(i%8))
	}
	if t.reseller != nil && t.reseller.suspended != "" {
		t.until = s.ago(suspendedAgo, 6)
	}
}

// suspendedAgo is when the suspended reseller was, in days before the end.
const suspendedAgo = 9

// tellTrouble suspends, lifts and archives.
func (s *seed) tellTrouble() {
	for i, t := range s.tenants {
		x, ok := troubles[i]
		if !ok {
			continue
		}
		switch x.kind {
		case "platform", "back", "both":
			s.tellStatus(t, t.until, s.rooted(i), org.Suspended, x.why)
		case "admin":
			s.tellStatus(t, t.until, s.handed(t), org.Suspended, x.why)
		case "archived":
			s.tellStatus(t, t.until, s.rooted(i), org.Archived, "The customer has left")
		default:
			s.tellHold(t, hold.Source(x.kind), x.why)
		}
		switch x.kind {
		case "both":
			s.tellStatus(t, s.later(t.until, 5, 20), s.handed(t), org.Suspended, "We follow the platform's decision")
		case "back":
			s.tellStatus(t, s.later(t.until, 20, 40), s.rooted(i+1), org.Active, "Settled")
		}
	}
}

// tellStatus sets a status.
func (s *seed) tellStatus(t *tenant, when time.Time, by func() audit.Actor, status org.Status, why string) {
	s.change(when, fmt.Sprintf("%s of %s", status, t.company), func(tx *db.Tx) error {
		_, err := org.SetStatus(tx, by(), t.id, org.StatusChange{Status: status, Reason: why})
		return err
	})
}

// tellHold places a hold as the product itself does.
func (s *seed) tellHold(t *tenant, source hold.Source, why string) {
	s.change(t.until, fmt.Sprintf("the %s hold on %s", source, t.company), func(tx *db.Tx) error {
		o, err := org.Detail(tx, t.id)
		if err != nil {
			return err
		}
		if _, err := hold.Place(tx, hold.Subject{Organization: t.id}, source, why, 0, nil); err != nil {
			return err
		}
		_, err = audit.Record(tx, audit.Event{
			Actor: audit.Product(""), Action: "organization.suspended", Reason: why, Organization: t.id, Admin: id.Val(o.AdminID),
			Target:  audit.Target{Type: "organization", ID: int64(t.id), Name: o.Name},
			Changes: audit.Changes{"status": {Old: org.Active, New: org.Suspended}},
		})
		return err
	})
}

// rooted and handed are root and hand for later: ids are known only while
// playing.
func (s *seed) rooted(i int) func() audit.Actor { return func() audit.Actor { return s.root(i) } }

func (s *seed) handed(t *tenant) func() audit.Actor { return func() audit.Actor { return s.hand(t) } }
