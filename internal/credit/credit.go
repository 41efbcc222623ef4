// Package credit is the ledger: whole credits, double entry, append-only. The
// platform issues credits to admins (grant) and to organizations (add); an
// admin hands credits of its pool to its organizations (allocate).
//
// Every transaction has an entry: an account that is debited, one that is
// credited, the amount and both balances after. An account's counters are the
// fold of its entries, and Σ debits = Σ credits over all accounts, always.
// Each wallet has an issuance account of its own, so issuing to many wallets
// at once meets no common row.
//
// Nothing passes below what is available, whatever the concurrency: every
// counter moves by one conditional UPDATE. Rows are locked in this order: the
// organization's account, then admins' accounts by id, then issuance; so
// operations wait for each other but never in a circle.
//
// The ledger records no audit events: granting is admin's operation, adding
// and limits are org's, and they record what was done. Nor does it know who
// may do what, or who is suspended. It does tell the people concerned.
package credit

import (
	"math"
	"math/bits"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Owner is whose wallet it is: exactly one of the two.
type Owner struct {
	Organization id.Organization
	Admin        id.Admin
}

// Kind is what a transaction does.
type Kind string

// The kinds.
const (
	Granted   Kind = "grant"    // issuance → admin
	Allocated Kind = "allocate" // admin → organization
	Added     Kind = "add"      // issuance → organization
)

// Source is where the credits of a transaction come from.
type Source string

// The sources.
const (
	FromPlatform Source = "platform"
	FromAdmin    Source = "admin"
)

// Policy is what an admin's partner group says at this moment. The transaction
// keeps it: later changes of the group rewrite nothing.
type Policy struct {
	Group      id.Group // zero without a group
	DiscountBP int64    // basis points off the price of a grant: 20 % is 2,000
	Oversell   bool     // the pool may be passed on though credit limits rest on it
}

// Backing is the admin whose balance covers a credit limit that it sets.
type Backing struct {
	Admin    id.Admin
	Oversell bool // its group does not ask for cover
}

// Reference makes a transaction unique for ever: a principal never uses a key
// twice. The zero value claims nothing.
type Reference struct{ Principal, Key string }

// Transaction is one movement as one of its two accounts sees it.
type Transaction struct {
	ID              id.Transaction   `json:"id"`
	Kind            Kind             `json:"kind" enum:"grant,allocate,add"`
	Amount          int64            `json:"amount" minimum:"1"`
	Admin           *id.Admin        `json:"admin_id" doc:"The admin whose pool took part"`
	Organization    *id.Organization `json:"organization_id" doc:"The organization that received"`
	Reason          *string          `json:"reason"`
	Source          Source           `json:"source" enum:"platform,admin" doc:"Where the credits come from"`
	PartnerGroup    *id.Group        `json:"partner_group_id" doc:"The group whose policy applied"`
	DiscountPercent *float64         `json:"discount_percent" doc:"Of a grant: the group's discount in force at the time"`
	NetCost         *int64           `json:"net_cost" doc:"Of a grant: its price, the amount less the discount, rounded up to a whole number"`
	BalanceAfter    int64            `json:"balance_after" doc:"Balance of the account asked for after this transaction"`
	Actor           Actor            `json:"actor"`
	CreatedAt       db.Time          `json:"created_at"`
	ExpiresAt       *db.Time         `json:"expires_at"`
}

// Actor is who made a transaction.
type Actor struct {
	Type audit.ActorType `json:"type" enum:"user,api_key,system"`
	ID   *int64          `json:"id" doc:"Of the user or API key; null for the product itself"`
}

// Figures are an organization's credits at this moment. Available is balance
// plus limit less what is held: what can be spent. Used is what was consumed
// this month.
type Figures struct {
	Balance   int64 `json:"balance"`
	Limit     int64 `json:"limit"`
	Held      int64 `json:"held"`
	Available int64 `json:"available"`
	Used      int64 `json:"used"`
}

// Revision is always the first: figures follow from the ledger.
func (Figures) Revision() int64 { return 1 }

// Pool is an admin's credits at this moment. Available is what can be passed
// on: the balance less the limits that rest on it (unless its group oversells).
type Pool struct {
	Balance      int64 `json:"balance"`
	LimitsBacked int64 `json:"limits_backed" doc:"Sum of the credit limits of organizations that this admin set and backs"`
	Available    int64 `json:"available"`
}

// Revision is always the first: figures follow from the ledger.
func (Pool) Revision() int64 { return 1 }

// Open makes the wallet of a new admin or organization, empty, with a limit of
// zero. Doing it again changes nothing.
func Open(tx *db.Tx, of Owner) error { return open(tx, of, 0) }

// OpenWithLimit is Open for an organization that starts with a credit limit
// given by the platform.
func OpenWithLimit(tx *db.Tx, of id.Organization, limit int64) error {
	if limit < 0 {
		return negativeLimit()
	}
	return open(tx, Owner{Organization: of}, limit)
}

// Grant issues credits to an admin at face amount. The transaction keeps the
// group's discount and the price that follows: the discount lowers the price,
// never the quantity.
func Grant(tx *db.Tx, actor audit.Actor, to id.Admin, amount int64, reason string, p Policy, ref Reference) (Transaction, error) {
	if err := check(tx, amount, nil); err != nil {
		return Transaction{}, err
	}
	t := draft{kind: Granted, source: FromPlatform, amount: amount, admin: to, actor: actor, reason: reason, ref: ref,
		group: p.Group, discount: p.DiscountBP, cost: netCost(amount, p.DiscountBP)}
	done, err := issue(tx, Owner{Admin: to}, t)
	if err != nil {
		return Transaction{}, err
	}
	return done, tellAdmin(tx, done, actor)
}

// Add issues credits to an organization from the platform.
func Add(tx *db.Tx, actor audit.Actor, to id.Organization, amount int64, reason string, expires *db.Time, ref Reference) (Transaction, error) {
	if err := check(tx, amount, expires); err != nil {
		return Transaction{}, err
	}
	t := draft{kind: Added, source: FromPlatform, amount: amount, organization: to, actor: actor, reason: reason, expires: expires, ref: ref}
	done, err := issue(tx, Owner{Organization: to}, t)
	if err != nil {
		return Transaction{}, err
	}
	return done, tellOwners(tx, done, actor)
}

// Allocate hands credits of the admin's pool to one of its organizations. When
// the pool is short, or credit limits rest on what is left of it, it refuses
// with insufficient_credits, telling what is available and what is required.
func Allocate(tx *db.Tx, actor audit.Actor, from id.Admin, to id.Organization, amount int64, reason string, p Policy, expires *db.Time, ref Reference) (Transaction, error) {
	if err := check(tx, amount, expires); err != nil {
		return Transaction{}, err
	}
	given, err := deposit(tx, Owner{Organization: to}, amount)
	if err != nil {
		return Transaction{}, err
	}
	taken, err := withdraw(tx, from, amount, p.Oversell, given.at)
	if err != nil {
		return Transaction{}, err
	}
	// Both accounts are locked: the later of their times is the transaction's.
	if taken.at > given.at {
		if err := moveAt(tx, given.account, taken.at); err != nil {
			return Transaction{}, err
		}
	}
	done, err := write(tx, draft{kind: Allocated, source: FromAdmin, amount: amount, admin: from, organization: to, actor: actor,
		reason: reason, expires: expires, ref: ref, group: p.Group}, taken, given, taken.at)
	if err != nil {
		return Transaction{}, err
	}
	return done, tellOwners(tx, done, actor)
}

// issue moves credits from the wallet's own issuance account into it.
func issue(tx *db.Tx, to Owner, t draft) (Transaction, error) {
	given, err := deposit(tx, to, t.amount)
	if err != nil {
		return Transaction{}, err
	}
	taken, err := issued(tx, to, t.amount, given.at)
	if err != nil {
		return Transaction{}, err
	}
	return write(tx, t, taken, given, given.at)
}

func check(tx *db.Tx, amount int64, expires *db.Time) error {
	var v fault.Validation
	if amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	if expires != nil && *expires <= tx.Now {
		v.Add("expires_at", "in_the_past", "Give a time that lies ahead.")
	}
	return v.Err()
}

// netCost is ceil(amount × (10,000 − discount) / 10,000), exact for every
// amount.
func netCost(amount, discountBP int64) int64 {
	high, low := bits.Mul64(uint64(amount), uint64(10_000-discountBP))
	cost, rest := bits.Div64(high, low, 10_000)
	if rest > 0 {
		cost++
	}
	return int64(cost)
}

// insufficient is the refusal when a pool does not cover what is asked.
func insufficient(available, required int64, format string, args ...any) *fault.Error {
	return fault.New(fault.PaymentRequired, "insufficient_credits", format, args...).
		With("available", max(available, 0)).With("required", required)
}

// full is the refusal of an amount that an account's counters cannot hold.
func full(field string) *fault.Error {
	return fault.InvalidField(field, "too_large", "This is more than the account can hold.")
}

// plus adds two numbers that are not negative, up to the largest.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
