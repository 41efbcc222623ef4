package auth

import (
	"github.com/tenantry/tenantry/internal/audit"
)

// AuditView is what of the audit log p may see: all of it, its admins', the
// organizations' it owns, its key's. Owning a suspended organization shows
// nothing; the staff of a suspended admin still read what is theirs.
func (p *Principal) AuditView() audit.Visibility {
	var v audit.Visibility
	switch p.Kind {
	case Person:
		v.All = p.User.Superadmin
		for _, a := range p.Admins {
			v.Admins = append(v.Admins, a.Admin)
		}
		for _, m := range p.Memberships {
			if m.Role == Owner && m.Hold == Free {
				v.Organizations = append(v.Organizations, m.Organization)
			}
		}
	case KeyHolder:
		if v.All = p.Key.Organization == 0; !v.All {
			v.Organizations = append(v.Organizations, p.Key.Organization)
		}
	}
	return v
}
