package credit

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// replay is a wallet as its entries make it, one transaction after the other:
// what is in its lots, and what of that is set aside. It shows what counters do
// not: that a lot was burnt before its turn, and that more was spent than there
// was. Where an account breaks a rule it stops, as all that follows would.
type replay struct {
	wallet wallet // with copies of the lots that have something left
	lots   map[id.Lot]*lot
	of     *record // whose entries come
	taken  bool    // it took or set aside credits of the wallet
	broken bool
}

func newReplay(s snapshot) *replay {
	r := &replay{lots: make(map[id.Lot]*lot, len(s.lots))}
	for _, l := range s.lots {
		l := *l
		l.left, l.held = 0, 0
		r.lots[l.id] = &l
	}
	return r
}

// replay follows one entry of the wallet's chain.
func (v *verifier) replay(f *fold, e *entry) {
	r := f.replay
	if r.of == nil || r.of.id != e.of.id {
		v.settled(f)
		r.of, r.taken = e.of, false
	}
	if r.broken {
		return
	}
	switch {
	case e.effect == holds:
		r.wallet.held, r.taken = r.wallet.held+e.amount, true
	case e.effect == releases:
		r.wallet.held -= e.amount
	case e.debit.id == f.wallet.id:
		r.taken = true
		v.out(f, e)
	default:
		v.in(f, e)
	}
}

func (v *verifier) broken(f *fold, code string, row int64, format string, args ...any) {
	f.replay.broken = true
	v.wrong(code, f.wallet.id, row, format, args...)
}

// in fills a lot. A new one has repaid what was overdrawn.
func (v *verifier) in(f *fold, e *entry) {
	w, l := &f.replay.wallet, f.replay.lots[id.Lot(e.creditLot.number())]
	if l != nil {
		if l.transaction == e.of.id {
			if want := min(e.amount, max(0, -w.balance())); l.repaid != want {
				v.broken(f, "lot_repaid", int64(l.id), "Lot %d says that it repaid %d, where %d were overdrawn.", l.id, l.repaid, want)
			}
			l.left -= l.repaid
		}
		l.left += e.amount
		w.add(l)
	}
	w.credits += e.amount
}

// out takes from a lot, whose turn it must be: what is free goes before what is
// held, and both before the credit limit.
func (v *verifier) out(f *fold, e *entry) {
	w, l := &f.replay.wallet, f.replay.lots[id.Lot(e.debitLot.number())]
	w.debits += e.amount
	captured := e.effect == captures
	if captured {
		w.held -= e.amount
	}
	held := captured || l == nil || l.free() == 0
	if captured || inTurn(e.of.kind) {
		if first := w.first(l, held, captured); first != nil {
			v.broken(f, "burn_order", e.id, "Entry %d takes from lot %d, while lot %d had credits and its turn.", e.id, e.debitLot.number(), first.id)
			return
		}
	}
	if l == nil {
		return
	}
	there := l.free()
	if held {
		there, l.held = l.held, l.held-e.amount
	}
	l.left -= e.amount
	switch {
	case e.amount > there:
		v.broken(f, "burn_order", e.id, "Entry %d takes %d of lot %d, which had %d for it.", e.id, e.amount, l.id, there)
	case e.of.kind == Expired && (l.expires == nil || *l.expires > e.of.at):
		v.broken(f, "expired_early", e.id, "Entry %d ends credits of lot %d before their time.", e.id, l.id)
	}
}

// inTurn reports whether the kind burns lots in their order. What expires or
// goes back to a pool is bound to certain lots.
func inTurn(k Kind) bool { return k == Consumed || k == Allocated || k == Adjusted }

// first gives a lot whose turn comes before that of l, where there is one: nil is
// the credit limit. held is that what is held is being taken, captured that
// nothing else may be.
func (w *wallet) first(l *lot, held, captured bool) *lot {
	later := false
	for _, other := range w.lots {
		switch {
		case other == l:
			later = true
		case !captured && other.free() > 0 && (held || !later), held && other.held > 0 && !later:
			return other
		}
	}
	return nil
}

// settled ends a transaction: what is held rests on lots now, as far as it can.
func (v *verifier) settled(f *fold) {
	r := f.replay
	if r.of == nil || r.broken {
		return
	}
	w := &r.wallet
	w.cover()
	var sum int64
	for _, l := range w.lots {
		sum += l.left
	}
	w.lots = slices.DeleteFunc(w.lots, func(l *lot) bool { return l.left == 0 })
	switch available := Available(w.balance(), w.held, f.limitAt(r.of.at)); {
	case sum != max(0, w.balance()):
		v.broken(f, "lots_balance", int64(r.of.id), "After transaction %d the lots held %d, the balance was %d.", r.of.id, sum, w.balance())
	case available < 0 && r.taken && (r.of.kind == Consumed || r.of.kind == Held || r.of.kind == Allocated):
		v.broken(f, "overspent", int64(r.of.id), "Transaction %d left %d available.", r.of.id, available)
	}
}

// near is how far apart two processes may have put what happened at once: a
// limit, and a spend that had waited for it.
const near = 5 * time.Minute

// limitAt is the highest limit that was in force at about that time.
func (s *snapshot) limitAt(at db.Time) (highest int64) {
	for i, l := range s.limits {
		if l.at <= at.Add(near) && (i == len(s.limits)-1 || s.limits[i+1].at >= at.Add(-near)) {
			highest = max(highest, l.limit)
		}
	}
	return highest
}

// across is the kind of account that stands across a wallet in such a
// transaction; "" is another wallet.
func (k Kind) across() string {
	switch k {
	case Granted, Added:
		return "issuance"
	case Allocated, Deallocated:
		return ""
	case Expired:
		return "expired"
	case Adjusted:
		return "adjustment"
	}
	return "consumed"
}

// compareReplay holds what the replay ends with against what is stored.
func (v *verifier) compareReplay(f *fold) {
	v.settled(f)
	if f.replay.broken {
		return
	}
	for _, l := range f.lots {
		if want := f.replay.lots[l.id].held; l.held != want {
			v.wrong("lot_held", f.wallet.id, int64(l.id), "Of lot %d %d are held, its entries make %d.", l.id, l.held, want)
		}
	}
}

// compareAccount looks at what an account says of itself beside its counters.
// One that is no wallet has no limit, no chain and nothing that ends.
func (v *verifier) compareAccount(f *fold, a *account, made folded) {
	limit, backing, late := limitSet{}, int64(0), a.due != nil || a.length != 0 || len(a.head) != 0
	if a.isWallet() {
		limit, backing, late = f.limitNow(), f.backing, f.late()
	}
	for what, wrong := range map[string]bool{
		"whose it is, or its plugin":        a.blank || (a.kind == "consumed") != (a.plugin != ""),
		"how many transactions touched it":  a.recorded != made.transactions,
		"when the last transaction was":     a.movedAt != made.at,
		"its credit limit, or who backs it": a.limit != limit.limit || a.backedBy != limit.by,
		"the credit limits that rest on it": a.backed != backing,
		"when something of it ends next":    late,
	} {
		if wrong {
			v.wrong("account_altered", a.id, 0, "What the account says is not right: %s.", what)
		}
	}
}

// limitNow is the limit that was set last.
func (s *snapshot) limitNow() (now limitSet) {
	if n := len(s.limits); n > 0 {
		now = s.limits[n-1]
	}
	return now
}

// late reports that the wallet would end something after its time.
func (s *snapshot) late() bool {
	due := func(at db.Time) bool { return s.wallet.due == nil || *s.wallet.due > at }
	return slices.ContainsFunc(s.lots, func(l *lot) bool { return l.free() > 0 && l.expires != nil && due(*l.expires) }) ||
		slices.ContainsFunc(s.holds, func(h *holding) bool { return h.state == HoldOpen && due(h.expires) })
}
