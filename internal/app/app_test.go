package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/config"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

const (
	email    = "root@platform.example"
	password = "a quite long passphrase"
)

// site is an installation: its configuration, kept over restarts.
type site struct {
	*testing.T
	environ []string
	base    string
}

func each(t *testing.T, f func(s site)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLiteURL, "postgres": dbtest.EmptyPostgresURL} {
		t.Run(engine, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr := ln.Addr().String()
			if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			f(site{t, []string{"TENANTRY_ADDR=" + addr, "TENANTRY_DB=" + url(t), "TENANTRY_DATA=" + filepath.Join(t.TempDir(), "data"),
				"TENANTRY_LOG_LEVEL=error", "TENANTRY_PUBLIC_RATE=0"}, "http://" + addr})
		})
	}
}

func (s site) config(out io.Writer, more ...string) *app.Config {
	s.Helper()
	cfg, err := config.Load(nil, append(s.environ, more...), "")
	if err != nil {
		s.Fatal(err)
	}
	return &app.Config{Config: cfg, Version: "1.2.3", Out: out}
}

// serve starts it, runs f with what it printed once it is ready, and stops it.
func (s site) serve(f func(printed string), more ...string) {
	s.Helper()
	out, write := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := app.Serve(ctx, s.config(write, more...))
		_ = write.CloseWithError(err)
		ended <- err
	}()
	lines, printed := bufio.NewScanner(out), ""
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if strings.Contains(printed, "Sign in at") || strings.Contains(printed, "/setup#token=") {
			break
		}
	}
	f(printed)
	stop()
	if err := <-ended; err != nil {
		s.Errorf("the end: %v", err)
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://")); err == nil {
		_ = c.Close()
		s.Error("it still listens")
	}
}

// call sends a request and gives status, headers and body.
func (s site) call(method, path, body string) (int, http.Header, map[string]any) {
	s.Helper()
	r, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	m := map[string]any{}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(b, &m); err != nil {
			s.Errorf("%s: %v in %s", path, err, b)
		}
	}
	return res.StatusCode, res.Header, m
}

func (s site) login(password string) int {
	s.Helper()
	code, _, _ := s.call("POST", "/api/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
	return code
}

var link = regexp.MustCompile(`(http://\S+)/setup#token=(\S+)`)

// Without a superadmin a link is printed, which makes one, once; afterwards
// none is.
func TestTheSetUpLink(t *testing.T) {
	each(t, func(s site) {
		var earlier string
		s.serve(func(printed string) { earlier = link.FindStringSubmatch(printed)[2] })
		s.serve(func(printed string) {
			found := link.FindStringSubmatch(printed)
			if found == nil || found[1] != s.base || !strings.Contains(printed, "Tenantry 1.2.3 serves "+s.base) {
				s.Fatalf("printed %s", printed)
			}
			setUp := func(token string) (int, any) {
				code, _, m := s.call("POST", "/api/auth/setup", fmt.Sprintf(`{"token":%q,"email":%q,"password":%q,"name":"Root"}`, token, email, password))
				return code, m["code"]
			}
			if code, why := setUp(found[2] + "x"); code != 422 || why != "invalid_token" {
				s.Errorf("a wrong link: got %d %v", code, why)
			}
			if code, why := setUp(found[2]); code != 201 {
				s.Fatalf("got %d %v", code, why)
			}
			for _, token := range []string{found[2], earlier} {
				if code, why := setUp(token); code != 409 || why != "already_set_up" {
					s.Errorf("again: got %d %v", code, why)
				}
			}
			if code := s.login(password); code != 200 {
				s.Errorf("sign in: got %d", code)
			}
		})
		s.serve(func(printed string) {
			if strings.Contains(printed, "setup") || !strings.Contains(printed, "Sign in at "+s.base+"/") {
				s.Errorf("with a superadmin it printed %s", printed)
			}
		})
	})
}

func TestBootstrap(t *testing.T) {
	each(t, func(s site) {
		file := filepath.Join(s.TempDir(), "password")
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			s.Fatal(err)
		}
		who := "TENANTRY_BOOTSTRAP_EMAIL=" + email
		if err := app.Serve(context.Background(), s.config(io.Discard, who, "TENANTRY_BOOTSTRAP_PASSWORD=short")); err == nil || !strings.Contains(err.Error(), "password_too_short") {
			s.Errorf("a weak password: got %v", err)
		}
		for i := range 2 {
			s.serve(func(printed string) {
				if strings.Contains(printed, "setup") || strings.Contains(printed, password) {
					s.Errorf("it printed %s", printed)
				}
				if code := s.login(password); code != 200 {
					s.Errorf("start %d: got %d", i+1, code)
				}
			}, who, "TENANTRY_BOOTSTRAP_PASSWORD_FILE="+file)
		}
		// A later start with another password changes nothing.
		s.serve(func(string) {
			if code := s.login("another long passphrase"); code != 401 {
				s.Errorf("got %d, want 401", code)
			}
		}, who, "TENANTRY_BOOTSTRAP_PASSWORD=another long passphrase")
	})
}

func TestWhatIsServed(t *testing.T) {
	each(t, func(s site) {
		s.serve(func(string) {
			for path, kind := range map[string]string{
				"/livez": "application/json", "/readyz": "application/json", "/openapi.json": "application/json", "/metrics": "text/plain",
				"/docs": "text/html", "/login": "text/html", "/accept": "text/html", "/icon.svg": "image/svg+xml",
			} {
				code, h, _ := s.call("GET", path, "")
				if code != 200 || !strings.HasPrefix(h.Get("Content-Type"), kind) {
					s.Errorf("%s: got %d %s", path, code, h.Get("Content-Type"))
				}
				for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
					"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": ""} {
					if got := h.Get(name); got != want {
						s.Errorf("%s, %s: got %q, want %q", path, name, got, want)
					}
				}
				if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
					s.Errorf("%s: the policy is %q", path, csp)
				}
			}
			if code, h, m := s.call("GET", "/nope", ""); code != 404 || m["code"] != "not_found" || h.Get("Content-Type") != "application/problem+json" {
				s.Errorf("an unknown page: got %d %v", code, m)
			}
			for size, want := range map[int]int{15 << 10: 200, 17 << 10: 431} {
				http.DefaultClient.CloseIdleConnections() // a connection that is kept may have 4 KiB more
				if code, _, _ := s.call("GET", "/livez?"+strings.Repeat("x", size), ""); code != want {
					s.Errorf("%d bytes of headers: got %d, want %d", size, code, want)
				}
			}
			if code, _, m := s.call("POST", "/setup", "{}"); code/100 != 4 || m["code"] == nil {
				s.Errorf("a page is not posted to: got %d %v", code, m)
			}
		})
	})
}

// An address that is taken, a key of another database: it does not start, and
// leaves nothing running.
func TestRefusalsToStart(t *testing.T) {
	each(t, func(s site) {
		s.serve(func(string) {
			err := app.Serve(context.Background(), s.config(io.Discard))
			if err == nil || !strings.Contains(err.Error(), "address already in use") {
				s.Errorf("a second one on the address: got %v", err)
			}
		})
		err := app.Serve(context.Background(), s.config(io.Discard, "TENANTRY_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
		if err == nil || !strings.Contains(err.Error(), "key") {
			s.Errorf("another key: got %v", err)
		}
		err = app.Serve(context.Background(), s.config(io.Discard, "TENANTRY_SMTP_URL=ftp://x"))
		if err == nil {
			s.Error("a mail server that is none: it started")
		}
		s.serve(func(string) {}) // and so it still starts
	})
}
