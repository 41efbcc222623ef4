package settings_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/settings"
)

var boss = audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}

func update(t *testing.T, d *db.DB, body string) (s settings.Settings, events int, err error) {
	t.Helper()
	var p settings.Patch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	err = d.Write(context.Background(), func(tx *db.Tx) (err error) {
		s, err = settings.Update(tx, boss, p)
		events = len(audit.Recorded(tx))
		return err
	})
	return s, events, err
}

func load(t *testing.T, d *db.DB) (s settings.Settings) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		s, err = settings.Load(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBuiltinIsWhatMigrationsWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		want := settings.Builtin
		want.Version = 1
		if got := load(t, d); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestUpdateMerges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const reference = `{"auto_approve_registrations":false,"default_storage_limit_gb":10,"default_max_users":10,"default_bandwidth_limit_gb":100,"default_credit_limit":0}`
		if s, events, err := update(t, d, reference); err != nil || events != 0 || s.Version != 1 || s.UpdatedAt != nil {
			t.Errorf("the values of the start: version %d, %d events, %v; want 1, 0, none", s.Version, events, err)
		}
		s, events, err := update(t, d, `{"default_max_users":-1,"default_storage_limit_gb":0,"billing_timezone":"Europe/Berlin","branding":{"app_name":"Acme","primary_color":"#112233"}}`)
		if err != nil || events != 1 {
			t.Fatalf("update: %d events, %v", events, err)
		}
		if s.DefaultMaxUsers != settings.Unlimited || s.DefaultStorageLimitGB != 0 || s.DefaultBandwidthLimitGB != 100 ||
			s.BillingTimezone != "Europe/Berlin" || *s.Branding.AppName != "Acme" || s.Version != 2 {
			t.Errorf("merge gave %+v", s)
		}
		s, _, err = update(t, d, `{"default_max_users":null,"billing_timezone":null,"password_min_length":8,"branding":{"app_name":null}}`)
		if err != nil || s.DefaultMaxUsers != 10 || s.BillingTimezone != "UTC" || s.PasswordMinLength != 8 ||
			s.Branding.AppName != nil || *s.Branding.PrimaryColor != "#112233" {
			t.Errorf("null restores: got %+v, %v", s, err)
		}
		if got := load(t, d); !reflect.DeepEqual(got, s) {
			t.Errorf("loaded %+v, want %+v", got, s)
		}
		if s, _, err = update(t, d, `{"branding":null}`); err != nil || s.Branding != settings.Builtin.Branding {
			t.Errorf("branding null: got %+v, %v", s.Branding, err)
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct{ body, field string }{
			{`{"default_storage_limit_gb":-2}`, "default_storage_limit_gb"},
			{`{"default_max_users":1000000001}`, "default_max_users"},
			{`{"default_bandwidth_limit_gb":-9223372036854775808}`, "default_bandwidth_limit_gb"},
			{`{"default_credit_limit":-1}`, "default_credit_limit"},
			{`{"default_credit_limit":9223372036854775807}`, "default_credit_limit"},
			{`{"password_min_length":7}`, "password_min_length"},
			{`{"password_min_length":129}`, "password_min_length"},
			{`{"billing_timezone":"Local"}`, "billing_timezone"},
			{`{"billing_timezone":"../UTC"}`, "billing_timezone"},
			{`{"billing_timezone":""}`, "billing_timezone"},
			{`{"branding":{"logo_url":"http://example.com"}}`, "branding.logo_url"},
		} {
			_, _, err := update(t, d, c.body)
			var e *fault.Error
			if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != c.field {
				t.Errorf("%s: got %v, want a refusal of %s", c.body, err, c.field)
			}
		}
		if got := load(t, d); got.Version != 1 {
			t.Errorf("version after refusals: got %d, want 1", got.Version)
		}
	})
}

// Parallel merges of different fields all hold: none writes back what it read
// before another's change.
func TestUpdateRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		bodies := []string{`{"default_storage_limit_gb":1}`, `{"default_max_users":2}`, `{"default_bandwidth_limit_gb":3}`,
			`{"default_credit_limit":4}`, `{"password_min_length":20}`, `{"branding":{"app_name":"A"}}`, `{"branding":{"footer_text":"F"}}`}
		var wg sync.WaitGroup
		for _, body := range bodies {
			wg.Go(func() {
				if _, _, err := update(t, d, body); err != nil {
					t.Errorf("%s: %v", body, err)
				}
			})
		}
		wg.Wait()
		s := load(t, d)
		if s.DefaultStorageLimitGB != 1 || s.DefaultMaxUsers != 2 || s.DefaultBandwidthLimitGB != 3 || s.DefaultCreditLimit != 4 ||
			s.PasswordMinLength != 20 || s.Branding.AppName == nil || s.Branding.FooterText == nil || s.Version != 1+int64(len(bodies)) {
			t.Errorf("a change was lost: %+v", s)
		}
	})
}
