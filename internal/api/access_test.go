package api_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// acting is a reseller with staff, one of its organizations with two owners,
// and another reseller, on two processes that share a clock and a database.
type acting struct {
	*testing.T
	d            *db.DB
	at           *atomic.Int64
	root         superadmin
	here, there  superadmin // nobody, on either process
	organization int64
	owner, staff int64
	second       int64 // the other owner
	elsewhere    int64 // an organization that the staff owns itself
}

const (
	ownerEmail, secondEmail, staffEmail = "olga@acme.example", "otto@acme.example", "abe@anchor.example"
	otherPassword                       = "a wholly different one"
)

func eachActing(t *testing.T, f func(w *acting)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) { f(newActing(t, url(t))) })
	}
}

func newActing(t *testing.T, url string) *acting {
	t.Helper()
	w := &acting{T: t, at: new(atomic.Int64)}
	w.at.Store(1_800_000_000_000_000)
	clock := func() time.Time { return time.UnixMicro(w.at.Load()) }
	process := func() superadmin {
		w.d = dbtest.Open(t, url, db.Options{Clock: clock, Connections: 8})
		return superadmin{T: t, h: newServer(t, w.d).Handler()}
	}
	w.there, w.here = process(), process()
	w.root = w.here.as(rootEmail)
	w.root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
	w.root.want("POST", "/api/tenants/admins", `{"name":"Beacon","contact_email":"b@beacon.example"}`, 201)
	w.organization, w.owner = w.root.provisioned(ownerEmail, "acme", `{"admin_id":1}`)
	w.elsewhere, w.staff = w.root.provisioned(staffEmail, "abes-own", `{}`)
	w.root.want("POST", "/api/tenants/admins/1/users", fmt.Sprintf(`{"user_id":%d}`, w.staff), 201)
	w.join()
	return w
}

// join makes the second owner an owner, again and again.
func (w *acting) join() {
	w.Helper()
	i := w.root.want("POST", w.path("/invitations"), `{"email":"`+secondEmail+`","role":"owner"}`, 201)
	_, token, _ := strings.Cut(i["accept_url"].(string), "token=")
	out := w.here.want("POST", "/api/auth/invitations/accept", `{"token":"`+token+`","password":"`+password+`","name":"Otto"}`, 200)
	w.second = int64(out["user"].(map[string]any)["id"].(float64))
}

func (w *acting) path(rest string) string {
	return fmt.Sprintf("/api/tenants/organizations/%d%s", w.organization, rest)
}

// grant lets by act for a user, and gives the caller who does, and the grant's path.
func (w *acting) grant(by superadmin, user int64) (superadmin, string) {
	w.Helper()
	out := by.want("POST", w.path("/access"), fmt.Sprintf(`{"reason":"Ticket 4711","minutes":60,"user_id":%d}`, user), 201)
	c := w.here
	c.token, _ = out["access_token"].(string)
	return c, w.path(fmt.Sprintf("/access/%.0f", out["id"]))
}

// elsewhere is the same caller on the other process.
func (w *acting) on(process, c superadmin) superadmin {
	process.token = c.token
	return process
}

func (w *acting) exec(query string, args ...any) {
	w.Helper()
	err := w.d.Write(context.Background(), func(tx *db.Tx) error {
		tx.Publish("auth", "")
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// dead holds that neither process lets the token in any more: not one write,
// and reads a second later at most.
func (w *acting) dead(c superadmin, what string) {
	w.Helper()
	read, write := w.path("/detail"), w.path("/edit")
	there := w.on(w.there, c)
	for name, r := range map[string]*httptest.ResponseRecorder{
		"a read": c.call("GET", read, ""), "a write": c.call("PUT", write, `{"name":"Taken"}`), "a write elsewhere": there.call("PUT", write, `{"name":"Taken"}`),
	} {
		if r.Code != 401 {
			w.Errorf("%s, %s: got %d %s, want 401", what, name, r.Code, r.Body)
		}
	}
	w.at.Add(time.Second.Microseconds())
	if r := there.call("GET", read, ""); r.Code != 401 {
		w.Errorf("%s, a read elsewhere a second later: got %d %s, want 401", what, r.Code, r.Body)
	}
}

// ending is one way in which a grant dies.
type ending struct {
	name    string
	because string // "" where no event of the product ends it
	root    bool   // the operator is the superadmin, else staff
	user    func(w *acting) int64
	end     func(w *acting, operator, c superadmin, grant string)
	undo    func(w *acting)
}

var endings = []ending{
	{name: "expires", end: func(w *acting, _, _ superadmin, _ string) { w.at.Add(time.Hour.Microseconds()) }},
	{name: "ended by who holds it", because: "ended", end: func(_ *acting, o, _ superadmin, grant string) { o.want("DELETE", grant, "", 204) }},
	{name: "ended by the owner", because: "ended", end: func(w *acting, _, _ superadmin, grant string) {
		w.here.as(ownerEmail).want("DELETE", grant, "", 204)
	}},
	{name: "ended by a superadmin", because: "ended", end: func(w *acting, _, _ superadmin, grant string) { w.root.want("DELETE", grant, "", 204) }},
	{name: "left", because: "ended", end: func(_ *acting, _, c superadmin, _ string) { c.want("POST", "/api/auth/logout", "", 204) }},
	{name: "operator signs out", because: "session_ended", end: func(_ *acting, o, _ superadmin, _ string) { o.want("POST", "/api/auth/logout", "", 204) }},
	{name: "session revoked", because: "session_ended", end: func(w *acting, o, _ superadmin, _ string) {
		for _, s := range o.want("GET", "/api/auth/sessions", "", 200)["data"].([]any) {
			if s := s.(map[string]any); s["current"] == true {
				w.here.as(staffEmail).want("DELETE", fmt.Sprintf("/api/auth/sessions/%.0f", s["id"]), "", 204)
			}
		}
	}},
	{name: "operator changes the password", because: "password_changed",
		end: func(_ *acting, o, _ superadmin, _ string) {
			o.want("POST", "/api/auth/password/change", `{"old_password":"`+password+`","new_password":"`+otherPassword+`"}`, 204)
			o.want("GET", "/api/auth/me", "", 200)
			o.want("POST", "/api/auth/password/change", `{"old_password":"`+otherPassword+`","new_password":"`+password+`"}`, 204)
		}},
	{name: "staff removed", because: "staff_removed",
		end: func(w *acting, _, _ superadmin, _ string) {
			w.root.want("DELETE", fmt.Sprintf("/api/tenants/admins/1/users/%d", w.staff), "", 204)
		},
		undo: func(w *acting) {
			w.root.want("POST", "/api/tenants/admins/1/users", fmt.Sprintf(`{"user_id":%d}`, w.staff), 201)
		}},
	{name: "superadmin no more", root: true, end: func(w *acting, _, _ superadmin, _ string) {
		w.exec(`UPDATE users SET superadmin = FALSE WHERE id = $1`, 1)
	}},
	{name: "operator disabled", end: func(w *acting, _, _ superadmin, _ string) {
		w.exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, w.staff)
	}},
	{name: "member disabled", end: func(w *acting, _, _ superadmin, _ string) {
		w.exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, w.owner)
	}},
	{name: "member removed", because: "member_removed", user: func(w *acting) int64 { return w.second },
		end: func(w *acting, _, _ superadmin, _ string) {
			w.root.want("DELETE", w.path(fmt.Sprintf("/members/%d", w.second)), "", 204)
		},
		undo: (*acting).join},
	{name: "moved, the staff's", because: "organization_moved", end: (*acting).move, undo: (*acting).moveBack},
	{name: "moved, the superadmin's", because: "organization_moved", root: true, end: (*acting).move, undo: (*acting).moveBack},
}

func (w *acting) move(_, _ superadmin, _ string) {
	w.Helper()
	w.root.want("PUT", w.path("/edit"), `{"admin_id":2}`, 200)
}

func (w *acting) moveBack() {
	w.Helper()
	w.root.want("PUT", w.path("/edit"), `{"admin_id":1}`, 200)
}

func TestAGrantDies(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			eachActing(t, func(w *acting) {
				email, user := staffEmail, w.owner
				if e.root {
					email = rootEmail
				}
				if e.user != nil {
					user = e.user(w)
				}
				operator := w.here.as(email)
				c, grant := w.grant(operator, user)
				there := w.on(w.there, c)
				for _, alive := range []superadmin{c, there} {
					alive.want("GET", w.path("/detail"), "", 200)
					alive.want("PUT", w.path("/edit"), `{"name":"Acme of `+e.name+`"}`, 200)
				}
				e.end(w, operator, c, grant)
				w.dead(c, e.name)
				if e.undo == nil {
					return
				}
				e.undo(w)
				w.dead(c, e.name+", undone")
				if got := w.here.as(ownerEmail).want("GET", grant, "", 200)["ended_because"]; got != e.because {
					t.Errorf("ended because: got %v, want %s", got, e.because)
				}
			})
		})
	}
}

// A hold bites as it bites the member, and lets go as it lets the member go.
func TestAHoldBitesWhoActs(t *testing.T) {
	eachActing(t, func(w *acting) {
		c, _ := w.grant(w.here.as(staffEmail), w.owner)
		there := w.on(w.there, c)
		there.want("GET", w.path("/detail"), "", 200)
		for _, hold := range []struct{ path, on, off, code string }{
			{w.path("/status"), `{"status":"suspended"}`, `{"status":"active"}`, "organization_suspended"},
			{"/api/tenants/admins/1/suspend", `{"reason":"unpaid"}`, "", "admin_suspended"},
		} {
			method, off := "PUT", hold.path
			if hold.off == "" {
				method, off = "POST", "/api/tenants/admins/1/reactivate"
			}
			w.root.want(method, hold.path, hold.on, 200)
			c.wantCode("GET", w.path("/detail"), "", 403, hold.code)
			c.wantCode("PUT", w.path("/edit"), `{"name":"Held"}`, 403, hold.code)
			there.wantCode("PUT", w.path("/edit"), `{"name":"Held"}`, 403, hold.code)
			c.want("GET", w.path("/usage"), "", 200)
			w.root.want(method, off, hold.off, 200)
			c.want("GET", w.path("/detail"), "", 200)
		}
	})
}

// Whoever acts has the member's role in the one organization and nothing else,
// is the actor of every row, and the member the one on whose behalf.
func TestWhoActsIsTheActor(t *testing.T) {
	eachActing(t, func(w *acting) {
		for _, email := range []string{staffEmail, rootEmail} {
			c, _ := w.grant(w.here.as(email), w.owner)
			c.want("PUT", w.path("/edit"), `{"name":"Acme by `+email+`"}`, 200)
			i := c.want("POST", w.path("/invitations"), `{"email":"new@acme.example","role":"owner"}`, 201)
			c.want("DELETE", w.path(fmt.Sprintf("/invitations/%.0f", i["id"])), "", 204)
			c.want("PUT", w.path(fmt.Sprintf("/members/%d", w.second)), `{"role":"manager"}`, 200)
			c.want("PUT", w.path(fmt.Sprintf("/members/%d", w.second)), `{"role":"owner"}`, 200)
			for path, code := range map[string]string{
				"/api/tenants/settings": "forbidden", "/api/tenants/admins/1": "forbidden", "/api/tenants/organizations": "forbidden",
				fmt.Sprintf("/api/tenants/organizations/%d/detail", w.elsewhere): "not_found", "/api/auth/sessions": "not_while_acting",
			} {
				if out := c.call("GET", path, ""); !strings.Contains(out.Body.String(), `"`+code+`"`) {
					w.Errorf("%s: got %s, want %s", path, out.Body, code)
				}
			}
			c.wantCode("PUT", w.path("/status"), `{"status":"suspended"}`, 403, "forbidden")
			c.wantCode("PUT", "/api/auth/me", `{"name":"Taken over"}`, 403, "not_while_acting")
			c.wantCode("PUT", w.path(fmt.Sprintf("/members/%d", w.owner)), `{"role":"manager"}`, 403, "not_while_acting")
			c.want("POST", "/api/auth/logout", "", 204)
		}
		rows := w.here.as(ownerEmail).want("GET", "/api/tenants/audit-logs?limit=200", "", 200)["data"].([]any)
		seen := map[string]int{}
		for _, row := range rows {
			row := row.(map[string]any)
			actor, action, outcome := object(row, "actor"), row["action"].(string), row["outcome"]
			if actor["email"] != staffEmail && actor["email"] != rootEmail || strings.HasPrefix(action, "organization.created") {
				continue
			}
			behalf, _ := row["on_behalf_of"].(map[string]any)
			own := action == "access.granted" || behalf == nil && action != "organization.updated" && action != "member.role_changed" && outcome == "ok"
			if own {
				continue
			}
			if behalf == nil || behalf["email"] != ownerEmail {
				w.Errorf("%s by %v: on behalf of %v, want the owner", action, actor["email"], behalf)
			}
			seen[fmt.Sprint(outcome, " ", action)]++
		}
		for what, n := range map[string]int{"ok organization.updated": 2, "ok member.role_changed": 4, "ok access.ended": 2, "denied organization.manage": 2, "denied account": 4} {
			if seen[what] != n {
				w.Errorf("%s on somebody's behalf: got %d, want %d of %v", what, seen[what], n, seen)
			}
		}
	})
}

// What a public route would take as the member's word is not the word of who
// acts for it.
func TestWhoActsAcceptsNothing(t *testing.T) {
	eachActing(t, func(w *acting) {
		c, _ := w.grant(w.here.as(staffEmail), w.owner)
		i := w.root.want("POST", fmt.Sprintf("/api/tenants/organizations/%d/invitations", w.elsewhere), `{"email":"`+ownerEmail+`","role":"owner"}`, 201)
		_, token, _ := strings.Cut(i["accept_url"].(string), "token=")
		c.wantCode("POST", "/api/auth/invitations/accept", `{"token":"`+token+`"}`, 422, "required")
		w.here.as(ownerEmail).want("POST", "/api/auth/invitations/accept", `{"token":"`+token+`"}`, 200)
	})
}

// A grant that is given while its cause goes away is dead for good, or was
// given before and is ended with it.
func TestRaceToAct(t *testing.T) {
	w := newActing(t, dbtest.PostgresURL(t))
	staff := fmt.Sprintf(`{"user_id":%d}`, w.staff)
	for round := range 6 {
		operator := w.here.as(staffEmail)
		cause, undo := func() *httptest.ResponseRecorder {
			return w.root.call("DELETE", fmt.Sprintf("/api/tenants/admins/1/users/%d", w.staff), "")
		}, func() { w.root.want("POST", "/api/tenants/admins/1/users", staff, 201) }
		switch round % 3 {
		case 1:
			cause, undo = func() *httptest.ResponseRecorder { return w.root.call("PUT", w.path("/edit"), `{"admin_id":2}`) }, w.moveBack
		case 2:
			cause, undo = func() *httptest.ResponseRecorder {
				return w.root.call("DELETE", w.path(fmt.Sprintf("/members/%d", w.second)), "")
			}, w.join
		}
		body := fmt.Sprintf(`{"reason":"race","minutes":60,"user_id":%d}`, w.second)
		answers := together(9, func(i int) *httptest.ResponseRecorder {
			if i == 4 {
				return cause()
			}
			return operator.call("POST", w.path("/access"), body)
		})
		undo()
		for i, a := range answers {
			_, token, given := strings.Cut(a.Body.String(), `"access_token":"`)
			if i == 4 && a.Code >= 300 || i != 4 && a.Code >= 500 {
				t.Fatalf("round %d: got %d %s", round, a.Code, a.Body)
			}
			if given {
				c := w.here
				c.token, _, _ = strings.Cut(token, `"`)
				c.wantCode("GET", w.path("/detail"), "", 401, "invalid_token")
			}
		}
	}
}

func TestRaceToEndAccess(t *testing.T) {
	w := newActing(t, dbtest.PostgresURL(t))
	c, grant := w.grant(w.here.as(staffEmail), w.owner)
	owner := w.here.as(ownerEmail)
	answers := together(20, func(i int) *httptest.ResponseRecorder {
		switch i % 3 {
		case 0:
			return c.call("POST", "/api/auth/logout", "")
		case 1:
			return owner.call("DELETE", grant, "")
		}
		return w.root.call("DELETE", grant, "")
	})
	for _, a := range answers {
		if a.Code != 204 && a.Code != 401 {
			t.Errorf("got %d %s, want 204, or 401 for who came too late", a.Code, a.Body)
		}
	}
	if n := w.root.total("/api/tenants/audit-logs?action=access.ended"); n != 1 {
		t.Errorf("got %v rows, want 1", n)
	}
}
