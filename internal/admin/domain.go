package admin

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/patch"
)

// domain fills in the custom domain from the columns of its claim.
func (a *Admin) domain(status, token *string) {
	a.CustomDomainStatus = "none"
	if a.CustomDomain == nil || status == nil {
		return
	}
	a.CustomDomainStatus = *status
	if *status != "verified" {
		a.DomainVerification = &DomainRecord{Type: "TXT", Name: "_tenantry." + *a.CustomDomain, Value: *token}
	}
}

func checkDomain(host string, v *fault.Validation) {}

func setDomain(tx *db.Tx, admin id.Admin, host string) error { return nil }

func changeDomain(tx *db.Tx, before Admin, p patch.Field[string]) error { return nil }
