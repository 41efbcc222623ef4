package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/admin"
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
)

var boss = audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}

var own = []string{"tenantry.example"}

// world is a database with the shortcuts of these tests.
type world struct {
	*testing.T
	d *db.DB
}

func each(t *testing.T, f func(w world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(world{t, d}) })
}

func write[T any](w world, f func(*db.Tx) (T, error)) (out T, events int, err error) {
	err = w.d.Write(context.Background(), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		events = len(audit.Recorded(tx))
		return err
	})
	return out, events, err
}

// do is write for what must succeed.
func do[T any](w world, f func(*db.Tx) (T, error)) T {
	w.Helper()
	out, _, err := write(w, f)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func parse[T any](w world, body string) (out T) {
	w.Helper()
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		w.Fatalf("read %s: %v", body, err)
	}
	return out
}

func (w world) create(body string) (admin.Admin, error) {
	w.Helper()
	in := parse[admin.New](w, body)
	a, _, err := write(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Create(tx, boss, in, own...) })
	return a, err
}

func (w world) made(body string) admin.Admin {
	w.Helper()
	a, err := w.create(body)
	if err != nil {
		w.Fatalf("create %s: %v", body, err)
	}
	return a
}

func (w world) update(a id.Admin, body string) (admin.Admin, int, error) {
	w.Helper()
	p := parse[admin.Patch](w, body)
	return write(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Update(tx, boss, a, p, own...) })
}

func (w world) get(a id.Admin) admin.Admin {
	w.Helper()
	return do(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Detail(tx, a) })
}

func (w world) group(name string, discount partner.Percent) id.Group {
	w.Helper()
	return do(w, func(tx *db.Tx) (id.Group, error) {
		g, err := partner.Create(tx, boss, partner.New{Name: name, CreditDiscountPercent: discount})
		return g.ID, err
	})
}

func (w world) user(email, status string) id.User {
	w.Helper()
	return do(w, func(tx *db.Tx) (id.User, error) {
		n, err := tx.Insert(`INSERT INTO users (email, email_key, name, email_verified, superadmin, status, version, created_at, updated_at)
			VALUES ($1, $2, 'U', TRUE, FALSE, $3, 1, $4, $5) RETURNING id`, email, email, status, tx.Now, tx.Now)
		return id.User(n), err
	})
}

// organization gives the admin one, with a member.
func (w world) organization(a id.Admin, slug string, member id.User) {
	w.Helper()
	do(w, func(tx *db.Tx) (int64, error) {
		n, err := tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ($1, 'O', 'o', $2, 'active', 1, 1, 1, 1, 0, 1, $3, $4) RETURNING id`, a, slug, tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		if _, err := tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES ($1, $2, 'owner', $3, $4, 1)`, n, member, tx.Now, tx.Now); err != nil {
			return 0, err
		}
		return tx.Exec(`UPDATE admins SET organization_count = organization_count + 1 WHERE id = $1`, a)
	})
}

func (w world) list(f admin.Filter, r page.Request) page.List[admin.Admin] {
	w.Helper()
	return do(w, func(tx *db.Tx) (page.List[admin.Admin], error) { return admin.List(tx, f, r) })
}

func (w world) wantCode(what string, err error, code string) {
	w.Helper()
	if fault.Code(err) != code {
		w.Errorf("%s: got %v, want %s", what, err, code)
	}
}

const agency = `{"name":"Agency XYZ","contact_email":"admin@agency.com","company_name":"Agency XYZ Ltd","phone":"+1234567890","partner_group_id":1}`

func TestCreate(t *testing.T) {
	each(t, func(w world) {
		_, err := w.create(agency)
		w.wantCode("a group that is not there", err, "unknown_reference")
		w.group("Gold", 2000)
		a := w.made(agency)
		if a.Name != "Agency XYZ" || *a.Phone != "+1234567890" || *a.PartnerGroupID != 1 || a.Status != admin.Active ||
			a.OwnerUserID != nil || a.CreditBalance != 0 || a.Suspension != nil || len(a.ReferralCode) != 12 || a.CustomDomainStatus != "none" {
			w.Errorf("got %+v", a)
		}
		if b := w.made(agency); b.ReferralCode == a.ReferralCode {
			w.Errorf("two admins share the referral code %s", a.ReferralCode)
		}
		if c := w.made(`{"name":"Solo","contact_email":"a@b.example"}`); c.CompanyName != "Solo" || c.Phone != nil || c.PartnerGroupID != nil {
			w.Errorf("the least of an admin: got %+v", c)
		}
		_, err = w.create(`{"name":"","contact_email":"x","phone":"abc"}`)
		var e *fault.Error
		if !errors.As(err, &e) || len(e.Fields) < 3 {
			w.Errorf("three wrong fields: got %v", err)
		}
	})
}

func TestUpdateMerges(t *testing.T) {
	each(t, func(w world) {
		w.group("Gold", 2000)
		a := w.made(agency)
		b, events, err := w.update(a.ID, `{"phone":null,"partner_group_id":null,"name":"Other"}`)
		if err != nil || events != 1 || b.Phone != nil || b.PartnerGroupID != nil || b.Name != "Other" || b.ContactEmail != a.ContactEmail || b.Version != a.Version+1 {
			w.Errorf("merge: got %+v, %d events, %v", b, events, err)
		}
		if c, events, err := w.update(a.ID, `{"name":"Other"}`); err != nil || events != 0 || c.Version != b.Version {
			w.Errorf("the same again: version %d, %d events, %v", c.Version, events, err)
		}
		_, _, err = w.update(a.ID, `{"name":null}`)
		w.wantCode("null name", err, "required")
		_, _, err = w.update(a.ID, `{"partner_group_id":0}`)
		w.wantCode("nobody's group", err, "unknown_reference")
		_, _, err = w.update(a.ID, `{"partner_group_id":99}`)
		w.wantCode("a group that is not there", err, "unknown_reference")
		_, _, err = w.update(99, `{}`)
		w.wantCode("absent", err, "not_found")
	})
}

func TestList(t *testing.T) {
	each(t, func(w world) {
		g := w.group("Gold", 0)
		a := w.made(agency)
		b := w.made(`{"name":"Bravo","contact_email":"hello@bravo.example","company_name":"Ökolog 100%"}`)
		c := w.made(`{"name":"Charlie","contact_email":"c@c.example"}`)
		do(w, func(tx *db.Tx) (admin.Admin, error) {
			return admin.Suspend(tx, boss, b.ID, admin.Suspension{Reason: "r"})
		})
		for name, x := range map[string]struct {
			f    admin.Filter
			want []id.Admin
		}{
			"all": {admin.Filter{}, []id.Admin{c.ID, b.ID, a.ID}}, "suspended": {admin.Filter{Status: admin.Suspended}, []id.Admin{b.ID}},
			"active": {admin.Filter{Status: admin.Active}, []id.Admin{c.ID, a.ID}}, "group": {admin.Filter{Group: g}, []id.Admin{a.ID}},
			"company": {admin.Filter{Q: "ÖKO"}, []id.Admin{b.ID}}, "email": {admin.Filter{Q: "@AGENCY"}, []id.Admin{a.ID}},
			"literal": {admin.Filter{Q: "%"}, []id.Admin{b.ID}}, "both": {admin.Filter{Q: "bravo", Status: admin.Active}, nil},
		} {
			got := w.list(x.f, page.Request{Limit: 50})
			ids := []id.Admin{}
			for _, a := range got.Data {
				ids = append(ids, a.ID)
			}
			if fmt.Sprint(ids) != fmt.Sprint(x.want) || got.Pagination.Total != int64(len(x.want)) {
				w.Errorf("%s: got %v of %d, want %v", name, ids, got.Pagination.Total, x.want)
			}
		}
		first := w.list(admin.Filter{}, page.Request{Limit: 2})
		after, err := page.ParseCursor(first.Pagination.NextCursor)
		if err != nil {
			w.Fatal(err)
		}
		if rest := w.list(admin.Filter{}, page.Request{Limit: 2, After: after}); len(rest.Data) != 1 || rest.Data[0].ID != a.ID {
			w.Errorf("second page: got %+v", rest)
		}
	})
}

func TestGrantCredits(t *testing.T) {
	each(t, func(w world) {
		w.group("Gold", 1250)
		a := w.made(agency)
		grant := func(body string) (admin.Granted, int, error) {
			in := parse[admin.Grant](w, body)
			return write(w, func(tx *db.Tx) (admin.Granted, error) {
				return admin.GrantCredits(tx, boss, a.ID, in, credit.Reference{})
			})
		}
		g, events, err := grant(`{"admin_id":1,"amount":10000,"reason":"Monthly allocation"}`)
		if err != nil || events != 1 || g.CreditBalance != 10000 || g.Transaction.Amount != 10000 || *g.Transaction.NetCost != 8750 || *g.Transaction.PartnerGroup != 1 {
			w.Errorf("grant: got %+v, %d events, %v", g, events, err)
		}
		for body, code := range map[string]string{
			`{"admin_id":2,"amount":1,"reason":"r"}`: "mismatch", `{"amount":0,"reason":"r"}`: "too_small",
			`{"amount":-5,"reason":"r"}`: "too_small", `{"amount":5,"reason":" "}`: "required",
		} {
			_, _, err := grant(body)
			w.wantCode(body, err, code)
		}
		if got := w.get(a.ID).CreditBalance; got != 10000 {
			w.Errorf("balance after refusals: got %d, want 10000", got)
		}
	})
}

func TestSuspendAndReactivate(t *testing.T) {
	each(t, func(w world) {
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		w.organization(a.ID, "one", w.user("m@x.example", "active"))
		w.organization(a.ID, "two", w.user("n@x.example", "active"))
		suspend := func(in admin.Suspension) (admin.Admin, int, error) {
			return write(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Suspend(tx, boss, a.ID, in) })
		}
		_, _, err := suspend(admin.Suspension{})
		w.wantCode("no reason", err, "required")
		_, _, err = suspend(admin.Suspension{Reason: "r", ExpiresAt: new(db.Time)})
		w.wantCode("an end in the past", err, "in_the_past")
		s, events, err := suspend(admin.Suspension{Reason: "Payment overdue"})
		if err != nil || events != 1 || s.Status != admin.Suspended || s.Suspension.Reason != "Payment overdue" || s.Suspension.Source != "platform" || len(s.Holds) != 1 {
			w.Errorf("suspend: got %+v, %d events, %v", s, events, err)
		}
		if s, events, err = suspend(admin.Suspension{Reason: "Again"}); err != nil || events != 0 || s.Suspension.Reason != "Payment overdue" {
			w.Errorf("again: got %+v, %d events, %v", s.Suspension, events, err)
		}
		reactivate := func() (admin.Admin, int, error) {
			return write(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Reactivate(tx, boss, a.ID) })
		}
		if s, events, err = reactivate(); err != nil || events != 1 || s.Status != admin.Active || s.Suspension != nil || len(s.Holds) != 0 {
			w.Errorf("reactivate: got %+v, %d events, %v", s, events, err)
		}
		if _, events, err = reactivate(); err != nil || events != 0 {
			w.Errorf("reactivate again: %d events, %v", events, err)
		}
	})
}

func TestSuspendEffects(t *testing.T) {
	each(t, func(w world) {
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		both := w.user("m@x.example", "active")
		w.organization(a.ID, "one", both)
		w.organization(a.ID, "two", w.user("n@x.example", "active"))
		do(w, func(tx *db.Tx) (admin.Granted, error) {
			if _, err := admin.AddStaff(tx, boss, a.ID, admin.UserRef{UserID: both}); err != nil {
				return admin.Granted{}, err
			}
			return admin.GrantCredits(tx, boss, a.ID, admin.Grant{Amount: 500, Reason: "r"}, credit.Reference{})
		})
		sum := do(w, func(tx *db.Tx) (map[effect.Kind]int64, error) {
			effect.Want(tx)
			_, err := admin.Suspend(tx, boss, a.ID, admin.Suspension{Reason: "r"})
			return effect.Sum(tx), err
		})
		want := map[effect.Kind]int64{effect.Organizations: 2, effect.Users: 2, effect.Domains: 0, effect.Credits: 500}
		for k, n := range want {
			if sum[k] != n {
				w.Errorf("%s: got %d, want %d", k, sum[k], n)
			}
		}
	})
}

// A suspension reaches an admin's organizations, so it is told to their owners.
func TestSuspensionTellsOwners(t *testing.T) {
	each(t, func(w world) {
		a := w.made(`{"name":"A","contact_email":"a@a.example"}`)
		owner := w.user("m@x.example", "active")
		w.organization(a.ID, "one", owner)
		told := func() int64 {
			return do(w, func(tx *db.Tx) (int64, error) {
				return db.One(tx, db.Int64, `SELECT COUNT(*) FROM notifications WHERE user_id = $1 AND kind IN ('admin.suspended', 'admin.reactivated')`, owner)
			})
		}
		do(w, func(tx *db.Tx) (int64, error) {
			return tx.Exec(`UPDATE organizations SET owner_user_id = $1 WHERE admin_id = $2`, owner, a.ID)
		})
		do(w, func(tx *db.Tx) (admin.Admin, error) {
			return admin.Suspend(tx, boss, a.ID, admin.Suspension{Reason: "r"})
		})
		if n := told(); n != 1 {
			w.Errorf("suspended: got %d notifications, want 1", n)
		}
		do(w, func(tx *db.Tx) (admin.Admin, error) { return admin.Reactivate(tx, boss, a.ID) })
		if n := told(); n != 2 {
			w.Errorf("reactivated: got %d notifications, want 2", n)
		}
	})
}
