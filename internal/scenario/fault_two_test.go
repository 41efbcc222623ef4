package scenario

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// soon is how long a read on another process may still pass.
const soon = time.Second

// What ends on one process ends on the other: reads within a second, writes at
// once.
func TestTwoProcesses(t *testing.T) {
	e := engines["postgres"]
	database := e.empty(t)
	here := bootstrapped(t, database)
	root := here.as(t, rootEmail)
	org := founded(t, root, "acme")
	there := bootstrapped(t, database)
	const owner = "owner@acme.example"

	// session is the same person on both processes, known to both.
	session := func(t *testing.T) (mine, other *tenantry.Client) {
		t.Helper()
		tokens, err := here.api(t).Login(t.Context(), tenantry.Credentials{Email: owner, Password: rootPassword})
		if err != nil {
			t.Fatal(err)
		}
		return here.api(t, tenantry.WithToken(tokens.AccessToken)), there.api(t, tenantry.WithToken(tokens.AccessToken))
	}
	read := func(ctx context.Context, c *tenantry.Client) error { _, err := c.Organization(ctx, org); return err }
	profile := func(ctx context.Context, c *tenantry.Client) error { _, err := c.Me(ctx); return err }
	edit := func(ctx context.Context, c *tenantry.Client) error {
		_, err := c.EditOrganization(ctx, org, tenantry.OrganizationEdit{Name: tenantry.Set("Acme " + time.Now().String())})
		return err
	}
	rename := func(ctx context.Context, c *tenantry.Client) error {
		_, err := c.EditMe(ctx, tenantry.ProfileEdit{Name: tenantry.Set("Owner " + time.Now().String())})
		return err
	}
	suspend := func(ctx context.Context, _ *tenantry.Client) error {
		_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "suspended"})
		return err
	}
	lift := func(ctx context.Context) error {
		_, err := root.SetStatus(ctx, org, tenantry.StatusChange{Status: "active"})
		return err
	}
	revoke := func(ctx context.Context, c *tenantry.Client) error {
		for s, err := range c.Sessions().All(ctx) {
			if err != nil || s.Current {
				return c.RevokeSession(ctx, s.ID)
			}
		}
		return fmt.Errorf("no current session")
	}
	for _, test := range []struct {
		name   string
		end    func(context.Context, *tenantry.Client) error
		try    func(context.Context, *tenantry.Client) error
		write  bool
		status int
		undo   func(context.Context) error
	}{
		{"logout then read", func(ctx context.Context, c *tenantry.Client) error { return c.Logout(ctx) }, profile, false, 401, nil},
		{"logout then write", func(ctx context.Context, c *tenantry.Client) error { return c.Logout(ctx) }, rename, true, 401, nil},
		{"revocation then read", revoke, profile, false, 401, nil},
		{"revocation then write", revoke, rename, true, 401, nil},
		{"suspension then read", suspend, read, false, 403, lift},
		{"suspension then write", suspend, edit, true, 403, lift},
	} {
		t.Run(test.name, func(t *testing.T) {
			mine, other := session(t)
			for _, c := range []*tenantry.Client{mine, other} { // both know it, and have it cached
				if err := test.try(t.Context(), c); err != nil {
					t.Fatalf("before: %v", err)
				}
			}
			if err := test.end(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
			answered := time.Now()
			if err := test.try(t.Context(), mine); tenantry.Status(err) != test.status {
				t.Errorf("the process that answered: got %v, want %d", err, test.status)
			}
			for {
				asked := time.Now()
				err := test.try(t.Context(), other)
				if tenantry.Status(err) == test.status {
					break
				}
				if err != nil || test.write || asked.Sub(answered) > soon {
					t.Fatalf("the other process, %v later: got %v, want %d", asked.Sub(answered), err, test.status)
				}
			}
			if test.undo != nil {
				if err := test.undo(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Run("API key", func(t *testing.T) {
		k, err := root.CreateAPIKey(t.Context(), org, tenantry.NewAPIKey{Name: "Shop", Scopes: []string{"usage:read"}})
		if err != nil {
			t.Fatal(err)
		}
		c := there.api(t, tenantry.WithToken(k.Key))
		if _, err := c.Usage(t.Context(), org); err != nil {
			t.Fatal(err)
		}
		if err := root.RevokeAPIKey(t.Context(), org, k.ID); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		for asked := answered; ; asked = time.Now() {
			_, err := c.Usage(t.Context(), org)
			if tenantry.Status(err) == 401 {
				break
			}
			if err != nil || asked.Sub(answered) > soon {
				t.Fatalf("%v after its end: got %v, want 401", asked.Sub(answered), err)
			}
		}
	})
}

// A request under way when the server is told to stop is answered whole, a
// stream ends, and nobody new is let in.
func TestStopsInOrder(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			s := bootstrapped(t, e.empty(t))
			root := s.as(t, rootEmail)
			events := make(chan error)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for _, err := range root.FollowNotifications(ctx, 0) {
					events <- err
				}
				close(events)
			}()
			if err := <-events; err != nil { // it follows
				t.Fatal(err)
			}

			const body = `{"name":"Under way"}`
			pipe, write := io.Pipe()
			r, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/api/tenants/partner-groups", pipe)
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Expect", "100-continue") // which comes once a handler reads
			if err := root.Authorization(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			answer := make(chan int, 1)
			go func() {
				patient := http.Client{Transport: &http.Transport{ExpectContinueTimeout: longest}}
				res, err := patient.Do(r)
				if err != nil {
					t.Errorf("the request under way: %v", err)
					answer <- 0
					return
				}
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if err != nil || !strings.Contains(string(b), "Under way") {
					t.Errorf("the request under way: got %s, %v", b, err)
				}
				answer <- res.StatusCode
			}()
			if _, err := io.WriteString(write, body[:8]); err != nil {
				t.Fatal(err)
			}
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			poll(t, "nobody new is let in", func() bool {
				c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			})
			if _, err := io.WriteString(write, body[8:]); err != nil {
				t.Fatal(err)
			}
			_ = write.Close()
			if status := <-answer; status != http.StatusCreated {
				t.Errorf("the request under way: got %d, want 201", status)
			}
			cancel()
			for range events {
			}
			began := time.Now()
			s.stop(t)
			if took := time.Since(began); took > slowest {
				t.Errorf("it took %v to end", took)
			}
		})
	}
}
