package scenario

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/db"
)

// soon is how long a read on another process may still pass.
const soon = time.Second

// What ends on one process ends on the other: reads within a second, writes at
// once, whether or not the processes hear of each other.
func TestTwoProcesses(t *testing.T) {
	t.Run("hearing", func(t *testing.T) { endsOnBoth(t, engines["postgres"].empty(t)) })
	t.Run("deaf", func(t *testing.T) {
		database := engines["postgres"].empty(t)
		deafen(t, database)
		endsOnBoth(t, database)
	})
}

// deafen cuts every connection that listens, again and again, until the test
// ends.
func deafen(t *testing.T, database string) {
	d, err := db.Open(t.Context(), database, db.Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	stop := make(chan struct{})
	cut := 0
	all.Go(func() {
		for {
			err := d.Read(context.Background(), func(tx *db.Tx) error {
				n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE 'listen%') AS ended`)
				cut += int(n)
				return err
			})
			if err != nil {
				t.Errorf("cut a listener: %v", err)
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		all.Wait()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if cut == 0 {
			t.Error("nobody listened")
		}
	})
}

func endsOnBoth(t *testing.T, database string) {
	here := bootstrapped(t, database)
	root := here.as(t, rootEmail)
	org := founded(t, root, "acme")
	there := bootstrapped(t, database)
	const owner = "owner@acme.example"
	reseller, err := root.CreateAdmin(t.Context(), tenantry.NewAdmin{Name: "Reseller", ContactEmail: "reseller@north.example"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.EditOrganization(t.Context(), org, tenantry.OrganizationEdit{AdminID: tenantry.Set(reseller.ID)}); err != nil {
		t.Fatal(err)
	}

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
	freeze := func(ctx context.Context, _ *tenantry.Client) error {
		_, err := root.SuspendAdmin(ctx, reseller.ID, tenantry.Suspension{Reason: "Unpaid"})
		return err
	}
	thaw := func(ctx context.Context) error {
		_, err := root.ReactivateAdmin(ctx, reseller.ID)
		return err
	}
	// elsewhere the same person changes the password, in another session.
	elsewhere := func(ctx context.Context, from, to string) error {
		tokens, err := here.api(t).Login(ctx, tenantry.Credentials{Email: owner, Password: from})
		if err != nil {
			return err
		}
		return here.api(t, tenantry.WithToken(tokens.AccessToken)).ChangePassword(ctx, tenantry.PasswordChange{OldPassword: from, NewPassword: to})
	}
	change := func(ctx context.Context, _ *tenantry.Client) error {
		return elsewhere(ctx, rootPassword, "a wholly new one 5")
	}
	restore := func(ctx context.Context) error { return elsewhere(ctx, "a wholly new one 5", rootPassword) }
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
		{"suspension of the admin then read", freeze, read, false, 403, thaw},
		{"suspension of the admin then write", freeze, edit, true, 403, thaw},
		{"new password then read", change, profile, false, 401, restore},
		{"new password then write", change, rename, true, 401, restore},
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
	t.Run("leave to act", func(t *testing.T) {
		for _, write := range []bool{true, false} {
			g, err := root.GrantAccess(t.Context(), org, tenantry.AccessRequest{Reason: "Ticket 4711", Minutes: 30})
			if err != nil {
				t.Fatal(err)
			}
			c, try := there.api(t, tenantry.WithToken(g.AccessToken)), read
			if write {
				try = edit
			}
			if err := try(t.Context(), c); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := root.EndAccess(t.Context(), org, g.ID); err != nil {
				t.Fatal(err)
			}
			answered := time.Now()
			for asked := answered; ; asked = time.Now() {
				err := try(t.Context(), c)
				if tenantry.Status(err) == 401 {
					break
				}
				if err != nil || write || asked.Sub(answered) > soon {
					t.Fatalf("%v after its end: got %v, want 401", asked.Sub(answered), err)
				}
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
