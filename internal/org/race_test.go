package org_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/partner"
)

// Sixteen edits that all read one version: the one that locks first moves it.
func TestEditRace(t *testing.T) {
	racing(t, func(w world) {
		o, _ := w.organization("acme", w.reseller(0, nil))
		ends := together(16, func(i int) error {
			_, _, err := write(w, func(tx *db.Tx) (org.Changed, error) {
				version, err := org.Lock(tx, o.ID)
				if err != nil {
					return org.Changed{}, err
				}
				if version != o.Version {
					return org.Changed{}, fault.New(fault.Precondition, "stale", "stale")
				}
				return org.Edit(tx, seller, o.ID, parse[org.Patch](w, fmt.Sprintf(`{"name":"N%d","max_users":%d}`, i, i)))
			})
			return err
		})
		if ends[""] != 1 || ends["stale"] != 15 {
			t.Errorf("16 edits of one version: got %v, want one success", ends)
		}
	})
}

func TestPoolRace(t *testing.T) {
	racing(t, func(w world) {
		a := w.reseller(0, &partner.New{Name: "Bounded", MaxStorageGB: new(int64(130))})
		var all []org.Organization
		for i := range 8 {
			o, _ := w.organization(fmt.Sprintf("org-%d", i), a) // 80 GB in all
			all = append(all, o)
		}
		ends := together(8, func(i int) error {
			_, _, err := w.edit(seller, all[i], `{"storage_limit_gb":20}`)
			return err
		})
		if ends[""] != 5 || ends["limit_exceeded"] != 3 {
			t.Errorf("8 raises by 10 with 50 left: got %v, want 5 successes", ends)
		}
	})
}

func TestSpendPoolRace(t *testing.T) {
	racing(t, func(w world) {
		a := w.reseller(70, nil)
		first, _ := w.organization("first", a)
		second, _ := w.organization("second", a)
		ends := together(20, func(i int) error {
			_, err := w.fund(seller, []org.Organization{first, second}[i%2], `{"amount":10}`)
			return err
		})
		if ends[""] != 7 || ends["insufficient_credits"] != 13 {
			t.Errorf("20 spends of a pool that covers 7: got %v", ends)
		}
		if got := w.detail(first).CreditBalance + w.detail(second).CreditBalance; got != 70 {
			t.Errorf("arrived: got %d, want 70", got)
		}
	})
}

// Two organizations change places between two admins, over and over, while
// limits are set on both: nothing deadlocks for good, and the counts stay true.
func TestTransferRace(t *testing.T) {
	racing(t, func(w world) {
		a, b := w.reseller(1000, nil), w.reseller(1000, nil)
		first, _ := w.organization("first", a)
		second, _ := w.organization("second", b)
		ends := together(12, func(i int) error {
			o, to := first, a
			if i%2 == 0 {
				o = second
			}
			if i%4 < 2 {
				to = b
			}
			var err error
			if i < 8 {
				_, _, err = w.edit(boss, o, fmt.Sprintf(`{"admin_id":%d}`, to))
			} else {
				_, _, err = w.edit(seller, o, fmt.Sprintf(`{"credit_limit":%d}`, i))
			}
			return err
		})
		if ends[""] != 12 {
			t.Errorf("transfers and limits: got %v, want all to succeed", ends)
		}
		for _, admin := range []id.Admin{a, b} {
			n := w.count("organizations WHERE admin_id = $1", admin)
			if w.count("admins WHERE id = $1 AND organization_count = $2", admin, n) != 1 {
				t.Errorf("admin %d owns %d, and counts otherwise", admin, n)
			}
		}
		backed := w.count(`admins a JOIN credit_accounts p ON p.admin_id = a.id AND p.kind = 'admin' WHERE p.limits_backed <>
			(SELECT COALESCE(SUM(c.credit_limit), 0) FROM credit_accounts c WHERE c.kind = 'organization' AND c.limit_backed_by = a.id)`)
		if backed != 0 {
			t.Errorf("%d admins back another sum than the limits they set", backed)
		}
	})
}
