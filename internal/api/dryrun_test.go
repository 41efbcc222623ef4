package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/secret"
)

// tried is a world in which something can be rehearsed of every kind. Its clock
// stands still, so that times are the same twice.
type tried struct {
	superadmin
	url   string
	d     *db.DB
	whole *db.DB // the same without row-level security, which makes reading everything slow
	ids   map[string]string
	heard atomic.Int64 // notices
}

func still() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// opened opens a world as it is, under the key that dbtest has. Nothing is to be
// migrated in it.
func opened(t *testing.T, url string, o db.Options) *db.DB {
	t.Helper()
	o.Clock = still
	d, err := db.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	secret.Use(d, box)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d.In(db.Platform)
}

// newTried makes the world, and gives it closed.
func newTried(t *testing.T, url string) *tried {
	t.Helper()
	w := &tried{ids: map[string]string{}, url: url}
	t.Run("settle", func(t *testing.T) {
		w.superadmin = superadmin{T: t, h: newServer(t, opened(t, url, db.Options{})).Handler()}.as(rootEmail)
		w.settle()
	})
	return w
}

// copied is the world on a database of its own, of which every notice is heard.
func (w *tried) copied(t *testing.T) *tried {
	t.Helper()
	url := dbtest.Copy(t, w.url)
	d := opened(t, url, db.Options{})
	c := &tried{superadmin: superadmin{T: t, h: newServer(t, d).Handler(), token: w.token}, d: d, whole: d, ids: w.ids}
	if above := dbtest.Superuser(url); above != url {
		c.whole = opened(t, above, db.Options{Connections: 4, Unconfined: true})
	}
	for _, topic := range []string{"auth", "branding", "entitlement", "notify", "audit", "jobs"} {
		t.Cleanup(d.Subscribe(topic, func(string) { c.heard.Add(1) }))
	}
	return c
}

// settle makes something of every kind.
func (w *tried) settle() {
	w.Helper()
	id := func(name string, out map[string]any) { w.ids[name] = fmt.Sprintf("%.0f", out["id"]) }
	make := func(name, path, body string) map[string]any {
		w.Helper()
		out := w.want("POST", w.fill("/api/tenants"+path), w.fill(body), 201)
		id(name, out)
		return out
	}
	make("gold", "/partner-groups", `{"name":"Gold","credit_discount_percent":20,"oversell":true}`)
	make("tight", "/partner-groups", `{"name":"Tight","max_organizations":1,"allowed_plugins":[],"oversell":true}`)
	make("empty", "/partner-groups", `{"name":"Empty"}`)
	make("anchor", "/admins", `{"name":"Anchor","contact_email":"a@anchor.example","partner_group_id":{gold}}`)
	make("beacon", "/admins", `{"name":"Beacon","contact_email":"b@beacon.example","custom_domain":"beacon.example"}`)
	w.want("POST", w.fill("/api/tenants/admins/{anchor}/grant-credits"), `{"amount":1000,"reason":"begin"}`, 200)
	w.organized("acme", ownerEmail, `{"admin_id":{anchor},"max_users":10,"storage_limit_gb":10,"bandwidth_limit_gb":-1}`)
	w.organized("bolt", "bob@bolt.example", `{"admin_id":{anchor},"max_users":10,"storage_limit_gb":10}`)
	w.organized("harbor", staffEmail, `{}`)
	w.organized("quay", "ann@quay.example", `{}`)
	w.ids["staff"], w.ids["ann"] = w.ids["harbor.owner"], w.ids["quay.owner"]
	w.want("POST", w.fill("/api/tenants/admins/{anchor}/users"), w.fill(`{"user_id":{staff}}`), 201)
	w.want("POST", w.fill("/api/tenants/admins/{anchor}/assign-owner"), w.fill(`{"user_id":{ann}}`), 200)
	w.want("PUT", w.fill("/api/tenants/admins/{anchor}/branding"), `{"branding":{"hide_powered_by":true}}`, 200)
	w.want("PUT", w.fill("/api/tenants/organizations/{acme}/edit"), `{"custom_domain":"acme.example","enabled_plugins":["calendar","linkedin","ecommerce"]}`, 200)
	w.want("POST", w.fill("/api/tenants/organizations/{acme}/domain/verify"), `{"override":true,"reason":"Seen"}`, 200)
	w.want("PUT", w.fill("/api/tenants/organizations/{bolt}/edit"), `{"custom_domain":"bolt.example","enabled_plugins":["linkedin","ecommerce"]}`, 200)
	w.want("POST", w.fill("/api/tenants/organizations/{acme}/credits/add"), `{"amount":500}`, 200)
	i := make("max.invitation", "/organizations/{acme}/invitations", `{"email":"max@acme.example","role":"manager"}`)
	_, token, _ := strings.Cut(i["accept_url"].(string), "token=")
	id("max", w.want("POST", "/api/auth/invitations/accept", `{"token":"`+token+`","password":"`+password+`","name":"Max"}`, 200)["user"].(map[string]any))
	make("invitation", "/organizations/{acme}/invitations", `{"email":"new@acme.example","role":"member"}`)
	make("key", "/organizations/{acme}/api-keys", `{"name":"Shop","scopes":["usage:read"]}`)
	w.spend()
	make("platform-key", "/api-keys", `{"name":"All","scopes":["usage:read"]}`)
	make("spare", "/available-plugins", `{"key":"spare","name":"Spare","description":"x","category":"other","version":"1.0.0"}`)
	id("grant", w.as(staffEmail).want("POST", w.fill("/api/tenants/organizations/{acme}/access"), `{"reason":"Look","minutes":5}`, 201))
	for name, path := range map[string]string{"pending": "", "approved": "/approve"} {
		make(name, "/register", `{"email":"jo@`+name+`.example","password":"`+password+`","company_name":"`+name+`","contact_name":"Jo"}`)
		if path != "" {
			w.want("POST", w.fill("/api/tenants/requests/{"+name+"}"+path), `{}`, 200)
		}
	}
	told := w.as(ownerEmail).want("GET", "/api/tenants/notifications", "", 200)["data"].([]any)
	id("notification", told[0].(map[string]any))
}

// spend consumes credits of an organization and reports usage of a meter, which
// another organization has a limit of.
func (w *tried) spend() {
	w.Helper()
	w.want("POST", "/api/tenants/meters", `{"key":"orders","name":"Orders","kind":"counter","unit":"orders","limit":1000}`, 201)
	w.want("POST", "/api/tenants/meters", `{"key":"unused","name":"Unused","kind":"counter"}`, 201)
	w.want("PUT", w.fill("/api/tenants/organizations/{bolt}/usage/limits/orders"), `{"limit":7}`, 200)
	key := w.superadmin
	made := w.want("POST", w.fill("/api/tenants/organizations/{acme}/api-keys"), `{"name":"Till","scopes":["credits:spend","usage:write"]}`, 201)
	key.token = made["key"].(string)
	spent := key.want("POST", w.fill("/api/tenants/organizations/{acme}/credits/consume"), `{"amount":10,"plugin":"calendar"}`, 201)
	w.ids["spent"] = fmt.Sprintf("%.0f", spent["id"])
	key.want("POST", "/api/tenants/usage/events",
		`[{"specversion":"1.0","id":"e1","source":"calendar","type":"orders","subject":"acme","data":{"value":5}}]`, 200, "Content-Type", "application/cloudevents-batch+json")
	w.want("DELETE", w.fill("/api/tenants/organizations/{acme}/api-keys/")+fmt.Sprintf("%.0f", made["id"]), "", 204)
	w.want("POST", w.fill("/api/tenants/organizations/{acme}/credits/add"), `{"amount":10}`, 200)
}

// organized makes an organization by the whole way in.
func (w *tried) organized(slug, email, approval string) {
	w.Helper()
	organization, owner := w.provisioned(email, slug, w.fill(approval))
	w.ids[slug], w.ids[slug+".owner"] = fmt.Sprint(organization), fmt.Sprint(owner)
}

// fill puts the ids of the world in.
func (w *tried) fill(s string) string {
	for name, id := range w.ids {
		s = strings.ReplaceAll(s, "{"+name+"}", id)
	}
	return s
}

func (w *tried) suspendAnchor() {
	w.want("POST", w.fill("/api/tenants/admins/{anchor}/suspend"), `{"reason":"Unpaid"}`, 200)
}

// allocate gives the organization credits of its admin's pool.
func (w *tried) allocate() {
	w.want("POST", w.fill("/api/tenants/organizations/{acme}/credits/add"), `{"amount":70,"source":"admin"}`, 200)
}

// overdraw takes the organization to 400 below zero.
func (w *tried) overdraw() {
	w.Helper()
	w.want("PUT", w.fill("/api/tenants/organizations/{acme}/credit-limit"), `{"credit_limit":1000}`, 200)
	err := w.d.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE credit_accounts SET debits_posted = credits_posted + 400 WHERE kind = 'organization' AND organization_id = $1`, w.ids["acme"])
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *tried) target(o api.Operation, c trial) string {
	path := c.path
	if path == "" {
		path = o.Path
		for pattern, name := range usual {
			path = strings.Replace(path, pattern, pattern[:strings.LastIndex(pattern, "{")]+name, 1)
		}
	}
	return w.fill(path)
}

// dump gives every row of every table, sorted.
func dump(t *testing.T, d *db.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		tables, err := columns(tx)
		for table, names := range tables {
			if err != nil {
				return err
			}
			all[table], err = db.All(tx, func(r db.Row) (string, error) {
				values, to := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					to[i] = &values[i]
				}
				err := r.Scan(to...)
				return fmt.Sprint(values), err
			}, "SELECT "+strings.Join(names, ", ")+" FROM "+table)
			slices.Sort(all[table])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d tables", len(all))
	}
	return all
}

// TestDryRuns rehearses every operation that can be, and then does it: the
// rehearsal leaves every row of every table as it was and tells nobody, says
// whom it would hit, and what would be answered, which is then answered.
func TestDryRuns(t *testing.T) {
	s := newServer(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	s.Handler()
	worlds := map[string]*tried{"sqlite": newTried(t, dbtest.SQLiteURL(t)), "postgres": newTried(t, dbtest.PostgresURL(t))}
	known := map[string]bool{}
	for _, o := range s.Operations() {
		if !o.DryRuns {
			continue
		}
		id := strings.TrimPrefix(o.ID, "patch-")
		known[id] = true
		if len(trials[id]) == 0 {
			t.Errorf("%s can be rehearsed (dry_run), but no test does: add what it hits to trials", o.ID)
		}
		all := trials[id]
		if id != o.ID { // PATCH is the same handler
			all = all[:min(1, len(all))]
		}
		for i, c := range all {
			for engine, w := range worlds {
				t.Run(fmt.Sprintf("%s/%d/%s", o.ID, i+1, engine), func(t *testing.T) {
					t.Parallel() // with every other: none waits for its slower engine
					w.copied(t).try(o, c)
				})
			}
		}
	}
	for id := range trials {
		if !known[id] {
			t.Errorf("%s is rehearsed here, but cannot be", id)
		}
	}
}

func (w *tried) try(o api.Operation, c trial) {
	asker := w.superadmin
	first, then, twice := strings.Cut(c.as, " then ")
	if first != "" {
		asker = asker.as(first)
	}
	if twice {
		w.superadmin = asker
	}
	if c.before != nil {
		c.before(w)
	}
	if then == "root" {
		asker = asker.as(rootEmail)
	}
	target, body := w.target(o, c), w.fill(c.body)
	dry := target + "?dry_run=true"
	if strings.Contains(target, "?") {
		dry = target + "&dry_run=true"
	}
	var header []string
	if c.media != "" {
		header = []string{"Content-Type", c.media}
	}
	before := dump(w.T, w.whole)
	w.heard.Store(0)
	said := asker.want(o.Method, dry, body, 200, header...)
	for table, rows := range dump(w.T, w.whole) {
		if !slices.Equal(rows, before[table]) {
			w.Errorf("the rehearsal changed the table %s", table)
		}
	}
	if n := w.heard.Load(); n > 0 {
		w.Errorf("the rehearsal published %d notices", n)
	}
	w.hits(said, c)
	answer := asker.call(o.Method, target, body, header...)
	var done any
	if answer.Code >= 300 || answer.Body.Len() > 0 && json.Unmarshal(answer.Body.Bytes(), &done) != nil {
		w.Fatalf("done: got %d %s", answer.Code, answer.Body)
	}
	if said["dry_run"] != true || len(said) != 3 {
		w.Errorf("got %v, want dry_run, result and effects", said)
	}
	differences("", said["result"], done, func(field string, a, b any) {
		if !slices.Contains(c.fresh, field) {
			w.Errorf("%s: the rehearsal said %v, then it was %v", field, a, b)
		}
	})
}

// TestRefusedRehearsals: what would be refused is refused alike, and leaves
// nothing either.
func TestRefusedRehearsals(t *testing.T) {
	for engine, url := range map[string]string{"sqlite": dbtest.SQLiteURL(t), "postgres": dbtest.PostgresURL(t)} {
		w := newTried(t, url).copied(t)
		staff := w.as(staffEmail)
		for _, c := range []struct {
			who                superadmin
			method, path, body string
		}{
			{w.superadmin, "DELETE", "/api/tenants/partner-groups/{gold}", ""},
			{w.superadmin, "PUT", "/api/tenants/partner-groups/{empty}", `{"name":"Gold"}`},
			{w.superadmin, "POST", "/api/tenants/admins/{beacon}/assign-owner", `{"user_id":{ann}}`},
			{w.superadmin, "DELETE", "/api/tenants/organizations/{acme}/members/{acme.owner}", ""},
			{w.superadmin, "POST", "/api/tenants/requests/{pending}/provision", ""},
			{staff, "POST", "/api/tenants/organizations/{acme}/credits/add", `{"amount":100000}`},
			{staff, "PUT", "/api/tenants/organizations/{acme}/edit", `{"admin_id":null}`},
		} {
			before := dump(t, w.whole)
			rehearsed := c.who.call(c.method, w.fill(c.path)+"?dry_run=true", w.fill(c.body), "X-Request-Id", "the-same-twice")
			if after := dump(t, w.whole); !reflect.DeepEqual(before, after) {
				t.Errorf("%s: %s %s: a refused rehearsal changed something", engine, c.method, c.path)
			}
			done := c.who.call(c.method, w.fill(c.path), w.fill(c.body), "X-Request-Id", "the-same-twice")
			if rehearsed.Code < 400 || rehearsed.Code != done.Code || rehearsed.Body.String() != done.Body.String() {
				t.Errorf("%s: %s %s: rehearsed %d %s, done %d %s", engine, c.method, c.path, rehearsed.Code, rehearsed.Body, done.Code, done.Body)
			}
		}
	}
}

// hits compares the effects; what is not named is zero.
func (w *tried) hits(said map[string]any, c trial) {
	w.Helper()
	want := map[string]any{"organizations": 0.0, "users": 0.0, "domains": 0.0, "credits": 0.0}
	if c.effects != "" {
		if err := json.Unmarshal([]byte(w.fill(c.effects)), &want); err != nil {
			w.Fatal(err)
		}
	}
	if !reflect.DeepEqual(said["effects"], any(want)) {
		got, _ := json.Marshal(said["effects"])
		all, _ := json.Marshal(want)
		w.Errorf("effects: got %s\nwant %s", got, all)
	}
}

// differences reports each field in which two answers differ.
func differences(field string, a, b any, report func(field string, a, b any)) {
	dot := func(name string) string { return strings.TrimPrefix(field+"."+name, ".") }
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok && len(x) == len(y) {
			for name, v := range x {
				differences(dot(name), v, y[name], report)
			}
			return
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i, v := range x {
				differences(dot(fmt.Sprint(i)), v, y[i], report)
			}
			return
		}
	}
	if !reflect.DeepEqual(a, b) {
		report(field, a, b)
	}
}
