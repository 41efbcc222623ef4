package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/api"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
)

const integrity = "/api/tenants/credits/integrity"

// ticking is a server whose clock moves by a step with every look at it, once
// it is told to.
type ticking struct {
	*testing.T
	server *api.Server
	step   atomic.Int64
}

func newTicking(t *testing.T, url string) *ticking {
	t.Helper()
	w := &ticking{T: t}
	var at atomic.Int64
	at.Store(1_800_000_000_000_000)
	w.server = newServer(t, dbtest.Open(t, url, db.Options{Clock: func() time.Time { return time.UnixMicro(at.Add(w.step.Load())) }}))
	return w
}

// heard is an answer that goes on.
type heard struct {
	status int
	header http.Header
	body   io.Reader
}

// ask asks for the check of the ledger on a connection of its own.
func (w *ticking) ask(h http.Handler) heard {
	w.Helper()
	w.step.Store(0)
	s := superadmin{T: w.T, h: h}.as(rootEmail)
	web := httptest.NewServer(h)
	w.Cleanup(web.Close)
	r, err := http.NewRequestWithContext(w.Context(), "GET", web.URL+integrity, http.NoBody)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	w.step.Store((11 * time.Second).Microseconds())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { res.Body.Close() })
	return heard{res.StatusCode, res.Header, res.Body}
}

// A ledger that takes minutes to check is checked to its end, on one answer.
func TestABigLedgerIsChecked(t *testing.T) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			w := newTicking(t, url(t))
			h := w.server.Handler()
			root := superadmin{T: t, h: h}.as(rootEmail)
			for range 4 {
				a := root.want("POST", "/api/tenants/admins", `{"name":"A","contact_email":"a@a.example"}`, 201)
				root.want("POST", fmt.Sprintf("/api/tenants/admins/%.0f/grant-credits", a["id"]), `{"amount":10,"reason":"why"}`, 200)
			}
			res := w.ask(h)
			body, err := io.ReadAll(res.body)
			var r credit.Report
			if e := json.Unmarshal(body, &r); err != nil || e != nil || res.status != 200 || !r.OK || r.Transactions != 4 {
				t.Fatalf("got %d %q, %v, %v", res.status, body, err, e)
			}
			if n := len(body) - len(strings.TrimLeft(string(body), "\n")); n < 4 || res.header.Get("Content-Type") != "application/json" {
				t.Errorf("got %d signs of life and %v", n, res.header)
			}
		})
	}
}

// While the work goes on the client hears of it, and no deadline ends it.
func TestSlowAnswersAreKeptAlive(t *testing.T) {
	w := newTicking(t, dbtest.SQLiteURL(t))
	listened := make(chan struct{})
	res := w.ask(w.server.Slowly(func(ctx context.Context, alive func() error) (credit.Report, error) {
		if at, ok := ctx.Deadline(); ok {
			t.Errorf("it ends at %v", at)
		}
		if err := alive(); err != nil {
			return credit.Report{}, err
		}
		<-listened
		return credit.Report{Accounts: 7}, nil
	}))
	lines := bufio.NewReader(res.body)
	if line, err := lines.ReadString('\n'); line != "\n" || err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	close(listened)
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasPrefix(string(rest), `{"ok":false,"accounts":7,`) {
		t.Errorf("got %q, %v", rest, err)
	}
}

// What fails before anything was written is a problem; what fails later breaks
// the answer off.
func TestSlowAnswersFail(t *testing.T) {
	w := newTicking(t, dbtest.SQLiteURL(t))
	gone := fault.New(fault.Unavailable, "store_unavailable", "It is away.").After(time.Second)
	res := w.ask(w.server.Slowly(func(context.Context, func() error) (credit.Report, error) { return credit.Report{}, gone }))
	if body, _ := io.ReadAll(res.body); res.status != 503 || !strings.Contains(string(body), "store_unavailable") || res.header.Get("Retry-After") != "1" {
		t.Errorf("at once: got %d %s", res.status, body)
	}
	res = w.ask(w.server.Slowly(func(_ context.Context, alive func() error) (credit.Report, error) {
		return credit.Report{}, errors.Join(alive(), gone)
	}))
	if body, err := io.ReadAll(res.body); res.status != 200 || err == nil || strings.TrimSpace(string(body)) != "" {
		t.Errorf("later: got %d %q, %v, want it broken off", res.status, body, err)
	}
	stopping := make(chan struct{})
	close(stopping)
	w.server.Stopping = stopping
	res = w.ask(w.server.Slowly(func(_ context.Context, alive func() error) (credit.Report, error) { return credit.Report{}, alive() }))
	if res.status != 503 {
		t.Errorf("at the server's stop: got %d", res.status)
	}
}
