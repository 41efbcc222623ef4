package org

import (
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

// Plugins lists the catalogue, each plugin with whether the organization has
// it. People are told what it has, on hold or not; a service is told what it
// can use: nothing while it or its admin is on hold.
func Plugins(tx *db.Tx, p *auth.Principal, organization id.Organization, r page.Request) (page.List[plugin.Entitlement], error) {
	l, err := plugin.PageOf(tx, organization, r)
	if err != nil || p.Kind != auth.KeyHolder {
		return l, err
	}
	o, err := Detail(tx, organization)
	if err != nil || o.EffectiveStatus == Active {
		return l, err
	}
	for i := range l.Data {
		l.Data[i].Enabled, l.Data[i].EnabledAt = false, nil
	}
	return l, nil
}

// MyPlugins lists what the caller can use: a superadmin everything, anybody
// else what the active organization has enabled. Without an organization, and
// while it or its admin is on hold, that is nothing.
func MyPlugins(tx *db.Tx, p *auth.Principal, r page.Request) (page.List[plugin.Entitlement], error) {
	if p.User.Superadmin {
		l, err := plugin.PageOf(tx, 0, r)
		for i := range l.Data {
			l.Data[i].Enabled = true
		}
		return l, err
	}
	organization := p.Active
	if p.Kind == auth.KeyHolder {
		organization = p.Key.Organization
	}
	if organization == 0 {
		return none(r), nil
	}
	o, err := Detail(tx, organization)
	if err != nil || o.EffectiveStatus != Active {
		return none(r), err
	}
	return plugin.PageEnabled(tx, organization, r)
}

func none(r page.Request) page.List[plugin.Entitlement] {
	return page.Of(r, nil, 0, func(plugin.Entitlement) page.Position { return page.Position{} })
}
