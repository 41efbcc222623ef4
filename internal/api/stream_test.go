package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
)

// A stream tells nothing after its session has ended, and ends with it.
func TestStreamEndsWithItsSession(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
		other := s.as(rootEmail)
		web := httptest.NewServer(s.h)
		defer web.Close()
		stream := open(t, web, "GET", s.token, "")
		defer stream.Body.Close()
		lines := bufio.NewReader(stream.Body)
		for line := ""; !strings.HasPrefix(line, "data: "); {
			var err error
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		s.want("POST", "/api/auth/logout", "", 204)
		s.token = ""
		s.want("POST", "/api/tenants/register", `{"email":"a@b.example","password":"a quite long passphrase","company_name":"A","contact_name":"B"}`, 201)
		if n := other.want("GET", "/api/tenants/notifications/unread-count", "", 200)["unread"]; n != 1.0 {
			t.Fatalf("unread: got %v, want 1", n)
		}
		rest, err := io.ReadAll(lines)
		if err != nil || strings.Contains(string(rest), "event: notification") {
			t.Errorf("after the logout: got %q, %v; want the end and nothing before it", rest, err)
		}
	})
}

// An id beyond all that there is means now, not silence until it is reached.
func TestStreamFromBeyond(t *testing.T) {
	_, s := onSQLite(t)
	web := httptest.NewServer(s.h)
	defer web.Close()
	stream := open(t, web, "GET", s.token, "999999999999")
	defer stream.Body.Close()
	s.want("POST", "/api/tenants/register", `{"email":"a@b.example","password":"a quite long passphrase","company_name":"A","contact_name":"B"}`, 201)
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() {
		if lines.Text() == "event: notification" {
			return
		}
		if strings.HasPrefix(lines.Text(), ": still here") {
			t.Fatal("the stream has nothing to tell")
		}
	}
	t.Fatal("the stream ended")
}

// HEAD asks for the headers of a stream, which would have no end.
func TestStreamByHead(t *testing.T) {
	_, s := onSQLite(t)
	web := httptest.NewServer(s.h)
	defer web.Close()
	head := open(t, web, "HEAD", s.token, "")
	defer head.Body.Close()
	if kind := head.Header.Get("Content-Type"); head.StatusCode != 200 || kind != "text/event-stream" {
		t.Errorf("got %d %s", head.StatusCode, kind)
	}
}

// A change is told to those whose lists show it, and to nobody else.
func TestStreamTellsOfOwnTenants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		root := superadmin{T: t, h: newServer(t, d).Handler()}.as(rootEmail)
		root.want("POST", "/api/tenants/admins", `{"name":"Anchor","contact_email":"a@anchor.example"}`, 201)
		acme, _ := root.provisioned("olga@acme.example", "acme", `{"admin_id":1}`)
		_, zoe := root.provisioned("zoe@zest.example", "zest", `{}`)
		web := httptest.NewServer(root.h)
		t.Cleanup(web.Close)
		follow := func(token string) (next func() string) {
			stream := open(t, web, "GET", token, "")
			t.Cleanup(func() { _ = stream.Body.Close() })
			lines := bufio.NewScanner(stream.Body)
			return func() string {
				for lines.Scan() {
					if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
						return name
					}
				}
				return "the end"
			}
		}
		concerned, stranger := follow(root.as("olga@acme.example").token), follow(root.as("zoe@zest.example").token)
		for who, next := range map[string]func() string{"olga": concerned, "zoe": stranger} {
			if got := next(); got != "unread" {
				t.Fatalf("%s: got %s first", who, got)
			}
		}
		root.want("PUT", fmt.Sprintf("/api/tenants/organizations/%d/edit", acme), `{"storage_limit_gb":50}`, 200)
		if got := concerned(); got != "changed" {
			t.Errorf("olga: got %s", got)
		}
		for range 20 { // of what waits, a stream takes any
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				return notify.Send(tx, notify.Message{Users: []id.User{id.User(zoe)}, Kind: "test.sent", Title: "x"})
			}); err != nil {
				t.Fatal(err)
			}
			if got := stranger(); got != "notification" {
				t.Fatalf("zoe: got %s", got)
			}
		}
	})
}

// open asks for the live notifications.
func open(t *testing.T, web *httptest.Server, method, token, last string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, web.URL+"/api/tenants/notifications/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A stream ends with what opened it: nothing that is told afterwards comes.
func TestStreamsEndWithTheirToken(t *testing.T) {
	w := newActing(t, dbtest.SQLiteURL(t))
	owner := w.here.as(ownerEmail)
	act, grant := w.grant(w.here.as(staffEmail), w.owner)
	for name, c := range map[string]struct {
		token string
		end   func()
	}{
		"session": {owner.token, func() { owner.want("POST", "/api/auth/logout", "", 204) }},
		"grant":   {act.token, func() { w.root.want("DELETE", grant, "", 204) }},
	} {
		server := httptest.NewServer(w.here.h)
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/tenants/notifications/stream", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() && lines.Text() != "event: unread" {
		}
		c.end()
		w.root.want("POST", w.path("/credits/add"), `{"amount":5}`, 200) // tells the owner
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event: notification") {
				t.Errorf("%s: was told something after its end", name)
				break
			}
		}
		_ = res.Body.Close()
		server.Close()
	}
}
