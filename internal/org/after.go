package org

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/domain"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/quota"
)

// word is the text that a pointer leads to, or "".
func word(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// transfer moves the organization between admins, zero being the platform. Its
// credits stay with it; its credit limit rests on nobody's pool from now on.
// All of them are locked.
func transfer(tx *db.Tx, organization id.Organization, from, to id.Admin) error {
	if err := countOrganization(tx, from, -1); err != nil {
		return err
	}
	if err := countOrganization(tx, to, 1); err != nil {
		return err
	}
	return credit.Release(tx, organization)
}

// shortfalls are the limits that were lowered below what is used.
func shortfalls(tx *db.Tx, before, o Organization) ([]Warning, error) {
	var all []Warning
	below := func(field string, now, used int64, format string, args ...any) {
		all = append(all, Warning{Field: field, Code: "below_use", Message: fmt.Sprintf(format, args...), Limit: now, Used: used, Over: used - now})
		effect.Exceed(tx, effect.Beyond(o.party(), field, now, used))
	}
	warn := func(field string, was, now, used int64) {
		if raises(now, was) && now != Unlimited && used > now {
			below(field, now, used, "More than this is in use (%d). Nothing is deleted; growth is blocked.", used)
		}
	}
	warn("max_users", before.MaxUsers, o.MaxUsers, o.MemberCount+o.InvitedCount)
	if o.CreditLimit < before.CreditLimit && o.CreditBalance-o.CreditsHeld < -o.CreditLimit {
		below("credit_limit", o.CreditLimit, o.CreditsHeld-o.CreditBalance, "The balance is %d already. Nothing is taken back; spending is blocked.", o.CreditBalance)
	}
	if !raises(o.StorageLimitGB, before.StorageLimitGB) && !raises(o.BandwidthLimitGB, before.BandwidthLimitGB) {
		return all, nil
	}
	zone, err := billingZone(tx)
	if err != nil {
		return nil, err
	}
	_, month := quota.Month(tx.Now, zone)
	storage, bandwidth, err := consumed(tx, o.ID, month)
	const gb = quota.Gigabyte
	warn("storage_limit_gb", before.StorageLimitGB, o.StorageLimitGB, (storage+gb-1)/gb)
	warn("bandwidth_limit_gb", before.BandwidthLimitGB, o.BandwidthLimitGB, (bandwidth+gb-1)/gb)
	return all, err
}

// words are the limits by which people know them.
var words = []struct{ field, words string }{
	{"storage_limit_gb", "storage (GB)"}, {"max_users", "users"}, {"bandwidth_limit_gb", "bandwidth (GB a month)"},
}

// tell notifies of changed limits. Of the credit limit the ledger tells.
func (e *edit) tell(o Organization, changes audit.Changes) error {
	var parts []string
	for _, w := range words {
		if c, ok := changes[w.field]; ok {
			parts = append(parts, fmt.Sprintf("%s: %s instead of %s", w.words, limitWord(c.New), limitWord(c.Old)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return tell(e.tx, e.actor, o, "organization.limits", "Limits changed", fmt.Sprintf("%s: %s.", o.Name, strings.Join(parts, ", ")))
}

func limitWord(v any) string {
	if s := fmt.Sprintf("%s", v); s != "-1" {
		return s
	}
	return "unlimited"
}

// tell notifies the owners and the people of the admin, but for who did it.
func tell(tx *db.Tx, actor audit.Actor, o Organization, kind, title, body string) error {
	users, err := concerned(tx, o.ID, id.Val(o.AdminID))
	if err != nil {
		return err
	}
	users = slices.DeleteFunc(users, func(u id.User) bool { return u == actor.UserID() })
	if len(users) == 0 {
		return nil
	}
	return notify.Send(tx, notify.Message{Users: users, Kind: kind, Title: title, Body: body,
		Target: notify.Target{Type: "organization", ID: int64(o.ID)}, Organization: o.ID, Admin: id.Val(o.AdminID)})
}

func (o Organization) party() effect.Party {
	return effect.Party{Type: "organization", ID: int64(o.ID), Name: o.Name}
}

// freeze counts what stops, or goes on, with a change of the organization's
// status, besides its people: domains, credits, keys and invitations.
func freeze(tx *db.Tx, o Organization) error {
	if o.CustomDomainStatus == domain.Verified {
		effect.Add(tx, effect.Domains, 1)
	}
	effect.Add(tx, effect.Credits, max(o.CreditBalance, 0))
	if !effect.Wanted(tx) {
		return nil
	}
	keys, invitations, err := frozen(tx, o.ID)
	effect.Add(tx, effect.APIKeys, keys)
	effect.Add(tx, effect.Invitations, invitations)
	return err
}

// reach counts whom a change of the organization hits.
func reach(tx *db.Tx, o Organization) error {
	effect.Add(tx, effect.Organizations, 1)
	effect.Add(tx, effect.Users, o.MemberCount)
	return nil
}
