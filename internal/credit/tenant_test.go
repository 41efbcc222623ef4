package credit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
)

// Rows that speak of another tenant's are not stored, whoever writes them; the
// same rows of the right tenant are.
func TestForeignRowsCannotBeStored(t *testing.T) {
	lotColumns := `account_id, organization_id, admin_id, transaction_id, category, priority, amount, repaid, remaining, held, created_at`
	holdColumns := `account_id, organization_id, plugin_key, amount, captured, state, expires_at, created_at`
	limitColumns := `account_id, organization_id, credit_limit, set_at`
	transactionColumns := `kind, amount, admin_id, organization_id, actor_type, discount_bp, net_cost, source, created_at, hold_id, reverses_id`
	entryColumns := `transaction_id, debit_account_id, credit_account_id, amount, debit_balance_after, credit_balance_after, created_at, organization_id, admin_id, effect`
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		ledgerOfAll(t, d)
		o := newOrganization(t, d, newAdmin(t, d, false))
		must(t, d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO credit_limits (`+limitColumns+`) SELECT id, organization_id, 0, 0 FROM credit_accounts
				WHERE kind = 'organization' AND organization_id <> $1`, o)
			return err
		}))
		for table, c := range map[string]struct{ columns, of string }{
			"credit_lots":                          {lotColumns, "organization_id IS NOT NULL"},
			"credit_holds":                         {holdColumns, "captured = 0"},
			"credit_limits":                        {limitColumns, "organization_id IS NOT NULL"},
			"credit_transactions /* of a hold */":  {transactionColumns, "hold_id IS NOT NULL AND kind = 'capture'"},
			"credit_transactions /* of another */": {transactionColumns, "reverses_id IS NOT NULL"},
			"credit_entries":                       {entryColumns, "organization_id IS NOT NULL"},
		} {
			copied := func(organization string) error {
				undone := errors.New("undone")
				err := d.Write(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(fmt.Sprintf(`INSERT INTO %s (id, %s) SELECT id + 1000000, %s FROM %s WHERE %s ORDER BY id LIMIT 1`, table, c.columns,
						strings.Replace(c.columns, "organization_id", organization, 1), table, c.of))
					if err == nil {
						err = undone
					}
					return err
				})
				if errors.Is(err, undone) {
					return nil
				}
				return err
			}
			if err := copied("organization_id"); err != nil {
				t.Errorf("%s: the tenant's own: %v", table, err)
			}
			if err := copied(fmt.Sprint(o)); err == nil {
				t.Errorf("%s: another tenant's was stored", table)
			}
		}
	})
}

// Whose a row of the ledger is and what it refers to cannot be changed: every
// column of an id but those that refer to no row of a tenant.
func TestRowsOfTheLedgerStayWithTheirTenant(t *testing.T) {
	free := map[string]bool{"actor_id": true, "partner_group_id": true}
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		ledgerOfAll(t, d)
		for _, table := range []string{"credit_accounts", "credit_transactions", "credit_entries", "credit_lots", "credit_holds", "credit_limits"} {
			for _, c := range strings.Split(names(t, d, table), ", ") {
				if c != "id" && !strings.HasSuffix(c, "_id") || free[c] {
					continue
				}
				err := d.Write(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(fmt.Sprintf(`UPDATE %s SET %s = 1`, table, c))
					return err
				})
				if err == nil || !strings.Contains(err.Error(), table+"_fixed") {
					t.Errorf("%s.%s could be changed: %v", table, c, err)
				}
			}
		}
	})
}

// What can be spent says how much is owed where the limit was lowered under
// what had been spent on it.
func TestAvailableBelowZero(t *testing.T) {
	clocked(t, func(t *testing.T, d *db.DB, _ *stepping) {
		o := newOrganization(t, d, newAdmin(t, d, false))
		must(t, limit(d, o, 100, 0, false))
		r := spend(o, 100)
		r.Actor = service
		all, err := write(d, func(tx *db.Tx) ([]credit.Result, error) { return credit.Do(tx, []credit.Request{r}) })
		must(t, err)
		must(t, all[0].Err)
		must(t, limit(d, o, 10, 0, false))
		if f := figures(t, d, o); f.Balance != -100 || f.Available != -90 {
			t.Errorf("got %+v, want -90 to spend", f)
		}
	})
}
