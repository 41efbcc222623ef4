package auth

import (
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Scope is the tenancy that the database itself holds p's statements to: the
// platform's staff and its services reach every tenant, everybody else where
// they have a role, nobody nothing.
func (p *Principal) Scope() db.Scope {
	if p.scope != (db.Scope{}) {
		return p.scope
	}
	return p.reach()
}

func (p *Principal) reach() db.Scope {
	switch p.Kind {
	case KeyHolder:
		if p.Key.Organization == 0 {
			return db.Platform
		}
		return db.Tenant(db.Reach{Organizations: []id.Organization{p.Key.Organization}, Parents: some(p.Key.Admin)})
	case Person:
		if p.User.Superadmin {
			return db.Platform
		}
		return db.Tenant(p.tenancy())
	}
	return db.Scope{}
}

func (p *Principal) tenancy() db.Reach {
	r := db.Reach{User: p.User.ID}
	for i := range p.Admins {
		r.Admins = append(r.Admins, p.Admins[i].Admin)
	}
	for i := range p.Memberships {
		r.Organizations = append(r.Organizations, p.Memberships[i].Organization)
		r.Parents = append(r.Parents, some(p.Memberships[i].Admin)...)
	}
	return r
}

func some(a id.Admin) []id.Admin {
	if a == 0 {
		return nil
	}
	return []id.Admin{a}
}
