package registration

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/branding"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/settings"
)

// platformName is the brand where nobody set one.
const platformName = "Tenantry"

// checkPassword applies the policy of the settings.
func checkPassword(tx *db.Tx, password, email string, v *fault.Validation) error {
	set, err := settings.Load(tx)
	if err != nil {
		return err
	}
	auth.CheckPassword("password", password, email, int(set.PasswordMinLength), v)
	return nil
}

// autoApproves reports whether requests are approved by themselves.
func autoApproves(tx *db.Tx) (bool, error) {
	set, err := settings.Load(tx)
	return set.AutoApproveRegistrations, err
}

// broughtBy gives the admin whose organization it becomes: the holder of the
// verified host it came by, before the one whose referral code was given. Zero
// is the platform. verified says that the host is somebody's.
func broughtBy(tx *db.Tx, host, code string) (admin id.Admin, verified bool, err error) {
	if host != "" {
		admin, verified, err = hostHolder(tx, host)
	}
	if err != nil || admin != 0 || code == "" {
		return admin, verified, err
	}
	admin, err = adminByReferral(tx, code)
	return admin, verified, err
}

// hostHolder gives the admin behind a verified host: its holder, or the one
// that the holding organization belongs to. A hold on either is the error.
func hostHolder(tx *db.Tx, host string) (id.Admin, bool, error) {
	holder, ok, err := domain.Holder(tx, host)
	if err != nil || !ok {
		return 0, false, err
	}
	if holder.Organization != 0 {
		if holder.Admin, err = resellerOf(tx, holder.Organization); err != nil {
			return 0, false, err
		}
	}
	return holder.Admin, true, open(tx, holder)
}

// open refuses to take anybody in at the host of whom a hold stops: there is
// only a notice to see.
func open(tx *db.Tx, o domain.Owner) error {
	for _, s := range []struct {
		on   hold.Subject
		code string
	}{{hold.Subject{Organization: o.Organization}, "organization_suspended"}, {hold.Subject{Admin: o.Admin}, "admin_suspended"}} {
		if s.on == (hold.Subject{}) {
			continue
		}
		holds, err := hold.Active(tx, s.on)
		if err != nil {
			return err
		}
		if len(holds) > 0 {
			return fault.New(fault.Forbidden, s.code, "This service is suspended at the moment.")
		}
	}
	return nil
}

// appName is the brand in whose name an applicant is written to.
func appName(tx *db.Tx, admin id.Admin) (string, error) {
	if admin != 0 {
		b, err := branding.Of(tx, admin)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
		if b.Branding.AppName != nil {
			return *b.Branding.AppName, nil
		}
	}
	set, err := settings.Load(tx)
	if err != nil || set.Branding.AppName == nil {
		return platformName, err
	}
	return *set.Branding.AppName, nil
}
