// Package effect adds up whom a change hits, for dry runs: the organizations,
// users, domains and credits that would feel it. It lives and dies with its
// transaction.
package effect

import "github.com/tenantry/tenantry/internal/db"

// Kind is what is counted.
type Kind string

// The kinds.
const (
	Organizations Kind = "organizations"
	Users         Kind = "users"
	Domains       Kind = "domains"
	Credits       Kind = "credits"
)

type (
	wantedKey struct{}
	sumKey    struct{}
)

// Want makes Wanted true for tx: this is a dry run.
func Want(tx *db.Tx) { tx.SetValue(wantedKey{}, true) }

// Wanted reports a dry run. A count that costs a query of its own is only made
// then.
func Wanted(tx *db.Tx) bool { return tx.Value(wantedKey{}) != nil }

// Add counts n more of kind.
func Add(tx *db.Tx, kind Kind, n int64) {
	sum, _ := tx.Value(sumKey{}).(map[Kind]int64)
	if sum == nil {
		sum = map[Kind]int64{}
		tx.SetValue(sumKey{}, sum)
	}
	sum[kind] += n
}

// Sum gives all four counts, zero where nothing was added.
func Sum(tx *db.Tx) map[Kind]int64 {
	all := map[Kind]int64{Organizations: 0, Users: 0, Domains: 0, Credits: 0}
	sum, _ := tx.Value(sumKey{}).(map[Kind]int64)
	for k, n := range sum {
		all[k] += n
	}
	return all
}
