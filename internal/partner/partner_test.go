package partner_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/partner"
)

var boss = audit.Actor{Type: audit.User, ID: 1, Name: "Root", Tier: audit.Platform}

// write runs f in a transaction of its own and gives its result and how many
// audit events it recorded.
func write[T any](t *testing.T, d *db.DB, f func(*db.Tx) (T, error)) (out T, events int, err error) {
	t.Helper()
	err = d.Write(context.Background(), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		events = len(audit.Recorded(tx))
		return err
	})
	return out, events, err
}

func create(t *testing.T, d *db.DB, body string) (partner.Group, error) {
	t.Helper()
	var in partner.New
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	g, _, err := write(t, d, func(tx *db.Tx) (partner.Group, error) { return partner.Create(tx, boss, in) })
	return g, err
}

func update(t *testing.T, d *db.DB, g id.Group, body string) (partner.Group, int, error) {
	t.Helper()
	var p partner.Patch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("read %s: %v", body, err)
	}
	return write(t, d, func(tx *db.Tx) (partner.Group, error) { return partner.Update(tx, boss, g, p) })
}

func remove(t *testing.T, d *db.DB, g, to id.Group) (int, error) {
	t.Helper()
	_, n, err := write(t, d, func(tx *db.Tx) (struct{}, error) { return struct{}{}, partner.Delete(tx, boss, g, to) })
	return n, err
}

// made creates groups that must succeed, and gives their ids.
func made(t *testing.T, d *db.DB, bodies ...string) []id.Group {
	t.Helper()
	var ids []id.Group
	for _, body := range bodies {
		g, err := create(t, d, body)
		if err != nil {
			t.Fatalf("create %s: %v", body, err)
		}
		ids = append(ids, g.ID)
	}
	return ids
}

// admin puts one admin with two organizations into the group.
func admin(t *testing.T, d *db.DB, g id.Group, code string) {
	t.Helper()
	_, _, err := write(t, d, func(tx *db.Tx) (int64, error) {
		return tx.Exec(`INSERT INTO admins (name, name_key, contact_email, company_name, partner_group_id, referral_code, organization_count, version, created_at, updated_at)
			VALUES ('A', 'a', 'a@example.com', 'A', $1, $2, 2, 1, $3, $4)`, g, code, tx.Now, tx.Now)
	})
	if err != nil {
		t.Fatalf("add an admin: %v", err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

// events are the bodies of all audit events, numbered or not yet.
func events(t *testing.T, d *db.DB) []string {
	t.Helper()
	all, _, err := write(t, d, func(tx *db.Tx) ([]string, error) {
		return db.All(tx, db.String, `SELECT body FROM (SELECT id, body FROM audit_events UNION ALL SELECT id, body FROM audit_pending) AS e ORDER BY id LIMIT 100`)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCreate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g, err := create(t, d, `{"name":" Gold Partners ","description":"Premium partner tier","credit_discount_percent":20}`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		at := g.CreatedAt.String()
		want := `{"id":1,"name":"Gold Partners","description":"Premium partner tier","credit_discount_percent":20,` +
			`"max_organizations":null,"max_storage_gb":null,"max_users":null,"max_bandwidth_gb":null,"allowed_plugins":null,` +
			`"may_hide_powered_by":true,"oversell":false,"member_count":0,"created_at":"` + at + `","updated_at":"` + at + `"}`
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		_, err = create(t, d, `{"name":"GOLD partners"}`)
		wantCode(t, "same name in other case", err, "name_taken")
		_, err = create(t, d, `{"name":"","credit_discount_percent":100.01,"max_users":-1,"allowed_plugins":["nothing"]}`)
		var e *fault.Error
		if !errors.As(err, &e) || len(e.Fields) != 4 {
			t.Errorf("four wrong fields: got %v", err)
		}
	})
}

func TestUpdateMerges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids := made(t, d, `{"name":"Gold","description":"first","max_users":5,"credit_discount_percent":12.5}`, `{"name":"Silver"}`)
		g, events, err := update(t, d, ids[0], `{"max_users":null,"oversell":true,"allowed_plugins":[]}`)
		if err != nil || events != 1 {
			t.Fatalf("update: %d events, %v", events, err)
		}
		if g.MaxUsers != nil || !g.Oversell || g.AllowedPlugins == nil || len(g.AllowedPlugins) != 0 ||
			g.Name != "Gold" || *g.Description != "first" || g.CreditDiscountPercent != 1250 || g.Version != 2 {
			t.Errorf("merge gave %+v", g)
		}
		again, events, err := update(t, d, ids[0], `{"oversell":true}`)
		if err != nil || events != 0 || again.Version != 2 {
			t.Errorf("the same again: version %d, %d events, %v; want 2, 0, none", again.Version, events, err)
		}
		if _, _, err = update(t, d, ids[0], `{"name":"gold"}`); err != nil {
			t.Errorf("other case of its own name: %v", err)
		}
		_, _, err = update(t, d, ids[0], `{"name":"SILVER"}`)
		wantCode(t, "a name of another", err, "name_taken")
		_, _, err = update(t, d, ids[0], `{"name":null}`)
		wantCode(t, "null name", err, "required")
		_, _, err = update(t, d, 99, `{}`)
		wantCode(t, "absent", err, "not_found")
		if g, _, err = update(t, d, ids[0], `{"name":"Bronze"}`); err != nil || g.Name != "Bronze" {
			t.Errorf("rename: %+v, %v", g, err)
		}
		if _, err = create(t, d, `{"name":"Gold"}`); err != nil {
			t.Errorf("the name given up: %v", err)
		}
	})
}

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids := made(t, d, `{"name":"A"}`, `{"name":"B"}`, `{"name":"C"}`)
		admin(t, d, ids[1], "one")
		admin(t, d, ids[1], "two")
		_, err := remove(t, d, ids[1], 0)
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != "in_use" || e.Extra["member_count"] != int64(2) {
			t.Errorf("a group in use: got %v", err)
		}
		_, err = remove(t, d, ids[1], ids[1])
		wantCode(t, "reassign to itself", err, "invalid_reference")
		_, err = remove(t, d, ids[1], 99)
		wantCode(t, "reassign to nothing", err, "unknown_reference")
		if n, err := remove(t, d, ids[1], ids[0]); err != nil || n != 3 {
			t.Fatalf("reassign: %d events, %v; want one for each admin and the deletion", n, err)
		}
		got := events(t, d)
		for i, want := range []string{
			`"admin_id":1,"changes":{"partner_group_id":{"new":1,"old":2}}`,
			`"admin_id":2,"changes":{"partner_group_id":{"new":1,"old":2}}`,
			`"reassign_to":{"new":1,"old":null}`,
		} {
			if body := got[len(got)-3+i]; !strings.Contains(body, want) {
				t.Errorf("event %d: got %s, want %s in it", i, body, want)
			}
		}
		if _, err := remove(t, d, ids[2], 0); err != nil {
			t.Fatalf("an empty group: %v", err)
		}
		_, err = remove(t, d, ids[2], 0)
		wantCode(t, "twice", err, "not_found")
		err = d.Read(context.Background(), func(tx *db.Tx) error {
			g, err := partner.Detail(tx, ids[0])
			if err == nil && g.MemberCount != 2 {
				t.Errorf("members after reassignment: got %d, want 2", g.MemberCount)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEffects(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := made(t, d, `{"name":"A"}`)[0]
		admin(t, d, g, "one")
		var sum map[effect.Kind]int64
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			effect.Want(tx)
			_, err := partner.Update(tx, boss, g, partner.Patch{})
			if err == nil && effect.Sum(tx)[effect.Organizations] != 0 {
				t.Error("a change of nothing has effects")
			}
			var p partner.Patch
			if err := json.Unmarshal([]byte(`{"oversell":true}`), &p); err != nil {
				return err
			}
			_, err = partner.Update(tx, boss, g, p)
			sum = effect.Sum(tx)
			return err
		})
		if err != nil || sum[effect.Organizations] != 2 {
			t.Errorf("effects: got %v, %v; want 2 organizations", sum, err)
		}
	})
}

func TestListPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids := made(t, d, `{"name":"Alpha"}`, `{"name":"Beta 100%"}`, `{"name":"Gamma"}`, `{"name":"ÄLPHA"}`)
		list := func(q string, r page.Request) (out page.List[partner.Group]) {
			err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
				out, err = partner.List(tx, q, r)
				return err
			})
			if err != nil {
				t.Fatalf("list %q: %v", q, err)
			}
			return out
		}
		first := list("", page.Request{Limit: 3})
		if len(first.Data) != 3 || first.Data[0].ID != ids[3] || first.Pagination.Total != 4 || !first.Pagination.HasMore {
			t.Errorf("first page: got %+v", first)
		}
		after, err := page.ParseCursor(first.Pagination.NextCursor)
		if err != nil {
			t.Fatal(err)
		}
		for what, r := range map[string]page.Request{"cursor": {Limit: 3, After: after}, "offset": {Limit: 3, Offset: 3}} {
			if rest := list("", r); len(rest.Data) != 1 || rest.Data[0].ID != ids[0] || rest.Pagination.HasMore {
				t.Errorf("second page by %s: got %+v", what, rest)
			}
		}
		for q, want := range map[string]int{"LPHA": 2, "älpha": 1, "0%": 1, "%": 1, "_": 0, `\`: 0} {
			if got := list(q, page.Request{Limit: 50}); len(got.Data) != want || got.Pagination.Total != int64(want) {
				t.Errorf("q=%s: got %d of %d, want %d", q, len(got.Data), got.Pagination.Total, want)
			}
		}
	})
}

// One name, many who want it, by creating and by renaming: one gets it, the
// others are told so, and nobody sees a broken transaction.
func TestNameRace(t *testing.T) {
	dbtest.Postgres(t, func(t *testing.T, d *db.DB) {
		ids := made(t, d, `{"name":"1"}`, `{"name":"2"}`, `{"name":"3"}`, `{"name":"4"}`, `{"name":"5"}`, `{"name":"6"}`)
		var wg sync.WaitGroup
		errs := make([]error, 2*len(ids))
		for i, g := range ids {
			wg.Go(func() { _, errs[2*i] = create(t, d, `{"name":"Gold"}`) })
			wg.Go(func() { _, _, errs[2*i+1] = update(t, d, g, `{"name":"GOLD"}`) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wantCode(t, "a loser", err, "name_taken")
			}
		}
		if won != 1 {
			t.Errorf("got %d winners, want 1", won)
		}
	})
}

func TestPercent(t *testing.T) {
	for in, want := range map[string]string{"0": "0", "20": "20", "12.5": "12.5", "0.1": "0.1", "0.29": "0.29", "99.99": "99.99", "100": "100", "20.00": "20", "7.10": "7.1", "0.05": "0.05", "10": "10", "20.5000": "20.5"} {
		var p partner.Percent
		if err := json.Unmarshal([]byte(in), &p); err != nil || !p.Valid() || p.String() != want {
			t.Errorf("%s: got %s (%d), %v, want %s", in, p, int64(p), err, want)
		}
	}
	for _, in := range []string{"-1", "100.01", "0.001", "1e1", "101", "99999999999999999999", "-0", "0.1e1"} {
		var p partner.Percent
		if err := json.Unmarshal([]byte(in), &p); err != nil || p.Valid() {
			t.Errorf("%s: got %d, %v, want a number that is not valid", in, int64(p), err)
		}
	}
	for _, in := range []string{`"20"`, `true`, `[]`, `{}`} {
		var p partner.Percent
		if err := json.Unmarshal([]byte(in), &p); err == nil {
			t.Errorf("%s: got %s, want an error", in, p)
		}
	}
}
