package usage_test

import (
	"context"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

var ctx = context.Background()

// each opens a database on both engines whose clock stands still.
func each(t *testing.T, now time.Time, f func(t *testing.T, d *db.DB)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			f(t, dbtest.Open(t, url(t), db.Options{Clock: func() time.Time { return now }}))
		})
	}
}

func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(ctx, f); err != nil {
		t.Fatal(err)
	}
}

// organization makes one with these limits (seats, GB, GB) and people.
func organization(t *testing.T, d *db.DB, seats, storage, bandwidth, members, invited int64) (o id.Organization) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		n, err := tx.Insert(`INSERT INTO organizations (name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ('O', 'o', 'o', 'active', $1, $2, $3, $4, $5, 1, $6, $7) RETURNING id`, storage, seats, bandwidth, members, invited, tx.Now, tx.Now)
		if err != nil {
			return err
		}
		o = id.Organization(n)
		return credit.Open(tx, credit.Owner{Organization: o})
	})
	return o
}

func meter(t *testing.T, d *db.DB, o id.Organization, meter string, period, used int64) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at) VALUES ($1, $2, $3, $4, $5)`, o, meter, period, used, tx.Now)
		return err
	})
}

func of(t *testing.T, d *db.DB, o id.Organization) (u usage.Usage) {
	t.Helper()
	err := d.Read(ctx, func(tx *db.Tx) (err error) { u, err = usage.Of(tx, o); return err })
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMonth(t *testing.T) {
	for _, c := range []struct {
		at, zone, from, to string
		key                int64
	}{
		{"1970-01-31T23:59:59.999Z", "UTC", "1970-01-01T00:00:00.000Z", "1970-02-01T00:00:00.000Z", 0},
		{"1970-02-01T00:00:00Z", "UTC", "1970-02-01T00:00:00.000Z", "1970-03-01T00:00:00.000Z", 31},
		{"2026-12-31T23:30:00Z", "Europe/Berlin", "2026-12-31T23:00:00.000Z", "2027-01-31T23:00:00.000Z", 20819},
		{"2026-03-31T22:30:00Z", "Europe/Berlin", "2026-03-31T22:00:00.000Z", "2026-04-30T22:00:00.000Z", 20544}, // summer time
		{"2026-03-15T00:00:00Z", "Europe/Berlin", "2026-02-28T23:00:00.000Z", "2026-03-31T22:00:00.000Z", 20513}, // both
		{"2024-02-29T12:00:00Z", "America/New_York", "2024-02-01T05:00:00.000Z", "2024-03-01T05:00:00.000Z", 19754},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		p, key := usage.Month(db.At(at), zone)
		if p.From.String() != c.from || p.To.String() != c.to || key != c.key {
			t.Errorf("%s in %s: got %s to %s, key %d; want %s to %s, key %d", c.at, c.zone, p.From, p.To, key, c.from, c.to, c.key)
		}
	}
}

func TestUsage(t *testing.T) {
	each(t, time.Date(1970, 2, 10, 0, 0, 0, 0, time.UTC), func(t *testing.T, d *db.DB) {
		o := organization(t, d, 10, 2, 1, 5, 3)
		if u := of(t, d, o); u.Storage.Used != 0 || u.Bandwidth.State != usage.OK || *u.Storage.Percent != 0 || *u.Bandwidth.Remaining != 1 {
			t.Errorf("nothing used: got %+v", u)
		}
		meter(t, d, o, usage.StorageMeter, 0, 1_234_567_891)
		meter(t, d, o, usage.BandwidthMeter, 31, 1_000_000_001) // of this month
		meter(t, d, o, usage.BandwidthMeter, 0, 777)            // of the one before
		u := of(t, d, o)
		if s := u.Users; s.Used != 5 || s.Invited != 3 || s.Limit != 10 || *s.Remaining != 2 || *s.Percent != 80 || s.State != usage.Warning {
			t.Errorf("seats: got %+v", s)
		}
		if v := u.Storage; v.Used != 1.234567891 || v.UsedBytes != 1_234_567_891 || v.Limit != 2 || *v.Remaining != 0.765432109 || *v.Percent != 61.73 || v.State != usage.OK {
			t.Errorf("storage: got %+v", v)
		}
		if v := u.Bandwidth; v.UsedBytes != 1_000_000_001 || *v.Remaining != 0 || v.State != usage.Exceeded {
			t.Errorf("bandwidth: got %+v", v)
		}
		if u.Period.From.String() != "1970-02-01T00:00:00.000Z" || u.AsOf != d.Now() || u.OrganizationID != o {
			t.Errorf("got %+v", u)
		}
	})
}

// An invitation that is over holds no seat, whether or not it was tidied up.
func TestInvitationsThatAreOver(t *testing.T) {
	now := time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC)
	each(t, now, func(t *testing.T, d *db.DB) {
		o := organization(t, d, 10, 1, 1, 1, 3)
		for i, c := range []struct {
			state string
			life  time.Duration
		}{{"open", time.Hour}, {"open", 0}, {"open", -time.Hour}, {"accepted", -time.Hour}, {"revoked", time.Hour}} {
			write(t, d, func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO invitations (organization_id, email, email_key, role, token_hash, mail_hash, state, created_at, expires_at)
					VALUES ($1, 'a@b.co', $2, 'member', $3, $4, $5, $6, $7)`, o, string(rune('a'+i)), []byte{1, byte(i)}, []byte{2, byte(i)}, c.state, tx.Now, tx.Now.Add(c.life))
				return err
			})
		}
		if got := of(t, d, o).Users.Invited; got != 1 {
			t.Errorf("got %d invited, want 1", got)
		}
	})
}

func TestLimitsOfZeroAndNone(t *testing.T) {
	each(t, time.Date(1970, 1, 10, 0, 0, 0, 0, time.UTC), func(t *testing.T, d *db.DB) {
		o := organization(t, d, -1, 0, -1, 100_000, 0)
		u := of(t, d, o)
		if s := u.Users; s.Limit != -1 || s.Remaining != nil || s.Percent != nil || s.State != usage.OK {
			t.Errorf("no limit of seats: got %+v", s)
		}
		if v := u.Storage; *v.Remaining != 0 || *v.Percent != 0 || v.State != usage.OK {
			t.Errorf("nothing of zero: got %+v", v)
		}
		meter(t, d, o, usage.StorageMeter, 0, 1)
		meter(t, d, o, usage.BandwidthMeter, 0, 1<<60)
		u = of(t, d, o)
		if v := u.Storage; *v.Percent != 100 || v.State != usage.Exceeded {
			t.Errorf("a byte of zero: got %+v", v)
		}
		if v := u.Bandwidth; v.Remaining != nil || v.Percent != nil || v.State != usage.OK || v.UsedBytes != 1<<60 {
			t.Errorf("no limit: got %+v", v)
		}
	})
}

func TestUsageOfNobody(t *testing.T) {
	each(t, time.Now(), func(t *testing.T, d *db.DB) {
		err := d.Read(ctx, func(tx *db.Tx) error { _, err := usage.Of(tx, 99); return err })
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v, want not found", err)
		}
	})
}
