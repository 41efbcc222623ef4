package scenario

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// clients of the tenant work while it is suspended, half of them at each
// process.
const clients = 16

// A suspension bites while 16 clients of the tenant are working: no request
// that begins after its answer succeeds at the process that gave it; at another
// one on the same database no write does, and no read that begins a second
// later, whether or not the processes hear of each other.
func TestSuspendWhileWorking(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		here := bootstrapped(t, engines["sqlite"].empty(t))
		suspendWhileWorking(t, here, here)
	})
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("postgres/deaf=%v", deaf), func(t *testing.T) {
			database := engines["postgres"].empty(t)
			if deaf {
				deafen(t, database)
			}
			suspendWhileWorking(t, bootstrapped(t, database), bootstrapped(t, database))
		})
	}
}

// attempt is one request of the tenant's with its end.
type attempt struct {
	what         string
	here, writes bool
	began        time.Time
	err          error
}

func suspendWhileWorking(t *testing.T, here, there *server) {
	root := here.as(t, rootEmail)
	org := founded(t, root, "acme")
	reseller, err := root.CreateAdmin(t.Context(), tenantry.NewAdmin{Name: "Reseller", ContactEmail: "reseller@north.example"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.EditOrganization(t.Context(), org, tenantry.OrganizationEdit{AdminID: tenantry.Set(reseller.ID), MaxUsers: tenantry.Set(int64(-1))}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, code string
		end, undo  func(context.Context) error
	}{
		{"organization", "organization_suspended", func(ctx context.Context) error {
			_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "suspended"})
			return err
		}, func(ctx context.Context) error {
			_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "active"})
			return err
		}},
		{"admin", "admin_suspended", func(ctx context.Context) error {
			_, err := root.SuspendAdmin(ctx, reseller.ID, tenantry.Suspension{Reason: "Unpaid"})
			return err
		}, func(ctx context.Context) error {
			_, err := root.ReactivateAdmin(ctx, reseller.ID)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &tenant{org: org, end: make(chan struct{})}
			for i := range clients {
				at := here
				if i%2 == 1 {
					at = there
				}
				w.join(t, root, at, at == here, i)
			}
			poll(t, "everybody works", func() bool { return w.all(3) })
			if err := c.end(t.Context()); err != nil {
				t.Fatal(err)
			}
			answered := time.Now()
			w.late.Store(answered.Add(soon).UnixNano())
			poll(t, "everybody has gone on past the second", func() bool { return w.all(3) })
			w.stop()
			w.judge(t, answered, c.code)
			if err := c.undo(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// tenant is what the clients of one organization do.
type tenant struct {
	org  tenantry.OrganizationRef
	end  chan struct{}
	work sync.WaitGroup
	late atomic.Int64 // attempts count from this time on, in ns
	done [clients]atomic.Int64
	n    atomic.Int64

	mu   sync.Mutex // guards seen
	seen []attempt
}

// join sets a client to work: most are people, every fourth a service.
func (w *tenant) join(t *testing.T, root *tenantry.Client, s *server, here bool, i int) {
	t.Helper()
	var steps []func(context.Context) attempt
	add := func(what string, writes bool, f func(ctx context.Context) error) {
		steps = append(steps, func(ctx context.Context) attempt {
			a := attempt{what: what, here: here, writes: writes, began: time.Now()}
			a.err = f(ctx)
			return a
		})
	}
	if i%4 == 3 {
		k, err := root.CreateAPIKey(t.Context(), w.org, tenantry.NewAPIKey{Name: "Service", Scopes: []string{"entitlements:read"}})
		if err != nil {
			t.Fatal(err)
		}
		c := s.api(t, tenantry.WithToken(k.Key))
		add("a service reads plugins", false, func(ctx context.Context) error {
			_, err := c.OrganizationPlugins(w.org).Page(ctx, tenantry.Position{Limit: 1})
			return err
		})
	} else {
		tokens, err := s.api(t).Login(t.Context(), tenantry.Credentials{Email: "owner@acme.example", Password: rootPassword})
		if err != nil {
			t.Fatal(err)
		}
		c := s.api(t, tenantry.WithToken(tokens.AccessToken))
		add("read", false, func(ctx context.Context) error { _, err := c.Organization(ctx, w.org); return err })
		add("list", false, func(ctx context.Context) error {
			_, err := c.Members(w.org, tenantry.MemberFilter{}).Page(ctx, tenantry.Position{Limit: 5})
			return err
		})
		add("edit", true, func(ctx context.Context) error {
			_, err := c.EditOrganization(ctx, w.org, tenantry.OrganizationEdit{Name: tenantry.Set(fmt.Sprint("Acme ", w.n.Add(1)))})
			return err
		})
		add("invite", true, func(ctx context.Context) error {
			_, err := c.Invite(ctx, w.org, tenantry.NewInvitation{Email: fmt.Sprintf("guest%d@w%d.example", w.n.Add(1), time.Now().UnixNano()), Role: "member"})
			return err
		})
	}
	w.work.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-w.end:
				return
			default:
			}
			a := steps[n%len(steps)](context.WithoutCancel(t.Context()))
			w.mu.Lock()
			w.seen = append(w.seen, a)
			w.mu.Unlock()
			if a.began.UnixNano() > w.late.Load() {
				w.done[i].Add(1)
			}
		}
	})
}

// all reports whether every client has made so many attempts that count, and
// begins anew once they have.
func (w *tenant) all(n int64) bool {
	for i := range w.done {
		if w.done[i].Load() < n {
			return false
		}
	}
	for i := range w.done {
		w.done[i].Store(0)
	}
	return true
}

func (w *tenant) stop() {
	close(w.end)
	w.work.Wait()
}

// judge looks at every attempt by when it began.
func (w *tenant) judge(t *testing.T, answered time.Time, code string) {
	t.Helper()
	refused, passed := 0, 0
	for _, a := range w.seen {
		after := a.began.Sub(answered)
		var e *tenantry.Error
		stopped := errors.As(a.err, &e) && e.Code == code
		switch {
		case stopped:
			refused++
		case a.err != nil:
			t.Errorf("%s, %v after the answer: got %v", a.what, after, a.err)
		case after > 0 && (a.here || a.writes || after > soon):
			t.Errorf("%s (at the process that answered: %v) succeeded, begun %v after the answer", a.what, a.here, after)
		default:
			passed++
		}
	}
	t.Logf("%d attempts passed, %d were refused", passed, refused)
	if refused == 0 || passed == 0 {
		t.Error("nobody was working, or nobody was stopped")
	}
}
