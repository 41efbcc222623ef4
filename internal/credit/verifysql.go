package credit

import (
	"iter"
	"maps"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// keys gives the keys of a map.
func keys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }

// page is how many rows of the ledger are read at once.
const pageRows = 1000

const recordColumns = `t.id, t.kind, t.amount, t.admin_id, t.organization_id, t.actor_type, t.actor_id, t.reason, t.source, t.partner_group_id, t.discount_bp, t.net_cost,
	t.idempotency_principal, t.idempotency_key, t.request_hash, t.expires_at, t.created_at, t.plugin_key, t.reference, t.hold_id, t.reverses_id, t.hash`

// scanRecord reads a transaction; further are columns after its own.
func scanRecord(r db.Row, further ...any) (*record, error) {
	t := new(record)
	var admin *id.Admin
	var organization *id.Organization
	var actor *int64
	var reason, principal, key, plugin, reference *string
	var group *id.Group
	var hold, reverses *id.Transaction
	err := r.Scan(append([]any{&t.id, &t.kind, &t.amount, &admin, &organization, &t.actor.Type, &actor, &reason, &t.source, &group, &t.discount, &t.cost,
		&principal, &key, &t.request, &t.expires, &t.at, &plugin, &reference, &hold, &reverses, &t.hash}, further...)...)
	t.admin, t.organization, t.group, t.hold, t.reverses = id.Val(admin), id.Val(organization), id.Val(group), id.Val(hold), id.Val(reverses)
	t.actor.ID, t.reason, t.plugin, t.reference = val(actor), val(reason), val(plugin), val(reference)
	t.ref = Reference{val(principal), val(key)}
	t.blank = blank(admin) || blank(organization) || blank(actor) || blank(reason) || blank(principal) || blank(key) || blank(plugin) || blank(reference) ||
		blank(group) || blank(hold) || blank(reverses) || t.request != nil && len(t.request) == 0
	return t, err
}

// val is the zero value for nil.
func val[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// blank reports a zero where nothing should be: of that, hashes see no difference.
func blank[T comparable](p *T) bool {
	var zero T
	return p != nil && *p == zero
}

func recordsAfter(tx *db.Tx, after id.Transaction) ([]*record, error) {
	return db.All(tx, func(r db.Row) (*record, error) { return scanRecord(r) },
		`SELECT `+recordColumns+` FROM credit_transactions t WHERE t.id > $1 ORDER BY t.id LIMIT $2`, after, pageRows)
}

func walletsAfter(tx *db.Tx, after id.Account) ([]id.Account, error) {
	return db.All(tx, func(r db.Row) (n id.Account, err error) { return n, r.Scan(&n) },
		`SELECT id FROM credit_accounts WHERE kind IN ('admin', 'organization') AND id > $1 ORDER BY id LIMIT $2`, after, pageRows)
}

// snapshot is a wallet with all that changes in it, as of one moment.
type snapshot struct {
	wallet *wallet
	lots   []*lot
	holds  []*holding
	limits []limitSet // that it had, in their order

	backing int64 // the sum of the limits that name it
}

// limitSet is a credit limit, since when it was in force and who backs it.
type limitSet struct {
	id           int64
	account      id.Account
	organization id.Organization
	limit        int64
	by           id.Admin
	at           db.Time
	hash         []byte
	blank        bool
}

// snapshotOf reads a wallet by one statement: its accounts, lots and holds are
// of one moment.
func snapshotOf(tx *db.Tx, of id.Account) (snapshot, error) {
	var s snapshot
	byID := map[id.Lot]*lot{}
	contra := map[string]*account{}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var what, kind, state string
		var admin, by *id.Admin
		var organization *id.Organization
		var parent *id.Lot
		var n [14]int64
		var at, ended *db.Time
		var head []byte
		err := r.Scan(&what, &n[0], &kind, &admin, &organization, &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &head, &state, &parent, &at, &ended, &by, &n[7], &n[8], &n[9], &n[10])
		if err != nil {
			return struct{}{}, err
		}
		switch what {
		case "a":
			a := account{id: id.Account(n[0]), kind: kind, of: Owner{Admin: id.Val(admin), Organization: id.Val(organization)}, debits: n[1], credits: n[2], held: n[3], coming: n[4], length: n[5], head: head, plugin: state,
				movedAt: db.Time(n[6]), limit: n[7], backed: n[8], recorded: n[9], backedBy: id.Val(by), due: at, blank: blank(admin) || blank(organization) || blank(by)}
			if a.isWallet() {
				s.wallet, s.backing = &wallet{account: a, contra: contra}, n[10]
			} else {
				contra[kind+state] = &a
			}
		case "l":
			l := &lot{id: id.Lot(n[0]), stored: true, category: Category(kind), transaction: id.Transaction(n[1]), priority: n[2], amount: n[3], repaid: n[4], left: n[5], held: n[6], hash: head, expires: at, at: *ended,
				blank: blank(admin) || blank(organization) || blank(parent)}
			if parent != nil {
				l.parent = &lot{id: *parent, stored: true}
			}
			byID[l.id] = l
			l.wallet = &wallet{account: account{id: of, of: Owner{Admin: id.Val(admin), Organization: id.Val(organization)}}}
			s.lots = append(s.lots, l)
		case "m":
			s.limits = append(s.limits, limitSet{n[0], of, id.Val(organization), n[1], id.Val(by), *at, head, blank(by)})
		default:
			s.holds = append(s.holds, &holding{id: id.Transaction(n[0]), amount: n[1], captured: n[2], state: HoldState(kind), expires: *at, ended: ended})
		}
		return struct{}{}, nil
	}, `SELECT 'a', c.id, c.kind, c.admin_id, c.organization_id, c.debits_posted, c.credits_posted, c.debits_pending, c.credits_pending, c.chain_length, c.moved_at, c.chain_head,
			COALESCE(c.plugin_key, ''), NULL, c.due_at, NULL, c.limit_backed_by, c.credit_limit, c.limits_backed, c.transactions,
			CAST(COALESCE((SELECT SUM(b.credit_limit) FROM credit_accounts b WHERE c.kind = 'admin' AND b.limit_backed_by = c.admin_id), 0) AS BIGINT)
		FROM credit_accounts w JOIN credit_accounts c ON c.id = w.id OR (w.organization_id IS NOT NULL AND c.organization_id = w.organization_id)
			OR (w.admin_id IS NOT NULL AND c.admin_id = w.admin_id) WHERE w.id = $1
		UNION ALL SELECT 'l', l.id, l.category, l.admin_id, l.organization_id, l.transaction_id, l.priority, l.amount, l.repaid, l.remaining, l.held, l.hash,
			'', l.parent_lot_id, l.expires_at, l.created_at, NULL, 0, 0, 0, 0 FROM credit_lots l WHERE l.account_id = $2
		UNION ALL SELECT 'h', h.id, h.state, NULL, NULL, h.amount, h.captured, 0, 0, 0, 0, NULL,
			'', NULL, h.expires_at, h.ended_at, NULL, 0, 0, 0, 0 FROM credit_holds h WHERE h.account_id = $3
		UNION ALL SELECT 'm', m.id, '', NULL, m.organization_id, m.credit_limit, 0, 0, 0, 0, 0, m.hash,
			'', NULL, m.set_at, NULL, m.limit_backed_by, 0, 0, 0, 0 FROM credit_limits m WHERE m.account_id = $4 ORDER BY 1, 2`, int64(of), int64(of), int64(of), int64(of))
	return s, err
}

const entryColumns = `e.id, e.amount, e.effect, e.debit_account_id, e.credit_account_id, e.debit_balance_after, e.credit_balance_after, e.debit_lot_id, e.credit_lot_id,
	e.debit_seq, e.credit_seq, e.hash, e.organization_id, e.admin_id, e.created_at`

// chainAfter gives the next entries of a wallet's chain with their
// transactions, up to the length of the snapshot; since is the time of the one
// before.
func chainAfter(tx *db.Tx, s snapshot, after int64, since db.Time) ([]*entry, error) {
	lots := map[id.Lot]*lot{}
	for _, l := range s.lots {
		lots[l.id] = l
	}
	accounts := map[id.Account]*account{s.wallet.id: &s.wallet.account}
	for _, a := range s.wallet.contra {
		accounts[a.id] = a
	}
	at := func(n id.Account) *account {
		if a := accounts[n]; a != nil {
			return a
		}
		return &account{id: n}
	}
	within := func(n *id.Lot) *lot {
		switch {
		case n == nil:
			return nil
		case lots[*n] != nil:
			return lots[*n]
		}
		return &lot{id: *n, stored: true}
	}
	one := func(r db.Row) (*entry, error) {
		e := new(entry)
		var debit, credit id.Account
		var debitLot, creditLot, made *id.Lot
		var debitSeq, creditSeq *int64
		var madeHash []byte
		var organization *id.Organization
		var admin *id.Admin
		var created db.Time
		var transaction *id.Transaction
		var kind *Kind
		var plugin *string
		var seq int64
		t := new(record)
		err := r.Scan(&e.id, &e.amount, &e.effect, &debit, &credit, &e.debitAfter, &e.creditAfter, &debitLot, &creditLot,
			&debitSeq, &creditSeq, &e.stored, &organization, &admin, &created, &transaction, &t.hash, &kind, &plugin, &made, &madeHash, &seq)
		t.kind, t.plugin = val(kind), val(plugin)
		t.id, t.organization, t.admin, t.at = id.Val(transaction), id.Val(organization), id.Val(admin), created
		e.of, e.debit, e.credit, e.debitLot, e.creditLot = t, at(debit), at(credit), within(debitLot), within(creditLot)
		e.debitSeq, e.creditSeq = val(debitSeq), val(creditSeq)
		e.blank = blank(organization) || blank(admin) || blank(debitLot) || blank(creditLot) || blank(debitSeq) || blank(creditSeq)
		if made != nil && e.creditLot != nil && lots[*made] == nil { // of another wallet
			e.creditLot = &lot{id: *made, stored: true, transaction: t.id, hash: madeHash}
		}
		return e, err
	}
	const from = ` FROM credit_entries e LEFT JOIN credit_transactions t ON t.id = e.transaction_id
		LEFT JOIN credit_lots m ON m.id = e.credit_lot_id AND m.transaction_id = e.transaction_id WHERE e.`
	return db.All(tx, one, `SELECT * FROM (
			SELECT * FROM (SELECT `+entryColumns+`, t.id AS tid, t.hash AS thash, t.kind AS tkind, t.plugin_key AS tplugin, m.id AS mid, m.hash AS mhash, e.debit_seq AS seq`+from+`debit_account_id = $1 AND e.created_at >= $2 AND e.debit_seq > $3 AND e.debit_seq <= $4 ORDER BY e.created_at, e.id LIMIT $5) AS d
			UNION ALL
			SELECT * FROM (SELECT `+entryColumns+`, t.id, t.hash, t.kind, t.plugin_key, m.id, m.hash, e.credit_seq`+from+`credit_account_id = $6 AND e.created_at >= $7 AND e.credit_seq > $8 AND e.credit_seq <= $9 ORDER BY e.created_at, e.id LIMIT $10) AS c
		) AS x ORDER BY seq LIMIT $11`,
		int64(s.wallet.id), since, after, s.wallet.length, pageRows, int64(s.wallet.id), since, after, s.wallet.length, pageRows, pageRows)
}

// strayRows are statements that give rows which no wallet's check would meet,
// of those with ids above $1 up to $2. What they are compared with is bounded
// too where it can be, or PostgreSQL may read all of it.
var strayRows = map[string]string{
	"transaction_without_entry": `SELECT t.id FROM credit_transactions t WHERE t.id > $1 AND t.id <= $2
		AND NOT EXISTS (SELECT 1 FROM credit_entries e WHERE e.transaction_id = t.id AND e.transaction_id > $1 AND e.transaction_id <= $2) ORDER BY t.id LIMIT 100`,
	"entry_without_wallet": `SELECT e.id FROM credit_entries e WHERE e.id > $1 AND e.id <= $2
		AND NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = e.debit_account_id AND a.kind IN ('admin', 'organization'))
		AND NOT EXISTS (SELECT 1 FROM credit_accounts a WHERE a.id = e.credit_account_id AND a.kind IN ('admin', 'organization')) ORDER BY e.id LIMIT 100`,
	"entry_debit_out_of_chain": `SELECT e.id FROM credit_entries e JOIN credit_accounts a ON a.id = e.debit_account_id WHERE e.id > $1 AND e.id <= $2
		AND a.kind IN ('admin', 'organization') AND (e.debit_seq IS NULL OR e.debit_seq < 1 OR e.debit_seq > a.chain_length) ORDER BY e.id LIMIT 100`,
	"entry_credit_out_of_chain": `SELECT e.id FROM credit_entries e JOIN credit_accounts a ON a.id = e.credit_account_id WHERE e.id > $1 AND e.id <= $2
		AND a.kind IN ('admin', 'organization') AND (e.credit_seq IS NULL OR e.credit_seq < 1 OR e.credit_seq > a.chain_length) ORDER BY e.id LIMIT 100`,
	"lot_without_wallet": `SELECT l.id FROM credit_lots l WHERE l.id > $1 AND l.id <= $2 AND NOT EXISTS (SELECT 1 FROM credit_accounts a
		WHERE a.id = l.account_id AND a.kind IN ('admin', 'organization')) ORDER BY l.id LIMIT 100`,
	"limit_without_wallet": `SELECT m.id FROM credit_limits m WHERE m.id > $1 AND m.id <= $2 AND NOT EXISTS (SELECT 1 FROM credit_accounts a
		WHERE a.id = m.account_id AND a.kind = 'organization' AND a.organization_id = m.organization_id) ORDER BY m.id LIMIT 100`,
	"hold_without_transaction": `SELECT h.id FROM credit_holds h LEFT JOIN credit_transactions t ON t.id = h.id AND t.kind = 'hold' WHERE h.id > $1 AND h.id <= $2
		AND (t.id IS NULL OR t.amount <> h.amount OR t.organization_id <> h.organization_id OR t.plugin_key <> h.plugin_key OR t.expires_at <> h.expires_at
		OR t.created_at <> h.created_at
		OR h.account_id <> (SELECT a.id FROM credit_accounts a WHERE a.organization_id = h.organization_id AND a.kind = 'organization')
		OR (h.state = 'voided') <> EXISTS (SELECT 1 FROM credit_transactions c WHERE c.hold_id = h.id AND c.kind = 'void')
		OR (h.state = 'expired') <> EXISTS (SELECT 1 FROM credit_transactions c WHERE c.hold_id = h.id AND c.kind = 'hold_expire')
		OR h.ended_at <> (SELECT MAX(c.created_at) FROM credit_transactions c WHERE c.hold_id = h.id)
		OR h.captured <> (SELECT COALESCE(SUM(c.amount), 0) FROM credit_transactions c WHERE c.hold_id = h.id AND c.kind = 'capture')) ORDER BY h.id LIMIT 100`,
	"hold_missing": `SELECT t.id FROM credit_transactions t WHERE t.id > $1 AND t.id <= $2 AND t.kind = 'hold'
		AND NOT EXISTS (SELECT 1 FROM credit_holds h WHERE h.id = t.id AND h.id > $1 AND h.id <= $2) ORDER BY t.id LIMIT 100`,
	"refunded_too_much": `SELECT t.id FROM credit_transactions t WHERE t.id > $1 AND t.id <= $2
		AND t.amount < (SELECT SUM(r.amount) FROM credit_transactions r WHERE r.reverses_id = t.id) ORDER BY t.id LIMIT 100`,
}

func strays(tx *db.Tx, query string, above, upTo int64) ([]int64, error) {
	return db.All(tx, db.Int64, query, above, upTo)
}

// nextID is the lowest id above one in any table of strayRows; ok is false
// where there is none.
func nextID(tx *db.Tx, above int64) (next int64, ok bool, err error) {
	n, err := db.One(tx, func(r db.Row) (n *int64, err error) { return n, r.Scan(&n) }, `SELECT MIN(x.id) FROM (
		SELECT MIN(id) AS id FROM credit_transactions WHERE id > $1 UNION ALL SELECT MIN(id) FROM credit_entries WHERE id > $2
		UNION ALL SELECT MIN(id) FROM credit_lots WHERE id > $3 UNION ALL SELECT MIN(id) FROM credit_holds WHERE id > $4
		UNION ALL SELECT MIN(id) FROM credit_limits WHERE id > $5) AS x`, above, above, above, above, above)
	return val(n), n != nil, err
}

// imbalance is by how much all accounts' credits and debits differ, posted or
// pending, where they do: added up in halves, whose sums overflow nowhere.
func imbalance(tx *db.Tx) ([]int64, error) {
	return db.All(tx, db.Int64, `SELECT x.diff FROM (SELECT CAST((SUM(credits_posted >> 32) - SUM(debits_posted >> 32)) * 4294967296
		+ SUM(credits_posted & 4294967295) - SUM(debits_posted & 4294967295) AS BIGINT) AS diff FROM credit_accounts) AS x WHERE x.diff <> 0
		UNION ALL SELECT x.diff FROM (SELECT CAST((SUM(credits_pending >> 32) - SUM(debits_pending >> 32)) * 4294967296
		+ SUM(credits_pending & 4294967295) - SUM(debits_pending & 4294967295) AS BIGINT) AS diff FROM credit_accounts) AS x WHERE x.diff <> 0`)
}

// lastIDs are those of the newest transaction, account and entry: where the
// phases of a check end.
func lastIDs(tx *db.Tx) (last [phasesEnd]int64, err error) {
	_, err = db.One(tx, func(r db.Row) (int64, error) { return 0, r.Scan(&last[0], &last[1], &last[2]) },
		`SELECT COALESCE((SELECT MAX(id) FROM credit_transactions), 0), COALESCE((SELECT MAX(id) FROM credit_accounts), 0),
			COALESCE((SELECT MAX(id) FROM credit_entries), 0)`)
	return last, err
}
