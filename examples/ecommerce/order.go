package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/tenantry/tenantry/client"
)

// An order that is neither shipped nor cancelled costs nothing: its hold is over
// by itself after waits. That many orders wait for it at most, in memory: where
// a real shop would have a table.
const (
	waits   = time.Hour
	waiting = 100_000
)

// order is one that is placed and not shipped.
type order struct {
	org   client.OrganizationRef
	items int64
	hold  int64     // of the credits that it will cost
	until time.Time // when the hold is over
}

type orders struct {
	mu  sync.Mutex // guards all
	all map[string]order
}

// keep takes an order in; false says that too many wait.
func (o *orders) keep(id string, placed order, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) >= waiting {
		for k, v := range o.all {
			if v.until.Before(now) {
				delete(o.all, k)
			}
		}
	}
	if len(o.all) >= waiting {
		return false
	}
	o.all[id] = placed
	return true
}

func (o *orders) find(org client.OrganizationRef, id string) (order, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.all[id]
	return v, ok && v.org == org
}

func (o *orders) drop(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, id)
}

// place sells, if the organization may still serve so many pages and pay for so
// many items: both are asked in memory first, which turns most of them away
// without a request; then the credits are held, which is exact.
func (s *shop) place(w http.ResponseWriter, r *http.Request) {
	var in struct{ Items int64 }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil || in.Items < 1 || in.Items > 1000 {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"error": "give items, 1 to 1000"})
		return
	}
	ctx, org, weight, cost := r.Context(), client.Slug(r.PathValue("org")), in.Items*page, in.Items*perItem
	if d, err := s.may.Meter(ctx, org, client.BandwidthBytes, weight); err != nil || !d.Allowed {
		deny(w, d, err)
		return
	}
	if d, err := s.may.Credits(ctx, org, cost); err != nil || !d.Allowed {
		deny(w, d, err)
		return
	}
	id := rand.Text()
	held, err := s.c.HoldCredits(ctx, org, client.NewHold{Spend: client.Spend{Amount: cost, Plugin: plugin, Reference: "order " + id},
		ExpiresIn: int64(waits / time.Second)}, client.IdempotencyKey(id))
	if err != nil {
		deny(w, client.Decision{}, err)
		return
	}
	placed := order{org: org, items: in.Items, hold: held.ID, until: held.ExpiresAt}
	if !s.orders.keep(id, placed, time.Now()) || !s.reporter.note(client.UsageEvent{ID: id, Source: plugin, Meter: client.BandwidthBytes, Subject: r.PathValue("org"), Time: time.Now(), Value: &weight}) {
		s.orders.drop(id)
		_, _ = s.c.VoidHold(ctx, held.ID) // else it is over in a while
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": "too much waits; come back later"})
		return
	}
	s.may.Note(org, client.BandwidthBytes, weight)
	answer(w, http.StatusCreated, map[string]any{"order": id, "items": in.Items, "held": held.Amount})
}

// ship spends what an order holds: for the items that are sent, all of them
// unless it says fewer. The rest is given back. Shipping again after a failure
// spends nothing twice.
func (s *shop) ship(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("order")
	placed, ok := s.orders.find(client.Slug(r.PathValue("org")), id)
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"error": "there is no such order"})
		return
	}
	in := struct{ Items int64 }{placed.items}
	if r.ContentLength != 0 {
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in)
		if err != nil || in.Items < 1 || in.Items > placed.items {
			answer(w, http.StatusUnprocessableEntity, map[string]any{"error": "give items, at most those of the order"})
			return
		}
	}
	spent, err := s.c.CaptureHold(r.Context(), placed.hold, client.Capture{Amount: in.Items * perItem, Final: true}, client.IdempotencyKey("ship-"+id))
	if err != nil {
		deny(w, client.Decision{}, err)
		return
	}
	s.orders.drop(id)
	answer(w, http.StatusOK, map[string]any{"order": id, "items": in.Items, "credits": spent.Amount})
}

// cancel gives back what an order holds.
func (s *shop) cancel(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("order")
	placed, ok := s.orders.find(client.Slug(r.PathValue("org")), id)
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"error": "there is no such order"})
		return
	}
	if _, err := s.c.VoidHold(r.Context(), placed.hold); err != nil && client.Code(err) != "hold_ended" {
		deny(w, client.Decision{}, err)
		return
	}
	s.orders.drop(id)
	w.WriteHeader(http.StatusNoContent)
}
