package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// longest is how long a test waits for what must come.
const longest = 30 * time.Second

// kill ends the process as a power cut does.
func (s *server) kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.read.Wait()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// endWhateverItLogged is stop for a server that was given reason to complain.
func (s *server) endWhateverItLogged(t testing.TB) {
	t.Helper()
	s.read.Wait()
	err := s.cmd.Wait()
	s.cmd = nil
	if err != nil {
		t.Errorf("the server ended: %v", err)
	}
}

// api is a client of the server that repeats nothing.
func (s *server) api(t testing.TB, o ...tenantry.Option) *tenantry.Client {
	t.Helper()
	c, err := tenantry.New(s.base, append([]tenantry.Option{tenantry.WithRetries(0)}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as signs a person in.
func (s *server) as(t testing.TB, email string) *tenantry.Client {
	t.Helper()
	c, err := s.api(t).SignIn(t.Context(), email, rootPassword)
	if err != nil {
		t.Fatalf("sign in: %v", err)
	}
	return c
}

// bootstrapped starts a server on an empty database that has a superadmin.
func bootstrapped(t testing.TB, database string) *server {
	t.Helper()
	return start(t, database, "TENANTRY_BOOTSTRAP_EMAIL="+rootEmail, "TENANTRY_BOOTSTRAP_PASSWORD="+rootPassword)
}

// founded makes an organization of the platform.
func founded(t testing.TB, root *tenantry.Client, slug string) tenantry.OrganizationRef {
	t.Helper()
	r, err := root.Register(t.Context(), tenantry.Registration{Email: "owner@" + slug + ".example", Password: rootPassword,
		CompanyName: slug, ContactName: "Owner", DesiredOrgSlug: slug})
	if err == nil {
		_, err = root.ApproveRequest(t.Context(), r.ID, tenantry.Approval{Provision: true})
	}
	if err != nil {
		t.Fatalf("make an organization: %v", err)
	}
	return tenantry.Slug(slug)
}

// kills is how often the process is killed, TENANTRY_TEST_KILLS or a handful.
func kills(t testing.TB) int {
	t.Helper()
	s := os.Getenv("TENANTRY_TEST_KILLS")
	if s == "" {
		return 3
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("TENANTRY_TEST_KILLS is no number: %q", s)
	}
	return n
}

// What was answered is there once after a power cut, what was not answered is
// there wholly or not at all, and asking again with the same keys ends with
// each thing there once.
func TestKilledWhileWriting(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			database := e.empty(t)
			s := bootstrapped(t, database)
			l := &ledger{org: founded(t, s.as(t, rootEmail), "acme")}
			for round := range kills(t) {
				w := &writers{round: round, org: l.org, c: s.as(t, rootEmail), answered: map[string]int64{}}
				w.run(t, 20+rand.IntN(300), func() { s.kill(t) })
				s = bootstrapped(t, database)
				c := s.as(t, rootEmail)
				l.check(t, c, w)
				recount(t, database)
				w.again(t, c)
				l.settle(t, c, w)
				recount(t, database)
				if t.Failed() {
					t.Fatalf("round %d: %d answered, %d not", round, len(w.answered), len(w.unanswered))
				}
			}
			s.stop(t)
		})
	}
}

// writers write until the server is gone. Every fourth write makes a partner
// group, the others add credits.
type writers struct {
	round int
	org   tenantry.OrganizationRef
	c     *tenantry.Client

	mu         sync.Mutex       // guards what follows
	answered   map[string]int64 // key to the id of what was made
	unanswered []string
}

const several = 16

// run writes and, once enough was answered, kills.
func (w *writers) run(t *testing.T, enough int, kill func()) {
	t.Helper()
	reached := make(chan struct{})
	var all sync.WaitGroup
	for n := range several {
		all.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("r%d-w%d-%d", w.round, n, i)
				id, err := w.write(t.Context(), w.c, key, nil)
				w.mu.Lock()
				if err != nil {
					w.unanswered = append(w.unanswered, key)
				} else if w.answered[key] = id; len(w.answered) == enough {
					close(reached)
				}
				w.mu.Unlock()
				if e := (*tenantry.Error)(nil); errors.As(err, &e) {
					t.Errorf("%s: got %v", key, err)
					return
				} else if err != nil {
					return
				}
			}
		})
	}
	select {
	case <-reached:
	case <-time.After(longest):
		t.Error("the writers are too slow")
	}
	kill()
	all.Wait()
}

// isGroup reports a key under which a partner group is made.
func isGroup(key string) bool { return key[len(key)-1]%4 == 0 }

func (w *writers) write(ctx context.Context, c *tenantry.Client, key string, a *tenantry.Answer) (int64, error) {
	o := []tenantry.CallOption{tenantry.IdempotencyKey(key)}
	if a != nil {
		o = append(o, tenantry.Receive(a))
	}
	if isGroup(key) {
		g, err := c.CreatePartnerGroup(ctx, tenantry.NewPartnerGroup{Name: key}, o...)
		return g.ID, err
	}
	f, err := c.AddCredits(ctx, w.org, tenantry.Credits{Amount: 3, Reason: key}, o...)
	return f.Transaction.ID, err
}

// again sends everything once more, under the same keys.
func (w *writers) again(t *testing.T, c *tenantry.Client) {
	t.Helper()
	for key, id := range w.answered {
		var a tenantry.Answer
		if got, err := w.write(t.Context(), c, key, &a); err != nil || got != id || !a.Replayed {
			t.Errorf("%s again: got %d (replayed %v), %v, want %d replayed", key, got, a.Replayed, err, id)
		}
	}
	for _, key := range w.unanswered {
		id, err := w.write(t.Context(), c, key, nil)
		if err != nil {
			t.Errorf("%s after the kill: got %v", key, err)
		}
		w.answered[key] = id
	}
	w.unanswered = nil
}

// ledger is what must be there after the rounds so far.
type ledger struct {
	org             tenantry.OrganizationRef
	groups, credits int64
}

// check looks what a round left, before anything is sent again.
func (l *ledger) check(t *testing.T, c *tenantry.Client, w *writers) {
	t.Helper()
	there := l.found(t, c, w.round)
	for key, id := range w.answered {
		if there[key] != id {
			t.Errorf("%s was answered with %d: got %d after the kill", key, id, there[key])
		}
	}
	asked := maps.Clone(w.answered)
	for _, key := range w.unanswered {
		asked[key] = 0
	}
	groups, credits := l.groups, l.credits
	for key := range there {
		if _, ok := asked[key]; !ok {
			t.Errorf("%s is there, though nobody asked for it", key)
		}
		if isGroup(key) {
			groups++
		} else {
			credits++
		}
	}
	l.compare(t, c, groups, credits)
}

// settle looks that all of a round is there once it was sent again.
func (l *ledger) settle(t *testing.T, c *tenantry.Client, w *writers) {
	t.Helper()
	there := l.found(t, c, w.round)
	if !maps.Equal(there, w.answered) {
		t.Errorf("got %v in the end, want %v", there, w.answered)
	}
	for key := range there {
		if isGroup(key) {
			l.groups++
		} else {
			l.credits++
		}
	}
	l.compare(t, c, l.groups, l.credits)
}

// found gives what a round made, key to id. Both lists are newest first.
func (l *ledger) found(t *testing.T, c *tenantry.Client, round int) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	keep := func(key string, id int64, err error) (more bool) {
		var r int
		if err == nil {
			_, err = fmt.Sscanf(key, "r%d-", &r)
		}
		if err != nil {
			t.Fatalf("read %q back: %v", key, err)
		}
		if r == round && all[key] != 0 {
			t.Errorf("%s is there twice: %d and %d", key, all[key], id)
		}
		if r == round {
			all[key] = id
		}
		return r == round
	}
	for g, err := range c.PartnerGroups(tenantry.PartnerGroupFilter{}).All(t.Context()) {
		if !keep(g.Name, g.ID, err) {
			break
		}
	}
	for tr, err := range c.Transactions(l.org, tenantry.TransactionFilter{}).All(t.Context()) {
		if tr.Reason == nil || !keep(*tr.Reason, tr.ID, err) {
			break
		}
	}
	return all
}

// compare holds the totals of everything that a write leaves against each
// other: rows, balance, audit events.
func (l *ledger) compare(t *testing.T, c *tenantry.Client, groups, credits int64) {
	t.Helper()
	one := tenantry.Position{Limit: 1}
	total := func(what string, n int64, err error, want int64) {
		t.Helper()
		if err != nil || n != want {
			t.Errorf("%s: got %d, %v, want %d", what, n, err, want)
		}
	}
	g, err := c.PartnerGroups(tenantry.PartnerGroupFilter{}).Page(t.Context(), one)
	total("partner groups", g.Pagination.Total, err, groups)
	tr, err := c.Transactions(l.org, tenantry.TransactionFilter{}).Page(t.Context(), one)
	total("transactions", tr.Pagination.Total, err, credits)
	f, err := c.Credits(t.Context(), l.org)
	total("balance", f.Balance, err, 3*credits)
	a, err := c.AuditLogs(tenantry.AuditFilter{Action: "partner_group.created"}).Page(t.Context(), one)
	total("audit events of groups", a.Pagination.Total, err, groups)
	a, err = c.AuditLogs(tenantry.AuditFilter{Action: "organization.credits_added"}).Page(t.Context(), one)
	total("audit events of credits", a.Pagination.Total, err, credits)
	s, err := c.AuditStats(t.Context(), 365)
	a, errAll := c.AuditLogs(tenantry.AuditFilter{}).Page(t.Context(), one)
	total("audit events in all, as counted by day", s.Total, errors.Join(err, errAll), a.Pagination.Total)
}

// ownCluster makes an empty database on a cluster of the test's own.
func ownCluster(t *testing.T) (*dbtest.Cluster, string) {
	t.Helper()
	c, err := dbtest.Start()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	url, err := c.Database("fault", "")
	if err != nil {
		t.Fatal(err)
	}
	return c, url
}
