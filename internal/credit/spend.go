package credit

import (
	"math"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Spend asks for credits to be consumed.
type Spend struct {
	Amount    int64  `json:"amount" example:"3" doc:"Whole credits, at least 1"`
	Plugin    string `json:"plugin" minLength:"1" maxLength:"64" example:"crm" doc:"Key of the plugin that consumes them"`
	Reference string `json:"reference,omitempty" required:"false" maxLength:"200" example:"job-4711" doc:"The service's own word for it"`
}

// NewHold asks for credits to be set aside for a while.
type NewHold struct {
	Spend
	ExpiresIn int64 `json:"expires_in" example:"600" doc:"Seconds until what is not captured is given back: 1 to 2,592,000 (30 days)"`
}

// Capture posts a part of a hold, or all of it.
type Capture struct {
	Amount int64 `json:"amount" example:"2" doc:"Whole credits, at least 1 and at most what is left of the hold"`
	Final  bool  `json:"final,omitempty" required:"false" doc:"Ends the hold: what is left is given back"`
}

// Refund gives back what was consumed or captured.
type Refund struct {
	Amount *int64 `json:"amount,omitempty" required:"false" example:"1" doc:"At most what is left to refund; absent or null: all of that"`
	Reason string `json:"reason,omitempty" required:"false" maxLength:"2000" example:"Failed job" doc:"At most 500 characters"`
}

// HoldState is how a hold stands.
type HoldState string

// The states; all but open are final.
const (
	HoldOpen     HoldState = "open"
	HoldCaptured HoldState = "captured"
	HoldVoided   HoldState = "voided"
	HoldExpired  HoldState = "expired"
)

// Hold is credits set aside, as it is answered.
type Hold struct {
	ID           id.Transaction  `json:"id"`
	Organization id.Organization `json:"organization_id"`
	Plugin       string          `json:"plugin"`
	Reference    *string         `json:"reference"`
	Amount       int64           `json:"amount"`
	Captured     int64           `json:"captured" doc:"What of it was captured so far"`
	State        HoldState       `json:"state" enum:"open,captured,voided,expired"`
	ExpiresAt    db.Time         `json:"expires_at"`
	CreatedAt    db.Time         `json:"created_at"`
	UpdatedAt    db.Time         `json:"updated_at" doc:"When it was made or ended"`
	EndedAt      *db.Time        `json:"ended_at"`
}

// Revision is the first while the hold is open and untouched, the second after.
func (h Hold) Revision() int64 {
	if h.State == HoldOpen && h.Captured == 0 {
		return 1
	}
	return 2
}

// holding is a hold in the book.
type holding struct {
	id               id.Transaction
	of               *record // of a new one
	wallet           *wallet
	organization     id.Organization
	plugin           string
	reference        string
	amount, captured int64
	state            HoldState
	expires, at      db.Time
	ended            *db.Time
}

const longestHold = 30 * 24 * time.Hour

// product is the actor of what expires by itself.
var product = audit.Actor{Type: audit.System}

func (s Spend) check(v *fault.Validation) {
	if s.Amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	if s.Plugin == "" {
		v.Add("plugin", "required", "Name the plugin that consumes the credits.")
	}
}

// spendable refuses a wallet that is frozen, or does not cover the amount.
func (w *wallet) spendable(amount int64) error {
	switch {
	case w.adminSuspended:
		return fault.New(fault.Forbidden, "admin_suspended", "The account that manages this is suspended. Ask its provider.")
	case w.suspended:
		return fault.New(fault.Forbidden, "organization_suspended", "The organization is suspended. Ask its owner or provider.")
	case amount > w.available():
		return insufficient(w.available(), amount, "The credits do not cover this.")
	case w.debits+w.held > math.MaxInt64-amount: // what is held can be captured, always
		return full("amount")
	}
	return nil
}

// consume burns credits for a plugin.
func (b *book) consume(w *wallet, s Spend, d draft) (*record, error) {
	var v fault.Validation
	if s.check(&v); v.Err() != nil {
		return nil, v.Err()
	}
	if err := w.spendable(s.Amount); err != nil {
		return nil, err
	}
	to, err := b.other(w, "consumed", s.Plugin)
	if err != nil {
		return nil, err
	}
	pieces, err := b.burn(w, s.Amount)
	if err != nil {
		return nil, err
	}
	d.kind, d.amount = Consumed, s.Amount
	t := b.begin(d.spends(w, s), &w.account, to)
	for _, p := range pieces {
		b.post(t, posts, &w.account, to, p.amount, p.lot, nil)
	}
	b.watch(w)
	return t, nil
}

func (d draft) spends(w *wallet, s Spend) draft {
	d.source, d.organization, d.plugin, d.reference = FromOrganization, w.of.Organization, s.Plugin, s.Reference
	return d
}

// hold sets credits aside; they count as spent at once.
func (b *book) hold(w *wallet, n NewHold, d draft) (*holding, error) {
	var v fault.Validation
	n.check(&v)
	if n.ExpiresIn < 1 || n.ExpiresIn > int64(longestHold/time.Second) {
		v.Add("expires_in", "out_of_range", "Give a number of seconds from 1 to %d.", int64(longestHold/time.Second))
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := w.spendable(n.Amount); err != nil {
		return nil, err
	}
	to, err := b.other(w, "consumed", n.Plugin)
	if err != nil {
		return nil, err
	}
	end := b.tx.Now.Add(time.Duration(n.ExpiresIn) * time.Second)
	d.kind, d.amount, d.expires = Held, n.Amount, &end
	t := b.begin(d.spends(w, n.Spend), &w.account, to)
	b.post(t, holds, &w.account, to, n.Amount, nil, nil)
	if err := b.cover(w); err != nil {
		return nil, err
	}
	w.expires(&end)
	b.watch(w)
	h := &holding{of: t, wallet: w, organization: w.of.Organization, plugin: n.Plugin, reference: n.Reference, amount: n.Amount,
		state: HoldOpen, expires: end, at: t.at}
	b.newHolds = append(b.newHolds, h)
	return h, nil
}

// capture posts a part of a hold. The hold ends when nothing is left of it, or
// when the capture is final.
func (b *book) capture(h *holding, c Capture, d draft) (*record, error) {
	if c.Amount <= 0 {
		return nil, fault.InvalidField("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	if err := h.open(); err != nil {
		return nil, err
	}
	left := h.amount - h.captured
	if c.Amount > left {
		return nil, fault.New(fault.Conflict, "hold_exceeded", "Of the hold %d credits are left.", left).With("remaining", left)
	}
	w := h.wallet
	to, err := b.other(w, "consumed", h.plugin)
	if err != nil {
		return nil, err
	}
	d.kind, d.amount, d.hold = Captured, c.Amount, h.id
	t := b.begin(d.spends(w, Spend{Plugin: h.plugin, Reference: h.reference}), &w.account, to)
	for _, p := range w.burnHeld(c.Amount) {
		b.post(t, captures, &w.account, to, p.amount, p.lot, nil)
	}
	h.captured += c.Amount
	left -= c.Amount
	if left > 0 && c.Final {
		b.post(t, releases, &w.account, to, left, nil, nil)
	}
	if left == 0 || c.Final {
		h.state, h.ended = HoldCaptured, &t.at
	}
	if err := b.cover(w); err != nil {
		return nil, err
	}
	b.watch(w)
	b.changed = append(b.changed, h)
	return t, b.expire(w)
}

// void gives back what is left of a hold.
func (b *book) void(h *holding, d draft) error {
	if err := h.open(); err != nil {
		return err
	}
	d.kind = Voided
	return b.end(h, HoldVoided, d)
}

func (h *holding) open() error {
	if h.state == HoldOpen {
		return nil
	}
	return fault.New(fault.Conflict, "hold_ended", "The hold has ended: it is %s.", h.state).With("state", h.state)
}

// end gives back what is left of a hold and makes it final.
func (b *book) end(h *holding, state HoldState, d draft) error {
	w := h.wallet
	to, err := b.other(w, "consumed", h.plugin)
	if err != nil {
		return err
	}
	d.amount, d.hold = h.amount-h.captured, h.id
	t := b.begin(d.spends(w, Spend{Plugin: h.plugin, Reference: h.reference}), &w.account, to)
	b.post(t, releases, &w.account, to, d.amount, nil, nil)
	h.state, h.ended = state, &t.at
	b.changed = append(b.changed, h)
	if err := b.cover(w); err != nil {
		return err
	}
	b.watch(w)
	return b.expire(w)
}

// origin is a transaction that can be refunded, and what of it was.
type origin struct {
	id           id.Transaction
	kind         Kind
	organization id.Organization
	amount       int64
	refunded     int64
	plugin       string
	pieces       []piece // in the order in which they were taken
}

// refund gives credits back to the lots they were taken from, the last first.
func (b *book) refund(w *wallet, o *origin, r Refund, d draft) (*record, error) {
	if o.kind != Consumed && o.kind != Captured {
		return nil, fault.New(fault.Conflict, "not_refundable", "Only what was consumed or captured can be refunded.")
	}
	left := o.amount - o.refunded
	amount := left
	if r.Amount != nil {
		amount = *r.Amount
	}
	switch {
	case r.Amount != nil && amount <= 0:
		return nil, fault.InvalidField("amount", "too_small", "Give a whole number of credits, at least 1.")
	case amount > left || left == 0:
		return nil, fault.New(fault.Conflict, "refund_exceeded", "Of the transaction %d credits are left to refund.", left).With("refundable", left)
	case w.credits > math.MaxInt64-amount:
		return nil, full("amount")
	}
	from, err := b.other(w, "consumed", o.plugin)
	if err != nil {
		return nil, err
	}
	d.kind, d.source, d.amount, d.reverses, d.reason = Refunded, FromConsumed, amount, o.id, r.Reason
	d.organization, d.plugin = w.of.Organization, o.plugin
	t := b.begin(d, &w.account, from)
	skip, rest := o.refunded, amount
	for i := len(o.pieces) - 1; i >= 0 && rest > 0; i-- {
		p := o.pieces[i]
		n := min(skip, p.amount)
		skip, p.amount = skip-n, p.amount-n
		if n = min(rest, p.amount); n > 0 {
			b.restore(t, from, w, p.lot, n)
			rest -= n
		}
	}
	o.refunded += amount
	if err := b.cover(w); err != nil {
		return nil, err
	}
	b.watch(w)
	return t, nil
}

func (h *holding) seen() Hold {
	if h.of != nil {
		h.id = h.of.id
	}
	s := Hold{ID: h.id, Organization: h.organization, Plugin: h.plugin, Reference: ref(h.reference), Amount: h.amount, Captured: h.captured,
		State: h.state, ExpiresAt: h.expires, CreatedAt: h.at, UpdatedAt: h.at, EndedAt: h.ended}
	if h.ended != nil {
		s.UpdatedAt = *h.ended
	}
	return s
}
