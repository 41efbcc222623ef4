package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// slowest is how long a refusal may take while the store is away.
const slowest = 5 * time.Second

// While PostgreSQL is away every request is refused in time as 503 with
// Retry-After, the process says that it lives and is not ready, and it works
// again by itself.
func TestPostgresComesBack(t *testing.T) {
	cluster, database := ownCluster(t)
	s := bootstrapped(t, database)
	root := s.as(t, rootEmail)
	org := founded(t, root, "acme")
	l := &load{c: root, org: org, end: make(chan struct{}), phase: "before"}
	l.begin(t.Context())
	l.await(t, "before", 200)

	for round := range 2 {
		stop, down := cluster.Stop, fmt.Sprint("down ", round)
		if round == 1 {
			stop = cluster.Crash
		}
		l.enter(fmt.Sprint("falling ", round))
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		l.enter(down)
		l.await(t, down, 64)
		if status, code := health(t, s.base+"/readyz"); status != 503 || code != "not_ready" {
			t.Errorf("/readyz without a store: got %d %s", status, code)
		}
		if status, _ := health(t, s.base+"/livez"); status != 200 {
			t.Errorf("/livez without a store: got %d", status)
		}
		if _, err := s.api(t).Login(t.Context(), tenantry.Credentials{Email: rootEmail, Password: rootPassword}); tenantry.Status(err) != 503 {
			t.Errorf("sign in without a store: got %v, want 503", err)
		}
		l.enter(fmt.Sprint("rising ", round))
		if err := cluster.Restart(); err != nil {
			t.Fatal(err)
		}
		poll(t, "the service is back", func() bool {
			_, err := root.AddCredits(t.Context(), org, tenantry.Credits{Amount: 1})
			return err == nil
		})
		poll(t, "/readyz is back", func() bool { status, _ := health(t, s.base+"/readyz"); return status == 200 })
		up := fmt.Sprint("up ", round)
		l.enter(up)
		l.await(t, up, 200)
	}
	l.stop()
	l.judge(t)
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.endWhateverItLogged(t)
}

// load asks without pause, and notes what came back.
type load struct {
	c   *tenantry.Client
	org tenantry.OrganizationRef
	end chan struct{}
	all sync.WaitGroup
	n   atomic.Int64

	mu    sync.Mutex // guards what follows
	phase string
	seen  []outcome
	count map[string]int // of answers in a phase
}

// outcome is one answer. It belongs to a phase if that lasted for all of it,
// else to none.
type outcome struct {
	what, phase string
	err         error
	took        time.Duration
}

func (l *load) begin(ctx context.Context) {
	l.count = map[string]int{}
	for what, call := range map[string]func() error{
		"read": func() error { _, err := l.c.Organization(ctx, l.org); return err },
		"list": func() error {
			_, err := l.c.AuditLogs(tenantry.AuditFilter{}).Page(ctx, tenantry.Position{Limit: 5})
			return err
		},
		"add": func() error {
			_, err := l.c.AddCredits(ctx, l.org, tenantry.Credits{Amount: 1, Reason: "load"})
			return err
		},
		"edit": func() error {
			name := fmt.Sprint("Acme ", l.n.Add(1))
			_, err := l.c.EditOrganization(ctx, l.org, tenantry.OrganizationEdit{Name: tenantry.Set(name)})
			return err
		},
	} {
		for range 3 {
			l.all.Go(func() {
				for l.once(what, call) {
				}
			})
		}
	}
}

func (l *load) once(what string, call func() error) (more bool) {
	select {
	case <-l.end:
		return false
	default:
	}
	before, began := l.enter(""), time.Now()
	o := outcome{what: what, err: call(), took: time.Since(began)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == before {
		o.phase = before
	}
	l.seen = append(l.seen, o)
	l.count[o.phase]++
	return true
}

// enter begins a phase, or with "" just tells the one that is.
func (l *load) enter(phase string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if phase != "" {
		l.phase = phase
	}
	return l.phase
}

// await waits for that many answers of the phase.
func (l *load) await(t *testing.T, phase string, n int) {
	t.Helper()
	poll(t, fmt.Sprintf("%d answers while %s", n, phase), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.count[phase] >= n
	})
}

func (l *load) stop() {
	close(l.end)
	l.all.Wait()
}

// judge looks at all that was answered: well while the store was there, 503
// while it was not, one of the two in between.
func (l *load) judge(t *testing.T) {
	t.Helper()
	wrong := 0
	for _, o := range l.seen {
		var e *tenantry.Error
		refused := errors.As(o.err, &e) && e.Status == 503 && e.Code != "" && e.RetryAfter > 0
		fine := o.err == nil || refused
		switch {
		case strings.HasPrefix(o.phase, "down"):
			fine = refused
		case o.phase == "before" || strings.HasPrefix(o.phase, "up"):
			fine = o.err == nil
		}
		if fine && o.took <= slowest {
			continue
		}
		if wrong++; wrong < 20 {
			t.Errorf("%s while %q: got %v after %v", o.what, o.phase, o.err, o.took)
		}
	}
	t.Logf("%d answers: %v", len(l.seen), l.count)
}

// health asks one of the probes.
func health(t *testing.T, url string) (status int, code string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Code string }
	_ = json.Unmarshal(b, &p)
	if res.StatusCode == http.StatusServiceUnavailable && (res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Type") != "application/problem+json") {
		t.Errorf("%s: got %v", url, res.Header)
	}
	return res.StatusCode, p.Code
}

// poll asks until it is so.
func poll(t *testing.T, what string, so func() bool) {
	t.Helper()
	late := time.After(longest)
	next := time.NewTicker(5 * time.Millisecond)
	defer next.Stop()
	for !so() {
		select {
		case <-next.C:
		case <-late:
			t.Fatalf("waited %v in vain until %s", longest, what)
		}
	}
}
