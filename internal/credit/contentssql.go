package credit

import (
	"math"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// never is when what does not expire expires.
const never = math.MaxInt64

func countLots(tx *db.Tx, of id.Account) (int64, error) {
	return db.One(tx, db.Int64, `SELECT count(*) FROM credit_lots l WHERE l.account_id = $1`+isOpen, int64(of))
}

func openLots(tx *db.Tx, of id.Account, r page.Request) ([]OpenLot, error) {
	return db.All(tx, func(row db.Row) (l OpenLot, err error) {
		return l, row.Scan(append(l.fields(), &l.Held)...)
	}, `SELECT `+lotViewColumns+`, l.held FROM credit_lots l WHERE l.account_id = $1`+isOpen+`
		AND (COALESCE(l.expires_at, 9223372036854775807), l.id) > ($2, $3)
		ORDER BY COALESCE(l.expires_at, 9223372036854775807), l.id`+r.Rows(), int64(of), r.After.At, r.After.ID)
}

func countHolds(tx *db.Tx, of id.Account, state HoldState) (int64, error) {
	return db.One(tx, db.Int64, `SELECT count(*) FROM credit_holds WHERE account_id = $1 AND state = $2`, int64(of), string(state))
}

// holdsIn reads downwards from the last hold of the page before: ids are given
// in the order of time.
func holdsIn(tx *db.Tx, of id.Account, state HoldState, r page.Request) ([]*holding, error) {
	below := r.After.ID
	if below == 0 {
		below = math.MaxInt64
	}
	return db.All(tx, scanHolding, `SELECT `+holdColumns+` WHERE h.account_id = $1 AND h.state = $2 AND h.id < $3
		ORDER BY h.id DESC`+r.Rows(), int64(of), string(state), below)
}
