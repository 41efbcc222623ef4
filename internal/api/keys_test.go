package api_test

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

// shop is a service of one organization with credits, on one process or two.
type shop struct {
	*testing.T
	organization int64
	root         superadmin
	callers      []superadmin // the same key on each process
}

func eachShop(t *testing.T, f func(s *shop)) {
	open := map[string]func(t *testing.T) []*db.DB{
		"sqlite": func(t *testing.T) []*db.DB {
			return []*db.DB{dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{})}
		},
		"postgres": func(t *testing.T) []*db.DB {
			url := dbtest.PostgresURL(t)
			return []*db.DB{dbtest.Open(t, url, db.Options{Connections: 8}), dbtest.Open(t, url, db.Options{Connections: 8})}
		},
	}
	for engine, handles := range open {
		t.Run(engine, func(t *testing.T) {
			s := &shop{T: t}
			for _, d := range handles(t) {
				s.callers = append(s.callers, superadmin{T: t, h: newServer(t, d).Handler()})
			}
			s.root = s.callers[0].as(rootEmail)
			s.organization, _ = s.root.provisioned("owner@acme.example", "acme", `{}`)
			s.root.want("POST", s.path("credits/add"), `{"amount":1000000}`, 200)
			key := s.root.want("POST", s.path("api-keys"), `{"name":"Shop","scopes":["credits:spend","usage:write"]}`, 201)["key"].(string)
			for i := range s.callers {
				s.callers[i].token = key
			}
			f(s)
		})
	}
}

func (s *shop) path(rest string) string {
	return fmt.Sprintf("/api/tenants/organizations/%d/%s", s.organization, rest)
}

// keyed is a request that can be made again and again with another key.
type keyed struct{ name, path, body string }

// routes are all that a service posts with an Idempotency-Key; each call takes
// things of its own.
func (s *shop) routes() []keyed {
	s.Helper()
	c := s.callers[0]
	n := func(path, body string) string {
		return fmt.Sprintf("%.0f", c.want("POST", path, body, 201)["id"])
	}
	const hold = `{"amount":5,"plugin":"crm","expires_in":86400}`
	captured, voided := n(s.path("credits/holds"), hold), n(s.path("credits/holds"), hold)
	spent := n(s.path("credits/consume"), `{"amount":5,"plugin":"crm"}`)
	return []keyed{
		{"consume", s.path("credits/consume"), `{"amount":1,"plugin":"crm"}`},
		{"batch", s.path("credits/consume-batch"), `{"operations":[{"amount":1,"plugin":"crm"}]}`},
		{"hold", s.path("credits/holds"), `{"amount":1,"plugin":"crm","expires_in":86400}`},
		{"capture", "/api/tenants/credits/holds/" + captured + "/capture", `{"amount":1}`},
		{"void", "/api/tenants/credits/holds/" + voided + "/void", ""},
		{"refund", "/api/tenants/credits/transactions/" + spent + "/refund", `{"amount":1}`},
		{"reserve", s.path("usage/reservations"), `{"plugin":"calendar","meter":"storage_bytes","quantity":1,"expires_in":3600}`},
	}
}

// TestAKeyIsOfOneRequest: whatever a service did under a key, nothing else is
// done under it, on whichever route.
func TestAKeyIsOfOneRequest(t *testing.T) {
	eachShop(t, func(s *shop) {
		c := s.callers[0]
		n := len(s.routes())
		for i := range n {
			key := fmt.Sprint("key-", i)
			all := s.routes()
			first := all[i]
			answer := c.call("POST", first.path, first.body, "Idempotency-Key", key)
			if answer.Code/100 != 2 {
				s.Fatalf("%s: got %d %s", first.name, answer.Code, answer.Body)
			}
			before := fmt.Sprint(s.root.want("GET", s.path("usage"), "", 200)["storage_gb"], s.root.want("GET", s.path("credits"), "", 200))
			for j, other := range all {
				if i == j {
					continue
				}
				if out := c.want("POST", other.path, other.body, 422, "Idempotency-Key", key); out["code"] != "idempotency_key_reused" {
					s.Errorf("%s after %s: got %v", other.name, first.name, out)
				}
			}
			if after := fmt.Sprint(s.root.want("GET", s.path("usage"), "", 200)["storage_gb"], s.root.want("GET", s.path("credits"), "", 200)); after != before {
				s.Errorf("after %s: got %s, want %s", first.name, after, before)
			}
			again := c.call("POST", first.path, first.body, "Idempotency-Key", key)
			if again.Code != answer.Code || again.Header().Get("Idempotent-Replayed") != "true" || again.Body.String() != answer.Body.String() {
				s.Errorf("%s again: got %d %v %s, want %s", first.name, again.Code, again.Header(), again.Body, answer.Body)
			}
		}
	})
}

// A key under which something was refused is free, for another route too; an
// operation of a batch may have the batch's own.
func TestAKeyIsFreeAfterARefusal(t *testing.T) {
	eachShop(t, func(s *shop) {
		c := s.callers[0]
		c.wantCode("POST", s.path("credits/consume"), `{"amount":99999999,"plugin":"crm"}`, 402, "insufficient_credits", "Idempotency-Key", "a")
		batch := `{"operations":[{"amount":1,"plugin":"crm","idempotency_key":"a"}]}`
		c.want("POST", s.path("credits/consume-batch"), batch, 200, "Idempotency-Key", "a")
		if w := c.call("POST", s.path("credits/consume-batch"), batch, "Idempotency-Key", "a"); w.Code != 200 || w.Header().Get("Idempotent-Replayed") != "true" {
			s.Errorf("the batch again: got %d %s", w.Code, w.Body)
		}
		c.wantCode("POST", s.path("credits/consume-batch"), `{"operations":[{"amount":2,"plugin":"crm"}]}`, 422, "idempotency_key_reused", "Idempotency-Key", "a")
		c.want("POST", s.path("credits/consume"), `{"amount":1,"plugin":"nowhere"}`, 422, "Idempotency-Key", "b")
		c.want("POST", s.path("usage/reservations"), `{"plugin":"calendar","meter":"storage_bytes","quantity":1,"expires_in":3600}`, 201, "Idempotency-Key", "b")
	})
}

// Of different requests that come under one key at once, on all processes,
// exactly one is done.
func TestAKeyIsOfOneRequestAtOnce(t *testing.T) {
	eachShop(t, func(s *shop) {
		all := s.routes()
		some := []keyed{all[0], all[1], all[2], all[6]}
		const keys, each = 24, 8
		answers := map[int][]*httptest.ResponseRecorder{}
		var mu sync.Mutex // guards answers
		together(keys*each, func(i int) *httptest.ResponseRecorder {
			r := some[(i+i/each)%len(some)]
			w := s.callers[i/len(some)%len(s.callers)].call("POST", r.path, r.body, "Idempotency-Key", fmt.Sprint("race-", i/each))
			mu.Lock()
			answers[i/each] = append(answers[i/each], w)
			mu.Unlock()
			return w
		})
		for key, of := range answers {
			done, bodies := 0, map[string]bool{}
			for _, w := range of {
				switch {
				case w.Code/100 == 2:
					done++
					bodies[w.Body.String()] = true
				case w.Code != 422:
					s.Errorf("key %d: got %d %s", key, w.Code, w.Body)
				}
			}
			if done != each/len(some) || len(bodies) != 1 {
				s.Errorf("key %d: %d of %d succeeded with %d answers, want the same of one request %d times", key, done, each, len(bodies), each/len(some))
			}
		}
	})
}
