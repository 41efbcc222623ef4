package demo_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/demo"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/secret"
)

var afternoon = time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC)

func seed(t *testing.T, d *db.DB, clock *demo.Clock) (printed string, err error) {
	t.Helper()
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = demo.Seed(context.Background(), demo.Deps{
		DB: d, Clock: clock, Hasher: auth.NewHasher(), Mail: &mail.Outbox{Box: box, BaseURL: "http://127.0.0.1:8080"}, Out: &out,
	})
	return out.String(), err
}

func number(t *testing.T, d *db.DB, query string) (n int64) {
	t.Helper()
	read(t, d, func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Int64, query)
		return err
	})
	return n
}

func read(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Read(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// enough is how many of each there are at least.
var enough = map[string]int64{
	`SELECT COUNT(*) FROM partner_groups`:                                                           3,
	`SELECT COUNT(*) FROM admins`:                                                                   8,
	`SELECT COUNT(*) FROM organizations`:                                                            60,
	`SELECT COUNT(*) FROM organizations WHERE status = 'archived'`:                                  2,
	`SELECT COUNT(DISTINCT source) FROM holds WHERE lifted_at IS NULL`:                              4,
	`SELECT COUNT(*) FROM custom_domains WHERE status = 'verified'`:                                 5,
	`SELECT COUNT(*) FROM custom_domains WHERE status = 'pending'`:                                  2,
	`SELECT COUNT(DISTINCT status) FROM registration_requests`:                                      4,
	`SELECT COUNT(*) FROM registration_requests WHERE utm_source IS NOT NULL`:                       40,
	`SELECT COUNT(*) FROM memberships`:                                                              200,
	`SELECT COUNT(*) FROM invitations WHERE state = 'open'`:                                         3,
	`SELECT COUNT(*) FROM usage_current`:                                                            120,
	`SELECT COUNT(*) FROM credit_transactions WHERE kind = 'consume'`:                               2000,
	`SELECT COUNT(*) FROM credit_holds WHERE state = 'open'`:                                        3,
	`SELECT COUNT(DISTINCT begins_at) FROM usage_days`:                                              80,
	`SELECT COUNT(DISTINCT created_at / 86400000000) FROM credit_transactions WHERE kind = 'grant'`: 20,
	`SELECT COUNT(DISTINCT created_at / 86400000000) FROM registration_requests`:                    40,
	`SELECT COUNT(DISTINCT used) FROM usage_current`:                                                100,
	`SELECT COUNT(*) FROM notifications WHERE read_at IS NULL`:                                      20,
	`SELECT COUNT(*) FROM notifications WHERE read_at IS NOT NULL`:                                  100,
	`SELECT (MAX(created_at) - MIN(created_at)) / 86400000000 FROM organizations`:                   80,
	`SELECT COUNT(*) FROM (SELECT id FROM audit_pending UNION ALL SELECT id FROM audit_events) e`:   700,
}

// never finds what must not be.
var never = map[string]string{
	"mails that wait to be sent":         `SELECT COUNT(*) FROM jobs WHERE kind = 'mail' AND state = 'ready'`,
	"pools that pass on next to nothing": `SELECT COUNT(*) FROM credit_accounts WHERE kind = 'admin' AND credits_posted > 5 * debits_posted`,
	"wrong counts of seats":              `SELECT COUNT(*) FROM organizations o WHERE members <> (SELECT COUNT(*) FROM memberships m WHERE m.organization_id = o.id)`,
	"organizations over seats":           `SELECT COUNT(*) FROM organizations WHERE max_users >= 0 AND members + invited > max_users`,
	"overdrawn pools":                    `SELECT COUNT(*) FROM credit_accounts WHERE kind = 'admin' AND credits_posted < debits_posted`,
	"wrong counts of an admin":           `SELECT COUNT(*) FROM admins a WHERE organization_count <> (SELECT COUNT(*) FROM organizations o WHERE o.admin_id = a.id)`,
	"password hashes left behind":        `SELECT COUNT(*) FROM registration_requests WHERE status IN ('active', 'rejected') AND password_hash IS NOT NULL`,
}

func TestSeed(t *testing.T) {
	var people [][]string
	for _, url := range []string{dbtest.SQLiteURL(t), dbtest.PostgresURL(t)} {
		clock := demo.NewClock(afternoon)
		d := dbtest.Open(t, url, db.Options{Clock: clock.Now})
		printed, err := seed(t, d, clock)
		if err != nil {
			t.Fatal(err)
		}
		for query, least := range enough {
			if got := number(t, d, query); got < least {
				t.Errorf("%s: got %d, want at least %d", query, got, least)
			}
		}
		for what, query := range never {
			if got := number(t, d, query); got != 0 {
				t.Errorf("%d %s", got, what)
			}
		}
		if r, err := credit.Verify(context.Background(), d, func() error { return nil }); err != nil || !r.OK {
			t.Errorf("the ledger: %v, %v", r.Problems, err)
		}
		read(t, d, func(tx *db.Tx) error {
			all, err := db.All(tx, db.String, `SELECT email FROM users ORDER BY id`)
			people = append(people, all)
			return err
		})
		if again, err := seed(t, d, clock); err != nil || number(t, d, `SELECT COUNT(*) FROM users`) != int64(len(people[0])) {
			t.Errorf("again: %v, %s: it must change nothing", err, again)
		}
		for _, word := range []string{"ada.berg@tenantry.example", demo.Password} {
			if !strings.Contains(printed, word) {
				t.Errorf("%s was not printed in %s", word, printed)
			}
		}
	}
	if !slices.Equal(people[0], people[1]) {
		t.Error("two runs made different people")
	}
}

func TestSeedAtNewYear(t *testing.T) {
	clock := demo.NewClock(time.Date(2027, 1, 1, 0, 4, 0, 0, time.UTC))
	d := dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{Clock: clock.Now})
	if _, err := seed(t, d, clock); err != nil {
		t.Fatal(err)
	}
	if n := number(t, d, `SELECT COUNT(*) FROM users WHERE created_at > (SELECT MAX(updated_at) FROM usage_current)`); n != 0 {
		t.Errorf("%d users of the future", n)
	}
}

func TestSeedRefusesForeignData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO admins (name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
				VALUES ('A', 'a', 'a@a.example', 'A', 'x', 0, 1, 0, 0)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seed(t, d, demo.NewClock(afternoon)); !errors.Is(err, demo.ErrNotEmpty) {
			t.Errorf("got %v, want ErrNotEmpty", err)
		}
	})
}
