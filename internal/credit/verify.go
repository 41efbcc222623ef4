package credit

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Report is what Verify found.
type Report struct {
	OK           bool      `json:"ok"`
	Accounts     int64     `json:"accounts" doc:"How many were checked"`
	Transactions int64     `json:"transactions"`
	Entries      int64     `json:"entries"`
	Lots         int64     `json:"lots"`
	Holds        int64     `json:"holds"`
	Problems     []Problem `json:"problems" nullable:"false" doc:"What is wrong: the first hundred"`
	AsOf         db.Time   `json:"as_of"`
}

// Problem is one thing that is wrong with the ledger.
type Problem struct {
	Code    string     `json:"code" example:"entry_altered"`
	Account id.Account `json:"account_id" doc:"0 for what belongs to no account"`
	ID      int64      `json:"id" doc:"Of the row at fault; 0 for the account as a whole"`
	Message string     `json:"message"`
}

// maxProblems bounds a report.
const maxProblems = 100

// verifier checks the ledger wallet by wallet, as it stands when each one is
// read: a statement gives the account with its lots, and entries are never
// changed, so those that it counts are found later too. The ledger works on
// meanwhile.
type verifier struct {
	d      *db.DB
	seal   *sealer
	alive  func() error
	report Report
	from   page.Position // of a part: phase and the id after which it goes on
	most   int64         // rows of a part; 0 is all
	looked int64         // ids that were searched for strays
}

// Verify recounts the whole ledger: that debits equal credits, that counters,
// balances, lots and holds are the fold of the entries, that the lots of a
// wallet are its balance, that no lot was burnt before its turn and nothing
// spent that was not available, and that every hash is right. What is wrong is
// in the report; the error is that of a ledger that cannot be read.
//
// A big ledger takes long: alive is told after each piece of the work, a
// second's or so, and its error ends it.
func Verify(ctx context.Context, d *db.DB, alive func() error) (Report, error) {
	v := &verifier{d: d, alive: alive, report: Report{Problems: []Problem{}, AsOf: d.Now()}}
	err := v.read(ctx, func(tx *db.Tx) (err error) {
		v.seal, err = newSealer(tx)
		return err
	})
	if err != nil {
		return v.report, err
	}
	for _, check := range []func(context.Context) error{v.transactions, v.wallets, v.strays} {
		v.from = page.Position{}
		if err := check(ctx); err != nil {
			return v.report, err
		}
	}
	v.report.OK = len(v.report.Problems) == 0
	return v.report, nil
}

func (v *verifier) read(ctx context.Context, f func(tx *db.Tx) error) error {
	if err := v.d.Read(ctx, f); err != nil {
		return err
	}
	return v.alive()
}

func (v *verifier) wrong(code string, account id.Account, row int64, format string, args ...any) {
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, Problem{code, account, row, fmt.Sprintf(format, args...)})
	}
}

// transactions checks the hash of each, in order of id.
func (v *verifier) transactions(ctx context.Context) error {
	for after := id.Transaction(v.from.ID); !v.full(); {
		var rows []*record
		err := v.read(ctx, func(tx *db.Tx) (err error) {
			rows, err = recordsAfter(tx, after)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, t := range rows {
			if t.blank || !bytes.Equal(t.hash, v.seal.transaction(t)) {
				v.wrong("transaction_altered", 0, int64(t.id), "The hash of transaction %d is not that of its columns.", t.id)
			}
			v.report.Transactions++
		}
		after = rows[len(rows)-1].id
		v.from = page.Position{At: phaseTransactions, ID: int64(after)}
	}
	return nil
}

func (v *verifier) wallets(ctx context.Context) error {
	for after := id.Account(v.from.ID); !v.full(); {
		var ids []id.Account
		err := v.read(ctx, func(tx *db.Tx) (err error) {
			ids, err = walletsAfter(tx, after)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, a := range ids {
			if err := v.wallet(ctx, a); err != nil {
				return err
			}
			after = a
			v.from = page.Position{At: phaseWallets, ID: int64(after)}
			if v.full() {
				break
			}
		}
	}
	return nil
}

// folded is what the entries of a wallet make of one of its accounts.
type folded struct {
	debits, credits, held, coming int64

	transactions int64
	last         id.Transaction
	at           db.Time
}

// fold is a wallet under check.
type fold struct {
	snapshot
	accounts map[id.Account]*folded
	balances map[id.Account]int64
	left     map[id.Lot]int64 // what the entries leave in a lot
	made     map[id.Lot]bool
	head     []byte
	length   int64
	at       db.Time // of the last entry
	replay   *replay
}

// wallet checks one wallet with the accounts across it.
func (v *verifier) wallet(ctx context.Context, a id.Account) error {
	f := &fold{accounts: map[id.Account]*folded{}, balances: map[id.Account]int64{}, left: map[id.Lot]int64{}, made: map[id.Lot]bool{}}
	err := v.read(ctx, func(tx *db.Tx) (err error) {
		f.snapshot, err = snapshotOf(tx, a)
		return err
	})
	if err != nil {
		return err
	}
	f.replay = newReplay(f.snapshot)
	for _, l := range f.lots {
		if l.blank || !bytes.Equal(l.hash, v.seal.lot(l)) {
			v.wrong("lot_altered", a, int64(l.id), "The hash of lot %d is not that of its columns.", l.id)
		}
	}
	v.limits(f)
	for f.length < f.wallet.length {
		var page []*entry
		err := v.read(ctx, func(tx *db.Tx) (err error) {
			page, err = chainAfter(tx, f.snapshot, f.length, f.at)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range page {
			v.entry(f, e)
		}
		if len(page) == 0 {
			break
		}
	}
	v.compare(f)
	v.report.Accounts += 1 + int64(len(f.wallet.contra))
	v.report.Lots += int64(len(f.lots))
	v.report.Holds += int64(len(f.holds))
	return nil
}

// limits checks the hashes of the limits that the wallet had.
func (v *verifier) limits(f *fold) {
	var before []byte
	for _, l := range f.limits {
		if l.blank || !bytes.Equal(l.hash, v.seal.limit(l, before)) {
			v.wrong("limit_altered", f.wallet.id, l.id, "The hash of credit limit %d is not that of its columns and of the limit before.", l.id)
		}
		before = l.hash
	}
}

// entry folds one entry of the wallet's chain.
func (v *verifier) entry(f *fold, e *entry) {
	a := f.wallet.id
	seq := e.debitSeq
	if e.credit.id == a {
		seq = e.creditSeq
	}
	if seq != f.length+1 {
		v.wrong("chain_broken", a, e.id, "After entry %d of the account's chain comes number %d.", f.length, seq)
	}
	f.length, f.at = max(seq, f.length+1), e.of.at
	f.head = v.seal.link(a, f.head, e.stored)
	if e.of.id == 0 {
		v.wrong("transaction_missing", a, e.id, "Entry %d has no transaction.", e.id)
	}
	if e.blank || !bytes.Equal(e.stored, v.seal.entry(e)) {
		v.wrong("entry_altered", a, e.id, "The hash of entry %d is not that of its columns, its transaction and its lot.", e.id)
	}
	if e.debit.id == a || e.debitSeq == 0 { // one between two wallets is met in both
		v.report.Entries++
	}
	f.count(e)
	v.replay(f, e)
	v.across(f, e)
	for _, side := range []struct {
		account *account
		after   int64
	}{{e.debit, e.debitAfter}, {e.credit, e.creditAfter}} {
		if of := f.accounts[side.account.id]; side.account.of == f.wallet.of && of.credits-of.debits != side.after {
			v.wrong("balance_chain", side.account.id, e.id, "Entry %d says a balance of %d, the entries make %d.", e.id, side.after, of.credits-of.debits)
		}
	}
	if e.credit.id == a && e.creditLot != nil {
		f.left[e.creditLot.id] += e.amount
		f.made[e.creditLot.id] = f.made[e.creditLot.id] || e.creditLot.transaction == e.of.id
	}
	if e.debit.id == a && e.debitLot != nil {
		f.left[e.debitLot.id] -= e.amount
	}
}

// count moves what the entry moves.
func (f *fold) count(e *entry) {
	at := func(n id.Account) *folded {
		if f.accounts[n] == nil {
			f.accounts[n] = new(folded)
		}
		return f.accounts[n]
	}
	d, c := at(e.debit.id), at(e.credit.id)
	for _, a := range []*folded{d, c} {
		if a.last != e.of.id {
			a.transactions, a.last = a.transactions+1, e.of.id
		}
		a.at = e.of.at
	}
	if e.effect == holds {
		d.held, c.coming = d.held+e.amount, c.coming+e.amount
		return
	}
	if e.effect == releases || e.effect == captures {
		d.held, c.coming = d.held-e.amount, c.coming-e.amount
	}
	if e.effect != releases {
		d.debits, c.credits = d.debits+e.amount, c.credits+e.amount
	}
}

// compare holds what is stored against the fold.
func (v *verifier) compare(f *fold) {
	w := f.wallet
	if f.length != w.length || !bytes.Equal(f.head, w.head) && w.length > 0 {
		v.wrong("chain_broken", w.id, 0, "The account counts %d entries, %d are there, or its head is another one.", w.length, f.length)
	}
	accounts := []*account{&w.account}
	for _, a := range w.contra {
		accounts = append(accounts, a)
	}
	for _, a := range accounts {
		got := [4]int64{a.debits, a.credits, a.held, a.coming}
		want := folded{}
		if f.accounts[a.id] != nil {
			want = *f.accounts[a.id]
		}
		v.compareAccount(f, a, want)
		if got != [4]int64{want.debits, want.credits, want.held, want.coming} {
			v.wrong("counters", a.id, 0, "The account counts %v, its entries make %d, %d, %d and %d.", got, want.debits, want.credits, want.held, want.coming)
		}
	}
	v.compareLots(f)
	v.compareHolds(f)
	v.compareReplay(f)
}

// across looks whether the other account is what the transaction wants there.
func (v *verifier) across(f *fold, e *entry) {
	other := e.credit
	if other.id == f.wallet.id {
		other = e.debit
	}
	want := e.of.kind.across()
	if e.of.id != 0 && want != "" && (other.kind != want || want == "consumed" && other.plugin != e.of.plugin) {
		v.wrong("account_altered", other.id, e.id, "Entry %d wants an account of %s across the wallet.", e.id, want)
	}
}

func (v *verifier) compareLots(f *fold) {
	w := f.wallet
	var sum int64
	for _, l := range f.lots {
		sum += l.left
		switch {
		case !f.made[l.id]:
			v.wrong("lot_without_entry", w.id, int64(l.id), "No entry made lot %d.", l.id)
		case f.left[l.id]-l.repaid != l.left:
			v.wrong("lot_remaining", w.id, int64(l.id), "Lot %d has %d left, its entries make %d.", l.id, l.left, f.left[l.id]-l.repaid)
		case l.held < 0 || l.held > l.left || l.left > l.amount-l.repaid:
			v.wrong("lot_bounds", w.id, int64(l.id), "Lot %d of %d has %d left and %d held.", l.id, l.amount-l.repaid, l.left, l.held)
		}
		delete(f.left, l.id)
	}
	for _, n := range slices.Sorted(keys(f.left)) {
		v.wrong("lot_missing", w.id, int64(n), "Entries name lot %d, which is not there.", n)
	}
	if want := max(0, w.balance()); sum != want {
		v.wrong("lots_balance", w.id, 0, "The lots hold %d, the balance is %d.", sum, w.balance())
	}
	v.compareCover(f)
}

// compareCover looks whether what is held rests on lots as far as it can.
func (v *verifier) compareCover(f *fold) {
	var held, free int64
	for _, l := range f.lots {
		held, free = held+l.held, free+l.free()
	}
	if held > f.wallet.held || held < f.wallet.held && free > 0 {
		v.wrong("lots_held", f.wallet.id, 0, "Of %d held credits the lots set aside %d, while %d in them are free.", f.wallet.held, held, free)
	}
}

func (v *verifier) compareHolds(f *fold) {
	var open int64
	for _, h := range f.holds {
		if h.state == HoldOpen {
			open += h.amount - h.captured
		}
		if h.captured < 0 || h.captured > h.amount || (h.state == HoldOpen) != (h.ended == nil) {
			v.wrong("hold_state", f.wallet.id, int64(h.id), "Hold %d of %d is %s with %d captured.", h.id, h.amount, h.state, h.captured)
		}
	}
	if open != f.wallet.held {
		v.wrong("holds_sum", f.wallet.id, 0, "Open holds add up to %d, the account says %d.", open, f.wallet.held)
	}
}

// strayIDs is how many ids of each table one statement looks through for
// strays: none takes longer on a ledger that is longer.
var strayIDs int64 = 20_000 // tests take fewer

// strays looks for rows that belong to no wallet, a piece of the ledger at a
// time, and whether all accounts balance.
func (v *verifier) strays(ctx context.Context) error {
	for above := v.from.ID; ; {
		more := false
		err := v.read(ctx, func(tx *db.Tx) (err error) {
			var next int64
			if next, more, err = nextID(tx, above); more {
				above = next - 1
			}
			return err
		})
		if err != nil {
			return err
		}
		if !more {
			v.looked = 0 // no part goes on here
			return v.balance(ctx)
		}
		if v.full() {
			return nil
		}
		upTo := above + strayIDs
		if upTo < above {
			upTo = math.MaxInt64
		}
		for code, query := range strayRows {
			var rows []int64
			err := v.read(ctx, func(tx *db.Tx) (err error) {
				rows, err = strays(tx, query, above, upTo)
				return err
			})
			if err != nil {
				return err
			}
			for _, n := range rows {
				v.wrong(code, 0, n, "Row %d belongs to nothing in the ledger.", n)
			}
		}
		v.looked += upTo - above
		above = upTo
		v.from = page.Position{At: phaseStrays, ID: above}
	}
}

func (v *verifier) balance(ctx context.Context) error {
	var all []int64
	var kept sealed
	err := v.read(ctx, func(tx *db.Tx) (err error) {
		if kept, err = sealedOf(tx); err == nil {
			all, err = imbalance(tx)
		}
		return err
	})
	if kept.at != 0 && !bytes.Equal(kept.hash, v.seal.done(kept.at).hash) {
		v.wrong("seal_altered", 0, 0, "The hash of since when all has hashes is not right.")
	}
	for _, n := range all {
		v.wrong("ledger_unbalanced", 0, 0, "The credits of all accounts exceed their debits by %d.", n)
	}
	return err
}
