package credit_test

import (
	"fmt"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

type sum struct{ left, held int64 }

// String tells all of a wallet that a database can be compared by.
func (w *mWallet) String() string {
	lots := map[string]sum{}
	for _, c := range w.credits {
		key := lotKey(c.lot.priority, c.lot.expires, string(c.lot.category))
		s := lots[key]
		s.left++
		if c.held {
			s.held++
		}
		lots[key] = s
	}
	burnt := map[string]int64{}
	for plugin, n := range w.burnt {
		if n != 0 {
			burnt[plugin] = n
		}
	}
	return fmt.Sprint(w.balance(), w.held(), lots, burnt)
}

func lotKey(priority, expires int64, category string) string {
	return fmt.Sprint(priority, "/", expires, "/", category)
}

// stored is String of a wallet in the database.
func stored(t failing, d *db.DB, of credit.Owner) string {
	var balance, held int64
	lots, burnt := map[string]sum{}, map[string]int64{}
	err := d.Read(ctx, func(tx *db.Tx) error {
		_, err := db.All(tx, func(r db.Row) (struct{}, error) {
			var kind, plugin string
			var debits, credits, pending int64
			err := r.Scan(&kind, &plugin, &debits, &credits, &pending)
			switch {
			case kind == "admin" || kind == "organization":
				balance, held = credits-debits, pending
			case kind == "consumed" && credits != debits:
				burnt[plugin] = credits - debits
			}
			return struct{}{}, err
		}, `SELECT kind, COALESCE(plugin_key, ''), debits_posted, credits_posted, debits_pending FROM credit_accounts
			WHERE organization_id = $1 OR admin_id = $2 ORDER BY id`, id.Ref(of.Organization), id.Ref(of.Admin))
		if err != nil {
			return err
		}
		_, err = db.All(tx, func(r db.Row) (struct{}, error) {
			var priority, left, held int64
			var category string
			var expires *db.Time
			err := r.Scan(&priority, &category, &expires, &left, &held)
			end := int64(0)
			if expires != nil {
				end = expires.Std().Unix()
			}
			key := lotKey(priority, end, category)
			lots[key] = sum{lots[key].left + left, lots[key].held + held}
			return struct{}{}, err
		}, `SELECT priority, category, expires_at, remaining, held FROM credit_lots WHERE remaining > 0 AND (organization_id = $1 OR admin_id = $2) ORDER BY id`,
			id.Ref(of.Organization), id.Ref(of.Admin))
		return err
	})
	if err != nil {
		t.Fatalf("read a wallet: %v", err)
	}
	return fmt.Sprint(balance, held, lots, burnt)
}
