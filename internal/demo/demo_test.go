package demo_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/demo"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/secret"
)

var now = time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC)

func deps(t *testing.T, url string) (demo.Deps, *bytes.Buffer) {
	t.Helper()
	clock := demo.NewClock(now)
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return demo.Deps{
		DB: dbtest.Open(t, url, db.Options{Clock: clock.Now}), Clock: clock, Hasher: auth.NewHasher(),
		Mail: &mail.Outbox{Box: box, BaseURL: "http://127.0.0.1:8080"}, Out: &out,
	}, &out
}

func number(t *testing.T, d *db.DB, query string) (n int64) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		n, err = db.One(tx, db.Int64, query)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSeed(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			d, out := deps(t, url(t))
			if err := demo.Seed(context.Background(), d); err != nil {
				t.Fatal(err)
			}
			t.Log(out.String())
			for query, least := range map[string]int64{
				`SELECT COUNT(*) FROM partner_groups`:                                                         3,
				`SELECT COUNT(*) FROM admins`:                                                                 8,
				`SELECT COUNT(*) FROM organizations`:                                                          60,
				`SELECT COUNT(DISTINCT status) FROM registration_requests`:                                    4,
				`SELECT COUNT(*) FROM registration_requests WHERE utm_source IS NOT NULL`:                     40,
				`SELECT COUNT(*) FROM usage_current`:                                                          120,
				`SELECT COUNT(*) FROM credit_transactions`:                                                    15,
				`SELECT COUNT(*) FROM notifications`:                                                          100,
				`SELECT (MAX(created_at) - MIN(created_at)) / 86400000000 FROM organizations`:                 80,
				`SELECT COUNT(*) FROM (SELECT id FROM audit_pending UNION ALL SELECT id FROM audit_events) e`: 250,
			} {
				if got := number(t, d.DB, query); got < least {
					t.Errorf("%s: got %d, want at least %d", query, got, least)
				}
			}
			if n := number(t, d.DB, `SELECT COUNT(*) FROM jobs WHERE kind = 'mail' AND state = 'ready'`); n != 0 {
				t.Errorf("%d mails wait to be sent", n)
			}
			users := number(t, d.DB, `SELECT COUNT(*) FROM users`)
			if err := demo.Seed(context.Background(), d); err != nil || number(t, d.DB, `SELECT COUNT(*) FROM users`) != users {
				t.Errorf("again: %v; it must change nothing", err)
			}
			for _, login := range []string{"ada.berg@tenantry.example", demo.Password} {
				if !strings.Contains(out.String(), login) {
					t.Errorf("%s was not printed", login)
				}
			}
		})
	}
}

func TestSeedRefusesForeignData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, _ *db.DB) {})
	d, _ := deps(t, dbtest.SQLiteURL(t))
	err := d.DB.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO admins (name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('A', 'a', 'a@a.example', 'A', 'x', 0, 1, 0, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Seed(context.Background(), d); !errors.Is(err, demo.ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
}
