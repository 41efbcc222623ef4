package credit

import (
	"context"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Seal gives hashes to what was written before the ledger had any, once: that it
// is done is kept, and from then on it changes nothing. A row that has no hash
// afterwards was changed by somebody, and Verify says so. It runs before the
// ledger is used. Two processes may run it at once.
func Seal(ctx context.Context, d *db.DB) error {
	for {
		var more bool
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			more, err = sealSome(tx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// sealSome works on one page of rows, or on one wallet once all rows have their
// hashes.
func sealSome(tx *db.Tx) (more bool, err error) {
	seal, err := newSealer(tx)
	if err != nil {
		return false, err
	}
	if kept, err := sealedOf(tx); err != nil || kept.at != 0 {
		return false, err
	}
	for _, step := range []func(*db.Tx, *sealer) (bool, error){sealTransactions, sealLots, sealEntries, sealHead, sealLimits} {
		if more, err = step(tx, seal); err != nil || more {
			return more, err
		}
	}
	return false, keepSealed(tx, seal.done(tx.Now))
}

func sealTransactions(tx *db.Tx, seal *sealer) (bool, error) {
	return sealPage(tx, "credit_transactions", unsealedRecords, func(t *record) []any { return []any{int64(t.id), seal.transaction(t)} })
}

func sealLots(tx *db.Tx, seal *sealer) (bool, error) {
	return sealPage(tx, "credit_lots", unsealedLots, func(l *lot) []any { return []any{int64(l.id), seal.lot(l)} })
}

// sealPage stores the hashes of a page of rows, each given as its id and hash.
func sealPage[R any](tx *db.Tx, table string, page func(*db.Tx) ([]R, error), hashed func(R) []any) (bool, error) {
	all, err := page(tx)
	if err != nil || len(all) == 0 {
		return false, err
	}
	rows := make([][]any, len(all))
	for i, r := range all {
		rows[i] = hashed(r)
	}
	return true, tx.UpdateMany(table, []string{"hash"}, rows)
}

func sealEntries(tx *db.Tx, seal *sealer) (bool, error) {
	wallets, err := unsealedChains(tx)
	if err != nil || len(wallets) == 0 {
		return false, err
	}
	for _, of := range wallets {
		chain, err := wholeChain(tx, of)
		if err != nil {
			return false, err
		}
		var rows [][]any
		for _, e := range chain {
			if len(e.stored) == 0 {
				rows = append(rows, []any{e.id, seal.entry(e)})
			}
		}
		if err := tx.UpdateMany("credit_entries", []string{"hash"}, rows); err != nil {
			return false, err
		}
	}
	return true, nil
}

func sealHead(tx *db.Tx, seal *sealer) (bool, error) {
	wallets, err := headless(tx)
	if err != nil || len(wallets) == 0 {
		return false, err
	}
	for _, of := range wallets {
		chain, err := wholeChain(tx, of)
		if err != nil {
			return false, err
		}
		var head []byte
		for _, e := range chain {
			head = seal.link(of, head, e.stored)
		}
		if err := saveHead(tx, of, head); err != nil {
			return false, err
		}
	}
	return true, nil
}

func sealLimits(tx *db.Tx, seal *sealer) (bool, error) {
	last := map[id.Account][]byte{}
	return sealPage(tx, "credit_limits", unsealedLimits, func(l limitBefore) []any {
		before := l.before
		if last[l.account] != nil {
			before = last[l.account]
		}
		last[l.account] = seal.limit(l.limitSet, before)
		return []any{l.id, last[l.account]}
	})
}

// wholeChain reads all entries of a wallet.
func wholeChain(tx *db.Tx, of id.Account) (all []*entry, err error) {
	s, err := snapshotOf(tx, of)
	at := db.Time(0)
	for err == nil && int64(len(all)) < s.wallet.length {
		var page []*entry
		if page, err = chainAfter(tx, s, int64(len(all)), at); len(page) == 0 {
			break
		}
		all, at = append(all, page...), page[len(page)-1].of.at
	}
	return all, err
}
