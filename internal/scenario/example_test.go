package scenario

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// example builds the shop once.
var example = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "ecommerce")
	out, err := exec.Command("go", "build", "-o", path, "github.com/tenantry/tenantry/examples/ecommerce").CombinedOutput()
	return string(out) + path, err
})

// store is a running example.
type store struct {
	*testing.T
	cmd  *exec.Cmd
	addr string
}

func openStore(t *testing.T, url, key string) *store {
	t.Helper()
	path, err := example()
	if err != nil {
		t.Fatalf("build the example: %v\n%s", err, path)
	}
	addr, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &store{T: t, cmd: exec.Command(path, "-addr", addr), addr: addr}
	s.cmd.Env = []string{"TENANTRY_URL=" + url, "TENANTRY_API_KEY=" + key}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

// close ends it as an operator would; it reports what it had not.
func (s *store) close() {
	s.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.Errorf("the example ended: %v", err)
	}
}

// ask sends a request, for as long as the shop is not listening yet.
func (s *store) ask(method, path, body string) (status int, answer map[string]any) {
	s.Helper()
	for begin := time.Now(); ; {
		r, err := http.NewRequestWithContext(s.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
		if err != nil {
			s.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			b, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err == nil && len(b) > 0 {
				err = json.Unmarshal(b, &answer)
			}
			if err != nil {
				s.Errorf("%s %s: %v in %s", method, path, err, b)
			}
			return res.StatusCode, answer
		}
		if time.Since(begin) > longest {
			s.Fatal(err)
		}
	}
}

func (s *store) want(what, method, path, body string, want int) map[string]any {
	s.Helper()
	got, answer := s.ask(method, path, body)
	if got != want {
		s.Errorf("%s: got %d %v, want %d", what, got, answer, want)
	}
	return answer
}

// until asks as often as it takes, at most bound after the cause.
func (s *store) until(what, method, path, body string, want int, bound time.Duration) {
	s.Helper()
	for cause := time.Now(); ; {
		asked := time.Now()
		got, answer := s.ask(method, path, body)
		if got == want {
			return
		}
		if asked.Sub(cause) > bound {
			s.Fatalf("%s: got %d %v for %v, want %d", what, got, answer, asked.Sub(cause), want)
		}
	}
}

// The example sells while the organization may and can pay, holds the credits
// of an order until it is shipped or cancelled, consumes one for a picture that
// it set room aside for, reports what it served, and stops within its bound.
func TestTheExample(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			server := bootstrapped(t, e.empty(t))
			root := server.as(t, rootEmail)
			org := founded(t, root, "acme")
			if _, err := root.EditOrganization(t.Context(), org, tenantry.OrganizationEdit{EnabledPlugins: tenantry.Set([]string{"ecommerce"}),
				StorageLimitGB: tenantry.Set(int64(1)), BandwidthLimitGB: tenantry.Set(int64(1))}); err != nil {
				t.Fatal(err)
			}
			add := func(amount int64) {
				t.Helper()
				if _, err := root.AddCredits(t.Context(), org, tenantry.Credits{Amount: amount}); err != nil {
					t.Fatal(err)
				}
			}
			add(10)
			s := openStore(t, server.base, service(t, root, "entitlements:read", "usage:write", "credits:spend"))
			const orders, pictures = "/shops/acme/orders", "/shops/acme/pictures/"
			figures := func(when string, balance, held int64) {
				t.Helper()
				f, err := root.Credits(t.Context(), org)
				if err != nil || f.Balance != balance || f.Held != held {
					t.Errorf("%s: got a balance of %d, %d held, %v, want %d and %d", when, f.Balance, f.Held, err, balance, held)
				}
			}
			var placed [3]string
			for i := range placed {
				placed[i], _ = s.want("an order", "POST", orders, `{"items":3}`, 201)["order"].(string)
			}
			figures("three orders", 10, 9)
			if left := s.want("an order beyond the credits", "POST", orders, `{"items":2}`, 402)["remaining"]; left != 1.0 {
				t.Errorf("what is left: got %v, want 1", left)
			}
			s.want("a whole order", "POST", orders+"/"+placed[0]+"/ship", "", 200)
			s.want("an order that is shipped", "POST", orders+"/"+placed[0]+"/ship", "", 404)
			s.want("more than was ordered", "POST", orders+"/"+placed[1]+"/ship", `{"items":4}`, 422)
			s.want("a part of an order", "POST", orders+"/"+placed[1]+"/ship", `{"items":1}`, 200)
			s.want("somebody else's order", "DELETE", "/shops/other/orders/"+placed[2], "", 404)
			s.want("an order that is not wanted", "DELETE", orders+"/"+placed[2], "", 204)
			figures("shipped and cancelled", 6, 0)

			s.want("a picture", "PUT", pictures+"hat.png", "a hat", 201)
			figures("a picture", 5, 0)
			s.want("a shop that is not there", "POST", "/shops/nobody/orders", `{"items":2}`, 404)
			if _, err := root.SetLimits(t.Context(), org, tenantry.Limits{StorageLimitGB: tenantry.Set(int64(0))}); err != nil {
				t.Fatal(err)
			}
			s.want("a picture without room", "PUT", pictures+"cap.png", "a cap", 403)
			figures("no picture", 5, 0)

			s.until("all that is left", "POST", orders, `{"items":5}`, 201, 3*time.Second)
			s.until("nothing is left", "POST", orders, `{"items":1}`, 402, 0)
			add(1)
			s.until("there is more", "POST", orders, `{"items":1}`, 201, 3*time.Second)

			if _, err := root.SetStatus(t.Context(), org, tenantry.StatusChange{Status: "suspended"}); err != nil {
				t.Fatal(err)
			}
			s.until("a suspended shop sells no more", "POST", orders, `{"items":1}`, 403, 3*time.Second)
			if _, err := root.SetStatus(t.Context(), org, tenantry.StatusChange{Status: "active"}); err != nil {
				t.Fatal(err)
			}
			s.close()
			u, err := root.Usage(t.Context(), org)
			if want := int64(3*3+5+1) * 50_000; err != nil || u.Bandwidth.UsedBytes != want || u.Storage.UsedBytes != int64(len("a hat")) {
				t.Errorf("got %+v, %+v, %v, want %d", u.Bandwidth, u.Storage, err, want)
			}
			figures("in the end", 6, 6)
			sound(t, root)
		})
	}
}
