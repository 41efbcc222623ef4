package credit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
)

// placesFor writes placeholders for values from n on, padded to few lengths by
// repeating the last, so that few statement texts exist.
func placesFor[T ~int64 | ~string](values []T, n int) (marks string, args []any) {
	for _, v := range values {
		args = append(args, v)
	}
	length := 1
	for length < len(values) {
		length *= 2
	}
	for len(args) < length {
		args = append(args, values[len(values)-1])
	}
	all := make([]string, len(args))
	for i := range args {
		all[i] = "$" + strconv.Itoa(n+i)
	}
	return "(" + strings.Join(all, ", ") + ")", args
}

// pairsFor writes placeholders for references, padded as by placesFor.
func pairsFor(refs []Reference) (marks string, args []any) {
	length := 1
	for length < len(refs) {
		length *= 2
	}
	all := make([]string, length)
	for i := range all {
		r := refs[min(i, len(refs)-1)]
		all[i] = "($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ")"
		args = append(args, r.Principal, r.Key)
	}
	return strings.Join(all, ", "), args
}

const accountColumns = `a.id, a.kind, a.admin_id, a.organization_id, COALESCE(a.plugin_key, ''), a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending,
	a.credit_limit, a.limits_backed, a.limit_backed_by, a.transactions, a.moved_at, a.chain_length, a.chain_head, a.low_mark, a.warned_month, a.warned, a.due_at`

func (a *account) fields(admin **id.Admin, organization **id.Organization, by **id.Admin) []any {
	return []any{&a.id, &a.kind, admin, organization, &a.plugin, &a.debits, &a.credits, &a.held, &a.coming,
		&a.limit, &a.backed, by, &a.recorded, &a.movedAt, &a.length, &a.head, &a.lowMark, &a.month, &a.warned, &a.due}
}

// openBook locks the wallets of these owners, organizations' before admins' and
// each in order of id, and loads what belongs to them. What is due in them ends first.
func openBook(tx *db.Tx, owners ...Owner) (*book, error) {
	seal, err := newSealer(tx)
	if err != nil {
		return nil, err
	}
	b := &book{tx: tx, seal: seal, wallets: map[Owner]*wallet{}, byAccount: map[id.Account]*wallet{}, lots: map[id.Lot]*lot{}, holds: map[id.Transaction]*holding{}, origins: map[id.Transaction]*origin{}}
	if err := b.lock(owners); err != nil || len(b.wallets) == 0 {
		return b, err
	}
	if err := b.openLots(); err != nil {
		return nil, err
	}
	for _, w := range b.sorted() {
		w.level = w.conditions()
		if err := b.touch(w); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// lock reads the accounts and keeps everybody else from changing them. A
// statement that runs after this one sees all that was committed under the
// locks before.
func (b *book) lock(owners []Owner) error {
	organizations := distinct(owners, func(o Owner) id.Organization { return o.Organization })
	admins := distinct(owners, func(o Owner) id.Admin { return o.Admin })
	var conditions []string
	args := []any{b.tx.Now, b.tx.Now}
	if len(organizations) > 0 {
		marks, values := placesFor(organizations, len(args)+1)
		conditions, args = append(conditions, "a.organization_id IN "+marks), append(args, values...)
	}
	if len(admins) > 0 {
		marks, values := placesFor(admins, len(args)+1)
		conditions, args = append(conditions, "a.admin_id IN "+marks), append(args, values...)
	}
	if len(conditions) == 0 {
		return nil
	}
	locking := ""
	if b.tx.Engine() == db.Postgres {
		locking = " FOR UPDATE OF a"
	}
	_, err := db.All(b.tx, func(r db.Row) (struct{}, error) {
		w := &wallet{contra: map[string]*account{}}
		var admin, by, reseller *id.Admin
		var organization *id.Organization
		err := r.Scan(append(w.fields(&admin, &organization, &by), &reseller, &w.suspended, &w.adminSuspended)...)
		w.of, w.backedBy, w.admin = Owner{Organization: id.Val(organization), Admin: id.Val(admin)}, id.Val(by), id.Val(reseller)
		if w.isWallet() {
			b.wallets[w.of], b.byAccount[w.id] = w, w
		} else if of := b.wallets[w.of]; of != nil { // the wallet is the oldest of its accounts
			of.contra[w.kind+w.plugin] = &w.account
		}
		return struct{}{}, err
	}, `SELECT `+accountColumns+`, o.admin_id, COALESCE(o.status = 'archived', FALSE) OR `+hold.OrganizationCondition("a.organization_id", "$1")+`,
		`+hold.AdminCondition("o.admin_id", "$2")+`
		FROM credit_accounts a LEFT JOIN organizations o ON o.id = a.organization_id
		WHERE `+strings.Join(conditions, " OR ")+` ORDER BY CASE WHEN a.admin_id IS NULL THEN 0 ELSE 1 END, a.id`+locking, args...)
	if err != nil {
		return err
	}
	for _, w := range b.wallets {
		if w.length > 0 && len(w.head) == 0 {
			return fmt.Errorf("credit: the ledger of account %d has no hashes yet", w.id)
		}
	}
	return nil
}

const holdColumns = `h.id, h.organization_id, h.plugin_key, COALESCE(t.reference, ''), h.amount, h.captured, h.state, h.expires_at, h.created_at, h.ended_at
	FROM credit_holds h JOIN credit_transactions t ON t.id = h.id`

func scanHolding(r db.Row) (*holding, error) {
	h := new(holding)
	return h, r.Scan(&h.id, &h.organization, &h.plugin, &h.reference, &h.amount, &h.captured, &h.state, &h.expires, &h.at, &h.ended)
}

// dueHolds gives the open holds that have run out, and when the next one does.
func dueHolds(tx *db.Tx, of id.Account) (due []*holding, next *db.Time, err error) {
	due, err = db.All(tx, scanHolding, `SELECT `+holdColumns+` WHERE h.account_id = $1 AND h.state = 'open' AND h.expires_at <= $2 ORDER BY h.expires_at, h.id`, int64(of), tx.Now)
	if err != nil {
		return nil, nil, err
	}
	next, err = db.One(tx, func(r db.Row) (at *db.Time, err error) { return at, r.Scan(&at) },
		`SELECT MIN(expires_at) FROM credit_holds WHERE account_id = $1 AND state = 'open' AND expires_at > $2`, int64(of), tx.Now)
	return due, next, err
}

// holdsByID loads holds of wallets that are locked.
func (b *book) holdsByID(ids []id.Transaction) error {
	if len(ids) == 0 {
		return nil
	}
	marks, args := placesFor(ids, 1)
	all, err := db.All(b.tx, scanHolding, `SELECT `+holdColumns+` WHERE h.id IN `+marks+` ORDER BY h.id`, args...)
	for _, h := range all {
		if b.holds[h.id] == nil {
			h.wallet = b.wallets[Owner{Organization: h.organization}]
			b.holds[h.id] = h
		}
	}
	return err
}

// holders gives whose holds, or transactions, these are. It does not change.
func holders(tx *db.Tx, table string, ids []id.Transaction) (map[id.Transaction]id.Organization, error) {
	of := map[id.Transaction]id.Organization{}
	if len(ids) == 0 {
		return of, nil
	}
	marks, args := placesFor(ids, 1)
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var n id.Transaction
		var o *id.Organization
		err := r.Scan(&n, &o)
		of[n] = id.Val(o)
		return struct{}{}, err
	}, `SELECT id, organization_id FROM `+table+` WHERE id IN `+marks, args...)
	return of, err
}

// originOf reads what a transaction of a locked wallet took, and what of it was
// given back.
func (b *book) originOf(n id.Transaction) (*origin, error) {
	o, err := db.One(b.tx, func(r db.Row) (*origin, error) {
		o := &origin{id: n}
		var of *id.Organization
		err := r.Scan(&o.kind, &of, &o.amount, &o.plugin, &o.refunded)
		o.organization = id.Val(of)
		return o, err
	}, `SELECT t.kind, t.organization_id, t.amount, COALESCE(t.plugin_key, ''),
		CAST(COALESCE((SELECT SUM(r.amount) FROM credit_transactions r WHERE r.reverses_id = t.id), 0) AS BIGINT)
		FROM credit_transactions t WHERE t.id = $1`, n)
	if errors.Is(err, db.ErrNoRows) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, err
	}
	type row struct {
		lot    *id.Lot
		amount int64
	}
	rows, err := db.All(b.tx, func(r db.Row) (t row, err error) { return t, r.Scan(&t.lot, &t.amount) },
		`SELECT debit_lot_id, amount FROM credit_entries WHERE transaction_id = $1 AND effect IN ('post', 'capture') ORDER BY id`, n)
	if err != nil {
		return nil, err
	}
	if err := b.lotsByID(distinct(rows, func(t row) id.Lot { return id.Val(t.lot) })); err != nil {
		return nil, err
	}
	for _, t := range rows {
		o.pieces = append(o.pieces, piece{b.lots[id.Val(t.lot)], t.amount})
	}
	return o, nil
}

// known is a transaction that a reference made before.
type known struct {
	Transaction
	ref     Reference
	request []byte
}

// referenced gives what was made under these references. The first statement,
// nearly always the only one, probes the index for each of them: of two lists
// PostgreSQL may take one and walk through all that a principal ever did.
func referenced(tx *db.Tx, refs []Reference) ([]known, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	pairs, args := pairsFor(refs)
	ids, err := db.All(tx, db.Int64, `WITH v (principal, key) AS (VALUES `+pairs+`) SELECT t.id FROM v
		JOIN credit_transactions t ON t.idempotency_principal = v.principal AND t.idempotency_key = v.key ORDER BY t.id`, args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	marks, args := placesFor(slices.Compact(ids), 1)
	return db.All(tx, func(r db.Row) (known, error) {
		var k known
		var discount, cost int64
		var balance *int64
		err := r.Scan(&k.ID, &k.Kind, &k.Amount, &k.Admin, &k.Organization, &k.Reason, &k.Source, &k.PartnerGroup,
			&discount, &cost, &balance, &k.Actor.Type, &k.Actor.ID, &k.CreatedAt, &k.ExpiresAt,
			&k.Plugin, &k.Reference, &k.Hold, &k.Reverses, &k.ref.Principal, &k.ref.Key, &k.request)
		k.BalanceAfter, k.UpdatedAt = id.Val(balance), k.CreatedAt
		k.price(discount, cost)
		return k, err
	}, `SELECT t.id, t.kind, t.amount, t.admin_id, t.organization_id, t.reason, t.source, t.partner_group_id, t.discount_bp, t.net_cost,
		(SELECT CASE WHEN a.kind = 'consumed' THEN e.debit_balance_after ELSE e.credit_balance_after END
			FROM credit_entries e JOIN credit_accounts a ON a.id = e.credit_account_id WHERE e.transaction_id = t.id ORDER BY e.id DESC LIMIT 1),
		t.actor_type, t.actor_id, t.created_at, t.expires_at, t.plugin_key, t.reference, t.hold_id, t.reverses_id,
		t.idempotency_principal, t.idempotency_key, t.request_hash
		FROM credit_transactions t WHERE t.id IN `+marks+` ORDER BY t.id`, args...)
}

func knownPlugin(tx *db.Tx, key string) error {
	n, err := db.One(tx, db.Int64, `SELECT count(*) FROM plugins WHERE key = $1`, key)
	if err == nil && n == 0 {
		err = fault.InvalidField("plugin", "unknown_plugin", "The catalogue has no such plugin.")
	}
	return err
}

// acrossOf reads an account across a locked wallet, or makes it. Whoever waited
// for the wallet has not seen one that came meanwhile; nobody makes another one
// while the wallet is locked.
func acrossOf(tx *db.Tx, of Owner, kind, plugin string) (*account, error) {
	a, err := readAcross(tx, of, kind, plugin)
	if !errors.Is(err, db.ErrNoRows) {
		return a, err
	}
	if plugin != "" {
		if err := knownPlugin(tx, plugin); err != nil {
			return nil, err
		}
	}
	a = &account{kind: kind, of: of, plugin: plugin}
	a.id, err = insertAccount(tx, a)
	return a, err
}

func readAcross(tx *db.Tx, of Owner, kind, plugin string) (*account, error) {
	column, value, _ := of.key()
	return db.One(tx, func(r db.Row) (*account, error) {
		a := &account{of: of}
		var admin, by *id.Admin
		var organization *id.Organization
		return a, r.Scan(a.fields(&admin, &organization, &by)...)
	}, `SELECT `+accountColumns+` FROM credit_accounts a WHERE a.`+column+` = $1 AND a.kind = $2 AND COALESCE(a.plugin_key, '') = $3`, value, kind, plugin)
}

func insertAccount(tx *db.Tx, a *account) (id.Account, error) {
	n, err := tx.Insert(`INSERT INTO credit_accounts (kind, admin_id, organization_id, plugin_key, debits_posted, credits_posted,
		debits_pending, credits_pending, credit_limit, limits_backed, transactions, moved_at, created_at)
		VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, 0, 0, 0, $5) RETURNING id`,
		a.kind, id.Ref(a.of.Admin), id.Ref(a.of.Organization), ref(a.plugin), tx.Now)
	return id.Account(n), err
}

var (
	transactionFields = []string{"id", "kind", "amount", "admin_id", "organization_id", "actor_type", "actor_id", "reason", "source",
		"partner_group_id", "discount_bp", "net_cost", "idempotency_principal", "idempotency_key", "request_hash", "expires_at", "created_at",
		"plugin_key", "reference", "hold_id", "reverses_id", "hash"}
	entryFields = []string{"id", "transaction_id", "debit_account_id", "credit_account_id", "amount", "debit_balance_after", "credit_balance_after",
		"created_at", "organization_id", "admin_id", "effect", "debit_lot_id", "credit_lot_id", "debit_seq", "credit_seq", "hash"}
	lotFields = []string{"id", "account_id", "organization_id", "admin_id", "transaction_id", "parent_lot_id", "category", "priority",
		"amount", "repaid", "remaining", "held", "expires_at", "created_at", "hash"}
	holdFields    = []string{"id", "account_id", "organization_id", "plugin_key", "amount", "captured", "state", "expires_at", "created_at", "ended_at"}
	accountFields = []string{"debits_posted", "credits_posted", "debits_pending", "credits_pending", "transactions", "moved_at",
		"chain_length", "chain_head", "low_mark", "warned_month", "warned", "due_at"}
)

// store writes the book, each table in one go.
func (b *book) store(hashes [][]byte) error {
	var rows [][]any
	for _, t := range b.transactions {
		rows = append(rows, []any{int64(t.id), string(t.kind), t.amount, id.Ref(t.admin), id.Ref(t.organization), string(t.actor.Type), ref(t.actor.ID), ref(t.reason), string(t.source),
			id.Ref(t.group), t.discount, t.cost, ref(t.ref.Principal), ref(t.ref.Key), t.request, t.expires, t.at,
			ref(t.plugin), ref(t.reference), id.Ref(t.hold), id.Ref(t.reverses), t.hash})
	}
	if err := b.tx.InsertMany("credit_transactions", transactionFields, rows); err != nil {
		return err
	}
	rows = nil
	for i, e := range b.entries {
		rows = append(rows, []any{e.id, int64(e.of.id), int64(e.debit.id), int64(e.credit.id), e.amount, e.debitAfter, e.creditAfter,
			e.of.at, id.Ref(e.of.organization), id.Ref(e.of.admin), e.effect, ref(e.debitLot.number()), ref(e.creditLot.number()), ref(e.debitSeq), ref(e.creditSeq), hashes[i]})
	}
	if err := b.tx.InsertMany("credit_entries", entryFields, rows); err != nil {
		return err
	}
	if err := b.storeLots(); err != nil {
		return err
	}
	if err := b.storeHolds(); err != nil {
		return err
	}
	return b.storeAccounts()
}

func (b *book) storeHolds() error {
	var rows [][]any
	for _, h := range b.newHolds {
		rows = append(rows, []any{int64(h.of.id), int64(h.wallet.id), int64(h.organization), h.plugin, h.amount, h.captured, string(h.state), h.expires, h.at, h.ended})
	}
	if err := b.tx.InsertMany("credit_holds", holdFields, rows); err != nil {
		return err
	}
	rows = nil
	done := map[*holding]bool{}
	for _, h := range b.changed {
		if !done[h] {
			done[h] = true
			rows = append(rows, []any{int64(h.id), h.captured, string(h.state), h.ended})
		}
	}
	return b.update("credit_holds", []string{"captured", "state", "ended_at"}, rows)
}

func (b *book) storeAccounts() error {
	var rows [][]any
	add := func(a *account) {
		if a.touched {
			rows = append(rows, []any{int64(a.id), a.debits, a.credits, a.held, a.coming, a.recorded, a.movedAt, a.length, a.head, a.lowMark, a.month, a.warned, a.due})
		}
	}
	for _, w := range b.sorted() {
		add(&w.account)
		if w.touched && w.of.Organization != 0 {
			moved(b.tx, w.of.Organization)
		}
		for _, a := range w.contra {
			add(a)
		}
	}
	return b.update("credit_accounts", accountFields, rows)
}

// update sets rows that are locked, so all of them must be there.
func (b *book) update(table string, columns []string, rows [][]any) error {
	slices.SortFunc(rows, func(x, y []any) int { return int(x[0].(int64) - y[0].(int64)) })
	return b.tx.UpdateMany(table, columns, rows)
}

func withoutAccount(of Owner) error {
	_, value, kind := of.key()
	return fmt.Errorf("credit: %s %d has no account", kind, value)
}

// ref is nil for the zero value.
func ref[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// dueWallets gives some wallets of which something ends now.
func dueWallets(tx *db.Tx) ([]Owner, error) {
	return db.All(tx, func(r db.Row) (Owner, error) {
		var admin *id.Admin
		var organization *id.Organization
		err := r.Scan(&admin, &organization)
		return Owner{Admin: id.Val(admin), Organization: id.Val(organization)}, err
	}, `SELECT admin_id, organization_id FROM credit_accounts WHERE due_at <= $1 AND kind IN ('admin', 'organization') ORDER BY due_at LIMIT 100`, tx.Now)
}
