package client_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/client"
)

// checks is a server that answers every check alike.
type checks struct {
	asked  atomic.Int64
	status atomic.Int64
	answer atomic.Pointer[client.Decision]
}

func (c *checks) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.asked.Add(1)
	if s := int(c.status.Load()); s != 0 {
		w.WriteHeader(s)
		_, _ = w.Write([]byte(`{"code":"refused"}`))
		return
	}
	_ = json.NewEncoder(w).Encode(c.answer.Load())
}

func entitlements(t *testing.T, o client.EntitlementOptions) (*checks, *client.Entitlements, func(time.Duration)) {
	t.Helper()
	s := &checks{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, client.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	o.Clock = func() time.Time { return now }
	return s, client.NewEntitlements(c, "ecommerce", o), func(d time.Duration) { now = now.Add(d) }
}

func TestEntitlementsAnswerFromMemory(t *testing.T) {
	s, e, forward := entitlements(t, client.EntitlementOptions{MaxAge: 10 * time.Second})
	hard := "hard"
	s.answer.Store(&client.Decision{Allowed: true, Code: "ok", Mode: &hard, Limit: new(int64(100)), Used: new(int64(90)), Remaining: new(int64(10))})
	ask := func(quantity int64, allowed bool, code string, asked int64) {
		t.Helper()
		d, err := e.Meter(t.Context(), "acme", client.StorageBytes, quantity)
		if err != nil || d.Allowed != allowed || d.Code != code || s.asked.Load() != asked {
			t.Errorf("%d: got %+v, %v, after %d questions; want %v %s after %d", quantity, d, err, s.asked.Load(), allowed, code, asked)
		}
	}
	ask(10, true, "ok", 1)
	for range 100 {
		ask(11, false, "limit_exceeded", 1)
	}
	e.Note("acme", client.StorageBytes, 4) // used, and not known to the server yet
	ask(6, true, "ok", 1)
	ask(7, false, "limit_exceeded", 1)
	forward(6 * time.Second) // half as old as it may be: it is renewed
	ask(7, true, "ok", 2)
	s.status.Store(503) // an outage is not noticed while the answer may be used
	forward(9 * time.Second)
	ask(7, true, "ok", 3)
	forward(2 * time.Second)
	ask(7, false, client.Unavailable, 4)
	s.status.Store(0)
	ask(7, true, "ok", 5)
	s.answer.Store(&client.Decision{Code: "organization_suspended"})
	forward(11 * time.Second) // the bound
	ask(1, false, "organization_suspended", 6)
	s.status.Store(403)
	forward(11 * time.Second)
	if d, err := e.Meter(t.Context(), "acme", client.StorageBytes, 1); d.Allowed || err == nil {
		t.Errorf("refused: got %+v, %v", d, err)
	}
}

func TestEntitlementsFail(t *testing.T) {
	for _, open := range []bool{false, true} {
		s, e, _ := entitlements(t, client.EntitlementOptions{FailOpen: open})
		s.status.Store(503)
		if d, err := e.Allowed(t.Context(), "acme"); err != nil || d.Allowed != open || d.Code != client.Unavailable {
			t.Errorf("open %v: got %+v, %v", open, d, err)
		}
		s.status.Store(404) // an answer, whatever the choice
		if d, err := e.Allowed(t.Context(), "acme"); err == nil || d.Allowed {
			t.Errorf("open %v: got %+v, %v", open, d, err)
		}
	}
	s, e, _ := entitlements(t, client.EntitlementOptions{})
	s.answer.Store(&client.Decision{Allowed: true, Code: "ok", Limit: new(int64(5)), Used: new(int64(0)), Remaining: new(int64(5))})
	if d, err := e.Credits(t.Context(), "acme", 6); err != nil || d.Allowed || d.Code != "insufficient_credits" {
		t.Errorf("credits: got %+v, %v", d, err)
	}
}
