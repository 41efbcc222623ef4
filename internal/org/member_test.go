package org_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/page"
)

const password = "correct horse battery"

func (w world) invite(actor audit.Actor, o org.Organization, email string, role org.Role) (org.Issued, error) {
	i, _, err := write(w, func(tx *db.Tx) (org.Issued, error) {
		return w.s.Invite(tx, actor, o.ID, org.NewInvitation{Email: email, Role: role})
	})
	return i, err
}

func (w world) invited(actor audit.Actor, o org.Organization, email string, role org.Role) org.Issued {
	w.Helper()
	i, err := w.invite(actor, o, email, role)
	if err != nil {
		w.Fatalf("invite %s: %v", email, err)
	}
	return i
}

func tokenOf(link string) string { return link[strings.Index(link, "#token=")+len("#token="):] }

func (w world) accept(token, password, name string) (org.Joined, error) {
	return w.s.Accept(context.Background(), audit.Actor{Type: audit.Nobody, IP: "192.0.2.1"}, 0, org.Acceptance{Token: token, Password: password, Name: name})
}

// join makes a new member of a role.
func (w world) join(inviter audit.Actor, o org.Organization, email string, role org.Role) audit.Actor {
	w.Helper()
	j, err := w.accept(tokenOf(w.invited(inviter, o, email, role).AcceptURL), password, "New")
	if err != nil {
		w.Fatalf("accept as %s: %v", email, err)
	}
	return person(j.User)
}

// mailed is the token in the last mail queued.
func (w world) mailed() string {
	w.Helper()
	b := do(w, func(tx *db.Tx) ([]byte, error) {
		return db.One(tx, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT payload FROM jobs WHERE kind = 'mail' ORDER BY id DESC LIMIT 1`)
	})
	var sealed []byte
	if err := json.Unmarshal(b, &sealed); err != nil {
		w.Fatal(err)
	}
	text, err := w.box.Open(mail.Kind, sealed)
	if err != nil {
		w.Fatal(err)
	}
	var m mail.Message
	if err := json.Unmarshal(text, &m); err != nil {
		w.Fatal(err)
	}
	return strings.Fields(tokenOf(m.Text))[0]
}

func (w world) seats(o org.Organization, members, invited int64) {
	w.Helper()
	got := w.detail(o)
	if got.MemberCount != members || got.InvitedCount != invited {
		w.Errorf("seats: got %d members and %d invited, want %d and %d", got.MemberCount, got.InvitedCount, members, invited)
	}
	if n := w.count("memberships WHERE organization_id = $1", o.ID); n != got.MemberCount {
		w.Errorf("the counter says %d members, there are %d", got.MemberCount, n)
	}
	if n := w.count("invitations WHERE organization_id = $1 AND state = 'open'", o.ID); n != got.InvitedCount {
		w.Errorf("the counter says %d invited, there are %d", got.InvitedCount, n)
	}
}

func TestInviteAndAccept(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		i := w.invited(owner, o, "Jane@Example.com", org.RoleMember)
		if i.State != org.Open || i.Email != "Jane@Example.com" || !strings.HasPrefix(i.AcceptURL, "https://tenantry.example/accept#token=tnt_in_") {
			t.Errorf("invited: got %+v", i)
		}
		w.seats(o, 1, 1)
		_, err := w.invite(owner, o, "jane@example.com", org.RoleMember)
		w.wantCode("invited twice", err, "already_invited")
		_, err = w.invite(owner, o, "acme-owner@example.com", org.RoleMember)
		w.wantCode("a member", err, "already_member")
		_, err = w.invite(owner, o, "nobody", org.RoleMember)
		w.wantCode("no address", err, "invalid_email")
		w.seats(o, 1, 1)

		_, err = w.accept(tokenOf(i.AcceptURL), "", "")
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("a new account without password and name: got %v, want 422", err)
		}
		j, err := w.accept(tokenOf(i.AcceptURL), password, "Jane Doe")
		if err != nil || j.Role != org.RoleMember || j.OrganizationID != o.ID || j.User.Name != "Jane Doe" || j.User.EmailVerified {
			t.Fatalf("accepted by the inviter's link: got %+v, %v; want an address not verified", j, err)
		}
		w.seats(o, 2, 0)
		for _, token := range []string{tokenOf(i.AcceptURL), w.mailed(), "tnt_in_x", ""} {
			_, err = w.accept(token, password, "Jane")
			w.wantCode("a token used or unknown", err, "invalid_token")
		}
		w.invited(owner, o, "joe@example.com", org.RoleManager)
		if j, err = w.accept(w.mailed(), password, "Joe"); err != nil || !j.User.EmailVerified {
			t.Errorf("accepted by the mailed link: got %+v, %v; want a verified address", j, err)
		}
		w.seats(o, 3, 0)
	})
}

func TestExistingAccountsJoin(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		w.user("verified@example.com", true)
		shown := tokenOf(w.invited(owner, o, "verified@example.com", org.RoleMember).AcceptURL)
		_, err := w.accept(shown, "", "")
		w.wantCode("a verified account by what the inviter was shown", err, "required")
		_, err = w.s.Accept(context.Background(), audit.Actor{}, owner.UserID(), org.Acceptance{Token: shown})
		w.wantCode("by the inviter", err, "required")
		if _, err := w.accept(w.mailed(), "", ""); err != nil {
			t.Errorf("a verified account by the mailed link: %v", err)
		}
		squatter := w.user("unverified@example.com", false)
		i := w.invited(owner, o, "unverified@example.com", org.RoleMember)
		for _, token := range []string{tokenOf(i.AcceptURL), w.mailed()} {
			_, err := w.accept(token, "", "")
			w.wantCode("an unverified account without its password", err, "required")
			_, err = w.accept(token, "wrong horse battery", "")
			w.wantCode("with a wrong password", err, "invalid_credentials")
		}
		if j, err := w.accept(w.mailed(), password, ""); err != nil || !j.User.EmailVerified || j.User.ID != squatter.ID {
			t.Errorf("with its password, by the mailed link: got %+v, %v", j, err)
		}
		other := w.user("signed@example.com", false)
		i = w.invited(owner, o, "signed@example.com", org.RoleMember)
		if _, err := w.s.Accept(context.Background(), audit.Actor{}, other.ID, org.Acceptance{Token: tokenOf(i.AcceptURL)}); err != nil {
			t.Errorf("signed in: %v", err)
		}
		w.seats(o, 4, 0)
	})
}

func TestInvitationsEnd(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		i := w.invited(owner, o, "a@example.com", org.RoleMember)
		revoke := func() error {
			_, _, err := write(w, func(tx *db.Tx) (int, error) { return 0, org.Revoke(tx, owner, o.ID, i.ID) })
			return err
		}
		if err := revoke(); err != nil {
			t.Fatal(err)
		}
		w.seats(o, 1, 0)
		w.wantCode("revoked twice", revoke(), "invalid_transition")
		_, err := w.accept(tokenOf(i.AcceptURL), password, "A")
		w.wantCode("a revoked token", err, "invalid_token")
		other, _ := w.organization("other", 0)
		_, _, err = write(w, func(tx *db.Tx) (int, error) { return 0, org.Revoke(tx, boss, other.ID, i.ID) })
		w.wantCode("of another organization", err, "not_found")

		i = w.invited(owner, o, "b@example.com", org.RoleMember)
		if _, _, err := w.status(boss, o, `{"status":"suspended"}`); err != nil {
			t.Fatal(err)
		}
		_, err = w.accept(tokenOf(i.AcceptURL), password, "B")
		w.wantCode("into a suspended organization", err, "organization_suspended")
		l := do(w, func(tx *db.Tx) (page.List[org.Invitation], error) {
			return org.Invitations(tx, o.ID, org.InvitationFilter{State: org.Revoked}, page.Request{Limit: 10})
		})
		if len(l.Data) != 1 || l.Pagination.Total != 1 || l.Data[0].Email != "a@example.com" {
			t.Errorf("revoked ones: got %+v", l)
		}
	})
}

func TestInvitationsExpire(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			w := newWorld(t, dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return now }}))
			o, owner := w.organization("acme", 0)
			w.edited(boss, o, `{"max_users":2}`)
			i := w.invited(owner, o, "a@example.com", org.RoleMember)
			_, err := w.invite(owner, o, "b@example.com", org.RoleMember)
			w.wantCode("no seat left", err, "limit_exceeded")
			now = now.Add(org.InvitationLife)
			_, err = w.accept(tokenOf(i.AcceptURL), password, "A")
			w.wantCode("an expired token", err, "invalid_token")
			got := do(w, func(tx *db.Tx) (org.Invitation, error) { return org.InvitationOf(tx, o.ID, i.ID) })
			if got.State != org.Expired || got.EndedAt == nil {
				t.Errorf("over: got %+v, want expired", got)
			}
			w.invited(owner, o, "b@example.com", org.RoleMember)
			w.seats(o, 1, 1)
			now = now.Add(org.InvitationLife)
			if err := org.ExpireInvitations(context.Background(), w.db); err != nil {
				t.Fatal(err)
			}
			w.seats(o, 1, 0)
		})
	}
}

func TestRoles(t *testing.T) {
	each(t, func(w world) {
		o, owner := w.organization("acme", 0)
		manager := w.join(owner, o, "manager@example.com", org.RoleManager)
		plain := w.join(manager, o, "plain@example.com", org.RoleMember)
		change := func(actor audit.Actor, user id.User, role org.Role) error {
			_, _, err := write(w, func(tx *db.Tx) (org.Member, error) {
				return org.ChangeRole(tx, actor, o.ID, user, org.MemberChange{Role: role})
			})
			return err
		}
		remove := func(actor audit.Actor, user id.User) error {
			_, _, err := write(w, func(tx *db.Tx) (int, error) { return 0, org.RemoveMember(tx, actor, o.ID, user) })
			return err
		}
		w.wantCode("a manager makes an owner", change(manager, plain.UserID(), org.RoleOwner), "forbidden")
		w.wantCode("a manager demotes an owner", change(manager, owner.UserID(), org.RoleMember), "forbidden")
		w.wantCode("a manager removes an owner", remove(manager, owner.UserID()), "forbidden")
		_, err := w.invite(manager, o, "x@example.com", org.RoleOwner)
		w.wantCode("a manager invites an owner", err, "forbidden")
		w.wantCode("the last owner steps down", change(owner, owner.UserID(), org.RoleMember), "last_owner")
		w.wantCode("the last owner leaves", remove(owner, owner.UserID()), "last_owner")
		w.wantCode("the platform removes the last owner", remove(boss, owner.UserID()), "last_owner")
		w.wantCode("nobody", change(owner, 99999, org.RoleMember), "not_found")
		w.wantCode("no role", change(owner, plain.UserID(), "king"), "unknown_value")
		if err := change(manager, plain.UserID(), org.RoleManager); err != nil {
			t.Errorf("a manager makes a manager: %v", err)
		}
		if err := change(owner, plain.UserID(), org.RoleOwner); err != nil {
			t.Errorf("an owner makes an owner: %v", err)
		}
		if err := remove(plain, owner.UserID()); err != nil {
			t.Errorf("one of two owners goes: %v", err)
		}
		w.seats(o, 2, 0)
		if got := id.Val(w.detail(o).OwnerUserID); got != plain.UserID() {
			t.Errorf("owner_user_id: got %d, want %d", got, plain.UserID())
		}
		l := do(w, func(tx *db.Tx) (page.List[org.Member], error) {
			return org.Members(tx, o.ID, org.MemberFilter{Role: org.RoleOwner}, page.Request{Limit: 10})
		})
		if len(l.Data) != 1 || l.Data[0].Email != "plain@example.com" || l.Pagination.Total != 1 {
			t.Errorf("owners: got %+v", l)
		}
	})
}

func TestSeatRace(t *testing.T) {
	racing(t, func(w world) {
		o, owner := w.organization("acme", 0)
		w.edited(boss, o, `{"max_users":4}`)
		ends := together(20, func(i int) error {
			_, err := w.invite(owner, o, string(rune('a'+i))+"@example.com", org.RoleMember)
			return err
		})
		if ends[""] != 3 || ends["limit_exceeded"] != 17 {
			t.Errorf("20 invitations for 3 seats: got %v", ends)
		}
		w.seats(o, 1, 3)
	})
}

func TestAcceptRace(t *testing.T) {
	racing(t, func(w world) {
		o, owner := w.organization("acme", 0)
		w.invited(owner, o, "a@example.com", org.RoleMember)
		w.user("a@example.com", true)
		token := w.mailed()
		ends := together(50, func(int) error {
			_, err := w.accept(token, "", "")
			return err
		})
		if ends[""] != 1 || ends["invalid_token"] != 49 {
			t.Errorf("50 uses of one token: got %v, want one success", ends)
		}
		w.seats(o, 2, 0)
	})
}

func TestLastOwnerRace(t *testing.T) {
	racing(t, func(w world) {
		for range 5 {
			slug := "acme" + time.Now().Format("150405.000000")[7:]
			o, owner := w.organization(slug, 0)
			second := w.join(owner, o, slug+"-second@example.com", org.RoleOwner)
			ends := together(2, func(i int) error {
				_, _, err := write(w, func(tx *db.Tx) (org.Member, error) {
					return org.ChangeRole(tx, boss, o.ID, []id.User{owner.UserID(), second.UserID()}[i], org.MemberChange{Role: org.RoleMember})
				})
				return err
			})
			if ends[""] != 1 || ends["last_owner"] != 1 {
				t.Errorf("two owners step down at once: got %v, want one refused", ends)
			}
		}
	})
}

// TestAForeignIDCannotBeStored: the database itself keeps an organization's
// owner among its members.
func TestAForeignIDCannotBeStored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		o, owner := w.organization("acme", 0)
		stranger := w.user("stranger@example.com", true)
		refused := func(what, query string, args ...any) {
			t.Helper()
			if _, _, err := write(w, func(tx *db.Tx) (int64, error) { return tx.Exec(query, args...) }); err == nil {
				t.Errorf("%s was stored", what)
			}
		}
		refused("an owner who is no member", `UPDATE organizations SET owner_user_id = $1 WHERE id = $2`, stranger.ID, o.ID)
		refused("an organization whose owner is no member", `INSERT INTO organizations (name, name_key, slug, owner_user_id, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ('N', 'n', 'nn', $1, 'active', 1, 1, 1, 0, 0, 1, 0, 0)`, stranger.ID)
		refused("the end of the owner's membership", `DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2`, o.ID, owner.ID)
		refused("the owner's membership elsewhere", `UPDATE memberships SET user_id = $1 WHERE organization_id = $2`, stranger.ID, o.ID)
	})
}
