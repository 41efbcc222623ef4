package credit

import (
	"slices"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// A book is what one database transaction knows of the ledger and changes in
// it: the wallets it has locked, with their lots, and what it appends. Any
// number of operations run on it one after the other, as if each were alone;
// one that is refused has changed nothing. flush writes everything, each
// touched row once.
type book struct {
	tx        *db.Tx
	seal      *sealer
	wallets   map[Owner]*wallet
	byAccount map[id.Account]*wallet
	lots      map[id.Lot]*lot // stored ones that were loaded
	holds     map[id.Transaction]*holding
	origins   map[id.Transaction]*origin // of refunds

	transactions []*record
	entries      []*entry
	newLots      []*lot
	newHolds     []*holding
	changed      []*holding // stored ones
	warnings     []warning
}

// account is a row of credit_accounts.
type account struct {
	id                      id.Account
	kind                    string
	of                      Owner
	plugin                  string
	debits, credits         int64
	held, coming            int64 // debits and credits that are pending
	limit, backed, recorded int64
	backedBy                id.Admin
	movedAt                 db.Time
	length                  int64 // of the chain of a wallet's entries
	head                    []byte
	lowMark, month, warned  int64
	due                     *db.Time // nothing expires before
	touched                 bool
	blank                   bool // as of record
}

func (a *account) balance() int64 { return a.credits - a.debits }

func (a *account) isWallet() bool { return a.kind == "admin" || a.kind == "organization" }

// wallet is an admin's or organization's account, with what belongs to it.
type wallet struct {
	account
	admin                     id.Admin // of the organization
	suspended, adminSuspended bool
	lots                      []*lot // with something left, in burn order
	beyond                    bool   // there are more of them, stored behind edge
	edge                      *lot
	windowed                  int // how many stored ones up to edge were read
	contra                    map[string]*account
	level                     int64 // the warnings whose condition holds
}

// available is what can be spent: balance and limit less what is held.
func (w *wallet) available() int64 { return Available(w.balance(), w.held, w.limit) }

// uncommitted is what a pool can pass on.
func (w *wallet) uncommitted(oversell bool) int64 {
	if oversell {
		return w.balance() - w.held
	}
	return w.balance() - w.held - w.backed
}

// record is a transaction of the book.
type record struct {
	draft
	id    id.Transaction
	at    db.Time
	hash  []byte
	blank bool // as it was read, something is empty that should be absent
}

// draft is what an operation says of its transaction.
type draft struct {
	kind           Kind
	source         Source
	amount         int64
	admin          id.Admin
	organization   id.Organization
	actor          audit.Actor
	reason         string
	group          id.Group
	discount, cost int64
	expires        *db.Time
	ref            Reference
	request        []byte // the hash of what was asked under ref
	plugin         string
	reference      string
	hold           id.Transaction
	reverses       id.Transaction
}

// effects of an entry.
const (
	posts    = "post"    // moves the balance
	holds    = "hold"    // sets aside
	captures = "capture" // posts what was held
	releases = "release" // gives back what was held
)

// entry is one movement between two accounts. Its lots are those of a wallet.
type entry struct {
	of                      *record
	id                      int64
	debit, credit           *account
	amount                  int64
	effect                  string
	debitAfter, creditAfter int64
	debitLot, creditLot     *lot
	debitSeq, creditSeq     int64
	stored                  []byte // its hash, as it was read
	blank                   bool   // as of record
}

// begin makes a transaction over accounts. Its time lies after that of every
// earlier one of theirs, so an account's transactions are in order of time.
func (b *book) begin(d draft, over ...*account) *record {
	at := b.tx.Now
	for _, a := range over {
		at = max(at, a.movedAt+1)
	}
	for _, a := range over {
		a.movedAt, a.touched = at, true
		a.recorded++
	}
	t := &record{draft: d, at: at}
	b.transactions = append(b.transactions, t)
	return t
}

// post appends an entry and moves the counters of its accounts.
func (b *book) post(t *record, effect string, debit, credit *account, amount int64, debitLot, creditLot *lot) {
	switch effect {
	case holds:
		debit.held, credit.coming = debit.held+amount, credit.coming+amount
	case releases:
		debit.held, credit.coming = debit.held-amount, credit.coming-amount
	case captures:
		debit.held, credit.coming = debit.held-amount, credit.coming-amount
		fallthrough
	default:
		debit.debits, credit.credits = debit.debits+amount, credit.credits+amount
	}
	e := &entry{of: t, debit: debit, credit: credit, amount: amount, effect: effect,
		debitAfter: debit.balance(), creditAfter: credit.balance(), debitLot: debitLot, creditLot: creditLot}
	e.debitSeq, e.creditSeq = debit.next(), credit.next()
	b.entries = append(b.entries, e)
}

// next is the place of an entry in the chain of the account; 0 for one that is
// no wallet, whose entries stand in its wallet's chain.
func (a *account) next() int64 {
	a.touched = true
	if !a.isWallet() {
		return 0
	}
	a.length++
	return a.length
}

// other gives the account that stands across a wallet's: issuance, consumed for
// a plugin, expired or adjustment. Each wallet has its own, so that one lock is
// enough for all of it and wallets never wait for each other.
func (b *book) other(w *wallet, kind, plugin string) (*account, error) {
	if a := w.contra[kind+plugin]; a != nil {
		return a, nil
	}
	a, err := acrossOf(b.tx, w.of, kind, plugin)
	if err != nil {
		return nil, err
	}
	w.contra[kind+plugin] = a
	return a, nil
}

// flush writes all that happened.
func (b *book) flush() error {
	if len(b.transactions) == 0 && !b.anyTouched() {
		return nil
	}
	ids, err := b.tx.Reserve(db.Want{Table: "credit_transactions", N: len(b.transactions)},
		db.Want{Table: "credit_entries", N: len(b.entries)}, db.Want{Table: "credit_lots", N: len(b.newLots)})
	if err != nil {
		return err
	}
	for i, t := range b.transactions {
		t.id = id.Transaction(ids[0][i])
		t.hash = b.seal.transaction(t)
	}
	for i, l := range b.newLots {
		l.id = id.Lot(ids[2][i])
	}
	for _, l := range b.newLots {
		l.hash = b.seal.lot(l)
	}
	hashes := make([][]byte, len(b.entries))
	for i, e := range b.entries {
		e.id = ids[1][i]
		hashes[i] = b.seal.entry(e)
		for _, a := range []*account{e.debit, e.credit} {
			if a.isWallet() {
				a.head = b.seal.link(a.id, a.head, hashes[i])
			}
		}
	}
	if err := b.dueWarnings(); err != nil {
		return err
	}
	if err := b.tx.Together(func() error { return b.store(hashes) }); err != nil {
		return err
	}
	return b.warn()
}

func (b *book) anyTouched() bool {
	for _, w := range b.wallets {
		if w.touched {
			return true
		}
	}
	return false
}

// wallet gives a wallet that was loaded. Its absence is our mistake: wallets
// are opened with their owners.
func (b *book) wallet(of Owner) (*wallet, error) {
	if w := b.wallets[of]; w != nil {
		return w, nil
	}
	return nil, withoutAccount(of)
}

// sorted gives the wallets in order of id.
func (b *book) sorted() []*wallet {
	all := make([]*wallet, 0, len(b.wallets))
	for _, w := range b.wallets {
		all = append(all, w)
	}
	slices.SortFunc(all, func(x, y *wallet) int { return int(x.id - y.id) })
	return all
}

// transaction is the record as the wallet sees it, once flushed.
func (b *book) transaction(t *record, w *account) Transaction {
	balance := w.balance()
	for _, e := range slices.Backward(b.entries) {
		if e.of == t && (e.debit == w || e.credit == w) {
			balance = e.debitAfter
			if e.credit == w {
				balance = e.creditAfter
			}
			break
		}
	}
	return t.seen(balance)
}

func (t *record) seen(balance int64) Transaction {
	s := Transaction{ID: t.id, Kind: t.kind, Amount: t.amount, Admin: id.Ref(t.admin), Organization: id.Ref(t.organization),
		Reason: ref(t.reason), Source: t.source, PartnerGroup: id.Ref(t.group), BalanceAfter: balance,
		Actor: Actor{Type: t.actor.Type, ID: ref(t.actor.ID)}, CreatedAt: t.at, UpdatedAt: t.at, ExpiresAt: t.expires,
		Plugin: ref(t.plugin), Reference: ref(t.reference), Hold: id.Ref(t.hold), Reverses: id.Ref(t.reverses)}
	s.price(t.discount, t.cost)
	return s
}

// unused refuses a reference that made a transaction before.
func (b *book) unused(r Reference) error {
	if r == (Reference{}) {
		return nil
	}
	known, err := referenced(b.tx, []Reference{r})
	if err == nil && len(known) > 0 {
		err = reused()
	}
	return err
}

func reused() error {
	return fault.InvalidField("Idempotency-Key", "idempotency_key_reused", "This key made another credit transaction before; take a new one.")
}

// distinct gives each number of all once, leaving out zero.
func distinct[T any, I id.Any](all []T, f func(T) I) []I {
	seen, out := make(map[I]bool, len(all)), make([]I, 0, len(all))
	for _, v := range all {
		if n := f(v); n != 0 && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
