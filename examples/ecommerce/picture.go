package main

import (
	"crypto/rand"
	"io"
	"net/http"

	"github.com/tenantry/tenantry/client"
)

// picture stores one, in room that was set aside for it before, and spends a
// credit on its thumbnail. Whatever goes wrong gives back what was taken.
func (s *shop) picture(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 1 {
		answer(w, http.StatusLengthRequired, map[string]any{"error": "say how long the picture is"})
		return
	}
	ctx, org, name := r.Context(), client.Slug(r.PathValue("org")), r.PathValue("name")
	room, err := s.c.Reserve(ctx, org, client.NewReservation{Plugin: plugin, Meter: client.StorageBytes, Quantity: r.ContentLength})
	if err != nil {
		deny(w, client.Decision{}, err)
		return
	}
	stored, err := io.Copy(io.Discard, r.Body) // where a real shop would keep it
	if err != nil || stored != r.ContentLength {
		_, _ = s.c.ReleaseReservation(ctx, org, room.ID) // else it is over in a while
		answer(w, http.StatusBadRequest, map[string]any{"error": "the picture did not arrive whole"})
		return
	}
	paid, err := s.c.Consume(ctx, org, client.Spend{Amount: perThumbnail, Plugin: plugin, Reference: "thumbnail of " + name}, client.IdempotencyKey(rand.Text()))
	if err != nil {
		_, _ = s.c.ReleaseReservation(ctx, org, room.ID)
		deny(w, client.Decision{}, err)
		return
	}
	if _, err := s.c.CommitReservation(ctx, org, room.ID, client.Commitment{}, client.IdempotencyKey(rand.Text())); err != nil {
		_, _ = s.c.RefundTransaction(ctx, paid.ID, client.Refund{Reason: "The picture was not stored."}, client.IdempotencyKey(rand.Text()))
		deny(w, client.Decision{}, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"picture": name, "bytes": stored, "remaining": room.Remaining, "credits": paid.Amount})
}
