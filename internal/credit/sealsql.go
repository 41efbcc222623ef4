package credit

import (
	"errors"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

func unsealedRecords(tx *db.Tx) ([]*record, error) {
	return db.All(tx, func(r db.Row) (*record, error) { return scanRecord(r) },
		`SELECT `+recordColumns+` FROM credit_transactions t WHERE t.hash IS NULL ORDER BY t.id LIMIT $1`, pageRows)
}

func unsealedLots(tx *db.Tx) ([]*lot, error) {
	return db.All(tx, func(r db.Row) (*lot, error) {
		l := &lot{stored: true}
		w := &wallet{}
		var admin *id.Admin
		var organization *id.Organization
		var parent *id.Lot
		err := r.Scan(&l.id, &w.id, &l.transaction, &parent, &l.category, &l.priority, &l.amount, &l.repaid, &l.left, &l.held, &l.expires, &l.at, &admin, &organization)
		w.of = Owner{Admin: id.Val(admin), Organization: id.Val(organization)}
		l.wallet = w
		if parent != nil {
			l.parent = &lot{id: *parent, stored: true}
		}
		return l, err
	}, `SELECT `+lotColumns+`, l.admin_id, l.organization_id FROM credit_lots l WHERE l.hash IS NULL ORDER BY l.id LIMIT $1`, pageRows)
}

// limitBefore is a limit with the hash of the one before.
type limitBefore struct {
	limitSet
	before []byte
}

func unsealedLimits(tx *db.Tx) ([]limitBefore, error) {
	return db.All(tx, func(r db.Row) (l limitBefore, err error) {
		var organization *id.Organization
		var by *id.Admin
		err = r.Scan(&l.id, &l.account, &organization, &l.limit, &by, &l.at, &l.before)
		l.organization, l.by = id.Val(organization), id.Val(by)
		return l, err
	}, `SELECT l.id, l.account_id, l.organization_id, l.credit_limit, l.limit_backed_by, l.set_at,
			(SELECT p.hash FROM credit_limits p WHERE p.account_id = l.account_id AND p.id < l.id ORDER BY p.id DESC LIMIT 1)
		FROM credit_limits l WHERE l.hash IS NULL ORDER BY l.id LIMIT $1`, pageRows)
}

// unsealedChains gives some wallets with entries that have no hash.
func unsealedChains(tx *db.Tx) ([]id.Account, error) {
	return db.All(tx, scanAccountID, `SELECT DISTINCT a.id FROM credit_accounts a JOIN credit_entries e ON e.debit_account_id = a.id OR e.credit_account_id = a.id
		WHERE a.kind IN ('admin', 'organization') AND a.chain_head IS NULL AND e.hash IS NULL ORDER BY a.id LIMIT 100`)
}

func headless(tx *db.Tx) ([]id.Account, error) {
	return db.All(tx, scanAccountID, `SELECT id FROM credit_accounts WHERE kind IN ('admin', 'organization') AND chain_head IS NULL AND chain_length > 0 ORDER BY id LIMIT 100`)
}

func scanAccountID(r db.Row) (n id.Account, err error) { return n, r.Scan(&n) }

func saveHead(tx *db.Tx, of id.Account, head []byte) error {
	_, err := tx.Exec(`UPDATE credit_accounts SET chain_head = $1 WHERE id = $2 AND chain_head IS NULL`, head, int64(of))
	return err
}

// sealed is since when all of the ledger has hashes, with one of its own.
type sealed struct {
	at   db.Time
	hash []byte
}

// sealedOf is the zero value where that is not kept yet.
func sealedOf(tx *db.Tx) (s sealed, err error) {
	s, err = db.One(tx, func(r db.Row) (s sealed, err error) { return s, r.Scan(&s.at, &s.hash) },
		`SELECT sealed_at, hash FROM credit_sealed WHERE id = 1`)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return s, err
}

func keepSealed(tx *db.Tx, s sealed) error {
	_, err := tx.Exec(`INSERT INTO credit_sealed (id, sealed_at, hash) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`, s.at, s.hash)
	return err
}
