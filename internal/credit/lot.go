package credit

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Category says what credits are, for the order in which they are burnt.
type Category string

// The categories, in burn order.
const (
	Plan   Category = "plan"
	Promo  Category = "promo"
	Return Category = "refund" // given back when the lot it came from was gone
	Paid   Category = "paid"
)

var categories = []Category{Plan, Promo, Return, Paid}

// Terms say how the credits of a deposit are burnt: the smallest priority
// first, then what expires soonest, then by category. The zero value is paid
// credits that never expire; for an allocation it is what the pool's lots say.
type Terms struct {
	Category Category
	Priority int64
	Expires  *db.Time
}

// grace is how long credits are good that came back when their own lot had
// expired.
const grace = 30 * 24 * time.Hour

// lot is credits of one deposit in a wallet.
type lot struct {
	id             id.Lot
	wallet         *wallet
	of             *record // nil for a stored one
	transaction    id.Transaction
	parent         *lot
	category       Category
	priority       int64
	amount, repaid int64
	left, held     int64
	expires        *db.Time
	at             db.Time
	order          int // among new ones of one moment
	hash           []byte
	stored, dirty  bool
	blank          bool // as of record
}

func (l *lot) free() int64 { return l.left - l.held }

func (l *lot) expired(now db.Time) bool { return l.expires != nil && *l.expires <= now }

// byBurn is the order in which lots are burnt.
func byBurn(a, b *lot) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), bySoonest(a.expires, b.expires),
		cmp.Compare(slices.Index(categories, a.category), slices.Index(categories, b.category)),
		cmp.Compare(a.at, b.at), byAge(a, b))
}

func bySoonest(a, b *db.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

// byAge puts stored lots, which have an id, before new ones.
func byAge(a, b *lot) int {
	if a.stored != b.stored {
		if a.stored {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.order, b.order))
}

// piece is a part of a lot; a nil lot is what the credit limit gives.
type piece struct {
	lot    *lot
	amount int64
}

// lotWindow is how many open lots of a wallet are read at first. Whoever gets
// credits in thousands of small deposits waits no longer for a spend than others.
var lotWindow = 64

// reach reads lots of a wallet until n credits are free in those whose turn
// comes before all that were not read, or everything is read.
func (b *book) reach(w *wallet, n int64) error {
	for w.beyond {
		rest := n
		for _, l := range w.lots {
			if rest -= l.free(); rest <= 0 {
				return nil
			}
			if l == w.edge {
				break
			}
		}
		if err := b.next(w); err != nil {
			return err
		}
	}
	return nil
}

// whole reads every open lot of a wallet.
func (b *book) whole(w *wallet) error { return b.reach(w, math.MaxInt64) }

// burn takes credits out of the lots in burn order: what is free, then what is
// held, whose holds then rest on the credit limit, then the limit itself. The
// caller has looked that it is available.
func (b *book) burn(w *wallet, amount int64) (taken []piece, err error) {
	if err := b.reach(w, amount); err != nil {
		return nil, err
	}
	taken, amount = w.take(amount, (*lot).free, func(l *lot, n int64) { l.left -= n })
	if amount > 0 {
		var more []piece
		more, amount = w.take(amount, func(l *lot) int64 { return l.held }, (*lot).spendHeld)
		taken = append(taken, more...)
	}
	return over(taken, amount), nil
}

// burnHeld takes what a hold has set aside. Where less is held in lots, nothing
// in them is free, and the rest is the limit's.
func (w *wallet) burnHeld(amount int64) []piece {
	taken, rest := w.take(amount, func(l *lot) int64 { return l.held }, (*lot).spendHeld)
	return over(taken, rest)
}

func (l *lot) spendHeld(n int64) { l.left, l.held = l.left-n, l.held-n }

func over(taken []piece, rest int64) []piece {
	if rest > 0 {
		taken = append(taken, piece{nil, rest})
	}
	return taken
}

func (w *wallet) take(amount int64, has func(*lot) int64, change func(*lot, int64)) (taken []piece, rest int64) {
	for _, l := range w.lots {
		n := min(amount, has(l))
		if n == 0 {
			continue
		}
		change(l, n)
		l.dirty = true
		taken, amount = append(taken, piece{l, n}), amount-n
		if amount == 0 {
			break
		}
	}
	return taken, amount
}

// cover lets what is held rest on lots as far as there are free ones, in burn
// order, and frees what is no longer held, in the reverse order.
func (b *book) cover(w *wallet) error {
	if rest := w.uncovered(); rest > 0 {
		if err := b.reach(w, rest); err != nil {
			return err
		}
	}
	w.cover()
	return nil
}

// uncovered is what is held but not set aside in lots; negative, if more is.
func (w *wallet) uncovered() int64 {
	rest := w.held
	for _, l := range w.lots {
		rest -= l.held
	}
	return rest
}

func (w *wallet) cover() {
	rest := w.uncovered()
	for _, l := range w.lots {
		if n := min(rest, l.free()); n > 0 {
			l.held, l.dirty, rest = l.held+n, true, rest-n
		}
	}
	for _, l := range slices.Backward(w.lots) {
		if n := min(-rest, l.held); n > 0 {
			l.held, l.dirty, rest = l.held-n, true, rest+n
			w.expires(l.expires) // what was held did not
		}
	}
}

// deposit puts a new lot into the wallet. It first repays what is overdrawn,
// then covers what is held without one. The caller posts amount afterwards.
func (b *book) deposit(w *wallet, t *record, amount int64, from *lot, terms Terms) *lot {
	l := &lot{wallet: w, of: t, parent: from, category: terms.Category, priority: terms.Priority, expires: terms.Expires,
		amount: amount, repaid: min(amount, max(0, -w.balance())), at: t.at, order: len(b.newLots)}
	l.left = amount - l.repaid
	b.newLots = append(b.newLots, l)
	w.add(l)
	w.expires(l.expires)
	return l
}

// add gives a lot its place among those that have something left.
func (w *wallet) add(l *lot) {
	if at, there := slices.BinarySearchFunc(w.lots, l, byBurn); !there {
		w.lots = slices.Insert(w.lots, at, l)
	}
}

// expires remembers that something of the wallet does at that time.
func (w *wallet) expires(at *db.Time) {
	if at != nil && (w.due == nil || *at < *w.due) {
		w.due = at
	}
}

// restore gives credits back to the lot they were taken from, or to a new one
// where it has expired or they came out of the limit; but first what is
// overdrawn is repaid.
func (b *book) restore(t *record, from *account, w *wallet, l *lot, amount int64) {
	if n := min(amount, max(0, -w.balance())); n > 0 {
		b.post(t, posts, from, &w.account, n, nil, nil)
		amount -= n
	}
	if amount == 0 {
		return
	}
	if l != nil && !l.expired(b.tx.Now) {
		l.left, l.dirty = l.left+amount, true
		w.add(l)
		w.expires(l.expires)
		b.post(t, posts, from, &w.account, amount, nil, l)
		return
	}
	terms := Terms{Category: Return}
	if l != nil {
		end := b.tx.Now.Add(grace)
		terms.Priority, terms.Expires = l.priority, &end
	}
	b.post(t, posts, from, &w.account, amount, nil, b.deposit(w, t, amount, l, terms))
}

// touch ends what is due: holds first, then what their lots leave free.
func (b *book) touch(w *wallet) error {
	if w.due == nil || *w.due > b.tx.Now {
		return nil
	}
	if err := b.whole(w); err != nil {
		return err
	}
	due, next, err := dueHolds(b.tx, w.id)
	if err != nil {
		return err
	}
	for _, h := range due {
		if b.holds[h.id] == nil {
			h.wallet = w
			b.holds[h.id] = h
		}
		if err := b.end(b.holds[h.id], HoldExpired, draft{kind: HoldEnded, actor: product}); err != nil {
			return err
		}
	}
	if err := b.expire(w); err != nil {
		return err
	}
	w.due, w.touched = next, true
	for _, l := range w.lots {
		if l.free() > 0 {
			w.expires(l.expires)
		}
	}
	return nil
}

// expire takes what is free of lots that have expired.
func (b *book) expire(w *wallet) error {
	var gone []piece
	var sum int64
	for _, l := range w.lots {
		if n := l.free(); n > 0 && l.expired(b.tx.Now) {
			gone, sum = append(gone, piece{l, n}), sum+n
		}
	}
	if sum == 0 {
		return nil
	}
	to, err := b.other(w, "expired", "")
	if err != nil {
		return err
	}
	t := b.begin(draft{kind: Expired, source: w.source(), amount: sum, admin: w.of.Admin, organization: w.of.Organization, actor: product}, &w.account, to)
	for _, p := range gone {
		p.lot.left, p.lot.dirty = p.lot.left-p.amount, true
		b.post(t, posts, &w.account, to, p.amount, p.lot, nil)
	}
	b.watch(w)
	return nil
}

// source names the wallet as what credits come from.
func (w *wallet) source() Source {
	if w.of.Admin != 0 {
		return FromAdmin
	}
	return FromOrganization
}
