package credit

import (
	"bytes"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// Request is one operation of a service; exactly one of Consume, Hold, Capture,
// Void and Refund is set.
type Request struct {
	Actor audit.Actor
	// Within is the organization that the caller is bound to; zero reaches all.
	Within id.Organization
	// Ref and Hash make a repetition harmless: the same reference with the same
	// hash answers as before, with another one it is refused.
	Ref  Reference
	Hash []byte

	Organization id.Organization // of Consume and Hold
	Of           id.Transaction  // the hold that is captured or voided, the transaction that is refunded
	Consume      *Spend
	Hold         *NewHold
	Capture      *Capture
	Void         bool
	Refund       *Refund
}

// Result is what became of a request: a transaction, a hold, or a refusal.
type Result struct {
	Transaction *Transaction
	Hold        *Hold
	Replayed    bool // it was done before
	Err         error
}

// made is a result that waits for its ids.
type made struct {
	t      *record
	wallet *wallet
	h      *holding
	asked  Hold // how the hold stood then
}

// Do runs requests one after the other in one transaction, as if each were
// alone: one that is refused leaves nothing behind. The error is of none of
// them.
func Do(tx *db.Tx, all []Request) ([]Result, error) {
	results := make([]Result, len(all))
	b, err := openFor(tx, all)
	if err != nil {
		return nil, err
	}
	before, err := b.known(all)
	if err != nil {
		return nil, err
	}
	done := make([]made, len(all))
	first := map[Reference]int{}
	for i := range all {
		q := &all[i]
		if k, ok := before[q.Ref]; ok && q.Ref != (Reference{}) {
			results[i] = b.replay(q, k)
			continue
		}
		if n, ok := first[q.Ref]; ok && q.Ref != (Reference{}) {
			results[i].Replayed, done[i] = true, done[n]
			if !bytes.Equal(all[n].Hash, q.Hash) {
				results[i], done[i] = Result{Err: reused()}, made{}
			}
			continue
		}
		if done[i], err = b.do(q); err != nil {
			if fault.Code(err) == "" || fault.Is(err, fault.Unavailable) {
				return nil, err
			}
			results[i].Err = err
			continue
		}
		first[q.Ref] = i
	}
	if err := b.flush(); err != nil {
		return nil, err
	}
	for i := range results {
		b.tell(&results[i], done[i])
	}
	return results, nil
}

// openFor opens the book of all wallets that the requests touch, with the holds
// they name.
func openFor(tx *db.Tx, all []Request) (*book, error) {
	var onHolds, onTransactions []id.Transaction
	for _, q := range all {
		switch {
		case q.Capture != nil || q.Void:
			onHolds = append(onHolds, q.Of)
		case q.Refund != nil:
			onTransactions = append(onTransactions, q.Of)
		}
	}
	onHolds = distinct(onHolds, func(t id.Transaction) id.Transaction { return t })
	onTransactions = distinct(onTransactions, func(t id.Transaction) id.Transaction { return t })
	holdsOf, err := holders(tx, "credit_holds", onHolds)
	if err != nil {
		return nil, err
	}
	transactionsOf, err := holders(tx, "credit_transactions", onTransactions)
	if err != nil {
		return nil, err
	}
	owners := make([]Owner, 0, len(all))
	for i := range all {
		q := &all[i]
		switch {
		case q.Capture != nil || q.Void:
			q.Organization = holdsOf[q.Of]
		case q.Refund != nil:
			q.Organization = transactionsOf[q.Of]
		}
		if q.reaches() {
			owners = append(owners, Owner{Organization: q.Organization})
		}
	}
	b, err := openBook(tx, owners...)
	if err != nil {
		return nil, err
	}
	return b, b.holdsByID(onHolds)
}

// reaches reports whether the caller may know of the organization.
func (q *Request) reaches() bool {
	return q.Organization != 0 && (q.Within == 0 || q.Within == q.Organization)
}

// known gives what the references of requests made before.
func (b *book) known(all []Request) (map[Reference]known, error) {
	var refs []Reference
	for _, q := range all {
		if q.Ref != (Reference{}) {
			refs = append(refs, q.Ref)
		}
	}
	rows, err := referenced(b.tx, refs)
	before := make(map[Reference]known, len(rows))
	for _, k := range rows {
		before[k.ref] = k
	}
	return before, err
}

// do runs one request.
func (b *book) do(q *Request) (made, error) {
	w := b.wallets[Owner{Organization: q.Organization}]
	if !q.reaches() || w == nil {
		return made{}, fault.Missing()
	}
	d := draft{actor: q.Actor, ref: q.Ref, request: q.Hash}
	m := made{wallet: w}
	var err error
	switch {
	case q.Consume != nil:
		m.t, err = b.consume(w, *q.Consume, d)
	case q.Hold != nil:
		m.h, err = b.hold(w, *q.Hold, d)
	case q.Refund != nil:
		m.t, err = b.refundOf(w, q, d)
	default:
		h := b.holds[q.Of]
		if h == nil {
			return made{}, fault.Missing()
		}
		if q.Void {
			m.h, err = h, b.void(h, d)
		} else {
			m.t, err = b.capture(h, *q.Capture, d)
		}
	}
	if m.h != nil {
		m.asked = m.h.seen()
	}
	return m, err
}

func (b *book) refundOf(w *wallet, q *Request, d draft) (*record, error) {
	var v fault.Validation
	r := *q.Refund
	r.Reason = text.Prose("reason", r.Reason, maxReason, &v)
	if err := v.Err(); err != nil {
		return nil, err
	}
	o := b.origins[q.Of]
	if o == nil {
		var err error
		if o, err = b.originOf(q.Of); err != nil {
			return nil, err
		}
		b.origins[q.Of] = o
	}
	return b.refund(w, o, r, d)
}

const maxReason = 500

// tell fills a result in, once everything has its id.
func (b *book) tell(r *Result, m made) {
	switch {
	case r.Err != nil:
	case m.h != nil:
		h := m.asked
		if h.ID == 0 {
			h.ID = m.h.of.id
		}
		r.Hold = &h
	case m.t != nil:
		t := b.transaction(m.t, &m.wallet.account)
		r.Transaction = &t
	}
}

// replay answers as the request was answered first.
func (b *book) replay(q *Request, k known) Result {
	if !bytes.Equal(k.request, q.Hash) || len(q.Hash) == 0 {
		return Result{Err: reused()}
	}
	if k.Kind != Held && k.Kind != Voided {
		return Result{Transaction: &k.Transaction, Replayed: true}
	}
	h := Hold{ID: k.ID, Organization: id.Val(k.Organization), Plugin: *k.Plugin, Reference: k.Reference, Amount: k.Amount, State: HoldOpen,
		CreatedAt: k.CreatedAt, UpdatedAt: k.CreatedAt}
	if k.Kind == Held {
		h.ExpiresAt = *k.ExpiresAt
		return Result{Hold: &h, Replayed: true}
	}
	if of := b.holds[q.Of]; of != nil {
		h = of.seen()
		h.Captured = h.Amount - k.Amount
	}
	return Result{Hold: &h, Replayed: true}
}

// RefundBy gives back what a service consumed, by a person.
func RefundBy(tx *db.Tx, actor audit.Actor, of id.Transaction, r Refund, ref Reference) (Transaction, error) {
	all, err := Do(tx, []Request{{Actor: actor, Ref: ref, Of: of, Refund: &r}})
	if err != nil {
		return Transaction{}, err
	}
	if all[0].Err != nil {
		return Transaction{}, all[0].Err
	}
	effect.Add(tx, effect.Credits, all[0].Transaction.Amount)
	return *all[0].Transaction, nil
}
