package credit_test

import (
	"cmp"
	"slices"

	"github.com/tenantry/tenantry/internal/credit"
)

// The ledger once more, credit by credit: every wallet is a heap of single
// credits, and every operation moves them one at a time. Times are seconds.

// mLot is where a credit came from. Two lots that are burnt alike are one here.
type mLot struct {
	priority, expires int64 // expires 0: never
	category          credit.Category
	parent            *mLot
	in                *mWallet
	age               int64 // when it was made, for ties
}

// mCredit is one credit in a wallet.
type mCredit struct {
	lot  *mLot
	held bool
}

type mWallet struct {
	admin     *mWallet // of an organization
	credits   []*mCredit
	over      int64 // overdrawn
	uncovered int64 // held without a credit
	limit     int64
	holds     []*mHold
	burnt     map[string]int64 // consumed less refunded, by plugin
}

type mHold struct {
	of            *mWallet
	plugin        string
	left, expires int64
	open          bool
}

// mSpent is a transaction that can be refunded: where each credit came from.
type mSpent struct {
	of       *mWallet
	plugin   string
	from     []*mCredit // nil: overdrawn
	refunded int64
}

// model is the whole ledger at a time.
type model struct {
	now int64
	age int64
}

var ranks = []credit.Category{credit.Plan, credit.Promo, credit.Return, credit.Paid}

// order is the burn order.
func (m *model) order(a, b *mCredit) int {
	never := func(t int64) uint64 { return uint64(t) - 1 } // 0 is the last
	return cmp.Or(cmp.Compare(a.lot.priority, b.lot.priority), cmp.Compare(never(a.lot.expires), never(b.lot.expires)),
		cmp.Compare(slices.Index(ranks, a.lot.category), slices.Index(ranks, b.lot.category)), cmp.Compare(a.lot.age, b.lot.age))
}

// first is the next credit to burn among those that match; nil for none.
func (m *model) first(w *mWallet, match func(*mCredit) bool) *mCredit {
	var best *mCredit
	for _, c := range w.credits {
		if match(c) && (best == nil || m.order(c, best) < 0) {
			best = c
		}
	}
	return best
}

func free(c *mCredit) bool { return !c.held }
func held(c *mCredit) bool { return c.held }
func (w *mWallet) drop(c *mCredit) {
	w.credits = slices.DeleteFunc(w.credits, func(x *mCredit) bool { return x == c })
}

func (w *mWallet) count(match func(*mCredit) bool) (n int64) {
	for _, c := range w.credits {
		if match(c) {
			n++
		}
	}
	return n
}

func (w *mWallet) balance() int64   { return int64(len(w.credits)) - w.over }
func (w *mWallet) held() int64      { return w.count(held) + w.uncovered }
func (w *mWallet) available() int64 { return w.balance() - w.held() + w.limit }

// put adds one credit; it repays first.
func (w *mWallet) put(c *mCredit) {
	if w.over > 0 {
		w.over--
		return
	}
	w.credits = append(w.credits, &mCredit{lot: c.lot})
}

// cover lets what is held rest on free credits.
func (m *model) cover(w *mWallet) {
	for c := m.first(w, free); c != nil && w.uncovered > 0; c = m.first(w, free) {
		c.held = true
		w.uncovered--
	}
}

// deposit makes a lot of n credits.
func (m *model) deposit(w *mWallet, n int64, l *mLot) {
	m.make(w, l)
	for range n {
		w.put(&mCredit{lot: l})
	}
	m.cover(w)
}

// make gives a lot its wallet and age.
func (m *model) make(w *mWallet, l *mLot) *mLot {
	m.age++
	l.in, l.age = w, m.age
	return l
}

// burn takes one credit for good; nil is out of the limit.
func (m *model) burn(w *mWallet) *mCredit {
	if c := m.first(w, free); c != nil {
		w.drop(c)
		return c
	}
	if c := m.first(w, held); c != nil {
		w.drop(c)
		w.uncovered++
		return c
	}
	w.over++
	return nil
}

// Each operation says the code of its refusal, which changes nothing.

func (m *model) consume(w *mWallet, plugin string, n int64) (*mSpent, string) {
	if n > w.available() {
		return nil, "insufficient_credits"
	}
	s := &mSpent{of: w, plugin: plugin}
	for range n {
		s.from = append(s.from, m.burn(w))
	}
	w.burnt[plugin] += n
	return s, ""
}

func (m *model) hold(w *mWallet, plugin string, n, seconds int64) (*mHold, string) {
	if n > w.available() {
		return nil, "insufficient_credits"
	}
	w.uncovered += n
	m.cover(w)
	h := &mHold{of: w, plugin: plugin, left: n, expires: m.now + seconds, open: true}
	w.holds = append(w.holds, h)
	return h, ""
}

// release gives back what a hold has left.
func (m *model) release(h *mHold) {
	w := h.of
	for ; h.left > 0; h.left-- {
		if w.uncovered > 0 {
			w.uncovered--
			continue
		}
		var last *mCredit
		for _, c := range w.credits {
			if c.held && (last == nil || m.order(c, last) >= 0) {
				last = c
			}
		}
		last.held = false
	}
	h.open = false
	m.expire(w)
}

func (m *model) capture(h *mHold, n int64, final bool) (*mSpent, string) {
	switch {
	case !h.open:
		return nil, "hold_ended"
	case n > h.left:
		return nil, "hold_exceeded"
	}
	w := h.of
	s := &mSpent{of: w, plugin: h.plugin}
	for range n {
		c := m.first(w, held)
		if w.drop(c); c == nil {
			w.uncovered, w.over = w.uncovered-1, w.over+1
		}
		s.from = append(s.from, c)
	}
	w.burnt[h.plugin] += n
	if h.left -= n; h.left == 0 || final {
		m.release(h)
	}
	return s, ""
}

func (m *model) void(h *mHold) string {
	if h.open {
		m.release(h)
		return ""
	}
	return "hold_ended"
}

// refund gives back, the last credit first. n 0 is all.
func (m *model) refund(s *mSpent, n int64) string {
	left := int64(len(s.from)) - s.refunded
	if n == 0 {
		n = left
	}
	if n > left || left == 0 {
		return "refund_exceeded"
	}
	for ; n > 0; n-- {
		s.refunded++
		m.comeBack(s.of, s.from[int64(len(s.from))-s.refunded])
		s.of.burnt[s.plugin]--
	}
	m.cover(s.of)
	return ""
}

// comeBack puts a credit where it came from, or into a lot of what came back.
func (m *model) comeBack(w *mWallet, c *mCredit) {
	if c == nil || c.lot.expires != 0 && c.lot.expires <= m.now {
		l := &mLot{category: credit.Return}
		if c != nil {
			l.priority, l.expires, l.parent = c.lot.priority, m.now+30*24*3600, c.lot
		}
		c = &mCredit{lot: m.make(w, l)}
	}
	w.put(c)
}

func (m *model) allocate(w *mWallet, n int64, expires int64) string {
	if n > w.admin.balance() {
		return "insufficient_credits"
	}
	children := map[*mLot]*mLot{}
	for range n {
		c := m.burn(w.admin)
		child := children[c.lot]
		if child == nil {
			child = m.make(w, &mLot{priority: c.lot.priority, category: c.lot.category, parent: c.lot, expires: c.lot.expires})
			if child.expires == 0 || expires != 0 && expires < child.expires {
				child.expires = expires
			}
			children[c.lot] = child
		}
		w.put(&mCredit{lot: child})
	}
	m.cover(w)
	return ""
}

func (m *model) deallocate(w *mWallet, n int64) string {
	ours := func(c *mCredit) bool { return free(c) && c.lot.parent != nil && c.lot.parent.in == w.admin }
	if n > w.count(ours) {
		return "insufficient_credits"
	}
	for range n {
		c := m.first(w, ours)
		w.drop(c)
		m.comeBack(w.admin, &mCredit{lot: c.lot.parent})
	}
	return ""
}

// touch ends what is due in a wallet.
func (m *model) touch(w *mWallet) {
	due := slices.Clone(w.holds)
	slices.SortStableFunc(due, func(a, b *mHold) int { return cmp.Compare(a.expires, b.expires) })
	for _, h := range due {
		if h.open && h.expires <= m.now {
			m.release(h)
		}
	}
	m.expire(w)
}

func (m *model) expire(w *mWallet) {
	w.credits = slices.DeleteFunc(w.credits, func(c *mCredit) bool { return !c.held && c.lot.expires != 0 && c.lot.expires <= m.now })
}
