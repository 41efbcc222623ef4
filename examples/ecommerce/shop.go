package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tenantry/tenantry/client"
)

// plugin is the shop's key in Tenantry's catalogue.
const plugin = "ecommerce"

// page is about what an item's page weighs, in bytes.
const page = 50_000

// shop serves the orders and pictures of many organizations.
type shop struct {
	c        *client.Client
	may      *client.Entitlements
	reporter reporter
}

func newShop(c *client.Client) *shop {
	return &shop{c: c, reporter: reporter{c: c, some: make(chan struct{}, 1)},
		// Two seconds and the server's one: a suspended shop sells for three
		// seconds at most. Without Tenantry nothing is sold.
		may: client.NewEntitlements(c, plugin, client.EntitlementOptions{MaxAge: 2 * time.Second})}
}

func (s *shop) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /shops/{org}/orders", s.order)
	m.HandleFunc("PUT /shops/{org}/pictures/{name}", s.picture)
	return m
}

// order sells, if the organization may still serve so many pages.
func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	var in struct{ Items int64 }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil || in.Items < 1 || in.Items > 1000 {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"error": "give items, 1 to 1000"})
		return
	}
	org, weight := client.Slug(r.PathValue("org")), in.Items*page
	d, err := s.may.Meter(r.Context(), org, client.BandwidthBytes, weight)
	if err != nil || !d.Allowed {
		deny(w, d, err)
		return
	}
	id := rand.Text()
	if !s.reporter.note(client.UsageEvent{ID: id, Source: plugin, Meter: client.BandwidthBytes, Subject: string(org), Time: time.Now(), Value: &weight}) {
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": "usage cannot be reported"})
		return
	}
	s.may.Note(org, client.BandwidthBytes, weight)
	answer(w, http.StatusCreated, map[string]any{"order": id, "items": in.Items, "remaining": d.Remaining})
}

// picture stores one, in room that was set aside for it before.
func (s *shop) picture(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 1 {
		answer(w, http.StatusLengthRequired, map[string]any{"error": "say how long the picture is"})
		return
	}
	org := client.Slug(r.PathValue("org"))
	room, err := s.c.Reserve(r.Context(), org, client.NewReservation{Plugin: plugin, Meter: client.StorageBytes, Quantity: r.ContentLength})
	if err != nil {
		deny(w, client.Decision{Code: client.Code(err)}, err)
		return
	}
	stored, err := io.Copy(io.Discard, r.Body) // where a real shop would keep it
	if err != nil || stored != r.ContentLength {
		_, _ = s.c.ReleaseReservation(r.Context(), org, room.ID) // else it is over in a while
		answer(w, http.StatusBadRequest, map[string]any{"error": "the picture did not arrive whole"})
		return
	}
	if _, err := s.c.CommitReservation(r.Context(), org, room.ID, client.Commitment{}, client.IdempotencyKey(rand.Text())); err != nil {
		deny(w, client.Decision{Code: client.Code(err)}, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"picture": r.PathValue("name"), "bytes": stored, "remaining": room.Remaining})
}

// deny passes Tenantry's word on: why, and who decided.
func deny(w http.ResponseWriter, d client.Decision, err error) {
	status := http.StatusForbidden
	var refused *client.Error
	if d.Code == client.Unavailable || err != nil && !errors.As(err, &refused) {
		status = http.StatusServiceUnavailable
	} else if refused != nil {
		status, d.Code = refused.Status, refused.Code
	}
	answer(w, status, map[string]any{"code": d.Code, "decided_by": d.DecidedBy, "remaining": d.Remaining})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
