package admin_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
)

func (w world) assign(a id.Admin, u id.User) (admin.Admin, int, error) {
	return write(w, func(tx *db.Tx) (admin.Admin, error) {
		return admin.AssignOwner(tx, boss, a, admin.UserRef{UserID: u})
	})
}

func (w world) users(a id.Admin) page.List[admin.User] {
	w.Helper()
	return do(w, func(tx *db.Tx) (page.List[admin.User], error) {
		return admin.Users(tx, a, "", page.Request{Limit: 200})
	})
}

func TestAssignOwner(t *testing.T) {
	each(t, func(w world) {
		a, b := w.made(`{"name":"A","contact_email":"a@a.example"}`), w.made(`{"name":"B","contact_email":"b@b.example"}`)
		first, second := w.user("1@x.example", "active"), w.user("2@x.example", "active")
		out, events, err := w.assign(a.ID, first)
		if err != nil || events != 1 || id.Val(out.OwnerUserID) != first || out.Version != a.Version+1 {
			w.Fatalf("assign: got %+v, %d events, %v", out, events, err)
		}
		if _, events, err = w.assign(a.ID, first); err != nil || events != 0 {
			w.Errorf("again: %d events, %v", events, err)
		}
		_, _, err = w.assign(b.ID, first)
		w.wantCode("an owner of another", err, "already_owner")
		if out, _, err = w.assign(a.ID, second); err != nil || id.Val(out.OwnerUserID) != second {
			w.Fatalf("another owner: %+v, %v", out, err)
		}
		roles := map[id.User]admin.Role{}
		for _, u := range w.users(a.ID).Data {
			roles[u.UserID] = u.Role
		}
		if fmt.Sprint(roles) != fmt.Sprint(map[id.User]admin.Role{first: admin.Staff, second: admin.Owner}) {
			w.Errorf("the former owner: got %v", roles)
		}
		if _, _, err = w.assign(b.ID, first); err != nil {
			w.Errorf("staff of one may own another: %v", err)
		}
		_, _, err = w.assign(b.ID, w.user("3@x.example", "disabled"))
		w.wantCode("a disabled user", err, "unknown_reference")
		_, _, err = w.assign(b.ID, 999)
		w.wantCode("an absent user", err, "unknown_reference")
		_, _, err = w.assign(999, first)
		w.wantCode("an absent admin", err, "not_found")
	})
}

func TestStaff(t *testing.T) {
	each(t, func(w world) {
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		owner, staff := w.user("1@x.example", "active"), w.user("2@x.example", "active")
		if _, _, err := w.assign(a.ID, owner); err != nil {
			w.Fatal(err)
		}
		add := func(u id.User) (admin.User, int, error) {
			return write(w, func(tx *db.Tx) (admin.User, error) { return admin.AddStaff(tx, boss, a.ID, admin.UserRef{UserID: u}) })
		}
		remove := func(u id.User) error {
			_, _, err := write(w, func(tx *db.Tx) (int, error) { return 0, admin.RemoveStaff(tx, boss, a.ID, u) })
			return err
		}
		if u, events, err := add(staff); err != nil || events != 1 || u.Role != admin.Staff || u.Email != "2@x.example" {
			w.Errorf("add: got %+v, %d events, %v", u, events, err)
		}
		_, _, err := add(staff)
		w.wantCode("twice", err, "already_member")
		_, _, err = add(owner)
		w.wantCode("the owner", err, "already_member")
		_, _, err = add(999)
		w.wantCode("nobody", err, "unknown_reference")
		w.wantCode("remove the owner", remove(owner), "owner_required")
		if err := remove(staff); err != nil {
			w.Errorf("remove: %v", err)
		}
		w.wantCode("remove twice", remove(staff), "not_found")
		if got := w.users(a.ID); len(got.Data) != 1 || got.Pagination.Total != 1 {
			w.Errorf("left: got %+v", got)
		}
	})
}

func TestStaffIsFound(t *testing.T) {
	each(t, func(w world) {
		a, b := w.made(`{"name":"A","contact_email":"a@a.example"}`), w.made(`{"name":"B","contact_email":"b@b.example"}`)
		add := func(of admin.Admin, name, email string) {
			w.Helper()
			do(w, func(tx *db.Tx) (admin.User, error) {
				u, err := auth.CreateUser(tx, auth.NewUser{Email: email, Name: name})
				if err != nil {
					return admin.User{}, err
				}
				return admin.AddStaff(tx, boss, of.ID, admin.UserRef{UserID: u.ID})
			})
		}
		add(a, "Zoë ÅKERMAN", "z_1@x.example")
		add(a, "Jo", "zx1@x.example")
		add(b, "Jo", "jo@x.example")
		for q, want := range map[string]int{"": 2, "zoë å": 1, "Z": 2, "z_": 1, "JO": 1, "%": 0, "@X.EXAMPLE": 2} {
			l := do(w, func(tx *db.Tx) (page.List[admin.User], error) {
				return admin.Users(tx, a.ID, q, page.Request{Limit: 1})
			})
			if l.Pagination.Total != int64(want) || len(l.Data) != min(want, 1) || l.Pagination.HasMore != (want > 1) {
				w.Errorf("%q: got %+v, want %d", q, l, want)
			}
		}
	})
}

// Many users for one admin and one user for many admins at once: an admin that
// had an owner has exactly one, no user owns two, and nobody meets a broken
// transaction.
func TestAssignOwnerRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := world{t, d}
		var admins []id.Admin
		var people []id.User
		for i := range 4 {
			admins = append(admins, w.made(`{"name":"A","contact_email":"a@a.example"}`).ID)
			people = append(people, w.user(fmt.Sprintf("%d@x.example", i), "active"))
		}
		if _, _, err := w.assign(admins[0], people[0]); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			for _, a := range admins {
				for _, u := range people {
					wg.Go(func() {
						if _, _, err := w.assign(a, u); err != nil && fault.Code(err) != "already_owner" {
							t.Errorf("assign: %v", err)
						}
					})
				}
			}
		}
		wg.Wait()
		owns := map[id.User]int{}
		for i, a := range admins {
			owners := 0
			for _, u := range w.users(a).Data {
				if u.Role == admin.Owner {
					owners++
					owns[u.UserID]++
				}
			}
			if owners > 1 || i == 0 && owners != 1 {
				t.Errorf("admin %d has %d owners, want 1", a, owners)
			}
		}
		for u, n := range owns {
			if n != 1 {
				t.Errorf("user %d owns %d admins, want at most 1", u, n)
			}
		}
	})
}

// Grants at once all count, and a suspension asked for many times is placed and
// recorded once.
func TestGrantAndSuspendRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := world{t, d}
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		var wg sync.WaitGroup
		var mu sync.Mutex
		recorded := 0
		for range 12 {
			wg.Go(func() {
				if _, _, err := write(w, grantOf(a.ID)); err != nil {
					t.Errorf("grant: %v", err)
				}
			})
			wg.Go(func() {
				_, events, err := write(w, func(tx *db.Tx) (admin.Admin, error) {
					return admin.Suspend(tx, boss, a.ID, admin.Suspension{Reason: "r"})
				})
				if err != nil {
					t.Errorf("suspend: %v", err)
				}
				mu.Lock()
				recorded += events
				mu.Unlock()
			})
		}
		wg.Wait()
		if got := w.get(a.ID); got.CreditBalance != 120 || len(got.Holds) != 1 || recorded != 1 {
			t.Errorf("got balance %d, %d holds, %d events; want 120, 1, 1", got.CreditBalance, len(got.Holds), recorded)
		}
	})
}

// Grants while organizations draw on the pool: each event of a grant tells of
// its own amount.
func TestEventsOfGrantsAmongAllocations(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := world{t, d}
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		w.organization(a.ID, "one", w.user("o@x.example", "active"))
		do(w, func(tx *db.Tx) (admin.Granted, error) {
			if err := credit.Open(tx, credit.Owner{Organization: 1}); err != nil {
				return admin.Granted{}, err
			}
			return admin.GrantCredits(tx, boss, a.ID, admin.Grant{Amount: 10_000, Reason: "r"}, credit.Reference{})
		})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, _, err := write(w, grantOf(a.ID)); err != nil {
					t.Errorf("grant: %v", err)
				}
			})
			wg.Go(func() {
				_, _, err := write(w, func(tx *db.Tx) (credit.Transaction, error) {
					return credit.Allocate(tx, boss, a.ID, 1, 3, "", credit.Policy{}, credit.Terms{}, credit.Reference{})
				})
				if err != nil {
					t.Errorf("allocate: %v", err)
				}
			})
		}
		wg.Wait()
		bodies := do(w, func(tx *db.Tx) ([]string, error) {
			return db.All(tx, db.String, `SELECT body FROM audit_pending WHERE action = 'admin.credits_granted' ORDER BY id LIMIT 100`)
		})
		for _, body := range bodies[1:] {
			e := parse[struct {
				Changes map[string]struct{ Old, New int64 } `json:"changes"`
			}](w, body)
			if c, free := e.Changes["credit_balance"], e.Changes["credits_available"]; c.New-c.Old != 10 || free.New-free.Old != 10 || len(e.Changes) != 2 {
				t.Errorf("an event tells of %+v, want a step of 10", e.Changes)
			}
		}
		if len(bodies) != 21 {
			t.Errorf("got %d events, want 21", len(bodies))
		}
	})
}

// A group that is deleted while admins join it: either they are in and it
// stays, or it is gone and they are refused.
func TestJoinGroupRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		w := world{t, d}
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		for round := range 5 {
			g := w.group(fmt.Sprint(round), 0)
			var joined, gone error
			var wg sync.WaitGroup
			wg.Go(func() { _, _, joined = w.update(a.ID, fmt.Sprintf(`{"partner_group_id":%d}`, g)) })
			wg.Go(func() {
				_, _, gone = write(w, func(tx *db.Tx) (int, error) { return 0, partner.Delete(tx, boss, g, 0) })
			})
			wg.Wait()
			switch {
			case joined == nil && gone != nil:
				w.wantCode("delete", gone, "in_use")
			case joined != nil && gone == nil:
				w.wantCode("join", joined, "unknown_reference")
			default:
				t.Errorf("join gave %v, delete gave %v; want one refusal", joined, gone)
			}
			if _, _, err := w.update(a.ID, `{"partner_group_id":null}`); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func grantOf(a id.Admin) func(*db.Tx) (admin.Granted, error) {
	return func(tx *db.Tx) (admin.Granted, error) {
		return admin.GrantCredits(tx, boss, a, admin.Grant{Amount: 10, Reason: "r"}, credit.Reference{})
	}
}
