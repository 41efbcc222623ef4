package credit_test

import (
	"math"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// What an account's counters cannot hold is refused before it is done, and what
// was held can be captured whatever comes in between.
func TestCountersHaveRoom(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, math.MaxInt64))
		must(t, limit(d, o, 1000, 0, false))
		try := func(r credit.Request) (credit.Result, string) {
			t.Helper()
			r.Actor = service
			all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
			must(t, err)
			return all[0], fault.Code(all[0].Err)
		}
		spent, _ := try(spend(o, 5))
		if _, code := try(credit.Request{Of: spent.Transaction.ID, Refund: &credit.Refund{}}); code != "too_large" {
			t.Errorf("a refund beyond int64: got %q, want too_large", code)
		}
		held, code := try(holding(o, math.MaxInt64-5))
		if code != "" {
			t.Fatalf("a hold of all: got %q", code)
		}
		for what, r := range map[string]credit.Request{"spend": spend(o, 1), "hold": holding(o, 1)} {
			if _, code := try(r); code != "too_large" {
				t.Errorf("%s beyond int64: got %q, want too_large", what, code)
			}
		}
		if _, code := try(credit.Request{Of: held.Hold.ID, Capture: &credit.Capture{Amount: math.MaxInt64 - 5}}); code != "" {
			t.Errorf("capture: got %q", code)
		}
		checkLedger(t, d)
	})
}

// Figures of many wallets together stop at the largest number.
func TestFiguresStopAtTheLargestNumber(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		a := newAdmin(t, d, false)
		for range 3 {
			o := newOrganization(t, d, a)
			must(t, add(d, o, math.MaxInt64))
			do(t, d, spend(o, math.MaxInt64-1))
		}
		for range 2 { // as added up afresh, and by day
			f := read(t, d, func(tx *db.Tx) (credit.Flow, error) { return credit.FlowOf(tx, credit.Reach{All: true}, 1) })
			if got := f.Data[0]; got.Added != math.MaxInt64 || got.Consumed != math.MaxInt64 {
				t.Errorf("flow: got %+v, want the largest number", got)
			}
			clock.now = clock.now.Add(2 * time.Minute)
			must(t, credit.FillDays(ctx, d))
			must(t, add(d, newOrganization(t, d, a), 7))
			clock.now = clock.now.Add(2 * time.Minute)
			must(t, credit.FillDays(ctx, d))
		}
		at := db.At(clock.now)
		all := read(t, d, func(tx *db.Tx) ([]credit.PluginCredits, error) {
			return credit.ByPlugin(tx, credit.Consumers{All: true}, at.Add(-time.Hour), at)
		})
		if len(all) != 1 || all[0].Amount != math.MaxInt64 || credit.Sum(append(all, all...)) != math.MaxInt64 || credit.Sum([]credit.PluginCredits{{Amount: -3}, {Amount: 1}}) != -2 {
			t.Errorf("by plugin: got %+v, want the largest number", all)
		}
	})
}
