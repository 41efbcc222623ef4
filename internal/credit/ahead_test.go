package credit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
)

// eachClock is dbtest.Each with a clock that the test sets.
func eachClock(t *testing.T, f func(t *testing.T, d *db.DB, set func(string))) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
			d := dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return now }})
			must(t, d.Write(ctx, plugin.Seed))
			f(t, d, func(at string) {
				t.Helper()
				var err error
				if now, err = time.Parse("2006-01-02 15:04", "2026-11-"+at); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// messages are what was told, oldest first: to whom, and what.
func messages(t *testing.T, d *db.DB, like string) (all []string) {
	t.Helper()
	return read(t, d, func(tx *db.Tx) ([]string, error) {
		return db.All(tx, db.String, `SELECT u.name || ': ' || n.body FROM notifications n JOIN users u ON u.id = n.user_id WHERE n.kind LIKE $1 ORDER BY n.id, u.name LIMIT 100`, like)
	})
}

// person makes a user: a superadmin, or of an admin or organization.
func person(t *testing.T, d *db.DB, name string, super bool, admin id.Admin, of id.Organization) {
	t.Helper()
	must(t, d.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Insert(`INSERT INTO users (email, email_key, name, password_hash, email_verified, status, superadmin, created_at, updated_at, version)
			VALUES ($1, $2, $3, 'x', TRUE, 'active', $4, 0, 0, 1) RETURNING id`, name+"@x.example", name+"@x.example", name, super)
		if err == nil && admin != 0 {
			_, err = tx.Exec(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES ($1, $2, 'owner', 0)`, admin, n)
		}
		if err == nil && of != 0 {
			_, err = tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES ($1, $2, 'owner', 0, 0, 1)`, of, n)
		}
		return err
	}))
}

// The forecast takes the pace of seven days, or of fewer since the wallet was
// opened; it stands still within an hour, refunds slow it down, and deposits
// are no part of it.
func TestForecast(t *testing.T) {
	eachClock(t, func(t *testing.T, d *db.DB, set func(string)) {
		set("01 00:30")
		a := newAdmin(t, d, false)
		o := newOrganization(t, d, a)
		want := func(when string, got fmt.Stringer, say string) {
			t.Helper()
			if got.String() != say {
				t.Errorf("%s: got %s, want %s", when, got, say)
			}
		}
		of := func() fmt.Stringer { return said(figures(t, d, o).Forecast.PerDay, figures(t, d, o).Forecast.Sentence) }
		want("nothing there", of(), "0 It has run out.")
		must(t, grant(d, a, 1000))
		must(t, allocate(d, a, o, 700, false))
		want("nothing spent", of(), "0 Not at this pace.")
		p := pool(t, d, a).Forecast
		want("the pool", said(p.PerDay, p.Sentence), "700 At this pace: less than a day.")
		first, err := consume(d, o, 100)
		must(t, err)
		want("the first hour", of(), "100 At this pace: 6 days.")
		set("03 00:10")
		must1(t, d, credit.Request{Of: first, Refund: &credit.Refund{Amount: new(int64(30))}})
		was := figures(t, d, o)
		want("after two days", of(), "34.29 At this pace: 18 days.") // 70 in 49 hours
		set("03 00:59")
		if now := figures(t, d, o); now != was && (*now.Forecast.DaysLeft != *was.Forecast.DaysLeft || *now.Forecast.RunsOutAt != *was.Forecast.RunsOutAt) {
			t.Errorf("within the hour: got %+v, then %+v", was.Forecast, now.Forecast)
		}
		set("20 12:00")
		want("a quiet week", of(), "0 Not at this pace.")
		for day := 20; day <= 26; day++ {
			set(fmt.Sprintf("%d 12:30", day))
			_, err := consume(d, o, 70)
			must(t, err)
		}
		want("a busy week", of(), "70 At this pace: 2 days.")
		f := figures(t, d, o).Forecast
		if want := db.At(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)); *f.DaysLeft != 2 || *f.RunsOutAt != want {
			t.Errorf("got %v, %v, want %v", *f.DaysLeft, *f.RunsOutAt, want)
		}
		p = pool(t, d, a).Forecast
		want("a pool that rests", said(p.PerDay, p.Sentence), "0 Not at this pace.")
		must(t, allocate(d, a, o, 100, false))
		p = pool(t, d, a).Forecast
		want("the pool", said(p.PerDay, p.Sentence), "14.29 At this pace: 14 days.")
		must(t, deallocate(d, o, a, 65))
		p = pool(t, d, a).Forecast
		want("a part came back", said(p.PerDay, p.Sentence), "5 At this pace: 53 days.")
	})
}

// A low balance is told in the commit that makes it so, to those whose it is
// and to those who can fill it, with how long the rest lasts; once a month.
func TestLowBalance(t *testing.T) {
	eachClock(t, func(t *testing.T, d *db.DB, set func(string)) {
		set("01 00:30")
		a := newAdmin(t, d, false)
		o, direct := newOrganization(t, d, a), newOrganization(t, d, 0)
		person(t, d, "root", true, 0, 0)
		person(t, d, "admin", false, a, 0)
		person(t, d, "owner", false, 0, o)
		person(t, d, "direct", false, 0, direct)
		told := 0
		want := func(when string, all ...string) {
			t.Helper()
			got := messages(t, d, "credits.low")
			slices.Sort(got[told:])
			if slices.Sort(all); !slices.Equal(got[told:], all) {
				t.Errorf("%s: got %q, want %q", when, got[told:], all)
			}
			told = len(got)
		}
		must(t, grant(d, a, 1000))
		must(t, allocate(d, a, o, 899, false))
		want("not low yet")
		must(t, allocate(d, a, o, 1, false))
		low := "The balance of A is 100: a tenth of what it was after the last deposit, or less. At this pace: less than a day."
		want("a pool", "admin: "+low, "root: "+low)
		must(t, add(d, direct, 100))
		_, err := consume(d, direct, 95)
		must(t, err)
		low = "The balance of O is 5: a tenth of what it was after the last deposit, or less. At this pace: less than a day."
		want("the platform's own", "direct: "+low, "root: "+low)
		for day := 8; day <= 14; day++ {
			set(fmt.Sprintf("%02d 12:30", day))
			_, err := consume(d, o, 100)
			must(t, err)
			if day < 14 {
				want("not low yet")
			}
		}
		_, err = consume(d, o, 110)
		must(t, err)
		low = "The balance of O is 90: a tenth of what it was after the last deposit, or less. At this pace: less than a day."
		want("an organization", "admin: "+low, "owner: "+low)
		_, err = consume(d, o, 10)
		must(t, err)
		want("lower still")
	})
}

// A credit limit that is lowered to what is overdrawn, or near it, is told in the
// commit that lowers it; each once a month.
func TestCreditLimitThatMoves(t *testing.T) {
	eachClock(t, func(t *testing.T, d *db.DB, set func(string)) {
		set("01 00:30")
		o := newOrganization(t, d, newAdmin(t, d, false))
		person(t, d, "owner", false, 0, o)
		must(t, limit(d, o, 100, 0, false))
		_, err := consume(d, o, 40)
		must(t, err)
		told := 0
		lower := func(to int64, want ...string) {
			t.Helper()
			must(t, limit(d, o, to, 0, false))
			got := messages(t, d, "credit_limit.%")
			got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, " went from ") })
			if !slices.Equal(got[told:], want) {
				t.Errorf("a limit of %d: got %q, want %q", to, got[told:], want)
			}
			told = len(got)
		}
		lower(51)
		lower(50, "owner: The balance of O is -40; 80 % of the credit limit of 50 is used or held. At this pace: less than a day.")
		lower(200)
		lower(45)
		lower(40, "owner: The balance of O is -40; the credit limit of 40 is used up or held.")
		lower(0)
		set("30 00:30")
		lower(1000)
		lower(0)
		checkLedger(t, d)
	})
}

type text string

func (s text) String() string { return string(s) }

func said(perDay float64, sentence string) fmt.Stringer {
	return text(fmt.Sprint(perDay, " ", sentence))
}

func consume(d *db.DB, o id.Organization, n int64) (id.Transaction, error) {
	all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) {
		return credit.Do(tx, []credit.Request{{Actor: service, Organization: o, Consume: &credit.Spend{Amount: n, Plugin: "crm"}}})
	})
	if err == nil {
		err = all[0].Err
	}
	if err != nil {
		return 0, err
	}
	return all[0].Transaction.ID, nil
}

func must1(t *testing.T, d *db.DB, q credit.Request) {
	t.Helper()
	q.Actor = service
	all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{q}) })
	must(t, err)
	must(t, all[0].Err)
}

func deallocate(d *db.DB, from id.Organization, to id.Admin, n int64) error {
	_, err := write(d, func(tx *db.Tx) (credit.Transaction, error) {
		return credit.Deallocate(tx, boss, from, to, n, "r", none)
	})
	return err
}
