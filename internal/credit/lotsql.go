package credit

import (
	"slices"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

const lotColumns = `l.id, l.account_id, l.transaction_id, l.parent_lot_id, l.category, l.priority, l.amount, l.repaid, l.remaining, l.held, l.expires_at, l.created_at`

// scanLot reads a lot and the account that it is in.
func (b *book) scanLot(r db.Row) (*lot, error) {
	l := &lot{stored: true}
	var account id.Account
	var parent *id.Lot
	err := r.Scan(&l.id, &account, &l.transaction, &parent, &l.category, &l.priority, &l.amount, &l.repaid, &l.left, &l.held, &l.expires, &l.at)
	if parent != nil {
		l.parent = &lot{id: *parent, stored: true}
	}
	l.wallet = b.byAccount[account]
	return l, err
}

// isOpen is the condition of a lot with something left. Its bound of the
// priority bounds nothing: it makes SQLite look in the index of open lots, and not
// in that of all that an account ever had.
const isOpen = ` AND l.remaining > 0 AND l.priority >= -9223372036854775807`

// burnOrder is byBurn for what is stored, wallet by wallet, as the index
// credit_lots_burn has it.
const burnOrder = ` ORDER BY l.account_id, l.priority, COALESCE(l.expires_at, 9223372036854775807),
	(CASE l.category WHEN 'plan' THEN 0 WHEN 'promo' THEN 1 WHEN 'refund' THEN 2 ELSE 3 END), l.created_at, l.id`

// openLots reads the lots with something left of all wallets; of one that has
// many, a window only.
func (b *book) openLots() error {
	all := b.sorted()
	if len(all) == 1 {
		return b.window(all[0])
	}
	accounts := make([]id.Account, len(all))
	for i, w := range all {
		accounts[i] = w.id
	}
	marks, args := placesFor(accounts, 1)
	most := lotWindow * len(args) // as marks, of few lengths
	lots, err := db.All(b.tx, b.scanLot, `SELECT `+lotColumns+` FROM credit_lots l WHERE l.account_id IN `+marks+isOpen+burnOrder+` LIMIT `+strconv.Itoa(most+1), args...)
	if err != nil {
		return err
	}
	if len(lots) > most {
		for _, w := range all {
			if err := b.window(w); err != nil {
				return err
			}
		}
		return nil
	}
	for _, l := range lots {
		b.lots[l.id] = l
		l.wallet.lots = append(l.wallet.lots, l)
	}
	return nil
}

// window reads the first lots of a wallet, in burn order, and as many more as
// hold what is set aside in them.
func (b *book) window(w *wallet) error {
	w.beyond = true
	inLots := min(w.held, max(0, w.balance()))
	for w.beyond {
		if err := b.next(w); err != nil {
			return err
		}
		if w.held-w.uncovered() == inLots {
			break
		}
	}
	return nil
}

// next reads more lots of a wallet: a window, then as many again as were read.
// What is stored of it does not change while it is locked, before the book is
// flushed: a place in the order stays one. A lot that the book knows is the
// book's.
func (b *book) next(w *wallet) error {
	n := max(lotWindow, w.windowed)
	lots, err := db.All(b.tx, func(r db.Row) (*lot, error) {
		l, err := b.scanLot(r)
		if known := b.lots[l.id]; known != nil {
			l = known
		}
		b.lots[l.id] = l
		w.add(l)
		return l, err
	}, `SELECT `+lotColumns+` FROM credit_lots l WHERE l.account_id = $1`+isOpen+burnOrder+
		` LIMIT `+strconv.Itoa(n)+` OFFSET `+strconv.Itoa(w.windowed), int64(w.id))
	if err != nil {
		return err
	}
	w.windowed += len(lots)
	if w.beyond = len(lots) == n; w.beyond {
		w.edge = lots[n-1]
	}
	return nil
}

// lotsByID loads lots that have nothing left, or stand behind the window of
// their wallet.
func (b *book) lotsByID(ids []id.Lot) error {
	missing := slices.DeleteFunc(slices.Clone(ids), func(n id.Lot) bool { return b.lots[n] != nil })
	if len(missing) == 0 {
		return nil
	}
	marks, args := placesFor(missing, 1)
	_, err := db.All(b.tx, func(r db.Row) (struct{}, error) {
		l, err := b.scanLot(r)
		if err == nil {
			b.lots[l.id] = l
		}
		return struct{}{}, err
	}, `SELECT `+lotColumns+` FROM credit_lots l WHERE l.id IN `+marks+` ORDER BY l.id`, args...)
	return err
}

func (b *book) storeLots() error {
	var rows [][]any
	for _, l := range b.newLots {
		parent := id.Lot(0)
		if l.parent != nil {
			parent = l.parent.id
		}
		rows = append(rows, []any{int64(l.id), int64(l.wallet.id), id.Ref(l.wallet.of.Organization), id.Ref(l.wallet.of.Admin), int64(l.of.id), id.Ref(parent), string(l.category), l.priority,
			l.amount, l.repaid, l.left, l.held, l.expires, l.at, l.hash})
	}
	if err := b.tx.InsertMany("credit_lots", lotFields, rows); err != nil {
		return err
	}
	rows = nil
	for _, l := range b.lots {
		if l.dirty {
			rows = append(rows, []any{int64(l.id), l.left, l.held})
		}
	}
	return b.update("credit_lots", []string{"remaining", "held"}, rows)
}
