package credit

import (
	"hash/fnv"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
)

// Turns keep two ways of storing a reference apart: the ledger, whose unique
// columns hold those of its transactions, and whatever keeps an answer under
// one elsewhere. Each looks at both before it stores; the turns make that
// enough, as neither sees what the other has not committed yet.
//
// References share some hundred turns, so that a transaction of thousands needs
// few locks. The ledger takes a turn together with others of the ledger, and
// who keeps an answer has it alone.
const (
	turns    = 512
	turnsKey = 0x7465_6e63_7265_6400 // "tencred": where the advisory locks begin
)

// TakeTurns waits until nobody stores these references in the other way, and
// keeps them from it until tx ends. It comes before every other lock, and once
// in a transaction.
func TakeTurns(tx *db.Tx, ledger, elsewhere []Reference) error {
	if tx.Engine() == db.SQLite || len(ledger)+len(elsewhere) == 0 {
		return nil // SQLite has one writer
	}
	alone := map[int64]bool{}
	for _, r := range ledger {
		alone[r.turn()] = false
	}
	for _, r := range elsewhere {
		alone[r.turn()] = true
	}
	return lockTurns(tx, slices.Sorted(maps.Keys(alone)), alone)
}

func (r Reference) turn() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.Principal + "\x00" + r.Key)) // never fails: see hash.Hash
	return turnsKey + int64(h.Sum64()%turns)
}

// Used reports whether the ledger has a transaction under the reference.
func Used(tx *db.Tx, r Reference) (bool, error) { return used(tx, r) }
