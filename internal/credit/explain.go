package credit

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Explanation is how an account stood at a moment, and what made it so: the
// totals add up to the balance, so do the lots, and the open holds to what was
// held.
type Explanation struct {
	Account      id.Account       `json:"account_id"`
	Kind         string           `json:"kind" example:"organization"`
	Organization *id.Organization `json:"organization_id"`
	Admin        *id.Admin        `json:"admin_id"`
	At           db.Time          `json:"at"`
	Balance      int64            `json:"balance"`
	Held         int64            `json:"held"`
	Limit        int64            `json:"limit"`
	Available    int64            `json:"available"`
	Policy       InForce          `json:"policy" doc:"What was in force at that time"`
	Totals       []Total          `json:"totals" nullable:"false" doc:"By kind; in − out of all is the balance"`
	Lots         []LotView        `json:"lots" nullable:"false" doc:"What was left in each, in burn order"`
	Holds        []HoldView       `json:"holds" nullable:"false" doc:"Those that were open"`
	Entries      []EntryView      `json:"entries" nullable:"false" doc:"The newest hundred up to then"`
	EntriesTotal int64            `json:"entries_total" doc:"How many there were in all"`
}

// InForce is the policy that a number rests on.
type InForce struct {
	CreditLimit   int64     `json:"credit_limit"`
	LimitBackedBy *id.Admin `json:"limit_backed_by" doc:"The admin whose balance backs the limit; null: the platform set it"`
	LimitSetAt    *db.Time  `json:"limit_set_at"`
	LimitsBacked  int64     `json:"limits_backed" doc:"Of an admin: the credit limits of organizations that rested on its balance"`
	Oversells     bool      `json:"oversells" doc:"Of an admin: whether its group lets it pass on what limits rest on; as it is now"`
}

// Total is what one kind of transaction did to an account.
type Total struct {
	Kind  Kind  `json:"kind"`
	Count int64 `json:"count" doc:"Entries"`
	In    int64 `json:"in"`
	Out   int64 `json:"out"`
}

// LotView is a lot as it is answered.
type LotView struct {
	ID          id.Lot         `json:"id"`
	Transaction id.Transaction `json:"transaction_id" doc:"The one that made it"`
	Parent      *id.Lot        `json:"parent_lot_id" doc:"The lot that its credits came from"`
	Category    Category       `json:"category" enum:"plan,promo,refund,paid"`
	Priority    int64          `json:"priority"`
	Amount      int64          `json:"amount"`
	Repaid      int64          `json:"repaid" doc:"What of it covered what was overdrawn"`
	Remaining   int64          `json:"remaining"`
	ExpiresAt   *db.Time       `json:"expires_at"`
	CreatedAt   db.Time        `json:"created_at"`
}

// HoldView is a hold as it stood at a time.
type HoldView struct {
	ID        id.Transaction `json:"id"`
	Plugin    string         `json:"plugin"`
	Amount    int64          `json:"amount"`
	Left      int64          `json:"left"`
	ExpiresAt db.Time        `json:"expires_at"`
	CreatedAt db.Time        `json:"created_at"`
}

// EntryView is an entry as one of its accounts sees it.
type EntryView struct {
	ID           int64          `json:"id"`
	Transaction  id.Transaction `json:"transaction_id"`
	Kind         Kind           `json:"kind"`
	Effect       string         `json:"effect" enum:"post,hold,capture,release"`
	In           int64          `json:"in" doc:"What it added to the balance"`
	Out          int64          `json:"out"`
	Amount       int64          `json:"amount"`
	BalanceAfter int64          `json:"balance_after"`
	Lot          *id.Lot        `json:"lot_id" doc:"The account's lot that it filled or took from; null: the credit limit"`
	CreatedAt    db.Time        `json:"created_at"`
}

// OwnerOf gives whose account this is; fault.Missing where there is none, or
// where it is no wallet.
func OwnerOf(tx *db.Tx, a id.Account) (Owner, error) {
	of, err := walletOwner(tx, a)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return of, err
}

// Explain tells how a wallet stood at a moment, now where at is nil. Times are
// told in milliseconds, so one of them is its end: what happened at the time that
// a transaction answers is part of it.
func Explain(tx *db.Tx, a id.Account, at *db.Time) (Explanation, error) {
	of, err := OwnerOf(tx, a)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Account: a, Organization: id.Ref(of.Organization), Admin: id.Ref(of.Admin)}
	if e.At, err = momentOf(tx, a, at); err != nil {
		return Explanation{}, err
	}
	_, _, e.Kind = of.key()
	for _, step := range []func(*db.Tx, *Explanation) error{explainTotals, explainPolicy, explainLots, explainHolds, explainEntries} {
		if err := step(tx, &e); err != nil {
			return Explanation{}, err
		}
	}
	for _, t := range e.Totals {
		e.Balance += t.In - t.Out
	}
	for _, h := range e.Holds {
		e.Held += h.Left
	}
	e.Limit = e.Policy.CreditLimit
	e.Available = Available(e.Balance, e.Held, e.Limit)
	if of.Admin != 0 {
		e.Available = max(e.Available-e.backed(), 0)
	}
	return e, nil
}

// backed is what of a pool cannot be passed on.
func (e *Explanation) backed() int64 {
	if e.Policy.Oversells {
		return 0
	}
	return e.Policy.LimitsBacked
}

// momentOf is the last moment that counts. Now is not before the last transaction,
// whose time may be that of another process's clock.
func momentOf(tx *db.Tx, a id.Account, at *db.Time) (db.Time, error) {
	if at == nil {
		moved, err := movedAt(tx, a)
		return max(tx.Now, moved), err
	}
	if *at%1000 == 0 {
		return *at + 999, nil
	}
	return *at, nil
}

// TransactionOf gives one transaction as its owner sees it.
func TransactionOf(tx *db.Tx, of Owner, t id.Transaction) (Transaction, error) {
	a, err := stateOf(tx, of)
	if err != nil {
		return Transaction{}, err
	}
	return transactionSeen(tx, a.id, t)
}

// HoldOf gives one hold as it stands.
func HoldOf(tx *db.Tx, t id.Transaction) (Hold, error) {
	h, err := holdingOf(tx, t)
	if errors.Is(err, db.ErrNoRows) {
		return Hold{}, fault.Missing()
	}
	if err != nil {
		return Hold{}, err
	}
	return h.seen(), nil
}

// Trail is where the credits of a transaction came from.
type Trail struct {
	Transaction id.Transaction `json:"transaction_id"`
	Kind        Kind           `json:"kind"`
	Amount      int64          `json:"amount"`
	Pieces      []Piece        `json:"pieces" nullable:"false" doc:"They add up to the amount"`
}

// Piece is a part of a transaction with the lots it went through, the latest
// first; the last one was made by the grant.
type Piece struct {
	Amount    int64  `json:"amount"`
	Overdrawn bool   `json:"overdrawn" doc:"Out of the credit limit: from no lot"`
	Lots      []Step `json:"lots" nullable:"false"`
}

// Step is a lot on the way, and the transaction that made it.
type Step struct {
	LotView
	Organization *id.Organization `json:"organization_id"`
	Admin        *id.Admin        `json:"admin_id"`
	Kind         Kind             `json:"kind" doc:"Of the transaction that made the lot"`
	Reason       *string          `json:"reason"`
}

// Trace follows a transaction's credits back to the grants they came from.
func Trace(tx *db.Tx, t id.Transaction) (Trail, error) {
	trail, pieces, err := trailOf(tx, t)
	if errors.Is(err, db.ErrNoRows) {
		return Trail{}, fault.Missing()
	}
	if err != nil {
		return Trail{}, err
	}
	trail.Pieces = []Piece{}
	for _, p := range pieces {
		piece := Piece{Amount: p.amount, Overdrawn: p.lot == 0, Lots: []Step{}}
		for lot := p.lot; lot != 0; {
			step, err := stepOf(tx, lot)
			if err != nil {
				return Trail{}, err
			}
			piece.Lots = append(piece.Lots, step)
			lot = id.Val(step.Parent)
		}
		trail.Pieces = append(trail.Pieces, piece)
	}
	return trail, nil
}

// TransactionOwner gives whose transaction this is: the organization where one
// took part, else the admin.
func TransactionOwner(tx *db.Tx, t id.Transaction) (Owner, error) {
	of, err := transactionOwner(tx, t)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return of, err
}
