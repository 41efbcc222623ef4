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

// trial is one mutation that is rehearsed and then done, in a world of its own.
type trial struct {
	as      string // e-mail of who asks; the superadmin where empty
	path    string // in place of the operation's; {name} is an id of the world
	body    string
	before  func(w *tried)
	effects string   // what the dry run says of whom it hits, besides zeros
	fresh   []string // fields of the answer that are made anew: ids and tokens
}

// trials are the cases of every operation that can be rehearsed.
var trials = map[string][]trial{
	"approve-request": {
		{body: `{"org_name":"Dock Ltd","max_users":3}`},
		{body: `{"provision":true,"admin_id":{anchor}}`, effects: `{"organizations":1,"users":1}`, fresh: []string{"organization_id"}},
	},
	"reject-request":    {{body: `{"reason":"Not now"}`}},
	"provision-request": {{path: "/api/tenants/requests/{approved}/provision", effects: `{"organizations":1,"users":1}`, fresh: []string{"organization.id", "owner.id", "organization.owner_user_id", "request.organization_id"}}},
	"create-partner-group": {
		{body: `{"name":"Iron","credit_discount_percent":5}`, fresh: []string{"id"}},
	},
	"update-partner-group": {
		{body: `{"name":"Golden"}`, effects: gold},
		{body: `{"credit_discount_percent":30}`, effects: gold},
		{body: `{"max_organizations":1,"max_storage_gb":15,"max_users":0,"max_bandwidth_gb":1,"allowed_plugins":["calendar"],"may_hide_powered_by":false}`,
			effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_storage_gb","limit":15,"used":20,"over":5},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_users","limit":0,"used":20,"over":20},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_bandwidth_gb","limit":1,"used":-1,"over":-1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":2,"over":2},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2},
				{"type":"admin","id":{anchor},"name":"Anchor","field":"may_hide_powered_by","limit":0,"used":1,"over":1}]}`},
		{body: `{"oversell":false}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/credit-limit"), `{"credit_limit":5000}`, 200)
		},
			as: staffEmail + " then root", effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"oversell","limit":1000,"used":5000,"over":4000}]}`},
		{body: `{"max_users":1}`, path: "/api/tenants/partner-groups/{empty}"},
	},
	"delete-partner-group": {
		{path: "/api/tenants/partner-groups/{empty}"},
		{path: "/api/tenants/partner-groups/{gold}?reassign_to={tight}", effects: `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}],"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":3,"over":3},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2}]}`},
	},
	"create-admin": {
		{body: `{"name":"Cove","contact_email":"desk@cove.example"}`, fresh: []string{"id", "referral_code"}},
		{body: `{"name":"Cove","contact_email":"desk@cove.example","partner_group_id":{tight},"custom_domain":"cove.example"}`, effects: `{"domains":1}`,
			fresh: []string{"id", "referral_code", "domain_verification.value"}},
	},
	"update-admin": {
		{body: `{"name":"Anchor and Sons"}`},
		{body: `{"custom_domain":"new.anchor.example"}`, effects: `{"domains":1}`, fresh: []string{"domain_verification.value"}},
		{body: `{"partner_group_id":null}`, effects: `{"admins":1,"organizations":2,"users":5}`},
		{body: `{"partner_group_id":{tight}}`, effects: `{"admins":1,"organizations":2,"users":5,"over":[
				{"type":"admin","id":{anchor},"name":"Anchor","field":"max_organizations","limit":1,"used":2,"over":1},
				{"type":"organization","id":{acme},"name":"C acme","field":"allowed_plugins","limit":0,"used":3,"over":3},
				{"type":"organization","id":{bolt},"name":"C bolt","field":"allowed_plugins","limit":0,"used":2,"over":2}]}`},
	},
	"grant-credits": {{body: `{"amount":250,"reason":"More"}`, effects: `{"admins":1,"credits":250}`, fresh: []string{"transaction.id"}}},
	"adjust-admin-credits": {
		{body: `{"amount":30,"direction":"in","reason":"Billing error"}`, effects: `{"admins":1,"credits":30}`, fresh: []string{"transaction.id"}},
		{body: `{"amount":30,"direction":"out","reason":"Written off"}`, effects: `{"admins":1,"credits":30}`, fresh: []string{"transaction.id"}},
	},
	"suspend-admin": {
		{body: `{"reason":"Unpaid"}`, effects: frozen},
		{body: `{"reason":"Unpaid"}`, before: (*tried).suspendAnchor},
	},
	"reactivate-admin": {{before: (*tried).suspendAnchor, effects: frozen}, {}},
	"assign-admin-owner": {
		{body: `{"user_id":{max}}`, effects: `{"users":2}`},
		{path: "/api/tenants/admins/{beacon}/assign-owner", body: `{"user_id":{max}}`, effects: `{"users":1}`},
	},
	"add-admin-user":      {{body: `{"user_id":{max}}`, effects: `{"users":1}`}},
	"remove-admin-user":   {{path: "/api/tenants/admins/{anchor}/users/{staff}", effects: `{"users":1,"access":1}`}},
	"verify-admin-domain": {{path: "/api/tenants/admins/{beacon}/domain/verify", body: `{"override":true,"reason":"Seen"}`, effects: `{"domains":1}`}},
	"edit-organization": {
		{as: ownerEmail, body: `{"name":"Acme Ltd"}`, effects: acme},
		{body: `{"name":"C acme"}`},
		{body: `{"max_users":1,"credit_limit":0,"custom_domain":null,"enabled_plugins":["calendar"]}`, effects: `{"organizations":1,"users":2,"domains":1,"plugins":2,"over":[
				{"type":"organization","id":{acme},"name":"C acme","field":"max_users","limit":1,"used":3,"over":2}]}`},
		{body: `{"admin_id":{beacon}}`, effects: `{"organizations":1,"users":2,"access":1}`},
		{body: `{"admin_id":null}`, effects: `{"organizations":1,"users":2,"access":1}`},
	},
	"set-organization-status": {
		{body: `{"status":"suspended","reason":"Unpaid"}`, effects: acmeFrozen},
		{as: staffEmail, body: `{"status":"suspended"}`, effects: acmeFrozen},
		{body: `{"status":"active"}`},
		{body: `{"status":"archived"}`, effects: acmeFrozen},
		{body: `{"status":"active"}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/status"), `{"status":"suspended"}`, 200)
		}, effects: acmeFrozen},
	},
	"set-organization-limits": {
		{body: `{"max_users":2,"storage_limit_gb":5}`, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"max_users","limit":2,"used":3,"over":1}]}`},
		{as: staffEmail, body: `{"max_users":-1}`, effects: acme},
		{body: `{"max_users":10}`},
	},
	"set-credit-limit": {
		{as: staffEmail, body: `{"credit_limit":900}`, effects: acme},
		{body: `{"credit_limit":100}`, before: (*tried).overdraw, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"credit_limit","limit":100,"used":400,"over":300}]}`},
	},
	"add-credits": {
		{body: `{"amount":70}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
		{as: staffEmail, body: `{"amount":70}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
	},
	"deallocate-credits": {
		{before: (*tried).allocate, body: `{"amount":40,"reason":"Plan changed"}`, effects: `{"organizations":1,"users":2,"credits":40}`, fresh: []string{"transaction.id"}},
		{before: (*tried).allocate, as: staffEmail, body: `{"amount":70,"reason":"Plan changed"}`, effects: `{"organizations":1,"users":2,"credits":70}`, fresh: []string{"transaction.id"}},
	},
	"adjust-organization-credits": {
		{body: `{"amount":30,"direction":"in","reason":"Billing error"}`, effects: `{"organizations":1,"users":2,"credits":30}`, fresh: []string{"transaction.id"}},
		{body: `{"amount":30,"direction":"out","reason":"Written off"}`, effects: `{"organizations":1,"users":2,"credits":30}`, fresh: []string{"transaction.id"}},
	},
	"refund-transaction": {
		{path: "/api/tenants/credits/transactions/{spent}/refund", body: `{"amount":6,"reason":"Failed job"}`, effects: `{"organizations":1,"users":2,"credits":6}`, fresh: []string{"id"}},
		{path: "/api/tenants/credits/transactions/{spent}/refund", effects: `{"organizations":1,"users":2,"credits":10}`, fresh: []string{"id"}},
	},
	"set-usage-limit": {
		{body: `{"limit":2}`, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":2,"used":5,"over":3}]}`},
		{as: staffEmail, body: `{"limit":5}`, effects: acme},
		{body: `{"limit":null,"mode":null}`},
		{body: `{"mode":"hard"}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/usage/limits/orders"), `{"limit":3,"mode":"soft"}`, 200)
		}, effects: `{"organizations":1,"users":2,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":3,"used":5,"over":2}]}`},
		{body: `{"limit":4}`, before: func(w *tried) {
			w.want("PUT", w.fill("/api/tenants/organizations/{acme}/usage/limits/orders"), `{"limit":3}`, 200)
		}, effects: acme},
	},
	"create-meter": {{body: `{"key":"calls","name":"Calls","kind":"counter","limit":10}`, fresh: []string{"id"}}},
	"update-meter": {
		{body: `{"name":"All orders"}`, effects: `{"organizations":2,"users":3}`},
		{body: `{"limit":2}`, effects: `{"organizations":2,"users":3,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"orders","limit":2,"used":5,"over":3}]}`},
		{body: `{"limit":2000}`, effects: `{"organizations":2,"users":3}`},
		{path: "/api/tenants/meters/seats", body: `{"limit":2}`, effects: `{"organizations":4,"users":5,"over":[{"type":"organization","id":{acme},"name":"C acme","field":"seats","limit":2,"used":3,"over":1}]}`},
		{path: "/api/tenants/meters/unused", body: `{"limit":2}`},
		{body: `{"unit":"orders"}`},
	},
	"delete-meter":               {{path: "/api/tenants/meters/unused"}},
	"verify-organization-domain": {{path: "/api/tenants/organizations/{bolt}/domain/verify", body: `{"override":true,"reason":"Seen"}`, effects: `{"organizations":1,"users":1,"domains":1}`}},
	"change-member-role":         {{as: ownerEmail, body: `{"role":"owner"}`, effects: `{"users":1}`}, {body: `{"role":"manager"}`}},
	"remove-member": {
		{as: ownerEmail, effects: `{"users":1}`},
		{before: func(w *tried) {
			w.want("POST", w.fill("/api/tenants/organizations/{acme}/access"), w.fill(`{"reason":"Look","minutes":5,"user_id":{max}}`), 201)
		}, effects: `{"users":1,"access":1}`},
	},
	"revoke-invitation":           {{as: ownerEmail, effects: `{"users":1,"invitations":1}`}},
	"revoke-organization-api-key": {{as: ownerEmail, effects: `{"api_keys":1}`}},
	"revoke-platform-api-key":     {{path: "/api/tenants/api-keys/{platform-key}", effects: `{"api_keys":1}`}},
	"end-access":                  {{as: ownerEmail, effects: `{"users":1,"access":1}`}, {as: staffEmail, effects: `{"users":1,"access":1}`}},
	"update-branding": {
		{body: `{"branding":{"app_name":"Anchor"}}`, effects: `{"organizations":2,"users":3,"domains":1}`},
		{body: `{"branding":{}}`},
	},
	"read-notification":      {{as: ownerEmail}},
	"read-all-notifications": {{as: ownerEmail}},
	"update-settings":        {{body: `{"default_max_users":7,"branding":{"app_name":"Cloud"}}`}, {body: `{}`}},
	"create-available-plugin": {
		{body: `{"key":"loyalty","name":"Loyalty","description":"Points.","category":"commerce","version":"1.0.0"}`, fresh: []string{"id"}},
	},
	"update-available-plugin": {{body: `{"name":"Diary"}`, effects: `{"organizations":3}`}},
	"delete-available-plugin": {{path: "/api/tenants/available-plugins/spare", effects: `{"plugins":1}`}},
}

// What several cases hit.
const (
	gold       = `{"admins":1,"organizations":2,"users":5,"hit":[{"type":"admin","id":{anchor},"name":"Anchor"}]}`
	acme       = `{"organizations":1,"users":2}`
	frozen     = `{"organizations":2,"users":5,"domains":1,"credits":1500,"api_keys":1,"invitations":1}`
	acmeFrozen = `{"organizations":1,"users":2,"domains":1,"credits":500,"api_keys":1,"invitations":1}`
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

// newTried makes the world, and gives it closed.
func newTried(t *testing.T, url string) *tried {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{Clock: still})
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.NewBox(make([]byte, secret.KeySize)) // as dbtest has it
	if err != nil {
		t.Fatal(err)
	}
	secret.Use(d, box)
	w := &tried{ids: map[string]string{}, url: url}
	w.superadmin = superadmin{T: t, h: newServer(t, d.In(db.Platform)).Handler()}.as(rootEmail)
	w.settle()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// copied is the world on a database of its own, of which every notice is heard.
func (w *tried) copied(t *testing.T) *tried {
	t.Helper()
	url := dbtest.Copy(t, w.url)
	d := dbtest.Open(t, url, db.Options{Clock: still})
	c := &tried{superadmin: superadmin{T: t, h: newServer(t, d).Handler(), token: w.token}, d: d, whole: d, ids: w.ids}
	if above := dbtest.Superuser(url); above != url {
		c.whole = dbtest.Open(t, above, db.Options{Clock: still, Connections: 4, Unconfined: true})
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
	id("grant", w.superadmin.as(staffEmail).want("POST", w.fill("/api/tenants/organizations/{acme}/access"), `{"reason":"Look","minutes":5}`, 201))
	for name, path := range map[string]string{"pending": "", "approved": "/approve"} {
		make(name, "/register", `{"email":"jo@`+name+`.example","password":"`+password+`","company_name":"`+name+`","contact_name":"Jo"}`)
		if path != "" {
			w.want("POST", w.fill("/api/tenants/requests/{"+name+"}"+path), `{}`, 200)
		}
	}
	told := w.superadmin.as(ownerEmail).want("GET", "/api/tenants/notifications", "", 200)["data"].([]any)
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

// usual are the things that a path's parameters stand for, where a trial does
// not say otherwise.
var usual = map[string]string{
	"/api/tenants/requests/{request_id}": "{pending}", "/api/tenants/partner-groups/{id}": "{gold}", "/api/tenants/admins/{id}": "{anchor}",
	"/api/tenants/admins/{admin_id}": "{anchor}", "/api/tenants/organizations/{org_id}": "{acme}", "/members/{user_id}": "{max}", "/users/{user_id}": "{staff}",
	"/invitations/{id}": "{invitation}", "/api-keys/{key_id}": "{key}", "/access/{grant_id}": "{grant}", "/notifications/{id}": "{notification}",
	"/api/tenants/available-plugins/{key}": "calendar", "/usage/limits/{key}": "orders", "/api/tenants/meters/{key}": "orders",
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
			t.Run(fmt.Sprintf("%s/%d", o.ID, i+1), func(t *testing.T) {
				for engine, w := range worlds {
					t.Run(engine, func(t *testing.T) {
						t.Parallel()
						w.copied(t).try(o, c)
					})
				}
			})
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
	before := dump(w.T, w.whole)
	w.heard.Store(0)
	said := asker.want(o.Method, dry, body, 200)
	for table, rows := range dump(w.T, w.whole) {
		if !slices.Equal(rows, before[table]) {
			w.Errorf("the rehearsal changed the table %s", table)
		}
	}
	if n := w.heard.Load(); n > 0 {
		w.Errorf("the rehearsal published %d notices", n)
	}
	w.hits(said, c)
	answer := asker.call(o.Method, target, body)
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
		staff := w.superadmin.as(staffEmail)
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
