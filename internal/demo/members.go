package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/org"
)

// tellMembers fills the organization: people who accept, some who have not
// answered yet, one in a while whose invitation is taken back.
func (s *seed) tellMembers(t *tenant, i int) {
	for n := range []int{3, 1, 5, 2, 7, 0, 4}[i%7] {
		role := org.RoleMember
		if n == 0 || n == 4 {
			role = org.RoleManager
		}
		s.tellJoining(t, s.somebody(t.domain), role, t.during(0.05+0.8*s.rng.Float64()))
	}
	if i%5 == 1 && t.until.Equal(s.end) {
		s.tellOpen(t, s.somebody(t.domain), s.later(s.end, -100, -3), i%10 == 1)
	}
	if i%12 == 4 {
		s.tellKey(t, t.during(0.3))
	}
}

// tellJoining invites a person, who accepts a day or so later.
func (s *seed) tellJoining(t *tenant, p *person, role org.Role, when time.Time) {
	token := ""
	s.change(when, "the invitation of "+p.email, func(tx *db.Tx) error {
		if err := s.meet(tx, p); err != nil {
			return err
		}
		i, err := s.members.Invite(tx, t.owner.as(audit.Tenant), t.id, org.NewInvitation{Email: p.email, Role: role})
		_, token, _ = strings.Cut(i.AcceptURL, "#token=")
		return err
	})
	accepted := s.later(when, 0.2, 30)
	if accepted.After(t.until) {
		accepted = when.Add(time.Minute)
	}
	s.act(accepted, "the joining of "+p.email, func(ctx context.Context) error {
		_, err := s.members.Accept(ctx, p.as(audit.Tenant), p.id, org.Acceptance{Token: token})
		return err
	})
}

// tellOpen invites a person who does not answer.
func (s *seed) tellOpen(t *tenant, p *person, when time.Time, revoked bool) {
	var invitation id.Invitation
	s.change(when, "the invitation of "+p.email, func(tx *db.Tx) error {
		i, err := s.members.Invite(tx, t.owner.as(audit.Tenant), t.id, org.NewInvitation{Email: p.email, Role: org.RoleMember})
		invitation = i.ID
		return err
	})
	if revoked {
		s.change(when.Add(2*time.Hour), "its end", func(tx *db.Tx) error {
			return org.Revoke(tx, t.owner.as(audit.Tenant), t.id, invitation)
		})
	}
}

// tellKey gives the organization an API key; nobody knows its secret.
func (s *seed) tellKey(t *tenant, when time.Time) {
	s.change(when, "a key of "+t.company, func(tx *db.Tx) error {
		o, err := org.Detail(tx, t.id)
		if err != nil {
			return err
		}
		_, err = auth.CreateKey(tx, t.owner.as(audit.Tenant), t.id, id.Val(o.AdminID), auth.NewAPIKey{
			Name: "Shop back end", Scopes: []auth.Scope{auth.ScopeEntitlements, auth.ScopeUsageWrite},
		})
		return err
	})
}

// tellReading lets people look at their notifications now and then, so that
// only the newest are unread.
func (s *seed) tellReading() {
	readers := append([]*person{}, s.staff...)
	for _, r := range s.admins {
		readers = append(readers, r.owner)
	}
	for i, p := range readers {
		s.change(s.ago(3+i, 8), fmt.Sprintf("reading by %s", p.name), func(tx *db.Tx) error {
			_, err := notify.MarkAllRead(tx, p.id)
			return err
		})
	}
}
