package credit_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// do runs one request that must succeed.
func do(t *testing.T, d *db.DB, r credit.Request) credit.Result {
	t.Helper()
	r.Actor = service
	all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
	must(t, err)
	must(t, all[0].Err)
	return all[0]
}

func soon(clock *stepping, after time.Duration) *db.Time {
	at := db.At(clock.now.Add(after))
	return &at
}

// Held credits outlive their expiry, and what comes back from a lot that has
// expired is good for a while longer.
func TestExpiry(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		o := newOrganization(t, d, 0)
		_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
			return credit.Add(tx, boss, o, 100, "", credit.Terms{Expires: soon(clock, time.Minute)}, none)
		})
		must(t, err)
		if f := figures(t, d, o); f.ExpiringSoon != 100 {
			t.Errorf("got %+v, want 100 to expire soon", f)
		}
		h, s := do(t, d, holding(o, 40)), do(t, d, spend(o, 10))
		clock.now = clock.now.Add(2 * time.Minute)
		n, err := credit.Sweep(ctx, d)
		must(t, err)
		if f := figures(t, d, o); n != 1 || f.Balance != 40 || f.Held != 40 {
			t.Errorf("swept %d: got %+v, want the 40 that are held", n, f)
		}
		do(t, d, credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 30, Final: true}})
		if f := figures(t, d, o); f.Balance != 0 || f.Held != 0 {
			t.Errorf("got %+v, want nothing: what is given back has expired", f)
		}
		do(t, d, credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{}})
		if f := figures(t, d, o); f.Balance != 10 || f.ExpiringSoon != 10 {
			t.Errorf("got %+v, want 10 that came back and expire soon", f)
		}
		clock.now = clock.now.Add(31 * 24 * time.Hour)
		all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{spend(o, 1)}) })
		must(t, err)
		if fault.Code(all[0].Err) != "insufficient_credits" || figures(t, d, o).Balance != 0 {
			t.Errorf("a spend of what has expired: got %v and %+v", all[0].Err, figures(t, d, o))
		}
		checkLedger(t, d)
	})
}

// A number is explained as it was at any time, and what was consumed is traced
// back to its grants.
func TestExplainAndTrace(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		type moment struct {
			at db.Time
			f  credit.Figures
		}
		var past []moment
		keep := func() {
			clock.now = clock.now.Add(time.Second)
			past = append(past, moment{db.At(clock.now), figures(t, d, o)})
			clock.now = clock.now.Add(time.Second)
		}
		must(t, grant(d, a, 60))
		must(t, grant(d, a, 1000))
		must(t, limit(d, o, 50, 0, false))
		keep()
		must(t, allocate(d, a, o, 100, false)) // out of both grants
		keep()
		spent := do(t, d, spend(o, 70))
		keep()
		h := do(t, d, holding(o, 40))
		keep()
		do(t, d, credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 35}})
		keep()
		must(t, limit(d, o, 7, 0, false))
		do(t, d, credit.Request{Of: h.Hold.ID, Void: true})
		keep()
		account := figures(t, d, o).Account
		for _, m := range past {
			e := read(t, d, func(tx *db.Tx) (credit.Explanation, error) { return credit.Explain(tx, account, &m.at) })
			var lots int64
			for _, l := range e.Lots {
				lots += l.Remaining
			}
			if e.Balance != m.f.Balance || e.Held != m.f.Held || e.Limit != m.f.Limit || e.Available != m.f.Available || lots != max(0, e.Balance) {
				t.Errorf("at %v: got %+v, want %+v", m.at, e, m.f)
			}
		}
		trail := read(t, d, func(tx *db.Tx) (credit.Trail, error) { return credit.Trace(tx, spent.Transaction.ID) })
		if len(trail.Pieces) != 2 || trail.Pieces[0].Amount != 60 || trail.Pieces[1].Amount != 10 {
			t.Fatalf("got %+v, want 60 of the first grant and 10 of the second", trail)
		}
		for _, p := range trail.Pieces {
			if len(p.Lots) != 2 || p.Lots[0].Kind != credit.Allocated || p.Lots[1].Kind != credit.Granted {
				t.Errorf("a piece: got %+v, want the way by the allocation to the grant", p)
			}
		}
		err := d.Read(ctx, func(tx *db.Tx) error { _, err := credit.Explain(tx, 987654321, nil); return err })
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("no such account: got %v, want 404", err)
		}
	})
}

// The statements of all admins and organizations add up to the ledger: what
// they close with, and what was consumed.
func TestStatementsAddUp(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		var owners []credit.Owner
		for range 3 {
			a := newAdmin(t, d, false)
			must(t, grant(d, a, 1000))
			owners = append(owners, credit.Owner{Admin: a})
			for range 2 {
				o := newOrganization(t, d, a)
				owners = append(owners, credit.Owner{Organization: o})
				must(t, allocate(d, a, o, 300, false))
				s := do(t, d, spend(o, 50))
				n := int64(20)
				do(t, d, credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{Amount: &n}})
				_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
					return credit.Deallocate(tx, boss, o, a, 10, "r", none)
				})
				must(t, err)
			}
			clock.now = clock.now.Add(20 * 24 * time.Hour) // into the next months
		}
		var closing, byAdmins, byOrganizations int64
		for _, month := range []string{"2026-11", "2026-12", "2027-01"} {
			closing = 0
			for _, of := range owners {
				s := read(t, d, func(tx *db.Tx) (credit.MonthlyStatement, error) { return credit.Statement(tx, of, month) })
				closing += s.Closing
				for _, c := range s.Consumption {
					if of.Admin != 0 {
						byAdmins += c.Amount
					} else {
						byOrganizations += c.Amount
					}
				}
				var b bytes.Buffer
				must(t, s.WriteCSV(&b))
				if n := strings.Count(b.String(), "\n"); n != 3+len(s.Entries)+len(s.Consumption) {
					t.Errorf("%d lines of CSV: %s", n, b.String())
				}
			}
		}
		ledger := func(kind string) int64 {
			return read(t, d, func(tx *db.Tx) (int64, error) {
				return db.One(tx, db.Int64, `SELECT CAST(COALESCE(SUM(credits_posted - debits_posted), 0) AS BIGINT) FROM credit_accounts WHERE kind = $1`, kind)
			})
		}
		if want := ledger("admin") + ledger("organization"); closing != want {
			t.Errorf("all close with %d, the ledger holds %d", closing, want)
		}
		if want := ledger("consumed"); byAdmins != want || byOrganizations != want {
			t.Errorf("admins consumed %d, organizations %d, the ledger says %d", byAdmins, byOrganizations, want)
		}
	})
}

// An organization that is suspended, or whose admin is, spends and holds
// nothing; what is held is settled, refunds and deposits come.
func TestSuspended(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		a := newAdmin(t, d, false)
		for _, place := range []func(o id.Organization) (column string, value int64){
			func(o id.Organization) (string, int64) { return "organization_id", int64(o) },
			func(id.Organization) (string, int64) { return "admin_id", int64(a) },
		} {
			o := newOrganization(t, d, a)
			must(t, add(d, o, 100))
			h, v, s := do(t, d, holding(o, 10)), do(t, d, holding(o, 10)), do(t, d, spend(o, 10))
			column, value := place(o)
			must(t, d.Write(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO holds (`+column+`, source, reason, placed_at) VALUES ($1, 'platform', 'r', $2)`, value, tx.Now)
				return err
			}))
			for _, r := range []credit.Request{spend(o, 1), holding(o, 1)} {
				all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
				must(t, err)
				if want := strings.TrimSuffix(column, "_id") + "_suspended"; fault.Code(all[0].Err) != want {
					t.Errorf("got %v, want %s", all[0].Err, want)
				}
			}
			do(t, d, credit.Request{Of: h.Hold.ID, Capture: &credit.Capture{Amount: 5, Final: true}})
			do(t, d, credit.Request{Of: v.Hold.ID, Void: true})
			do(t, d, credit.Request{Of: s.Transaction.ID, Refund: &credit.Refund{}})
			must(t, add(d, o, 1))
			must(t, grant(d, a, 1))
			if f := figures(t, d, o); f.Balance != 96 || f.Held != 0 {
				t.Errorf("got %+v, want 96", f)
			}
		}
		checkLedger(t, d)
	})
}

// What a transaction answered as its time is when it had happened; and of a pool
// available is what its own figures say.
func TestExplainAgreesWithAnswers(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		clock.now = clock.now.Add(123456 * time.Microsecond)
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		must(t, grant(d, a, 100))
		must(t, allocate(d, a, o, 30, false))
		must(t, limit(d, o, 20, a, false))
		spent := do(t, d, spend(o, 7)).Transaction
		explain := func(of id.Account, at *db.Time) credit.Explanation {
			return read(t, d, func(tx *db.Tx) (credit.Explanation, error) { return credit.Explain(tx, of, at) })
		}
		var told db.Time
		must(t, told.UnmarshalText([]byte(spent.CreatedAt.String())))
		if e := explain(figures(t, d, o).Account, &told); e.Balance != spent.BalanceAfter || e.At.String() != told.String() {
			t.Errorf("at the time of the spend: got %+v, want a balance of %d", e, spent.BalanceAfter)
		}
		clock.now = clock.now.Add(-time.Second) // of another process
		if e := explain(figures(t, d, o).Account, nil); e.Balance != 23 {
			t.Errorf("now: got %+v, want a balance of 23", e)
		}
		clock.now = clock.now.Add(2 * time.Second)
		pool := read(t, d, func(tx *db.Tx) (credit.Pool, error) { return credit.AdminBalance(tx, a) })
		if e := explain(pool.Account, nil); e.Available != pool.Available || e.Policy.LimitsBacked != 20 || pool.Available != 50 {
			t.Errorf("the pool: got %+v, want %+v", e, pool)
		}
		must(t, limit(d, o, 5, 0, false))
		if e := explain(pool.Account, &told); e.Available != 50 {
			t.Errorf("the pool before: got %+v, want 50 available", e)
		}
		if e := explain(pool.Account, nil); e.Available != 70 {
			t.Errorf("the pool after: got %+v, want 70 available", e)
		}
	})
}

// A wallet whose ledger cannot be read keeps no other from its expiry.
func TestSweepGoesOn(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, clock *stepping) {
		bad, good := newOrganization(t, d, 0), newOrganization(t, d, 0)
		for i, o := range []id.Organization{bad, good} {
			_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
				return credit.Add(tx, boss, o, 10, "", credit.Terms{Expires: soon(clock, time.Duration(i+1)*time.Minute)}, none)
			})
			must(t, err)
		}
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE credit_accounts SET chain_head = NULL WHERE organization_id = $1`, int64(bad))
			return err
		}))
		clock.now = clock.now.Add(time.Hour)
		if _, err := credit.Sweep(ctx, d); err == nil {
			t.Error("a wallet without its hashes: got no error")
		}
		if f := figures(t, d, good); f.Balance != 0 {
			t.Errorf("the other one: got %+v, want it expired", f)
		}
	})
}
