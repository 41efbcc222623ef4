package org_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/org"
)

// Credits that come at once from the platform lock no organization; each event
// tells of its own amount all the same.
func TestEventsOfCreditsThatComeAtOnce(t *testing.T) {
	racing(t, func(w world) {
		o, _ := w.organization("acme", 0)
		ends := together(30, func(int) error {
			_, err := w.fund(boss, o, `{"amount":7}`)
			return err
		})
		if ends[""] != 30 {
			t.Fatalf("30 at once: got %v", ends)
		}
		bodies := do(w, func(tx *db.Tx) ([]string, error) {
			return db.All(tx, db.String, `SELECT body FROM audit_pending WHERE action = 'organization.credits_added' ORDER BY id LIMIT 100`)
		})
		var balances []int64
		for _, body := range bodies {
			var e struct {
				Changes map[string]struct{ Old, New int64 } `json:"changes"`
			}
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Fatal(err)
			}
			c, available := e.Changes["credit_balance"], e.Changes["credits_available"]
			if c.New-c.Old != 7 || available != c || len(e.Changes) != 2 {
				t.Errorf("an event tells of %+v, want a step of 7", e.Changes)
			}
			balances = append(balances, c.New)
		}
		slices.Sort(balances)
		if len(slices.Compact(balances)) != 30 || balances[29] != 210 {
			t.Errorf("balances after: got %v, want each multiple of 7 up to 210", balances)
		}
	})
}

// Credits that come while the organization is edited are no part of the edit.
func TestEventsOfEditsWhileCreditsCome(t *testing.T) {
	racing(t, func(w world) {
		o, _ := w.organization("acme", 0)
		ends := together(60, func(i int) error {
			if i%3 > 0 {
				_, err := w.fund(boss, o, `{"amount":7}`)
				return err
			}
			_, _, err := w.edit(boss, o, fmt.Sprintf(`{"name":"N%d"}`, i))
			return err
		})
		if ends[""] != 60 {
			t.Fatalf("60 at once: got %v", ends)
		}
		bodies := do(w, func(tx *db.Tx) ([]string, error) {
			return db.All(tx, db.String, `SELECT body FROM audit_pending WHERE action = 'organization.updated' ORDER BY id LIMIT 100`)
		})
		for _, body := range bodies {
			e := parse[struct {
				Changes map[string]any `json:"changes"`
			}](w, body)
			if len(e.Changes) != 1 || e.Changes["name"] == nil {
				t.Errorf("an edit of the name tells of %v", e.Changes)
			}
		}
		if len(bodies) != 20 {
			t.Errorf("got %d events, want 20", len(bodies))
		}
	})
}

func TestFiguresDoNotOverflow(t *testing.T) {
	each(t, func(w world) {
		o, _ := w.organization("acme", 0)
		w.edited(boss, o, `{"credit_limit":1000000000000000}`)
		f := do(w, func(tx *db.Tx) (org.Funded, error) {
			return org.AddCredits(tx, boss, o.ID, org.CreditsIn{Amount: math.MaxInt64}, credit.Reference{})
		})
		if got := w.detail(o).CreditsAvailable; f.CreditsAvailable != math.MaxInt64 || got != math.MaxInt64 {
			t.Errorf("available: answered %d, then %d; want %d", f.CreditsAvailable, got, int64(math.MaxInt64))
		}
		c := w.edited(boss, o, `{"credit_limit":999999999999999}`)
		if len(c.Warnings) != 0 || c.CreditsAvailable != math.MaxInt64 {
			t.Errorf("lowered far above what is used: got %+v", c)
		}
	})
}

// What a superadmin gave without cover, a reseller may lower without it; more
// rests on its pool again.
func TestLoweringWhatThePlatformGave(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(100, nil)
		o, _ := w.organization("acme", a)
		w.edited(boss, o, `{"credit_limit":5000}`)
		if c := w.edited(seller, o, `{"credit_limit":600}`); c.CreditLimit != 600 {
			t.Errorf("lowered: got %d, want 600", c.CreditLimit)
		}
		_, _, err := w.edit(seller, o, `{"credit_limit":601}`)
		w.wantCode("raised beyond the pool", err, "insufficient_credits")
		w.edited(seller, o, `{"credit_limit":60}`)
		w.edited(seller, o, `{"credit_limit":90}`)
		w.edited(seller, o, `{"credit_limit":80}`)
		if n := w.count("credit_accounts WHERE admin_id = $1 AND kind = 'admin' AND limits_backed = 80", a); n != 1 {
			t.Error("what the reseller raised does not rest on its pool")
		}
	})
}

func TestPeopleOfThePoolAreTold(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(100, nil)
		o, owner := w.organization("acme", a)
		u := w.user("staff@agency.example", true)
		do(w, func(tx *db.Tx) (int64, error) {
			return tx.Exec(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES ($1, $2, 'staff', $3)`, a, u.ID, tx.Now)
		})
		told := func(who audit.Actor, kind string) int64 {
			t.Helper()
			return w.count("notifications WHERE user_id = $1 AND kind = $2", who.UserID(), kind)
		}
		staff := person(u)
		if _, err := w.fund(boss, o, `{"amount":10,"source":"admin","reason":"Goodwill"}`); err != nil {
			t.Fatal(err)
		}
		if _, err := w.fund(boss, o, `{"amount":10}`); err != nil {
			t.Fatal(err)
		}
		if _, err := w.fund(seller, o, `{"amount":10}`); err != nil {
			t.Fatal(err)
		}
		if n, m := told(staff, "credits.allocated"), told(owner, "credits.added"); n != 1 || m != 3 {
			t.Errorf("of credits: the staff of the pool heard %d times, the owner %d; want 1 and 3", n, m)
		}
		w.edited(boss, o, `{"credit_limit":50}`)
		if n, m := told(staff, "credit_limit.changed"), told(owner, "credit_limit.changed"); n != 1 || m != 1 {
			t.Errorf("of the limit: the staff heard %d times, the owner %d; want 1 and 1", n, m)
		}
	})
}
