package browser

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db/dbtest"
)

const (
	root     = "../.."
	email    = "root@platform.example"
	password = "a quite long passphrase"
)

// folder holds what binary built, once it has.
var folder string

// binary is the product as it is delivered, built once.
var binary = sync.OnceValues(func() (string, error) {
	if _, err := os.Stat(root + "/internal/console/dist/.vite/manifest.json"); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "tenantry-browser-")
	if err != nil {
		return "", err
	}
	folder = dir
	path := filepath.Join(dir, "tenantry")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./cmd/tenantry")
	build.Dir, build.Stderr = root, os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// site is a running binary.
type site struct{ base, data string }

// serve starts the binary on a folder, with more of its environment, and stops it
// with the test.
func serve(t *testing.T, data string, more ...string) site {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("run `make console` first: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(context.Background(), path, "serve", "--addr", addr, "--data", data, "--public-rate", "0", "--log-level", "error")
	c.Env = append(append(environ(), "TENANTRY_BOOTSTRAP_EMAIL="+email, "TENANTRY_BOOTSTRAP_PASSWORD="+password), more...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("the binary ended with %v", err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Sign in at") {
			return site{"http://" + addr, data}
		}
	}
	t.Fatal("the binary does not serve")
	return site{}
}

// environ is the environment without what is meant for the scripts: the binary
// refuses variables that it does not know.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "TENANTRY_") })
}

// tell runs a script of web/browser against the site.
func (s site) tell(t *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "node", "browser/"+script)
	c.Dir = root + "/web"
	c.Env = append(os.Environ(), "TENANTRY_BASE="+s.base, "TENANTRY_EMAIL="+email, "TENANTRY_PASSWORD="+password, "TENANTRY_MAIL="+s.data+"/mail")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// From sign-up to suspension, each role in a browser of its own.
func TestTheStory(t *testing.T) { serve(t, t.TempDir()).tell(t, "story.mjs") }

// The same on PostgreSQL.
func TestTheStoryOnPostgreSQL(t *testing.T) {
	cluster, err := dbtest.Start()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	database, err := cluster.Database("browser", "")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, t.TempDir(), "TENANTRY_DB="+database).tell(t, "story.mjs")
}

// Brands that are hard to read or hostile stay readable and harmless.
func TestHostileBrands(t *testing.T) { serve(t, t.TempDir()).tell(t, "brands.mjs") }

// Every page of every role is accessible, silent, and fits a phone.
func TestEveryPage(t *testing.T) {
	if dir := os.Getenv("TENANTRY_SCREENSHOTS"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, seeded(t)).tell(t, "everypage.mjs")
}

// Who looks after an organization acts for its members and moves credits back.
func TestActingAndMovingBack(t *testing.T) { serve(t, seeded(t)).tell(t, "moves.mjs") }

// Lists are worked through by keys, also where the server is slow.
func TestLists(t *testing.T) { serve(t, seeded(t)).tell(t, "lists.mjs") }

// Dialogs say what holds of what was entered, and leave what was refused.
func TestDialogs(t *testing.T) { serve(t, seeded(t)).tell(t, "dialogs.mjs") }

// seeded is a folder with the demo data.
func seeded(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("run `make console` first: %v", err)
	}
	data := t.TempDir()
	seed := exec.CommandContext(t.Context(), path, "demo", "seed", "--data", data)
	seed.Env = environ()
	if out, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	return data
}

var loads = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+\.js)"`)

const mostScript = 220_000 // bytes of packed script before the first page shows

// What the application loads before it shows anything stays within its budget.
func TestTheEntryIsLight(t *testing.T) {
	s := serve(t, t.TempDir())
	page := s.get(t, "/app", map[string]string{"Cookie": "tenantry_session=" + s.session(t)})
	total := 0
	found := loads.FindAllStringSubmatch(page, -1)
	for _, f := range found {
		total += s.packed(t, f[1])
	}
	if len(found) == 0 || total > mostScript {
		t.Errorf("the entry is %d bytes in %d files, want at most %d", total, len(found), mostScript)
	}
}

// answer is one that was read to its end.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

func (s site) request(t *testing.T, method, path, body string, header map[string]string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.Cookies(), b}
}

func (s site) get(t *testing.T, path string, header map[string]string) string {
	t.Helper()
	return string(s.request(t, "GET", path, "", header).body)
}

// packed is the size of a file as it travels.
func (s site) packed(t *testing.T, path string) int {
	t.Helper()
	res := s.request(t, "GET", path, "", map[string]string{"Accept-Encoding": "gzip"})
	if res.status != 200 {
		t.Fatalf("%s: %d", path, res.status)
	}
	if res.header.Get("Content-Encoding") == "gzip" {
		if _, err := gzip.NewReader(bytes.NewReader(res.body)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	return len(res.body)
}

// session signs in and gives the cookie.
func (s site) session(t *testing.T) string {
	t.Helper()
	res := s.request(t, "POST", "/login", "email="+strings.ReplaceAll(email, "@", "%40")+"&password="+strings.ReplaceAll(password, " ", "+"),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	for _, c := range res.cookies {
		if c.Name == "tenantry_session" {
			return c.Value
		}
	}
	t.Fatalf("no cookie: %d", res.status)
	return ""
}

// The cookie is traded for a token that the API takes; it opens nothing itself.
func TestTheCookieOpensNothingItself(t *testing.T) {
	s := serve(t, t.TempDir())
	cookie := "tenantry_session=" + s.session(t)
	if res := s.request(t, "GET", "/api/auth/me", "", map[string]string{"Cookie": cookie}); res.status != http.StatusUnauthorized {
		t.Errorf("the API took the cookie: %d", res.status)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	res := s.request(t, "POST", "/session", "", map[string]string{"Cookie": cookie})
	if err := json.Unmarshal(res.body, &token); err != nil || res.status != 200 {
		t.Fatalf("got %d %v", res.status, err)
	}
	if res := s.request(t, "GET", "/api/auth/me", "", map[string]string{"Authorization": "Bearer " + token.AccessToken}); res.status != 200 {
		t.Errorf("the token: %d", res.status)
	}
	if res := s.request(t, "POST", "/session", "", map[string]string{"Cookie": cookie}); res.status != http.StatusUnauthorized {
		t.Errorf("a cookie used twice: %d", res.status)
	}
}
