// Package effect adds up whom a change hits, for dry runs: how many would feel
// it, who by name, and who would then be over a limit. It lives and dies with
// its transaction.
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
	Admins        Kind = "admins"
	APIKeys       Kind = "api_keys"
	Invitations   Kind = "invitations"
	Plugins       Kind = "plugins"
	Access        Kind = "access"
)

// Most is how many are named; further ones are only counted.
const Most = 100

// Effects is whom a change hits. Zero is nobody; what is not among the first
// four is left out then.
type Effects struct {
	Organizations int64    `json:"organizations" doc:"Organizations that feel it"`
	Users         int64    `json:"users" doc:"People who feel it, those of the organizations too"`
	Domains       int64    `json:"domains" doc:"Custom domains that answer differently, or not at all"`
	Credits       int64    `json:"credits" doc:"Credits that move, or that a suspension freezes"`
	Admins        int64    `json:"admins,omitempty" doc:"Admins that feel it"`
	APIKeys       int64    `json:"api_keys,omitempty" doc:"API keys that stop, or work again"`
	Invitations   int64    `json:"invitations,omitempty" doc:"Open invitations that cannot be accepted, or can again"`
	Plugins       int64    `json:"plugins,omitempty" doc:"Plugins that an organization gains or loses, or that go"`
	Access        int64    `json:"access,omitempty" doc:"Leaves to act for a member that end"`
	Hit           []Party  `json:"hit,omitempty" doc:"Who is hit, by name: the first 100"`
	Over          []Excess `json:"over,omitempty" doc:"Who is then over a limit or policy, and by how much: the first 100"`
}

// Party is one who is hit.
type Party struct {
	Type string `json:"type" enum:"admin,organization"`
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Excess is one who is over a limit, and by how much.
type Excess struct {
	Party
	Field string `json:"field" doc:"The limit, or the field of the policy, by its name in the API" example:"max_users"`
	Limit int64  `json:"limit" doc:"What is allowed"`
	Used  int64  `json:"used" doc:"What there is; -1 is an unlimited share"`
	Over  int64  `json:"over" doc:"By how much; -1 where it has no end"`
}

type (
	wantedKey struct{}
	sumKey    struct{}
)

// sum is what has been noted so far.
type sum struct {
	counts map[Kind]int64
	hit    []Party
	over   []Excess
}

func noted(tx *db.Tx) *sum {
	s, _ := tx.Value(sumKey{}).(*sum)
	if s == nil {
		s = &sum{counts: map[Kind]int64{}}
		tx.SetValue(sumKey{}, s)
	}
	return s
}

// Want makes Wanted true for tx: this is a dry run.
func Want(tx *db.Tx) { tx.SetValue(wantedKey{}, true) }

// Wanted reports a dry run. A count that costs a query of its own is only made
// then.
func Wanted(tx *db.Tx) bool { return tx.Value(wantedKey{}) != nil }

// Add counts n more of kind.
func Add(tx *db.Tx, kind Kind, n int64) { noted(tx).counts[kind] += n }

// Name says who is hit, besides counting. Beyond Most nobody is named.
func Name(tx *db.Tx, who ...Party) {
	s := noted(tx)
	s.hit = append(s.hit, who[:min(len(who), Most-len(s.hit))]...)
}

// Exceed says who will be over a limit. Beyond Most nobody is named.
func Exceed(tx *db.Tx, who ...Excess) {
	s := noted(tx)
	s.over = append(s.over, who[:min(len(who), Most-len(s.over))]...)
}

// Beyond is the excess of what is used over a limit.
func Beyond(who Party, field string, limit, used int64) Excess {
	return Excess{Party: who, Field: field, Limit: limit, Used: used, Over: used - limit}
}

// Sum gives the counts: the first four always, others where they are not zero.
func Sum(tx *db.Tx) map[Kind]int64 {
	all := map[Kind]int64{Organizations: 0, Users: 0, Domains: 0, Credits: 0}
	for k, n := range noted(tx).counts {
		if all[k] += n; all[k] == 0 && k != Organizations && k != Users && k != Domains && k != Credits {
			delete(all, k)
		}
	}
	return all
}

// Of gives all that was noted in tx.
func Of(tx *db.Tx) Effects {
	s := noted(tx)
	n := s.counts
	return Effects{
		Organizations: n[Organizations], Users: n[Users], Domains: n[Domains], Credits: n[Credits],
		Admins: n[Admins], APIKeys: n[APIKeys], Invitations: n[Invitations], Plugins: n[Plugins], Access: n[Access],
		Hit: s.hit, Over: s.over,
	}
}
