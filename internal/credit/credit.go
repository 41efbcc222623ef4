// Package credit is the ledger: whole credits, double entry, append-only. The
// platform issues credits to admins (grant) and to organizations (add); an
// admin hands credits of its pool to its organizations (allocate) and takes
// back what is unspent (deallocate); services consume them, hold and capture
// them, and give them back (refund); what expires goes to expired, and a
// superadmin sets right what is wrong (adjust). A correction is a transaction
// of its own: nothing is ever changed or deleted.
//
// Every transaction has entries: an account that is debited, one that is
// credited, the amount and both balances after. An account's counters are the
// fold of its entries, and Σ debits = Σ credits over all accounts, always.
// Beside its wallet everybody has accounts of its own to stand across it
// (issuance, consumed by a plugin, expired, adjustment), so that many wallets
// meet no common row.
//
// Lots say which credits a wallet holds: Σ of what remains in them is its
// balance, or zero while it is overdrawn. Spends take from them in burn order.
// What is held stays in its lots, and does not expire while it is held.
//
// Nothing passes below what is available, whatever the concurrency: all
// wallets that a transaction touches are locked before anything of theirs is
// read (see book): organizations' before admins', each in order of id, so nobody
// waits in a circle.
//
// People's transactions run inside their callers' database transactions; those
// of services go through a Queue. The ledger records no audit events: admin
// and org record what people did, and for services the ledger is the record.
// It does tell the people concerned.
package credit

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/pace"
	"github.com/tenantry/tenantry/internal/text"
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
	Granted     Kind = "grant"       // issuance → admin
	Allocated   Kind = "allocate"    // admin → organization
	Added       Kind = "add"         // issuance → organization
	Deallocated Kind = "deallocate"  // organization → admin
	Consumed    Kind = "consume"     // organization → consumed
	Held        Kind = "hold"        // organization → consumed, pending
	Captured    Kind = "capture"     // posts what was held
	Voided      Kind = "void"        // gives back what was held
	HoldEnded   Kind = "hold_expire" // gives back what was held too long
	Refunded    Kind = "refund"      // consumed → organization
	Expired     Kind = "expire"      // wallet → expired
	Adjusted    Kind = "adjust"      // wallet ↔ adjustment
)

// Kinds are all kinds.
var Kinds = []Kind{Granted, Allocated, Added, Deallocated, Consumed, Held, Captured, Voided, HoldEnded, Refunded, Expired, Adjusted}

// Source is where the credits of a transaction come from.
type Source string

// The sources.
const (
	FromPlatform     Source = "platform"
	FromAdmin        Source = "admin"
	FromOrganization Source = "organization"
	FromConsumed     Source = "consumed"
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

// Transaction is one movement as one of its two wallets sees it.
type Transaction struct {
	ID              id.Transaction   `json:"id"`
	Kind            Kind             `json:"kind" enum:"grant,allocate,add,deallocate,consume,hold,capture,void,hold_expire,refund,expire,adjust"`
	Amount          int64            `json:"amount" minimum:"1"`
	Admin           *id.Admin        `json:"admin_id" doc:"The admin whose pool took part"`
	Organization    *id.Organization `json:"organization_id" doc:"The organization that received"`
	Reason          *string          `json:"reason"`
	Source          Source           `json:"source" enum:"platform,admin,organization,consumed" doc:"Where the credits come from"`
	PartnerGroup    *id.Group        `json:"partner_group_id" doc:"The group whose policy applied"`
	DiscountPercent *float64         `json:"discount_percent" doc:"Of a grant: the group's discount in force at the time"`
	NetCost         *int64           `json:"net_cost" doc:"Of a grant: its price, the amount less the discount, rounded up to a whole number"`
	BalanceAfter    int64            `json:"balance_after" doc:"Balance of the account asked for after this transaction"`
	Actor           Actor            `json:"actor"`
	CreatedAt       db.Time          `json:"created_at"`
	UpdatedAt       db.Time          `json:"updated_at" doc:"As created_at: a transaction never changes"`
	ExpiresAt       *db.Time         `json:"expires_at"`
	Plugin          *string          `json:"plugin" doc:"The plugin that consumes"`
	Reference       *string          `json:"reference" doc:"The service's own word for it"`
	Hold            *id.Transaction  `json:"hold_id" doc:"The hold that this captures or ends"`
	Reverses        *id.Transaction  `json:"reverses_id" doc:"Of a refund: the transaction whose credits came back"`
}

// Revision is always the first: the ledger is append-only.
func (Transaction) Revision() int64 { return 1 }

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
	// ExpiringSoon is what is free and expires within 30 days.
	ExpiringSoon int64      `json:"expiring_soon" doc:"Of the balance, what expires within 30 days"`
	Account      id.Account `json:"account_id" doc:"Its account in the ledger"`
	// Forecast is of what is available.
	Forecast pace.Outlook `json:"forecast" doc:"When what is available runs out, at the pace of what was consumed less what came back"`
}

// Revision is always the first: figures follow from the ledger.
func (Figures) Revision() int64 { return 1 }

// Pool is an admin's credits at this moment. Available is what can be passed
// on: the balance less the limits that rest on it (unless its group oversells).
type Pool struct {
	Balance      int64      `json:"balance"`
	LimitsBacked int64      `json:"limits_backed" doc:"Sum of the credit limits of organizations that this admin set and backs"`
	Available    int64      `json:"available"`
	Held         int64      `json:"held"`
	ExpiringSoon int64      `json:"expiring_soon" doc:"Of the balance, what expires within 30 days"`
	Account      id.Account `json:"account_id" doc:"Its account in the ledger"`
	// Forecast is of what is available.
	Forecast pace.Outlook `json:"forecast" doc:"When what is available runs out, at the pace of what was passed on less what was taken back"`
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
	d := draft{kind: Granted, source: FromPlatform, amount: amount, admin: to, actor: actor, reason: reason, ref: ref,
		group: p.Group, discount: p.DiscountBP}
	if amount > 0 {
		d.cost = netCost(amount, p.DiscountBP)
	}
	done, err := issue(tx, Owner{Admin: to}, d, Terms{})
	if err != nil {
		return Transaction{}, err
	}
	return done, tellAdmin(tx, done, actor)
}

// Add issues credits to an organization from the platform.
func Add(tx *db.Tx, actor audit.Actor, to id.Organization, amount int64, reason string, terms Terms, ref Reference) (Transaction, error) {
	done, err := issue(tx, Owner{Organization: to}, draft{kind: Added, source: FromPlatform, amount: amount, organization: to,
		actor: actor, reason: reason, expires: terms.Expires, ref: ref}, terms)
	if err != nil {
		return Transaction{}, err
	}
	return done, tellOwners(tx, done, actor)
}

// issue moves credits from the wallet's own issuance account into it.
func issue(tx *db.Tx, to Owner, d draft, terms Terms) (Transaction, error) {
	if err := check(tx, d.amount, terms); err != nil {
		return Transaction{}, err
	}
	return people(tx, d, []Owner{to}, func(b *book) (*record, *wallet, error) {
		w, err := b.wallet(to)
		if err != nil {
			return nil, nil, err
		}
		if w.credits > math.MaxInt64-d.amount {
			return nil, nil, full("amount")
		}
		from, err := b.other(w, "issuance", "")
		if err != nil {
			return nil, nil, err
		}
		t := b.begin(d, &w.account, from)
		b.give(t, from, w, piece{nil, d.amount}, terms.filled())
		return t, w, b.settle(w)
	})
}

// give makes a lot of a piece in a wallet, and posts it.
func (b *book) give(t *record, from *account, w *wallet, p piece, terms Terms) {
	l := b.deposit(w, t, p.amount, p.lot, terms)
	b.post(t, posts, from, &w.account, p.amount, nil, l)
}

// settle closes a deposit: what is held may rest on it now, and what is low is
// measured anew.
func (b *book) settle(w *wallet) error {
	err := b.cover(w)
	w.mark()
	b.watch(w)
	return err
}

// people runs one operation of a person on the ledger.
func people(tx *db.Tx, d draft, owners []Owner, f func(*book) (*record, *wallet, error)) (Transaction, error) {
	b, err := openBook(tx, owners...)
	if err != nil {
		return Transaction{}, err
	}
	if err := b.unused(d.ref); err != nil {
		return Transaction{}, err
	}
	t, w, err := f(b)
	if err != nil {
		return Transaction{}, err
	}
	if err := b.flush(); err != nil {
		return Transaction{}, err
	}
	effect.Add(tx, effect.Credits, t.amount)
	return b.transaction(t, &w.account), nil
}

// Allocate hands credits of the admin's pool to one of its organizations. When
// the pool is short, or credit limits rest on what is left of it, it refuses
// with insufficient_credits, telling what is available and what is required.
// The organization's lots follow from the pool's, and expire no later.
func Allocate(tx *db.Tx, actor audit.Actor, from id.Admin, to id.Organization, amount int64, reason string, p Policy, terms Terms, ref Reference) (Transaction, error) {
	if err := check(tx, amount, terms); err != nil {
		return Transaction{}, err
	}
	d := draft{kind: Allocated, source: FromAdmin, amount: amount, admin: from, organization: to, actor: actor,
		reason: reason, expires: terms.Expires, ref: ref, group: p.Group}
	done, err := people(tx, d, []Owner{{Admin: from}, {Organization: to}}, func(b *book) (*record, *wallet, error) {
		pool, err := b.wallet(Owner{Admin: from})
		if err != nil {
			return nil, nil, err
		}
		w, err := b.wallet(Owner{Organization: to})
		if err != nil {
			return nil, nil, err
		}
		if w.credits > math.MaxInt64-amount {
			return nil, nil, full("amount")
		}
		if left := pool.uncommitted(p.Oversell); amount > left {
			return nil, nil, insufficient(left, amount, "The pool does not cover this: %s", shortage(pool.balance(), pool.backed, p.Oversell))
		}
		pieces, err := b.burn(pool, amount)
		if err != nil {
			return nil, nil, err
		}
		t := b.begin(d, &w.account, &pool.account)
		for _, piece := range pieces {
			l := b.deposit(w, t, piece.amount, piece.lot, terms.within(piece.lot))
			b.post(t, posts, &pool.account, &w.account, piece.amount, piece.lot, l)
		}
		b.watch(pool)
		return t, w, b.settle(w)
	})
	if err != nil {
		return Transaction{}, err
	}
	return done, tellOwners(tx, done, actor)
}

// Deallocate takes credits that an organization has from its admin's pool back
// into it, to the lots they came from; what is spent or held stays.
func Deallocate(tx *db.Tx, actor audit.Actor, from id.Organization, to id.Admin, amount int64, reason string, ref Reference) (Transaction, error) {
	if err := check(tx, amount, Terms{}); err != nil {
		return Transaction{}, err
	}
	d := draft{kind: Deallocated, source: FromOrganization, amount: amount, admin: to, organization: from, actor: actor, reason: reason, ref: ref}
	return people(tx, d, []Owner{{Organization: from}, {Admin: to}}, func(b *book) (*record, *wallet, error) {
		w, err := b.wallet(Owner{Organization: from})
		if err != nil {
			return nil, nil, err
		}
		pool, err := b.wallet(Owner{Admin: to})
		if err != nil {
			return nil, nil, err
		}
		if err := b.whole(w); err != nil {
			return nil, nil, err
		}
		if err := b.lotsByID(distinct(w.lots, func(l *lot) id.Lot { return id.Lot(l.parent.number()) })); err != nil {
			return nil, nil, err
		}
		returnable := func(l *lot) int64 {
			if parent := b.lots[id.Lot(l.parent.number())]; parent == nil || parent.wallet != pool {
				return 0
			}
			return l.free()
		}
		left := int64(0)
		for _, l := range w.lots {
			left += returnable(l)
		}
		if amount > left {
			return nil, nil, insufficient(left, amount, "Of what came from the admin's pool %d credits are unspent.", left)
		}
		if pool.credits > math.MaxInt64-amount {
			return nil, nil, full("amount")
		}
		t := b.begin(d, &w.account, &pool.account)
		taken, _ := w.take(amount, returnable, func(l *lot, n int64) { l.left -= n })
		for _, p := range taken {
			b.returnTo(t, w, pool, p)
		}
		b.watch(w)
		return t, w, b.settle(pool)
	})
}

// returnTo moves a piece of an organization's lot back to the pool's lot that it
// came from, or to a new one where that has expired.
func (b *book) returnTo(t *record, w, pool *wallet, p piece) {
	parent := b.lots[p.lot.parent.id]
	if parent.expired(b.tx.Now) {
		end := b.tx.Now.Add(grace)
		l := b.deposit(pool, t, p.amount, parent, Terms{Category: Return, Priority: parent.priority, Expires: &end})
		b.post(t, posts, &w.account, &pool.account, p.amount, p.lot, l)
		return
	}
	parent.left, parent.dirty = parent.left+p.amount, true
	pool.add(parent)
	pool.expires(parent.expires)
	b.post(t, posts, &w.account, &pool.account, p.amount, p.lot, parent)
}

// Adjustment asks for a balance to be set right.
type Adjustment struct {
	Amount    int64  `json:"amount" example:"10" doc:"Whole credits, at least 1"`
	Direction string `json:"direction" enum:"in,out" doc:"in gives credits, out writes them off as far as they are free"`
	Reason    string `json:"reason" minLength:"1" maxLength:"2000" example:"Billing error" doc:"At most 500 characters"`
}

// Check validates, and cleans the reason.
func (in *Adjustment) Check() error {
	var v fault.Validation
	if in.Amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	if in.Direction != "in" && in.Direction != "out" {
		v.Add("direction", "unknown_value", "Use in or out.")
	}
	in.Reason = text.Prose("reason", in.Reason, maxReason, &v)
	if in.Reason == "" && v.Err() == nil {
		v.Add("reason", "required", "Say why.")
	}
	return v.Err()
}

// Adjust sets a balance right from outside: in gives credits, out writes them
// off as far as they are free.
func Adjust(tx *db.Tx, actor audit.Actor, of Owner, a Adjustment, ref Reference) (Transaction, error) {
	if err := a.Check(); err != nil {
		return Transaction{}, err
	}
	amount, in := a.Amount, a.Direction == "in"
	d := draft{kind: Adjusted, source: FromPlatform, amount: amount, admin: of.Admin, organization: of.Organization, actor: actor, reason: a.Reason, ref: ref}
	return people(tx, d, []Owner{of}, func(b *book) (*record, *wallet, error) {
		w, err := b.wallet(of)
		if err != nil {
			return nil, nil, err
		}
		if !in {
			d.source = w.source()
		}
		switch left := w.balance() - w.held; {
		case in && w.credits > math.MaxInt64-amount:
			return nil, nil, full("amount")
		case !in && amount > left:
			return nil, nil, insufficient(left, amount, "Of the balance %d credits are free.", max(left, 0))
		}
		across, err := b.other(w, "adjustment", "")
		if err != nil {
			return nil, nil, err
		}
		t := b.begin(d, &w.account, across)
		if in {
			b.give(t, across, w, piece{nil, amount}, Terms{}.filled())
			return t, w, b.settle(w)
		}
		pieces, err := b.burn(w, amount)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range pieces {
			b.post(t, posts, &w.account, across, p.amount, p.lot, nil)
		}
		b.watch(w)
		return t, w, nil
	})
}

// filled are the terms with what goes without saying.
func (t Terms) filled() Terms {
	if t.Category == "" {
		t.Category = Paid
	}
	return t
}

// within are the terms of what is taken out of a lot.
func (t Terms) within(l *lot) Terms {
	if t.Category == "" {
		t.Category, t.Priority = l.category, l.priority
	}
	if bySoonest(l.expires, t.Expires) < 0 {
		t.Expires = l.expires
	}
	return t
}

func check(tx *db.Tx, amount int64, terms Terms) error {
	var v fault.Validation
	if amount <= 0 {
		v.Add("amount", "too_small", "Give a whole number of credits, at least 1.")
	}
	if terms.Expires != nil && *terms.Expires <= tx.Now {
		v.Add("expires_at", "in_the_past", "Give a time that lies ahead.")
	}
	if terms.Category != "" && !slices.Contains(categories, terms.Category) {
		v.Add("category", "unknown_value", "Use plan, promo or paid.")
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
		With("available", available).With("required", required)
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
