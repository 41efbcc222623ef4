package credit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

var (
	ctx  = context.Background()
	boss = audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}
	none = credit.Reference{}
)

func write[T any](d *db.DB, f func(tx *db.Tx) (T, error)) (out T, err error) {
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	return out, err
}

func read[T any](t testing.TB, d *db.DB, f func(tx *db.Tx) (T, error)) (out T) {
	t.Helper()
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// newAdmin makes an admin, in a group that oversells or not, with a wallet.
func newAdmin(t testing.TB, d *db.DB, oversell bool) id.Admin {
	t.Helper()
	a, err := write(d, func(tx *db.Tx) (id.Admin, error) {
		code := fmt.Sprint("c", time.Now().UnixNano())
		g, err := tx.Insert(`INSERT INTO partner_groups (name, name_key, credit_discount_bp, may_hide_powered_by, oversell, version, created_at, updated_at)
			VALUES ($1, $2, 0, TRUE, $3, 1, $4, $5) RETURNING id`, code, code, oversell, tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, partner_group_id, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('A', 'a', 'a@b.co', 'C', $1, $2, 0, 1, $3, $4) RETURNING id`, g, code, tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		return id.Admin(n), credit.Open(tx, credit.Owner{Admin: id.Admin(n)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newOrganization makes an organization of admin with a wallet.
func newOrganization(t testing.TB, d *db.DB, admin id.Admin) id.Organization {
	t.Helper()
	o, err := write(d, func(tx *db.Tx) (id.Organization, error) {
		n, err := tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ($1, 'O', 'o', $2, 'active', -1, -1, -1, 0, 0, 1, $3, $4) RETURNING id`, id.Ref(admin), fmt.Sprint("o", time.Now().UnixNano()), tx.Now, tx.Now)
		if err != nil {
			return 0, err
		}
		return id.Organization(n), credit.Open(tx, credit.Owner{Organization: id.Organization(n)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func grant(d *db.DB, to id.Admin, amount int64) error {
	_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
		return credit.Grant(tx, boss, to, amount, "r", credit.Policy{}, none)
	})
	return err
}

func allocate(d *db.DB, from id.Admin, to id.Organization, amount int64, oversell bool) error {
	_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
		return credit.Allocate(tx, boss, from, to, amount, "", credit.Policy{Oversell: oversell}, credit.Terms{}, none)
	})
	return err
}

func add(d *db.DB, to id.Organization, amount int64) error {
	_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
		return credit.Add(tx, boss, to, amount, "", credit.Terms{}, none)
	})
	return err
}

// limit sets a credit limit; by zero is the platform.
func limit(d *db.DB, of id.Organization, n int64, by id.Admin, oversell bool) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		return credit.SetLimit(tx, boss, of, n, by != 0, credit.Backing{Admin: by, Oversell: oversell})
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func figures(t testing.TB, d *db.DB, o id.Organization) credit.Figures {
	t.Helper()
	return read(t, d, func(tx *db.Tx) (credit.Figures, error) { return credit.Balance(tx, o) })
}

func pool(t testing.TB, d *db.DB, a id.Admin) credit.Pool {
	t.Helper()
	return read(t, d, func(tx *db.Tx) (credit.Pool, error) { return credit.AdminBalance(tx, a) })
}

// short reports a refusal for lack of credits with these figures.
func short(err error, available, required int64) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.PaymentRequired && f.Code == "insufficient_credits" &&
		f.Extra["available"] == available && f.Extra["required"] == required
}

func TestCreditsFlowDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		got, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
			done, err := credit.Grant(tx, boss, a, 10_001, "Monthly allocation", credit.Policy{Group: 7, DiscountBP: 2000}, none)
			if n := effect.Sum(tx)[effect.Credits]; n != 10_001 {
				t.Errorf("effects: got %d credits, want 10001", n)
			}
			return done, err
		})
		must(t, err)
		if got.Kind != credit.Granted || got.BalanceAfter != 10_001 || *got.DiscountPercent != 20 || *got.NetCost != 8001 ||
			*got.Reason != "Monthly allocation" || got.Source != credit.FromPlatform || *got.PartnerGroup != 7 || *got.Actor.ID != 1 || *got.Admin != a {
			t.Errorf("grant: got %+v", got)
		}
		must(t, allocate(d, a, o, 4000, false))
		must(t, add(d, o, 500))
		if got, want := figures(t, d, o), (credit.Figures{Balance: 4500, Available: 4500, Account: figures(t, d, o).Account, Forecast: figures(t, d, o).Forecast}); !reflect.DeepEqual(got, want) {
			t.Errorf("organization: got %+v, want %+v", got, want)
		}
		if got, want := pool(t, d, a), (credit.Pool{Balance: 6001, Available: 6001, Account: pool(t, d, a).Account, Forecast: pool(t, d, a).Forecast}); !reflect.DeepEqual(got, want) {
			t.Errorf("pool: got %+v, want %+v", got, want)
		}
		if err := allocate(d, a, o, 6002, false); !short(err, 6001, 6002) {
			t.Errorf("more than the pool: got %v, want insufficient_credits with 6001 of 6002", err)
		}
		checkLedger(t, d)
	})
}

func TestRefusedAmounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		for _, n := range []int64{0, -1, math.MinInt64} {
			for what, err := range map[string]error{"grant": grant(d, a, n), "allocate": allocate(d, a, o, n, false), "add": add(d, o, n)} {
				if fault.Code(err) != "too_small" {
					t.Errorf("%s of %d: got %v, want too_small", what, n, err)
				}
			}
		}
		must(t, grant(d, a, math.MaxInt64))
		must(t, add(d, o, math.MaxInt64-5))
		for what, err := range map[string]error{"grant": grant(d, a, 1), "add": add(d, o, 6), "allocate": allocate(d, a, o, 6, false)} {
			if fault.Code(err) != "too_large" {
				t.Errorf("%s beyond int64: got %v, want too_large", what, err)
			}
		}
		must(t, limit(d, o, math.MaxInt64, 0, false))
		if got := figures(t, d, o); got.Available != math.MaxInt64 {
			t.Errorf("available: got %d, want the largest number", got.Available)
		}
		if err := limit(d, o, -1, 0, false); fault.Code(err) != "too_small" {
			t.Errorf("a negative limit: got %v, want too_small", err)
		}
		_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
			past := tx.Now
			return credit.Add(tx, boss, o, 1, "", credit.Terms{Expires: &past}, none)
		})
		if fault.Code(err) != "in_the_past" {
			t.Errorf("expired on arrival: got %v, want in_the_past", err)
		}
		checkLedger(t, d)
	})
}

func TestNetCostIsExact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct{ amount, bp, want int64 }{
			{1, 0, 1}, {1, 10_000, 0}, {1, 1, 1}, {10_000, 1, 9999}, {3, 3333, 3}, {math.MaxInt64, 0, math.MaxInt64},
			{math.MaxInt64, 5000, math.MaxInt64/2 + 1}, {math.MaxInt64, 10_000, 0}, {math.MaxInt64, 9999, 922337203685478},
		} {
			a := newAdmin(t, d, false)
			got, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Grant(tx, boss, a, c.amount, "r", credit.Policy{DiscountBP: c.bp}, none)
			})
			must(t, err)
			if *got.NetCost != c.want || got.Amount != c.amount {
				t.Errorf("%d less %d bp: got %d, want %d", c.amount, c.bp, *got.NetCost, c.want)
			}
		}
	})
}

func TestLimitsAreBacked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		o, p := newOrganization(t, d, a), newOrganization(t, d, a)
		must(t, grant(d, a, 1000))
		must(t, limit(d, o, 600, a, false))
		if err := limit(d, p, 401, a, false); !short(err, 400, 401) {
			t.Errorf("beyond the balance: got %v, want 400 of 401", err)
		}
		must(t, limit(d, p, 5000, 0, false)) // a superadmin's rests on nobody
		must(t, limit(d, o, 700, a, false))
		if err := allocate(d, a, o, 301, false); !short(err, 300, 301) {
			t.Errorf("allocating what backs a limit: got %v, want 300 of 301", err)
		}
		must(t, allocate(d, a, o, 300, false))
		if got, want := pool(t, d, a), (credit.Pool{Balance: 700, LimitsBacked: 700, Account: pool(t, d, a).Account, Forecast: pool(t, d, a).Forecast}); !reflect.DeepEqual(got, want) {
			t.Errorf("pool: got %+v, want %+v", got, want)
		}
		must(t, limit(d, o, 700, a, false)) // the same again
		must(t, limit(d, o, 100, a, false))
		must(t, limit(d, p, 600, a, false)) // from the platform's to its own
		must(t, limit(d, o, 50, 0, false))  // and back
		if got := pool(t, d, a); got.LimitsBacked != 600 || got.Available != 100 {
			t.Errorf("pool: got %+v, want 600 backed and 100 available", got)
		}
		must(t, d.Write(ctx, func(tx *db.Tx) error { return credit.Release(tx, p) }))
		if got := pool(t, d, a); got.LimitsBacked != 0 {
			t.Errorf("released: got %+v, want nothing backed", got)
		}
		if got := figures(t, d, p); got.Limit != 600 {
			t.Errorf("released: got %+v, want the limit kept", got)
		}
		checkLedger(t, d)
	})
}

func TestOversellingIsNotBacked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, true)
		o := newOrganization(t, d, a)
		must(t, grant(d, a, 10))
		must(t, limit(d, o, 1_000_000, a, true))
		must(t, allocate(d, a, o, 10, true))
		if err := allocate(d, a, o, 1, true); !short(err, 0, 1) {
			t.Errorf("an empty pool: got %v, want 0 of 1", err)
		}
		if got := pool(t, d, a); got.Available != 0 || got.LimitsBacked != 1_000_000 {
			t.Errorf("pool: got %+v", got)
		}
		must(t, limit(d, o, 999_999, a, false)) // lowering is always allowed
		checkLedger(t, d)
	})
}

func TestReferenceIsUniqueForEver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		spend := func(ref credit.Reference) error {
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Grant(tx, boss, a, 5, "r", credit.Policy{}, ref)
			})
			return err
		}
		must(t, spend(credit.Reference{Principal: "u1", Key: "k"}))
		must(t, spend(credit.Reference{Principal: "u2", Key: "k"}))
		if err := spend(credit.Reference{Principal: "u1", Key: "k"}); fault.Code(err) != "idempotency_key_reused" {
			t.Errorf("the same reference: got %v, want idempotency_key_reused", err)
		}
		if got := pool(t, d, a).Balance; got != 10 {
			t.Errorf("balance: got %d, want 10", got)
		}
	})
}

func TestLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := newAdmin(t, d, false)
		o, other := newOrganization(t, d, a), newOrganization(t, d, a)
		must(t, grant(d, a, 1000))
		for n := range int64(6) {
			must(t, allocate(d, a, o, n+1, false))
			must(t, add(d, other, 100))
		}
		list := func(of credit.Owner, f credit.Filter, r page.Request) page.List[credit.Transaction] {
			return read(t, d, func(tx *db.Tx) (page.List[credit.Transaction], error) { return credit.Transactions(tx, of, f, r) })
		}
		all := list(credit.Owner{Admin: a}, credit.Filter{}, page.Request{Limit: 50})
		if all.Pagination.Total != 7 || len(all.Data) != 7 || all.Data[6].Kind != credit.Granted || all.Data[6].BalanceAfter != 1000 || all.Data[0].BalanceAfter != 979 {
			t.Errorf("admin's list: got %+v", all)
		}
		own := list(credit.Owner{Organization: o}, credit.Filter{Kind: credit.Allocated}, page.Request{Limit: 50})
		if own.Pagination.Total != 6 || own.Data[0].BalanceAfter != 21 || own.Data[0].Admin == nil {
			t.Errorf("organization's list: got %+v", own)
		}
		if l := list(credit.Owner{Organization: o}, credit.Filter{Kind: credit.Added}, page.Request{Limit: 50}); l.Pagination.Total != 0 || len(l.Data) != 0 {
			t.Errorf("another kind: got %+v, want none", l)
		}
		at := all.Data[3].CreatedAt
		if l := list(credit.Owner{Admin: a}, credit.Filter{From: &at}, page.Request{Limit: 50}); l.Pagination.Total != 4 {
			t.Errorf("from the fourth: got %d, want 4", l.Pagination.Total)
		}
		if l := list(credit.Owner{Admin: a}, credit.Filter{To: &at}, page.Request{Limit: 50}); l.Pagination.Total != 3 {
			t.Errorf("before the fourth: got %d, want 3", l.Pagination.Total)
		}
		r, seen := page.Request{Limit: 3}, 0
		for {
			l := list(credit.Owner{Admin: a}, credit.Filter{}, r)
			for i, tr := range l.Data {
				if tr.ID != all.Data[seen+i].ID {
					t.Fatalf("page by cursor: got %d, want %d", tr.ID, all.Data[seen+i].ID)
				}
			}
			seen += len(l.Data)
			if !l.Pagination.HasMore {
				break
			}
			after, err := page.ParseCursor(l.Pagination.NextCursor)
			must(t, err)
			r.After = after
		}
		if seen != 7 {
			t.Errorf("pages by cursor: got %d transactions, want 7", seen)
		}
		if l := list(credit.Owner{Admin: a}, credit.Filter{}, page.Request{Limit: 3, Offset: 5}); len(l.Data) != 2 || l.Data[1].ID != all.Data[6].ID {
			t.Errorf("offset 5: got %+v", l.Data)
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			_, err := credit.Transactions(tx, credit.Owner{Admin: a}, credit.Filter{Kind: "gift"}, page.Request{Limit: 1})
			return err
		})
		if fault.Code(err) != "unknown_value" {
			t.Errorf("an unknown kind: got %v, want unknown_value", err)
		}
		var csv bytes.Buffer
		must(t, d.Read(ctx, func(tx *db.Tx) error {
			return credit.Export(tx, credit.Owner{Admin: a}, credit.Filter{Kind: credit.Allocated}, page.Request{Limit: 2}, &csv)
		}))
		if n := strings.Count(csv.String(), "\r\n"); n != 7 {
			t.Errorf("export: got %d lines, want the head and 6", n)
		}
		if one, two := figures(t, d, o), figures(t, d, other); one.Balance != 21 || two.Balance != 600 {
			t.Errorf("balances: got %+v and %+v", one, two)
		}
		if got := read(t, d, func(tx *db.Tx) (map[id.Admin]credit.Pool, error) { return credit.AdminBalances(tx, []id.Admin{a}) }); got[a].Balance != 979 {
			t.Errorf("admin balances: got %+v", got)
		}
	})
}

// stepping is a clock that the test moves.
type stepping struct{ now time.Time }

func (s *stepping) set(text string) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	s.now = at
}

func TestStatement(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			clock := &stepping{}
			clock.set("2026-09-30T12:00:00Z")
			d := dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return clock.now }})
			must(t, d.Write(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE settings SET billing_timezone = 'Europe/Berlin' WHERE id = 1`)
				return err
			}))
			a := newAdmin(t, d, false)
			o := newOrganization(t, d, a)
			must(t, grant(d, a, 1000))
			clock.set("2026-09-30T22:00:00Z") // October in Berlin
			must(t, allocate(d, a, o, 100, false))
			must(t, grant(d, a, 50))
			clock.set("2026-10-31T22:59:59Z") // still October
			must(t, allocate(d, a, o, 200, false))
			clock.set("2026-10-31T23:00:00Z") // November
			must(t, allocate(d, a, o, 1, false))
			statement := func(of credit.Owner, month string) credit.MonthlyStatement {
				return read(t, d, func(tx *db.Tx) (credit.MonthlyStatement, error) { return credit.Statement(tx, of, month) })
			}
			s := statement(credit.Owner{Admin: a}, "2026-10")
			want := []credit.Line{{Kind: credit.Allocated, Count: 2, Out: 300}, {Kind: credit.Granted, Count: 1, In: 50, NetCost: 50}}
			if s.Opening != 1000 || s.Closing != 750 || fmt.Sprint(s.Entries) != fmt.Sprint(want) || s.From.String() != "2026-09-30T22:00:00.000Z" {
				t.Errorf("October: got %+v, want 1000 to 750 by %+v", s, want)
			}
			if s := statement(credit.Owner{Admin: a}, ""); s.Month != "2026-11" || s.Opening != 750 || s.Closing != 749 {
				t.Errorf("the current month: got %+v", s)
			}
			if s := statement(credit.Owner{Organization: o}, "2026-08"); s.Opening != 0 || s.Closing != 0 || len(s.Entries) != 0 {
				t.Errorf("before everything: got %+v", s)
			}
			for _, bad := range []string{"2026-13", "2026-1", "26-10", "2026-10-01", "last"} {
				err := d.Read(ctx, func(tx *db.Tx) error { _, err := credit.Statement(tx, credit.Owner{Admin: a}, bad); return err })
				if fault.Code(err) != "invalid_month" {
					t.Errorf("month %q: got %v, want invalid_month", bad, err)
				}
			}
			clock.set("2026-10-01T00:00:00Z") // a clock that went back
			must(t, grant(d, a, 7))
			l := read(t, d, func(tx *db.Tx) (page.List[credit.Transaction], error) {
				return credit.Transactions(tx, credit.Owner{Admin: a}, credit.Filter{}, page.Request{Limit: 1})
			})
			if l.Data[0].Amount != 7 || l.Data[0].BalanceAfter != 756 {
				t.Errorf("after the clock went back the newest is %+v, want the last grant", l.Data[0])
			}
			checkLedger(t, d)
		})
	}
}

func TestWithoutAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for what, err := range map[string]error{"grant": grant(d, 99, 1), "add": add(d, 99, 1), "limit": limit(d, 99, 1, 0, false)} {
			var f *fault.Error
			if err == nil || errors.As(err, &f) {
				t.Errorf("%s: got %v, want an internal error", what, err)
			}
		}
	})
}
