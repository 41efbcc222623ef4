package org_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/partner"
)

// Overselling is about credit: it frees an admin from covering credit limits,
// not from the rest of the policy.
func TestOversellingKeepsTheBounds(t *testing.T) {
	each(t, func(w world) {
		a := w.reseller(0, &partner.New{Name: "Bounded", MaxUsers: new(int64(15)), Oversell: new(true)})
		o, _ := w.organization("one", a) // 10 users
		if c := w.edited(seller, o, `{"credit_limit":1000,"max_users":15}`); c.CreditLimit != 1000 {
			t.Errorf("an uncovered credit limit: got %d, want 1000", c.CreditLimit)
		}
		_, _, err := w.edit(seller, o, `{"max_users":16}`)
		w.wantCode("beyond the group's bound", err, "limit_exceeded")
	})
}
