package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/plugin"
)

var boss = audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}

func write[T any](t *testing.T, d *db.DB, f func(*db.Tx) (T, error)) (out T, events int, err error) {
	t.Helper()
	err = d.Write(context.Background(), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		events = len(audit.Recorded(tx))
		return err
	})
	return out, events, err
}

func read[T any](t *testing.T, d *db.DB, f func(*db.Tx) (T, error)) (out T) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func seed(t *testing.T, d *db.DB) {
	t.Helper()
	if err := d.Write(context.Background(), plugin.Seed); err != nil {
		t.Fatalf("seed: %v", err)
	}
}

func create(t *testing.T, d *db.DB, body string) (plugin.Plugin, error) {
	t.Helper()
	var in plugin.New
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	p, _, err := write(t, d, func(tx *db.Tx) (plugin.Plugin, error) { return plugin.Create(tx, boss, in) })
	return p, err
}

func update(t *testing.T, d *db.DB, key, body string) (plugin.Plugin, int, error) {
	t.Helper()
	var p plugin.Patch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	return write(t, d, func(tx *db.Tx) (plugin.Plugin, error) { return plugin.Update(tx, boss, key, p) })
}

func remove(t *testing.T, d *db.DB, key string) error {
	t.Helper()
	_, _, err := write(t, d, func(tx *db.Tx) (int, error) { return 0, plugin.Delete(tx, boss, key) })
	return err
}

func set(t *testing.T, d *db.DB, o id.Organization, allowed []string, keys ...string) error {
	t.Helper()
	_, _, err := write(t, d, func(tx *db.Tx) (int, error) { return 0, plugin.Set(tx, o, keys, allowed, "enabled_plugins") })
	return err
}

func organization(t *testing.T, d *db.DB, slug string) id.Organization {
	t.Helper()
	n, _, err := write(t, d, func(tx *db.Tx) (int64, error) {
		return tx.Insert(`INSERT INTO organizations (name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ('O', 'o', $1, 'active', 1, 1, 1, 0, 0, 1, $2, $3) RETURNING id`, slug, tx.Now, tx.Now)
	})
	if err != nil {
		t.Fatalf("make an organization: %v", err)
	}
	return id.Organization(n)
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func TestSeed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		all := func() page.List[plugin.Plugin] {
			return read(t, d, func(tx *db.Tx) (page.List[plugin.Plugin], error) { return plugin.List(tx, "", page.Request{Limit: 50}) })
		}
		first := all()
		if first.Pagination.Total < 12 {
			t.Errorf("got %d plugins, want a dozen", first.Pagination.Total)
		}
		o := organization(t, d, "every")
		var keys []string
		for _, p := range first.Data {
			keys = append(keys, p.Key)
		}
		if err := set(t, d, o, nil, keys...); err != nil {
			t.Errorf("the whole built-in catalogue: %v", err)
		}
		if err := set(t, d, o, nil, "ecommerce", "linkedin", "calendar"); err != nil {
			t.Errorf("the reference's plugins: %v", err)
		}
		if _, _, err := update(t, d, "crm", `{"name":"Deals"}`); err != nil {
			t.Fatal(err)
		}
		if err := remove(t, d, "analytics"); err != nil {
			t.Fatal(err)
		}
		seed(t, d)
		if n := all().Pagination.Total; n != first.Pagination.Total-1 {
			t.Errorf("after a second start: got %d plugins, want %d", n, first.Pagination.Total-1)
		}
		if p := read(t, d, func(tx *db.Tx) (plugin.Plugin, error) { return plugin.Detail(tx, "crm") }); p.Name != "Deals" {
			t.Errorf("an edited plugin after a second start: got %s, want Deals", p.Name)
		}
		for q, want := range map[string]int64{"LINKED": 1, "Commerce": 3, "nothing%": 0} {
			got := read(t, d, func(tx *db.Tx) (page.List[plugin.Plugin], error) { return plugin.List(tx, q, page.Request{Limit: 1}) })
			if got.Pagination.Total != want {
				t.Errorf("q=%s: got %d, want %d", q, got.Pagination.Total, want)
			}
		}
	})
}

func TestCatalogue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, body := range []string{`{"key":"base","name":"Base"}`, `{"key":"mid","name":"Mid","depends_on":["base"]}`, `{"key":"top","name":"Top","depends_on":["mid"],"default_enabled":true}`} {
			if _, err := create(t, d, body); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
		}
		_, err := create(t, d, `{"key":"base","name":"Again"}`)
		wantCode(t, "same key", err, "key_taken")
		_, err = create(t, d, `{"key":"Base","name":"Bad"}`)
		wantCode(t, "bad key", err, "invalid_key")
		_, err = create(t, d, `{"key":"self","name":"Self","depends_on":["self"]}`)
		wantCode(t, "depends on itself", err, "dependency_cycle")
		_, err = create(t, d, `{"key":"lost","name":"Lost","depends_on":["nothing"]}`)
		wantCode(t, "depends on nothing known", err, "unknown_plugin")
		_, _, err = update(t, d, "base", `{"depends_on":["top"]}`)
		wantCode(t, "a cycle", err, "dependency_cycle")
		p, events, err := update(t, d, "base", `{"version":"1.0.1"}`)
		if err != nil || events != 1 || p.Version != "1.0.1" || p.Revision() != 2 {
			t.Errorf("a new version: %+v, %d events, %v", p, events, err)
		}
		if _, events, err = update(t, d, "base", `{"version":"1.0.1","depends_on":null}`); err != nil || events != 0 {
			t.Errorf("the same again: %d events, %v; want none", events, err)
		}
		_, _, err = update(t, d, "none", `{}`)
		wantCode(t, "absent", err, "not_found")
		err = remove(t, d, "base")
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != "in_use" || !slices.Equal(e.Extra["required_by"].([]string), []string{"mid"}) {
			t.Errorf("a plugin that another needs: got %v", err)
		}
		if got := read(t, d, func(tx *db.Tx) ([]string, error) { return plugin.Defaults(tx, nil) }); !slices.Equal(got, []string{"base", "mid", "top"}) {
			t.Errorf("defaults: got %v, want top and all below it", got)
		}
	})
}

func TestSet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		o, other := organization(t, d, "one"), organization(t, d, "two")
		if err := set(t, d, o, nil, "calendar", "booking"); err != nil {
			t.Fatal(err)
		}
		if err := set(t, d, other, nil, "files"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "unknown", set(t, d, o, nil, "nothing"), "unknown_plugin")
		wantCode(t, "twice", set(t, d, o, nil, "files", "files"), "duplicate")
		wantCode(t, "outside the policy", set(t, d, o, []string{"calendar"}, "calendar", "files"), "plugin_not_allowed")
		wantCode(t, "nothing allowed", set(t, d, o, []string{}, "calendar"), "plugin_not_allowed")
		wantCode(t, "without its dependency", set(t, d, o, nil, "booking"), "dependency_missing")
		if got := read(t, d, func(tx *db.Tx) ([]string, error) { return plugin.Enabled(tx, o) }); !slices.Equal(got, []string{"booking", "calendar"}) {
			t.Errorf("after refusals: got %v", got)
		}
		if err := set(t, d, o, []string{"calendar"}, "calendar"); err != nil {
			t.Fatal(err)
		}
		all := read(t, d, func(tx *db.Tx) ([]plugin.Entitlement, error) { return plugin.Of(tx, o) })
		for _, e := range all {
			if e.Enabled != (e.Key == "calendar") {
				t.Errorf("%s: got enabled %v", e.Key, e.Enabled)
			}
		}
		some := read(t, d, func(tx *db.Tx) (page.List[plugin.Entitlement], error) {
			return plugin.PageEnabled(tx, o, page.Request{Limit: 50})
		})
		if len(some.Data) != 1 || some.Data[0].Key != "calendar" || some.Pagination.Total != 1 {
			t.Errorf("enabled: got %+v", some)
		}
		err := remove(t, d, "files")
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != "in_use" || e.Extra["organization_count"] != int64(1) {
			t.Errorf("a plugin in use: got %v", err)
		}
		if err := set(t, d, other, nil); err != nil {
			t.Fatal(err)
		}
		if err := remove(t, d, "files"); err != nil {
			t.Errorf("a plugin no longer used: %v", err)
		}
	})
}

// What a partner group or an approved request names stays, or the group could
// not be saved again and the request not be provisioned.
func TestDeleteOfWhatIsNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		seed(t, d)
		exec := func(query string, args ...any) {
			t.Helper()
			if _, _, err := write(t, d, func(tx *db.Tx) (int64, error) { return tx.Exec(query, args...) }); err != nil {
				t.Fatal(err)
			}
		}
		exec(`INSERT INTO partner_groups (name, name_key, credit_discount_bp, allowed_plugins, may_hide_powered_by, oversell, version, created_at, updated_at)
			VALUES ('G', 'g', 0, '["calendar","files"]', TRUE, FALSE, 1, 1, 1)`)
		exec(`INSERT INTO registration_requests (status, email, email_key, company_name, company_key, contact_name, desired_org_name, desired_org_slug,
				flags, search_key, enabled_plugins, provision_attempts, version, created_at, updated_at)
			VALUES ('approved', 'a@b.co', 'a@b.co', 'C', 'c', 'N', 'C', 'c', '[]', '', '["files"]', 0, 1, 1, 1)`)
		count := func(groups, requests int64) {
			t.Helper()
			err := remove(t, d, "files")
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != "in_use" || e.Extra["partner_group_count"] != groups || e.Extra["request_count"] != requests {
				t.Errorf("named by %d groups and %d requests: got %v", groups, requests, err)
			}
		}
		count(1, 1)
		exec(`UPDATE partner_groups SET allowed_plugins = '["files_too"]'`)
		count(0, 1)
		exec(`UPDATE registration_requests SET status = 'rejected'`)
		if err := remove(t, d, "files"); err != nil {
			t.Errorf("named by nobody: %v", err)
		}
	})
}

// Deleting a plugin races with organizations that enable it: either it goes and
// they are refused, or it stays; never a row without its plugin, nor a broken
// answer.
func TestDeleteRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		for round := range 5 {
			key := fmt.Sprintf("plugin%d", round)
			if _, err := create(t, d, fmt.Sprintf(`{"key":%q,"name":"P"}`, key)); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var gone error
			wg.Go(func() { gone = remove(t, d, key) })
			errs := make([]error, 6)
			for i := range errs {
				o := organization(t, d, fmt.Sprintf("o-%d-%d", round, i))
				wg.Go(func() { errs[i] = set(t, d, o, nil, key) })
			}
			wg.Wait()
			for _, err := range errs {
				if err != nil && (gone != nil || fault.Code(err) != "unknown_plugin") {
					t.Errorf("enable: got %v while delete gave %v", err, gone)
				}
			}
			if gone != nil {
				wantCode(t, "delete", gone, "in_use")
			}
		}
	})
}

// Two plugins that each come to depend on the other at once: one is refused.
func TestCycleRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		for _, key := range []string{"one", "two"} {
			if _, err := create(t, d, fmt.Sprintf(`{"key":%q,"name":"P"}`, key)); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var first, second error
		wg.Go(func() { _, _, first = update(t, d, "one", `{"depends_on":["two"]}`) })
		wg.Go(func() { _, _, second = update(t, d, "two", `{"depends_on":["one"]}`) })
		wg.Wait()
		if (first == nil) == (second == nil) {
			t.Errorf("got %v and %v, want one refusal", first, second)
		}
	})
}
