package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/client"
)

// transport answers without a network, so that time can be made up.
type transport func(*http.Request) *http.Response

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return f(r), nil
}

func answer(status int, body string, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

func against(t *testing.T, f transport, o ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New("http://tenantry.test/", append(o, client.WithHTTPClient(&http.Client{Transport: f}))...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBasesAreChecked(t *testing.T) {
	for _, base := range []string{"", "example.com", "ftp://example.com", "http://", "http://u:p@example.com", "http://example.com?x=1", "http://example.com#x"} {
		if _, err := client.New(base); err == nil {
			t.Errorf("New(%q): got no error", base)
		}
	}
}

func TestRefusalsAreReadWhole(t *testing.T) {
	c := against(t, func(*http.Request) *http.Response {
		return answer(409, `{"type":"/docs#problem-slug_taken","title":"Conflict","status":409,"detail":"Taken.","code":"slug_taken","request_id":"r1",
			"errors":[{"field":"desired_org_slug","code":"slug_taken","message":"Take another."}],"suggestions":["acme-2"]}`, "Retry-After", "3")
	})
	_, err := c.Register(t.Context(), client.Registration{})
	var e *client.Error
	if !errors.As(err, &e) || client.Code(err) != "slug_taken" || client.Status(err) != 409 {
		t.Fatalf("got %v", err)
	}
	var suggestions []string
	if !e.Member("suggestions", &suggestions) || suggestions[0] != "acme-2" || e.Member("allowed", &suggestions) || len(e.Extra) != 1 {
		t.Errorf("got members %v", e.Extra)
	}
	if e.RequestID != "r1" || e.RetryAfter != 3*time.Second || e.Fields[0].Field != "desired_org_slug" {
		t.Errorf("got %+v", e)
	}
	want := "409 slug_taken: Taken.; desired_org_slug: Take another. (request r1)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestWhatIsNoProblemIsStillARefusal(t *testing.T) {
	c := against(t, func(*http.Request) *http.Response { return answer(502, "<html>bad gateway") })
	if _, err := c.Me(t.Context()); client.Status(err) != 502 || client.Code(err) != "" {
		t.Errorf("got %v", err)
	}
}

func TestOnlyWhatIsSafeIsRepeated(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		header []string
		call   func(context.Context, *client.Client) error
		tries  int
		took   time.Duration
	}{
		{"a read", 503, []string{"Retry-After", "2"}, readOnce, 4, 6 * time.Second},
		{"a read too many", 429, []string{"Retry-After", "1"}, readOnce, 4, 3 * time.Second},
		{"a read when nobody says when", 503, nil, readOnce, 1, 0},
		{"a read in an hour", 503, []string{"Retry-After", "3600"}, readOnce, 1, 0},
		{"a read that failed", 500, []string{"Retry-After", "1"}, readOnce, 1, 0},
		{"a write", 503, []string{"Retry-After", "1"}, func(ctx context.Context, c *client.Client) error {
			_, err := c.CreatePartnerGroup(ctx, client.NewPartnerGroup{Name: "Gold"})
			return err
		}, 1, 0},
		{"a write with a key", 503, []string{"Retry-After", "1"}, func(ctx context.Context, c *client.Client) error {
			_, err := c.CreatePartnerGroup(ctx, client.NewPartnerGroup{Name: "Gold"}, client.IdempotencyKey("k"))
			return err
		}, 4, 3 * time.Second},
		{"an edit", 503, []string{"Retry-After", "1"}, func(ctx context.Context, c *client.Client) error {
			_, err := c.EditMe(ctx, client.ProfileEdit{})
			return err
		}, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, bodies, begin := 0, map[string]bool{}, time.Now()
				c := against(t, func(r *http.Request) *http.Response {
					tries++
					b, _ := io.ReadAll(r.Body)
					bodies[string(b)] = true
					return answer(test.status, `{"code":"some"}`, test.header...)
				})
				if err := test.call(t.Context(), c); client.Status(err) != test.status {
					t.Errorf("got %v", err)
				}
				if took := time.Since(begin); tries != test.tries || took < test.took || took > test.took+test.took/4 {
					t.Errorf("got %d tries in %v, want %d in %v", tries, took, test.tries, test.took)
				}
				if len(bodies) != 1 {
					t.Errorf("got different bodies %v", bodies)
				}
			})
		})
	}
}

func readOnce(ctx context.Context, c *client.Client) error {
	_, err := c.Me(ctx)
	return err
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := against(t, func(*http.Request) *http.Response { return answer(503, `{"code":"unavailable"}`, "Retry-After", "10") })
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		begin := time.Now()
		if err := readOnce(ctx, c); client.Code(err) != "unavailable" || time.Since(begin) > 0 {
			t.Errorf("got %v after %v, want the refusal at once", err, time.Since(begin))
		}
	})
}

// issuer is a server that knows one access token at a time.
type issuer struct {
	mu        sync.Mutex // guards what follows
	n         int        // of the token in force
	refreshes int
	spent     bool // nobody may refresh any more
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case r.URL.Path == "/api/auth/refresh":
		var in struct {
			RefreshToken string `json:"refresh_token"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		i.refreshes++
		if i.spent || in.RefreshToken != fmt.Sprintf("refresh-%d", i.n) || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		i.n++
		_, _ = fmt.Fprintf(w, `{"access_token":"access-%d","refresh_token":"refresh-%d","expires_in":900}`, i.n, i.n)
	case r.URL.Path == "/api/auth/login":
		_, _ = fmt.Fprintf(w, `{"access_token":"access-%d","refresh_token":"refresh-%d","expires_in":900}`, i.n, i.n)
	case r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-%d", i.n):
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":"invalid_token"}`)
	default:
		_, _ = io.WriteString(w, `{"user":{"name":"Ann"}}`)
	}
}

func TestOneRenewalServesAll(t *testing.T) {
	i := &issuer{}
	server := httptest.NewServer(i)
	defer server.Close()
	anonymous, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := anonymous.SignIn(t.Context(), "ann@example.com", "secret")
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	i.n = 7 // the access token has ended; the refresh token is…
	i.mu.Unlock()
	if err := readOnce(t.Context(), c); client.Status(err) != 401 {
		t.Errorf("a session that cannot be renewed: got %v, want 401", err)
	}

	var kept []string
	c, err = client.New(server.URL, client.WithSession(client.Tokens{AccessToken: "access-old", RefreshToken: "refresh-7", ExpiresIn: 900},
		func(t client.Tokens) { kept = append(kept, t.RefreshToken) }))
	if err != nil {
		t.Fatal(err)
	}
	before := i.refreshes
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if m, err := c.Me(t.Context()); err != nil || m.User.Name != "Ann" {
				t.Errorf("got %v, %v", m, err)
			}
		})
	}
	all.Wait()
	if i.refreshes != before+1 || len(kept) != 1 || kept[0] != "refresh-8" {
		t.Errorf("got %d renewals and kept %v, want one", i.refreshes-before, kept)
	}
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		c := against(t, func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			i.ServeHTTP(w, r)
			return w.Result()
		}, client.WithSession(client.Tokens{AccessToken: "access-0", RefreshToken: "refresh-0", ExpiresIn: 900}, nil))
		for range 4 {
			if err := readOnce(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute) // of made-up time
		}
		if i.refreshes != 1 {
			t.Errorf("got %d renewals in half an hour, want 1 for each 14.5 minutes that were used", i.refreshes)
		}
	})
}

func TestARenewalOutlivesItsCaller(t *testing.T) {
	i, asked, goOn := &issuer{}, make(chan bool), make(chan bool)
	var once sync.Once
	c := against(t, func(r *http.Request) *http.Response {
		if r.URL.Path == "/api/auth/refresh" {
			once.Do(func() { close(asked); <-goOn })
		}
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		return w.Result()
	}, client.WithSession(client.Tokens{AccessToken: "access-old", RefreshToken: "refresh-0", ExpiresIn: 900}, nil))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- readOnce(ctx, c) }()
	<-asked
	cancel()
	close(goOn)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if err := readOnce(t.Context(), c); err != nil || i.refreshes != 1 {
		t.Errorf("got %v after %d renewals, want the session to live on", err, i.refreshes)
	}
}

func TestListsAreReadByCursor(t *testing.T) {
	var asked []string
	c := against(t, func(r *http.Request) *http.Response {
		asked = append(asked, r.URL.RawQuery)
		switch r.URL.Query().Get("cursor") {
		case "":
			return answer(200, `{"data":[{"id":5},{"id":4}],"pagination":{"total":5,"has_more":true,"next_cursor":"a"}}`)
		case "a":
			return answer(200, `{"data":[{"id":3},{"id":2}],"pagination":{"total":5,"has_more":true,"next_cursor":"b"}}`)
		}
		return answer(200, `{"data":[{"id":1}],"pagination":{"total":5,"has_more":false}}`)
	})
	var ids []int64
	for a, err := range c.Admins(client.AdminFilter{Status: "active", PartnerGroupID: 3}).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	if fmt.Sprint(ids) != "[5 4 3 2 1]" {
		t.Errorf("got %v", ids)
	}
	if asked[2] != "cursor=b&limit=200&partner_group_id=3&status=active" {
		t.Errorf("asked %v", asked)
	}
	asked = nil
	for _, err := range c.Admins(client.AdminFilter{}).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if len(asked) != 1 {
		t.Errorf("one row: asked for %d pages", len(asked))
	}
	if p, err := c.Admins(client.AdminFilter{}).Page(t.Context(), client.Position{Offset: 20, Limit: 10}); err != nil || p.Pagination.Total != 5 || asked[1] != "limit=10&offset=20" {
		t.Errorf("got %+v, %v for %v", p, err, asked)
	}
}

func TestAListEndsWithItsError(t *testing.T) {
	c := against(t, func(*http.Request) *http.Response { return answer(403, `{"code":"forbidden"}`) })
	n := 0
	for _, err := range c.Admins(client.AdminFilter{}).All(t.Context()) {
		if n++; client.Code(err) != "forbidden" {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("got %d, want one error", n)
	}
}

func TestEditsSayWhatTheyMean(t *testing.T) {
	var body string
	c := against(t, func(r *http.Request) *http.Response {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		return answer(200, `{"id":7,"warnings":[{"code":"below_usage"}]}`)
	})
	o, err := c.EditOrganization(t.Context(), client.ID(7), client.OrganizationEdit{
		Name: client.Set("Acme"), CustomDomain: client.Null[string](), EnabledPlugins: client.Set([]string{}), CreditLimit: client.Set(int64(0))})
	if err != nil || o.ID != 7 || len(o.Warnings) != 1 {
		t.Errorf("got %+v, %v", o, err)
	}
	if want := `{"name":"Acme","custom_domain":null,"enabled_plugins":[],"credit_limit":0}`; body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

func TestOptions(t *testing.T) {
	var seen *http.Request
	c := against(t, func(r *http.Request) *http.Response {
		seen = r
		if r.Header.Get("If-None-Match") != "" {
			return answer(304, "")
		}
		if r.URL.Query().Get("dry_run") == "true" {
			return answer(200, `{"dry_run":true,"result":{"id":7,"status":"suspended"},"effects":{"organizations":3,"users":12,"domains":1,"credits":900,"api_keys":2,"hit":[{"type":"admin","id":7,"name":"A"}],
				"over":[{"type":"admin","id":7,"name":"A","field":"max_users","limit":1,"used":3,"over":2}]}}`)
		}
		return answer(200, `{"id":7}`, "ETag", `"v3-x"`, "Audit-Event", "91", "Idempotent-Replayed", "true", "X-Request-Id", "r7", "Location", "/x")
	}, client.WithToken("tnt_sk_x"), client.WithUserAgent("shop/1"))
	var fx client.Effects
	a, err := c.SuspendAdmin(t.Context(), 7, client.Suspension{Reason: "late"}, client.DryRun(&fx))
	party := client.Party{Type: "admin", ID: 7, Name: "A"}
	want := client.Effects{Organizations: 3, Users: 12, Domains: 1, Credits: 900, APIKeys: 2, Hit: []client.Party{party},
		Over: []client.Excess{{Party: party, Field: "max_users", Limit: 1, Used: 3, Over: 2}}}
	if err != nil || a.Status != "suspended" || !reflect.DeepEqual(fx, want) {
		t.Errorf("a dry run: got %+v, %+v, %v", a, fx, err)
	}
	if _, err := c.Admin(t.Context(), 7, client.IfNoneMatch(`"v3-x"`)); !errors.Is(err, client.ErrNotModified) {
		t.Errorf("got %v, want ErrNotModified", err)
	}
	var got client.Answer
	if _, err := c.ReactivateAdmin(t.Context(), 7, client.Receive(&got), client.IfMatch(`"v2-x"`), client.IdempotencyKey("k"), client.RequestID("r7")); err != nil {
		t.Fatal(err)
	}
	if want := (client.Answer{Status: 200, ETag: `"v3-x"`, Location: "/x", RequestID: "r7", AuditEvent: 91, Replayed: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for name, want := range map[string]string{"If-Match": `"v2-x"`, "Idempotency-Key": "k", "X-Request-Id": "r7", "Authorization": "Bearer tnt_sk_x", "User-Agent": "shop/1", "Content-Type": ""} {
		if got := seen.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAnAnswerWithoutEnd(t *testing.T) {
	c := against(t, func(*http.Request) *http.Response {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{})}
	})
	if _, err := c.Me(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestExport(t *testing.T) {
	c := against(t, func(r *http.Request) *http.Response {
		if r.Header.Get("Accept") != "text/csv" {
			return answer(500, "")
		}
		if r.URL.Query().Get("kind") != "grant" {
			return answer(422, `{"code":"unknown_value"}`)
		}
		return answer(200, "id,amount\n1,5\n")
	})
	var b strings.Builder
	if err := client.ExportCSV(t.Context(), c.AdminTransactions(1, client.TransactionFilter{Kind: "grant"}), &b); err != nil || b.String() != "id,amount\n1,5\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
	if err := client.ExportCSV(t.Context(), c.AdminTransactions(1, client.TransactionFilter{}), io.Discard); client.Code(err) != "unknown_value" {
		t.Errorf("got %v", err)
	}
}

func TestFollowingGoesOnAfterALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var resumed []string
		c := against(t, func(r *http.Request) *http.Response {
			resumed = append(resumed, r.Header.Get("Last-Event-ID"))
			switch len(resumed) {
			case 1:
				return answer(200, "retry: 500\n\n: still here\n\nid: 8\nevent: notification\ndata: {\"notification\":{\"id\":8},\ndata: \"unread\":1}\n\nid: 9\ndata: {\"notif")
			case 2:
				return answer(503, `{"code":"unavailable"}`, "Retry-After", "1")
			case 3:
				return answer(200, "id: 9\ndata: {\"notification\":{\"id\":9},\"unread\":2}\n\nevent: unread\ndata: {\"notification\":null,\"unread\":0}\n\nid: 9\nevent: changed\ndata: {\"notification\":null,\"unread\":0,\"changed\":true}\n\n")
			}
			return answer(401, `{"code":"invalid_token"}`)
		})
		var got []string
		for e, err := range c.FollowNotifications(t.Context(), 7) {
			switch {
			case err != nil:
				got = append(got, client.Code(err))
			case e.Changed:
				got = append(got, "changed")
			case e.Notification == nil:
				got = append(got, fmt.Sprint("unread ", e.Unread))
			default:
				got = append(got, fmt.Sprintf("%d of %d", e.Notification.ID, e.Unread))
			}
		}
		if want := "[8 of 1 9 of 2 unread 0 changed invalid_token]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		if want := "[7 8 8 9]"; fmt.Sprint(resumed) != want {
			t.Errorf("resumed at %v, want %s", resumed, want)
		}
	})
}

func TestFollowingEndsWithTheContext(t *testing.T) {
	var open atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Add(-1)
		_, _ = io.WriteString(w, "data: {\"unread\":3}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	c, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range c.FollowNotifications(ctx, 0) {
		n++
		last = err
		cancel()
	}
	if n != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("got %d with %v at the end, want 2 and the end of the context", n, last)
	}
}

func TestFollowingStopsWhenNobodyWantsMore(t *testing.T) {
	c := against(t, func(*http.Request) *http.Response {
		return answer(200, "data: {\"unread\":3}\n\ndata: {\"unread\":4}\n\n")
	})
	n := 0
	for _, err := range c.FollowNotifications(t.Context(), 0) {
		if n++; err != nil {
			t.Error(err)
		}
		break
	}
	if n != 1 {
		t.Errorf("got %d", n)
	}
}
