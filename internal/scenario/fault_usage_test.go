package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tenantry "github.com/tenantry/tenantry/client"
)

// service makes a platform-wide key.
func service(t testing.TB, root *tenantry.Client, scopes ...string) string {
	t.Helper()
	k, err := root.CreatePlatformAPIKey(t.Context(), tenantry.NewAPIKey{Name: "Mesh", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return k.Key
}

const (
	reporters = 8
	perRound  = 4000 // distinct events
	perReport = 50
)

// measured is an event of the reporters; every organization has its share.
func measured(n int) tenantry.UsageEvent {
	return tenantry.UsageEvent{ID: fmt.Sprintf("event-%d", n), Source: "ecommerce", Meter: tenantry.BandwidthBytes,
		Subject: fmt.Sprintf("org-%d", n%3), Value: new(int64(n%97 + 1))}
}

// Eight reporters send batches that overlap, three of ten events stand in
// several, and the server is killed again and again: what is not answered is
// sent again, and in the end the totals are the distinct sum.
func TestReportersAcrossKills(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			database := e.empty(t)
			s := bootstrapped(t, database)
			root := s.as(t, rootEmail)
			for i := range 3 {
				founded(t, root, fmt.Sprintf("org-%d", i))
			}
			key := service(t, root, "usage:write")
			sent := &reporting{random: rand.New(rand.NewPCG(7, 7))}
			rounds := kills(t)
			for round := range rounds {
				sent.round(round, 300+sent.random.IntN(400))
				sent.run(t, s.api(t, tenantry.WithToken(key)), func() { s.kill(t) })
				s = bootstrapped(t, database)
			}
			sent.enough = 0
			sent.run(t, s.api(t, tenantry.WithToken(key)), nil)
			root = s.as(t, rootEmail)
			for i := range 3 {
				want := int64(0)
				for n := i; n < rounds*perRound; n += 3 {
					want += *measured(n).Value
				}
				o := tenantry.Slug(fmt.Sprintf("org-%d", i))
				u, err := root.Usage(t.Context(), o)
				h, herr := root.UsageHistory(t.Context(), o, tenantry.HistoryFilter{Meter: tenantry.BandwidthBytes, Step: "hour"})
				if err != nil || herr != nil || u.Bandwidth.UsedBytes != want || h.Total != want {
					t.Errorf("organization %d: got %d, in the history %d (%v, %v), want %d", i, u.Bandwidth.UsedBytes, h.Total, err, herr, want)
				}
			}
			t.Logf("%d rounds: %d events answered as new, %d as known before", rounds, sent.fresh.Load(), sent.known.Load())
			if sent.known.Load() == 0 {
				t.Error("nothing was sent twice")
			}
			s.stop(t)
		})
	}
}

// reporting are the batches that are not answered yet.
type reporting struct {
	random *rand.Rand
	enough int64 // answers before the kill; 0 is all

	mu           sync.Mutex // guards batches
	batches      [][]tenantry.UsageEvent
	fresh, known atomic.Int64
}

// round makes the batches of a round.
func (s *reporting) round(round, enough int) {
	for from := round * perRound; from < (round+1)*perRound; from += perReport {
		var b []tenantry.UsageEvent
		for n := from; n < from+perReport; n++ {
			b = append(b, measured(n))
			if s.random.IntN(10) < 3 {
				b = append(b, measured(s.random.IntN((round+1)*perRound)))
			}
		}
		s.batches = append(s.batches, b)
	}
	s.random.Shuffle(len(s.batches), func(i, j int) { s.batches[i], s.batches[j] = s.batches[j], s.batches[i] })
	s.enough = int64(enough) / 10
}

func (s *reporting) take() []tenantry.UsageEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.batches) == 0 {
		return nil
	}
	b := s.batches[0]
	s.batches = s.batches[1:]
	return b
}

// run sends until all is answered, or the server is gone.
func (s *reporting) run(t *testing.T, c *tenantry.Client, kill func()) {
	t.Helper()
	var answered atomic.Int64
	reached := make(chan struct{})
	var all sync.WaitGroup
	for range reporters {
		all.Go(func() {
			for b := s.take(); b != nil; b = s.take() {
				r, err := c.ReportUsage(context.Background(), b)
				if err != nil {
					s.mu.Lock()
					s.batches = append(s.batches, b)
					s.mu.Unlock()
					if kill == nil || tenantry.Status(err) != 0 {
						t.Errorf("got %v", err)
					}
					return
				}
				if r.Refused > 0 || int(r.Accepted+r.Duplicate+r.Late) != len(b) {
					t.Errorf("got %+v of %d", r, len(b))
				}
				s.fresh.Add(r.Accepted + r.Late)
				s.known.Add(r.Duplicate)
				if answered.Add(1) == s.enough {
					close(reached)
				}
			}
		})
	}
	if kill != nil {
		select {
		case <-reached:
		case <-time.After(longest):
			t.Error("the reporters are too slow")
		}
		kill()
	}
	all.Wait()
}
