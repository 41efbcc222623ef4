package org_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
)

// TestPeopleAreFound looks for members and invitations by what somebody would
// type of a name or an address.
func TestPeopleAreFound(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		jo := w.join(owner, o, "jo_100%@example.com", org.RoleMember)
		w.join(owner, o, "jox100@example.com", org.RoleManager)
		do(w, func(tx *db.Tx) (auth.User, error) {
			return auth.EditProfile(tx, jo, parse[auth.ProfileEdit](w, `{"name":"Jo ÄRGER"}`))
		})
		other, stranger := w.organization("other", 0)
		w.join(stranger, other, "jo@elsewhere.example", org.RoleMember)
		for q, want := range map[string]string{
			"":              "jox100@example.com jo_100%@example.com acme-owner@example.com",
			" JO":           "jox100@example.com jo_100%@example.com",
			"jo ärg":        "jo_100%@example.com",
			"jo_":           "jo_100%@example.com",
			"100%":          "jo_100%@example.com",
			"user acme":     "acme-owner@example.com",
			"elsewhere":     "",
			`\`:             "",
			"x100@EXAMPLE.": "jox100@example.com",
		} {
			l := do(w, func(tx *db.Tx) (page.List[org.Member], error) {
				return org.Members(tx, o.ID, org.MemberFilter{Q: q}, page.Request{Limit: 10})
			})
			var got []string
			for _, m := range l.Data {
				got = append(got, m.Email)
			}
			if strings.Join(got, " ") != want || l.Pagination.Total != int64(len(got)) {
				t.Errorf("members %q: got %q of %d, want %q", q, got, l.Pagination.Total, want)
			}
		}
		l := do(w, func(tx *db.Tx) (page.List[org.Member], error) {
			return org.Members(tx, o.ID, org.MemberFilter{Q: "jo", Role: org.RoleManager}, page.Request{Limit: 10})
		})
		if len(l.Data) != 1 || l.Data[0].Email != "jox100@example.com" {
			t.Errorf("managers by jo: got %+v", l)
		}
		w.invited(owner, o, "Ivy_1@example.com", org.RoleMember)
		w.invited(owner, o, "ivyx1@example.com", org.RoleMember)
		for q, want := range map[string]int{"": 2, "ivy": 2, "IVY_": 1, "joe": 0, "%": 0} {
			l := do(w, func(tx *db.Tx) (page.List[org.Invitation], error) {
				return org.Invitations(tx, o.ID, org.InvitationFilter{State: org.Open, Q: q}, page.Request{Limit: 10})
			})
			if len(l.Data) != want || l.Pagination.Total != int64(want) {
				t.Errorf("invitations %q: got %+v, want %d", q, l, want)
			}
		}
	})
}
