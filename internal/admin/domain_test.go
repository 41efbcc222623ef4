package admin_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

func (w world) verify(actor audit.Actor, a id.Admin, in domain.Verification, records ...string) (admin.Admin, int, error) {
	return write(w, func(tx *db.Tx) (admin.Admin, error) { return admin.VerifyDomain(tx, actor, a, in, records) })
}

func TestCustomDomain(t *testing.T) {
	each(t, func(w world) {
		a := w.made(`{"name":"A","contact_email":"a@a.example","custom_domain":"Portal.Agency.Example"}`)
		if a.CustomDomain == nil || *a.CustomDomain != "portal.agency.example" || a.CustomDomainStatus != domain.Pending ||
			a.DomainVerification == nil || a.DomainVerification.Name != "_tenantry.portal.agency.example" {
			w.Fatalf("claimed: got %+v", a)
		}
		_, err := w.create(`{"name":"A","contact_email":"a@a.example","custom_domain":"x.tenantry.example"}`)
		w.wantCode("the platform's own", err, "domain_reserved")
		_, _, err = w.update(a.ID, `{"custom_domain":"127.0.0.1"}`)
		w.wantCode("an address", err, "invalid_domain")

		_, _, err = w.verify(boss, a.ID, domain.Verification{}, "something else")
		w.wantCode("another record", err, "domain_not_verified")
		staff := audit.Actor{Type: audit.User, ID: 2, Tier: audit.Reseller}
		_, _, err = w.verify(staff, a.ID, domain.Verification{Override: true, Reason: "r"})
		w.wantCode("override by the admin", err, "forbidden")
		_, _, err = w.verify(boss, a.ID, domain.Verification{Override: true})
		w.wantCode("override without a reason", err, "required")
		v, events, err := w.verify(staff, a.ID, domain.Verification{}, "other", a.DomainVerification.Value)
		if err != nil || events != 1 || v.CustomDomainStatus != domain.Verified || v.DomainVerification != nil {
			w.Fatalf("proved: got %+v, %d events, %v", v, events, err)
		}
		if _, events, err = w.verify(boss, a.ID, domain.Verification{}); err != nil || events != 0 {
			w.Errorf("again: %d events, %v", events, err)
		}

		b := w.made(`{"name":"B","contact_email":"b@b.example","custom_domain":"portal.agency.example"}`)
		_, _, err = w.verify(boss, b.ID, domain.Verification{Override: true, Reason: "r"})
		w.wantCode("a host that another holds", err, "domain_taken")
		c, events, err := w.update(a.ID, `{"custom_domain":"new.agency.example"}`)
		if err != nil || events != 1 || c.CustomDomainStatus != domain.Pending || c.Version != a.Version+1 {
			w.Errorf("changed: got %+v, %d events, %v", c, events, err)
		}
		if c, _, err = w.verify(boss, b.ID, domain.Verification{Override: true, Reason: "moved"}); err != nil || c.CustomDomainStatus != domain.Verified {
			w.Errorf("a host given up: got %+v, %v", c, err)
		}
		if c, _, err = w.update(a.ID, `{"custom_domain":null}`); err != nil || c.CustomDomain != nil || c.CustomDomainStatus != domain.None {
			w.Errorf("cleared: got %+v, %v", c, err)
		}
		_, _, err = w.verify(boss, a.ID, domain.Verification{})
		w.wantCode("nothing to verify", err, "no_domain")
	})
}

// Many who claim one host prove it at once: one holds it.
func TestVerifyRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := world{t, d}
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			a := w.made(fmt.Sprintf(`{"name":"%d","contact_email":"a@a.example","custom_domain":"one.agency.example"}`, i))
			wg.Go(func() { _, _, errs[i] = w.verify(boss, a.ID, domain.Verification{Override: true, Reason: "r"}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if fault.Code(err) != "domain_taken" {
				t.Errorf("a loser: got %v, want domain_taken", err)
			}
		}
		if won != 1 {
			t.Errorf("got %d holders, want 1", won)
		}
	})
}
