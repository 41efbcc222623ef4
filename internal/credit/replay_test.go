package credit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
)

// resealed changes the ledger by SQL and gives it hashes that fit: as if the
// ledger itself had done it.
func resealed(t *testing.T, d *db.DB, changes ...string) {
	t.Helper()
	must(t, d.Write(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"credit_entries", "credit_lots"} {
			if err := unguarded(tx, table); err != nil {
				return err
			}
		}
		for _, q := range append(changes, `DELETE FROM credit_sealed`, `UPDATE credit_transactions SET hash = NULL`, `UPDATE credit_lots SET hash = NULL`,
			`UPDATE credit_entries SET hash = NULL`, `UPDATE credit_limits SET hash = NULL`, `UPDATE credit_accounts SET chain_head = NULL`) {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, credit.Seal(ctx, d))
}

// Verify finds what adds up and yet breaks a rule, whoever did it: a lot burnt
// before its turn, more spent than was available, credits that expired too
// early, holds that rest on lots which are not their turn.
func TestVerifyFindsBrokenRules(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		ledgerOfAll(t, d)
		resealed(t, d)
		checkLedger(t, d)
		for want, changes := range map[string]string{
			"burn_order": `UPDATE credit_entries SET debit_lot_id = $second WHERE debit_lot_id = $first AND effect = 'post';
				UPDATE credit_lots SET remaining = remaining + 30 WHERE id = $first; UPDATE credit_lots SET remaining = remaining - 30 WHERE id = $second`,
			"overspent": `UPDATE credit_limits SET credit_limit = 19 WHERE credit_limit = 20 AND organization_id = $organization;
				UPDATE credit_accounts SET credit_limit = 19 WHERE credit_limit = 20 AND organization_id = $organization`,
			"expired_early": `UPDATE credit_lots SET expires_at = expires_at + 60000000 WHERE id = $third`,
			"lot_held":      `UPDATE credit_lots SET held = held - 1 WHERE id = $first; UPDATE credit_lots SET held = held + 1 WHERE id = $second`,
			"lot_repaid":    `UPDATE credit_lots SET repaid = repaid + 1, amount = amount + 1 WHERE id = $fourth; UPDATE credit_lots SET remaining = remaining - 1 WHERE id = $fourth`,
		} {
			o := newOrganization(t, d, 0)
			end := soon(clock, time.Hour)
			must(t, limit(d, o, 20, 0, false))
			must(t, add(d, o, 100)) // first
			must(t, add(d, o, 100)) // second
			if want == "lot_held" {
				h := holding(o, 10)
				h.Hold.ExpiresIn = 7200
				do(t, d, h)
			}
			do(t, d, spend(o, 30))
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) { // third
				return credit.Add(tx, boss, o, 5, "", credit.Terms{Expires: end}, none)
			})
			must(t, err)
			clock.now = clock.now.Add(time.Hour)
			_, err = credit.Sweep(ctx, d)
			must(t, err)
			if want == "overspent" || want == "lot_repaid" {
				do(t, d, spend(o, 190))
			}
			must(t, add(d, o, 50)) // fourth
			lots := read(t, d, func(tx *db.Tx) ([]int64, error) {
				return db.All(tx, db.Int64, `SELECT id FROM credit_lots WHERE organization_id = $1 ORDER BY id`, int64(o))
			})
			fill := strings.NewReplacer("$organization", fmt.Sprint(o), "$first", fmt.Sprint(lots[0]), "$second", fmt.Sprint(lots[1]), "$third", fmt.Sprint(lots[2]), "$fourth", fmt.Sprint(lots[3]))
			resealed(t, d, strings.Split(fill.Replace(changes), ";")...)
			r, err := credit.Verify(ctx, d, ctx.Err)
			must(t, err)
			if !slices.ContainsFunc(r.Problems, func(p credit.Problem) bool { return p.Code == want }) {
				t.Errorf("got %+v, want %q", r.Problems, want)
			}
		}
	})
}

// What comes into a wallet that is further below zero than its limit now allows
// overspends nothing.
func TestVerifyTakesWhatComesInBelowTheLimit(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		must(t, grant(d, a, 100))
		must(t, limit(d, o, 20, 0, false))
		do(t, d, spend(o, 15))
		clock.set("2026-11-01T01:00:00Z")
		must(t, limit(d, o, 0, 0, false))
		clock.set("2026-11-01T02:00:00Z")
		must(t, allocate(d, a, o, 5, false))
		if f := figures(t, d, o); f.Balance != -10 {
			t.Fatalf("got a balance of %d, want -10", f.Balance)
		}
		checkLedger(t, d)
	})
}
