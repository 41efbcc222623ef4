package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
)

// world is what the matrix is asked in: two resellers with organizations each,
// a third that is suspended, a fourth of the same group; in all of them people,
// keys, invitations, credits, brands and notifications, each marked with its
// tenant's canary.
type world struct {
	superadmin
	server *api.Server
	db     *db.DB
	clock  *atomic.Int64 // microseconds that the clock is ahead
	n      *atomic.Int64

	quiet bool // nothing is asked besides, so that counts stand still

	token map[string]string            // by actor
	email map[string]string            // by actor
	thing map[string]map[string]string // by kind and site; "any" is of every site

	spares map[string]chan string // by kind and site, for routes that end what they name
}

// sites are where each object lies, as seen from a home.
var sites = map[string]map[string]string{
	"a": {own: "a1", sibling: "a2", foreign: "b1", deleted: "a0"},
	"b": {own: "b1", sibling: "b2", foreign: "a1", deleted: "a0"},
	"s": {own: "s1", sibling: "s2", foreign: "a1", deleted: "a0"},
}

// tenants are the marks of all canaries; p is the platform's.
var tenants = []string{"a", "a0", "a1", "a2", "astaff", "abrand", "b", "b1", "b2", "bstaff", "bbrand", "s", "s1", "s2", "sstaff", "sbrand", "c", "cstaff", "p"}

// kanarie marks a tenant's data; it occurs nowhere else.
func kanarie(tenant string) string { return "kanarie-" + tenant + "-x" }

func newWorld(t *testing.T, url string) *world {
	t.Helper()
	w := &world{clock: new(atomic.Int64), n: new(atomic.Int64), token: map[string]string{}, email: map[string]string{}, thing: map[string]map[string]string{}, spares: map[string]chan string{}}
	w.db = dbtest.Open(t, url, db.Options{Connections: 8, Clock: func() time.Time {
		return time.Now().Add(time.Duration(w.clock.Load()) * time.Microsecond)
	}})
	number(t, w.db)
	w.server = newServer(t, w.db)
	w.superadmin = superadmin{T: t, h: w.server.Handler()}.as(rootEmail)
	w.plant()
	return w
}

// number runs the sequencer of the audit log until the test ends.
func number(t *testing.T, d *db.DB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- audit.Sequencer{DB: d}.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
}

func (w *world) put(kind, site string, value any) {
	if w.thing[kind] == nil {
		w.thing[kind] = map[string]string{}
	}
	w.thing[kind][site] = fmt.Sprint(value)
}

func (w *world) at(kind, site string) string { return w.thing[kind][site] }

// by gives a caller with the token of somebody else.
func (w *world) by(token string) superadmin {
	s := w.superadmin
	s.token = token
	return s
}

// path fills {kind} at a site.
func (w *world) path(format, site string, args ...any) string {
	for kind, at := range w.thing {
		format = strings.ReplaceAll(format, "{"+kind+"}", at[site])
	}
	return fmt.Sprintf("/api/tenants/"+format, args...)
}

func (w *world) plant() {
	group := w.want("POST", "/api/tenants/partner-groups", `{"name":"Group `+kanarie("p")+`"}`, 201)["id"]
	for _, reseller := range []string{"a", "b", "c", "s"} {
		w.reseller(reseller, group)
	}
	w.meters()
	for _, site := range []string{"a0", "a1", "a2", "b1", "b2", "s1", "s2"} {
		w.organization(site)
		w.service(site)
	}
	for _, site := range []string{"a2", "b2", "s2", "a0"} { // as objects of routes for admins
		w.put("admin", site, w.at("admin", "c1"))
		w.put("staff", site, w.at("staff", "c1"))
	}
	w.platform()
	w.past()
	w.put("admin", "a0", w.want("POST", "/api/tenants/admins?dry_run=true", `{"name":"Gone","contact_email":"x@gone.example"}`, 200)["result"].(map[string]any)["id"])
	w.want("POST", w.path("admins/{admin}/suspend", "s1"), `{"reason":"`+kanarie("s")+`"}`, 200)
	w.people()
	w.notifications()
}

// user makes an account.
func (w *world) user(email, name string) id.User {
	w.Helper()
	hash, err := w.server.Auth.Hasher.Hash(w.Context(), password)
	if err != nil {
		w.Fatal(err)
	}
	var u auth.User
	err = w.db.Write(w.Context(), func(tx *db.Tx) error {
		u, err = auth.CreateUser(tx, auth.NewUser{Email: email, Name: name, PasswordHash: hash, EmailVerified: true})
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return u.ID
}

func (w *world) reseller(a string, group any) {
	mark := kanarie(a)
	site := a + "1"
	w.put("admin", site, w.want("POST", "/api/tenants/admins", fmt.Sprintf(`{"name":"Reseller %s","company_name":"%s Ltd","contact_email":"office@%s.example","partner_group_id":%v}`, mark, mark, mark, group), 201)["id"])
	boss := w.user("boss@"+kanarie(a+"staff")+".example", "Boss "+kanarie(a+"staff"))
	w.want("POST", w.path("admins/{admin}/assign-owner", site), fmt.Sprintf(`{"user_id":%d}`, boss), 200)
	staff := w.user("staff@"+mark+".example", "Staff "+mark)
	w.want("POST", w.path("admins/{admin}/users", site), fmt.Sprintf(`{"user_id":%d}`, staff), 201)
	w.put("staff", site, staff)
	w.want("POST", w.path("admins/{admin}/grant-credits", site), `{"amount":1000000,"reason":"grant `+mark+`"}`, 200)
	w.want("PUT", w.path("admins/{admin}/branding", site), `{"branding":{"app_name":"App `+kanarie(a+"brand")+`"}}`, 200)
}

func (w *world) organization(site string) {
	mark := kanarie(site)
	reseller := w.at("admin", site[:1]+"1")
	r := w.want("POST", "/api/tenants/register", fmt.Sprintf(`{"email":"owner@%s.example","password":%q,"company_name":"Company %s","contact_name":"Owner %s","desired_org_slug":"slug-%s"}`, mark, password, mark, mark, site), 201)
	request := fmt.Sprintf("/api/tenants/requests/%.0f", r["id"])
	w.want("POST", request+"/approve", `{"max_users":-1,"provision":true,"enabled_plugins":["calendar"],"admin_id":`+reseller+`}`, 200)
	owner := w.as("owner@" + mark + ".example")
	w.put("owner-token", site, owner.token)
	me := owner.want("GET", "/api/auth/me", "", 200)
	w.put("organization", site, int64(me["organization"].(map[string]any)["id"].(float64)))
	w.put("owner", site, int64(me["user"].(map[string]any)["id"].(float64)))
	owner.want("PUT", w.path("organizations/{organization}/edit", site), `{"name":"Org `+mark+`"}`, 200, "User-Agent", "agent "+mark)
	for _, p := range []struct{ name, role string }{{"member", "member"}, {"manager", "manager"}, {"second", "owner"}, {"extra", "member"}} {
		if p.name == "extra" || site == "a1" {
			w.put("member", site, w.join(site, p.name, p.role))
		}
	}
	i := owner.want("POST", w.path("organizations/{organization}/invitations", site), `{"email":"guest@`+mark+`.example","role":"member"}`, 201)
	w.put("invitation", site, int64(i["id"].(float64)))
	k := owner.want("POST", w.path("organizations/{organization}/api-keys", site), `{"name":"Key `+mark+`","scopes":["usage:read"]}`, 201)
	w.put("key", site, int64(k["id"].(float64)))
	g := w.want("POST", w.path("organizations/{organization}/access", site), `{"reason":"access `+mark+`","minutes":60}`, 201)
	w.put("grant", site, int64(g["id"].(float64)))
	w.by(w.as("boss@"+kanarie(site[:1]+"staff")+".example").token).want("POST", w.path("organizations/{organization}/credits/add", site), `{"amount":10000,"reason":"credits `+mark+`"}`, 200)
}

// meters of the catalogue: one that nothing is measured by, one that
// organizations have a limit for, one that is gone.
func (w *world) meters() {
	for _, key := range []string{"orders", "visits", "ghosts"} {
		w.want("POST", "/api/tenants/meters", `{"key":"`+key+`","name":"Meter","kind":"counter"}`, 201)
	}
	w.want("DELETE", "/api/tenants/meters/ghosts", "", 204)
	w.put("meter", "any", "orders")
	w.put("meter", "a0", "ghosts")
	w.put("limited-meter", "any", "visits")
}

// spareHolds are more than what is voided of one organization.
const spareHolds = 40

// service does with an organization what plugins do: reports, sets aside,
// spends, holds.
func (w *world) service(site string) {
	mark := kanarie(site)
	owner := w.by(w.at("owner-token", site))
	key := owner.want("POST", w.path("organizations/{organization}/api-keys", site), `{"name":"Service `+mark+`","scopes":["usage:write","credits:spend"]}`, 201)["key"].(string)
	plugin := w.by(key)
	n := func(path, body string) int64 {
		return int64(plugin.want("POST", w.path("organizations/{organization}/"+path, site), body, 201)["id"].(float64))
	}
	w.want("PUT", w.path("organizations/{organization}/usage/limits/visits", site), `{"limit":500}`, 200)
	plugin.want("POST", "/api/tenants/usage/events", fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"calendar","type":"bandwidth_bytes","subject":"%s","data":{"value":1000}}`, mark, w.at("organization", site)), 200, "Content-Type", "application/cloudevents+json")
	w.put("transaction", site, n("credits/consume", `{"amount":1000,"plugin":"calendar","reference":"job `+mark+`"}`))
	hold := `{"amount":100,"plugin":"calendar","reference":"hold ` + mark + `","expires_in":2592000}`
	reservation := `{"plugin":"calendar","meter":"storage_bytes","quantity":1,"expires_in":86400}`
	w.put("credit-hold", site, n("credits/holds", hold))
	w.put("reservation", site, n("usage/reservations", reservation))
	spares := 2
	if site == "a1" {
		spares = spareHolds
	}
	for kind, one := range map[string]func() int64{
		"spare-hold":        func() int64 { return n("credits/holds", hold) },
		"spare-reservation": func() int64 { return n("usage/reservations", reservation) },
	} {
		w.put(kind, site, one())
		w.spares[kind+" "+site] = newSpares(spares, one)
	}
	w.put("account", site, int64(owner.want("GET", w.path("organizations/{organization}/credits", site), "", 200)["account_id"].(float64)))
}

func newSpares(n int, one func() int64) chan string {
	all := make(chan string, n)
	for range n {
		all <- fmt.Sprint(one())
	}
	return all
}

// join invites somebody and accepts.
func (w *world) join(site, name, role string) int64 {
	w.Helper()
	mark := kanarie(site)
	token := w.invite(site, name+"@"+mark+".example", role)
	j := w.by("").want("POST", "/api/auth/invitations/accept", fmt.Sprintf(`{"token":%q,"password":%q,"name":"%s %s"}`, token, password, name, mark), 200)
	return int64(j["user"].(map[string]any)["id"].(float64))
}

func (w *world) invite(site, email, role string) (token string) {
	w.Helper()
	i := w.want("POST", w.path("organizations/{organization}/invitations", site), fmt.Sprintf(`{"email":%q,"role":%q}`, email, role), 201)
	_, token, _ = strings.Cut(i["accept_url"].(string), "#token=")
	return token
}

// platform makes what belongs to no tenant.
func (w *world) platform() {
	n := func(m map[string]any) int64 { return int64(m["id"].(float64)) }
	w.put("group", "any", n(w.want("POST", "/api/tenants/partner-groups", `{"name":"Spare `+kanarie("p")+`"}`, 201)))
	gone := n(w.want("POST", "/api/tenants/partner-groups", `{"name":"Gone"}`, 201))
	w.want("DELETE", fmt.Sprintf("/api/tenants/partner-groups/%d", gone), "", 204)
	w.put("group", "a0", gone)
	w.want("POST", "/api/tenants/available-plugins", `{"key":"gadget","name":"Gadget"}`, 201)
	w.put("plugin", "any", "gadget")
	w.want("POST", "/api/tenants/available-plugins", `{"key":"ghost","name":"Ghost"}`, 201)
	w.want("DELETE", "/api/tenants/available-plugins/ghost", "", 204)
	w.put("plugin", "a0", "ghost")
	w.put("request", "any", n(w.by("").want("POST", "/api/tenants/register", fmt.Sprintf(`{"email":"hope@%s.example","password":%q,"company_name":"Hope %s","contact_name":"Hope"}`, kanarie("p"), password, kanarie("p")), 201)))
	w.put("request", "a0", 999999)
	key := w.want("POST", "/api/tenants/api-keys", `{"name":"Key `+kanarie("p")+`","scopes":["usage:read"]}`, 201)
	w.put("platform-key", "any", n(key))
	key = w.want("POST", "/api/tenants/api-keys", `{"name":"Gone","scopes":["usage:read"]}`, 201)
	w.want("DELETE", fmt.Sprintf("/api/tenants/api-keys/%d", n(key)), "", 204)
	w.put("platform-key", "a0", n(key))
	w.put("idle", "any", w.user("idle@neutral.example", "Idle"))
	w.put("idle", "a0", 999999)
}

// past ends what the archived organization had, and puts it away: people who
// are members elsewhere were its members once.
func (w *world) past() {
	for _, name := range []string{"member", "manager", "second", "owner"} {
		email := name + "@" + kanarie("a1") + ".example"
		token := w.invite("a0", email, "member")
		person := w.as(email)
		j := person.want("POST", "/api/auth/invitations/accept", fmt.Sprintf(`{"token":%q}`, token), 200)
		w.want("DELETE", w.path("organizations/{organization}/members/%v", "a0", j["user"].(map[string]any)["id"]), "", 204)
	}
	w.want("DELETE", w.path("organizations/{organization}/members/{member}", "a0"), "", 204)
	w.want("DELETE", w.path("organizations/{organization}/invitations/{invitation}", "a0"), "", 204)
	w.want("DELETE", w.path("organizations/{organization}/api-keys/{key}", "a0"), "", 204)
	w.want("PUT", w.path("organizations/{organization}/status", "a0"), `{"status":"archived","reason":"`+kanarie("a0")+`"}`, 200)
}

// confirm makes everybody's address a verified one.
func (w *world) confirm() {
	w.Helper()
	err := w.db.Write(w.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE users SET email_verified = TRUE`)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// people signs everybody in.
func (w *world) people() {
	mail := func(name, tenant string) string { return name + "@" + kanarie(tenant) + ".example" }
	w.user("nobody@neutral.example", "Neutral")
	w.email = map[string]string{"member": mail("member", "a1"), "manager": mail("manager", "a1"), "owner": mail("owner", "a1"), "admin A": mail("boss", "astaff"),
		"admin B": mail("boss", "bstaff"), "user of a suspended admin": mail("boss", "sstaff"), "superadmin": rootEmail}
	w.confirm()
	scopes := `["entitlements:read","usage:write","usage:read","credits:spend","audit:read","tokens:introspect"]`
	soon := w.db.Now().Add(time.Hour)
	key := func(path, body string) string {
		return w.want("POST", path, body, 201)["key"].(string)
	}
	mine := w.path("organizations/{organization}/api-keys", "a1")
	w.token["expired key"] = key(mine, fmt.Sprintf(`{"name":"Matrix","scopes":%s,"expires_at":%q}`, scopes, soon.Std().Format(time.RFC3339)))
	w.token["expired token"] = w.as(w.email["owner"]).token
	w.clock.Add((2 * time.Hour).Microseconds())
	w.token["superadmin"] = w.as(rootEmail).token
	w.superadmin.token = w.token["superadmin"]
	for name, email := range w.email {
		w.token[name] = w.as(email).token
	}
	w.token["revoked token"] = w.as(w.email["member"]).token
	w.by(w.token["revoked token"]).want("POST", "/api/auth/logout", "", 204)
	w.token["organization key"] = key(mine, `{"name":"Matrix","scopes":`+scopes+`}`)
	w.token["key without scope"] = key(mine, `{"name":"Matrix","scopes":["credits:spend"]}`)
	w.token["platform key"] = key("/api/tenants/api-keys", `{"name":"Matrix","scopes":`+scopes+`}`)
	revoked := w.want("POST", mine, `{"name":"Matrix","scopes":`+scopes+`}`, 201)
	w.want("DELETE", fmt.Sprintf("%s/%v", mine, revoked["id"]), "", 204)
	w.token["revoked key"] = revoked["key"].(string)
	for _, like := range tokens {
		if w.token[like.name] == "" && strings.HasPrefix(like.name, "access token") {
			i := slices.IndexFunc(principals, func(a actor) bool {
				return like.home == a.home && a.is(roleOf(&like)) && a.as == "person" && !a.suspended
			})
			w.token[like.name], w.email[like.name] = w.token[principals[i].name], w.email[principals[i].name]
		}
	}
	w.email["refreshed token of an owner"] = mail("second", "a1")
	for _, site := range []string{"a1", "a2", "b1", "b2", "s1", "s2"} {
		w.put("owner-token", site, w.as("owner@"+kanarie(site)+".example").token)
	}
	w.put("owner-token", "a0", "junk")
	w.put("invitation-token", "a1", w.invite("a1", "waiting@neutral.example", "member"))
	w.put("session", "any", w.current(w.login("idle@neutral.example")["access_token"].(string)))
	w.put("owner", "a0", w.at("owner", "a1"))
}

func roleOf(a *actor) string { return a.organizations[own] }

// notifications tells everybody something of their tenant.
func (w *world) notifications() {
	tell := func(who string, email, mark string) {
		err := w.db.Write(w.Context(), func(tx *db.Tx) error {
			u, err := auth.UserByEmail(tx, email)
			if err != nil {
				return err
			}
			return notify.Send(tx, notify.Message{Users: []id.User{u.ID}, Kind: "matrix", Title: "Note " + mark, Body: mark, Target: notify.Target{Type: "user", ID: int64(u.ID)}})
		})
		if err != nil {
			w.Fatal(err)
		}
		l := w.as(email).want("GET", "/api/tenants/notifications?limit=1", "", 200)
		w.put("notification", who, int64(l["data"].([]any)[0].(map[string]any)["id"].(float64)))
	}
	marks := map[string]string{"admin A": "a", "admin B": "b", "user of a suspended admin": "s", "superadmin": "p"}
	for who, email := range w.email {
		mark := marks[who]
		if mark == "" {
			mark = "a1"
		}
		if who == "access token of an admin's staff" {
			mark = "a"
		}
		tell(who, email, kanarie(mark))
	}
	for _, site := range []string{"a1", "a2", "b1", "b2", "s1", "s2"} {
		tell(site, "owner@"+kanarie(site)+".example", kanarie(site))
	}
}

// place puts the hold on what is admin A's own, and gives what takes it away.
func (w *world) place(h holding) (lift func()) {
	w.Helper()
	n := func(kind string) (v int64) {
		_, _ = fmt.Sscan(w.at(kind, "a1"), &v)
		return v
	}
	on := hold.Subject{Organization: id.Organization(n("organization"))}
	if h.on == "admin" {
		on = hold.Subject{Admin: id.Admin(n("admin"))}
	}
	write := func(f func(tx *db.Tx) error) {
		w.Helper()
		if err := w.db.Write(w.Context(), f); err != nil {
			w.Fatal(err)
		}
	}
	if h.source == "archived" {
		path := w.path("organizations/{organization}/status", "a1")
		w.want("PUT", path, `{"status":"archived"}`, 200)
		return func() { w.want("PUT", path, `{"status":"active"}`, 200) }
	}
	write(func(tx *db.Tx) error {
		_, err := hold.Place(tx, on, hold.Source(h.source), kanarie("a1"), 0, nil)
		return err
	})
	return func() {
		write(func(tx *db.Tx) error {
			_, err := hold.Lift(tx, on, hold.Sources, 0)
			return err
		})
	}
}
