package credit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Lots come by when they expire, page by page, and spent ones are gone.
func TestLotsBySoonest(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		o := newOrganization(t, d, 0)
		for i, end := range []*db.Time{nil, soon(clock, 48*time.Hour), soon(clock, 24*time.Hour), nil} {
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Add(tx, boss, o, int64(10*(i+1)), "", credit.Terms{Expires: end}, none)
			})
			must(t, err)
		}
		do(t, d, holding(o, 5))
		var got []string
		for r := (page.Request{Limit: 1}); ; {
			l := read(t, d, func(tx *db.Tx) (page.List[credit.OpenLot], error) {
				return credit.Lots(tx, credit.Owner{Organization: o}, r)
			})
			if l.Pagination.Total != 4 {
				t.Errorf("total %d, want 4", l.Pagination.Total)
			}
			got = append(got, fmt.Sprint(l.Data[0].Amount, " ", l.Data[0].Held))
			if !l.Pagination.HasMore {
				break
			}
			var err error
			r.After, err = page.ParseCursor(l.Pagination.NextCursor)
			must(t, err)
		}
		if want := "[30 5 20 0 10 0 40 0]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		do(t, d, spend(o, 25))
		l := read(t, d, func(tx *db.Tx) (page.List[credit.OpenLot], error) {
			return credit.Lots(tx, credit.Owner{Organization: o}, page.Request{Limit: 1, Offset: 1})
		})
		if len(l.Data) != 1 || l.Data[0].Amount != 20 {
			t.Errorf("the second lot: got %+v, want that of 20", l.Data)
		}
	})
}

func TestHoldsByState(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		var ids []id.Transaction
		for i := range 3 {
			ids = append(ids, do(t, d, holding(o, int64(i+1))).Hold.ID)
		}
		do(t, d, credit.Request{Of: ids[1], Capture: &credit.Capture{Amount: 2, Final: true}})
		list := func(state credit.HoldState, r page.Request) (got []id.Transaction, l page.List[credit.Hold]) {
			l = read(t, d, func(tx *db.Tx) (page.List[credit.Hold], error) {
				return credit.Holds(tx, credit.Owner{Organization: o}, state, r)
			})
			for _, h := range l.Data {
				got = append(got, h.ID)
			}
			return got, l
		}
		first, l := list(credit.HoldOpen, page.Request{Limit: 1})
		at, err := page.ParseCursor(l.Pagination.NextCursor)
		must(t, err)
		second, l := list(credit.HoldOpen, page.Request{Limit: 1, After: at})
		captured, _ := list(credit.HoldCaptured, page.Request{Limit: 10})
		if got, want := fmt.Sprint(first, second, captured), fmt.Sprint(ids[2:], ids[:1], ids[1:2]); got != want || l.Pagination.Total != 2 || l.Pagination.HasMore {
			t.Errorf("got %s of %+v, want %s", got, l.Pagination, want)
		}
	})
}

func TestBalancesByDay(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		clock.set("2026-03-27T12:00:00Z")
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE settings SET billing_timezone = 'Europe/Berlin' WHERE id = 1`)
			return err
		}))
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		clock.set("2026-03-28T23:30:00Z") // the 29th in Berlin, when the clocks change
		do(t, d, spend(o, 30))
		clock.set("2026-03-30T21:00:00Z")
		must(t, add(d, o, 5))
		h := read(t, d, func(tx *db.Tx) (credit.BalanceHistory, error) {
			return credit.HistoryOf(tx, credit.Owner{Organization: o}, 5)
		})
		if want := "[{2026-03-26 0} {2026-03-27 100} {2026-03-28 100} {2026-03-29 70} {2026-03-30 75}]"; fmt.Sprint(h.Data) != want {
			t.Errorf("got %v, want %s", h.Data, want)
		}
		for _, days := range []int{0, credit.MaxDays + 1} {
			err := d.Read(ctx, func(tx *db.Tx) error {
				_, err := credit.HistoryOf(tx, credit.Owner{Organization: o}, days)
				return err
			})
			if fault.Code(err) != "out_of_range" {
				t.Errorf("%d days: got %v", days, err)
			}
		}
	})
}

// A flow is the same before and after its days are filled, each admin has its
// own, and nobody's reach is nothing.
func TestFlow(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		clock.set("2026-11-10T10:00:00Z")
		a, b := newAdmin(t, d, false), newAdmin(t, d, false)
		mine, other, free := newOrganization(t, d, a), newOrganization(t, d, b), newOrganization(t, d, 0)
		must(t, grant(d, a, 100))
		must(t, allocate(d, a, mine, 50, false))
		must(t, grant(d, b, 7))
		must(t, allocate(d, b, other, 7, false))
		clock.set("2026-11-12T10:00:00Z")
		must(t, add(d, free, 9))
		s := do(t, d, spend(mine, 20))
		do(t, d, spend(free, 3))
		do(t, d, credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{Amount: ptr(4)}})
		h := do(t, d, holding(mine, 6))
		do(t, d, credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 6, Final: true}})
		reaches := map[string]credit.Reach{"all": {All: true}, "a": {Admins: []id.Admin{a}}, "b": {Admins: []id.Admin{b}}, "nobody": {}}
		all := func() (text string) {
			for _, name := range []string{"all", "a", "b", "nobody"} {
				f := read(t, d, func(tx *db.Tx) (credit.Flow, error) { return credit.FlowOf(tx, reaches[name], 4) })
				text += fmt.Sprintln(name, f.Data)
				if f.AsOf != db.At(clock.now) {
					t.Errorf("%s: as of %s", name, f.AsOf)
				}
			}
			return text
		}
		want := "all [{2026-11-09 0 0 0 0 0 0 0} {2026-11-10 107 0 57 0 0 0 0} {2026-11-11 0 0 0 0 0 0 0} {2026-11-12 0 9 0 0 29 4 0}]\n" +
			"a [{2026-11-09 0 0 0 0 0 0 0} {2026-11-10 100 0 50 0 0 0 0} {2026-11-11 0 0 0 0 0 0 0} {2026-11-12 0 0 0 0 26 4 0}]\n" +
			"b [{2026-11-09 0 0 0 0 0 0 0} {2026-11-10 7 0 7 0 0 0 0} {2026-11-11 0 0 0 0 0 0 0} {2026-11-12 0 0 0 0 0 0 0}]\n" +
			"nobody [{2026-11-09 0 0 0 0 0 0 0} {2026-11-10 0 0 0 0 0 0 0} {2026-11-11 0 0 0 0 0 0 0} {2026-11-12 0 0 0 0 0 0 0}]\n"
		for _, when := range []string{"unfilled", "half filled", "filled", "filled again"} {
			if when == "filled" {
				clock.set("2026-11-12T10:02:00Z")
			}
			if when != "unfilled" {
				must(t, credit.FillDays(ctx, d))
			}
			if got := all(); got != want {
				t.Errorf("%s: got\n%swant\n%s", when, got, want)
			}
		}
		rest := read(t, d, func(tx *db.Tx) (int64, error) {
			return db.One(tx, db.Int64, `SELECT count(*) FROM credit_transactions WHERE id > (SELECT transaction_id FROM credit_days_filled)`)
		})
		if rest != 0 {
			t.Errorf("%d transactions are not added up", rest)
		}
	})
}

func ptr(n int64) *int64 { return &n }

// The parts of a check together are the check, and find what is wrong.
func TestVerifyInParts(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		a := newAdmin(t, d, false)
		must(t, grant(d, a, 1000))
		for range 7 {
			o := newOrganization(t, d, a)
			must(t, allocate(d, a, o, 10, false))
			do(t, d, spend(o, 3))
		}
		defer credit.SetPart(6)()
		walk := func() (sum credit.Report, parts int) {
			var at page.Position
			for percent := 0; ; {
				p, err := credit.VerifyPart(ctx, d, at)
				must(t, err)
				parts++
				if p.Percent < percent || p.Percent > 100 || (p.Percent == 100) != (p.Next == nil) {
					t.Errorf("part %d is at %d %%, after %d %%", parts, p.Percent, percent)
				}
				percent = p.Percent
				sum.Accounts, sum.Transactions, sum.Entries = sum.Accounts+p.Accounts, sum.Transactions+p.Transactions, sum.Entries+p.Entries
				sum.Lots, sum.Holds, sum.Problems = sum.Lots+p.Lots, sum.Holds+p.Holds, append(sum.Problems, p.Problems...)
				if p.Next == nil {
					return sum, parts
				}
				at, err = page.ParseCursor(*p.Next)
				must(t, err)
			}
		}
		same := func() int {
			t.Helper()
			got, parts := walk()
			want, err := credit.Verify(ctx, d, ctx.Err)
			must(t, err)
			got.OK, got.AsOf = want.OK, want.AsOf
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %+v in %d parts, want %+v", got, parts, want)
			}
			return len(want.Problems)
		}
		if n := same(); n != 0 {
			t.Errorf("%d problems in a sound ledger", n)
		}
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE credit_transactions SET amount = amount + 1 WHERE kind = 'consume'`)
			return err
		}))
		if n := same(); n == 0 {
			t.Error("tampering was not found")
		}
		_, err := credit.VerifyPart(ctx, d, page.Position{At: 9, ID: 1})
		if fault.Code(err) != "invalid_cursor" {
			t.Errorf("another cursor: got %v", err)
		}
	})
}
