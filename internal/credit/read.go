package credit

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Spendable gives an organization's figures without what was used and the
// forecast: from its account alone.
func Spendable(tx *db.Tx, of id.Organization) (Figures, error) {
	s, err := stateOf(tx, Owner{Organization: of})
	if err != nil {
		return Figures{}, err
	}
	return s.figures(), nil
}

// Balance gives an organization's figures.
func Balance(tx *db.Tx, of id.Organization) (Figures, error) {
	f, err := Spendable(tx, of)
	if err != nil {
		return f, err
	}
	if f.Used, err = consumedThisMonth(tx, of); err != nil {
		return f, err
	}
	f.Forecast, err = ahead(tx, Owner{Organization: of}, f.Available)
	return f, err
}

// Soon is how far ahead an expiry is told of.
const Soon = 30 * 24 * time.Hour

// AdminBalance gives an admin's pool. What backs limits is only taken off what
// is available when the admin's group does not oversell.
func AdminBalance(tx *db.Tx, of id.Admin) (Pool, error) {
	if _, err := stateOf(tx, Owner{Admin: of}); err != nil {
		return Pool{}, err
	}
	all, err := AdminBalances(tx, []id.Admin{of})
	if err != nil {
		return Pool{}, err
	}
	p := all[of]
	p.Forecast, err = ahead(tx, Owner{Admin: of}, p.Available)
	return p, err
}

// AdminBalances gives the pools of several admins, for a page of a list: at
// most 200 ids; the forecast is left out.
func AdminBalances(tx *db.Tx, of []id.Admin) (map[id.Admin]Pool, error) {
	all := make(map[id.Admin]Pool, len(of))
	err := pools(tx, of, func(a id.Admin, s state) {
		all[a] = Pool{Balance: s.balance(), LimitsBacked: s.backed, Available: max(s.uncommitted(s.oversells), 0), Held: s.held,
			ExpiringSoon: s.expiring, Account: s.id}
	})
	return all, err
}

// figures tells what an organization has.
func (s state) figures() Figures {
	return Figures{Balance: s.balance(), Limit: s.limit, Held: s.held, Available: Available(s.balance(), s.held, s.limit),
		ExpiringSoon: s.expiring, Account: s.id}
}

// Available is what can be spent: balance less what is held plus the limit, up
// to the largest number. It is below zero where the limit was lowered under
// what had been spent on it, and tells how much is owed before any can be.
func Available(balance, held, limit int64) int64 {
	if balance < held {
		return balance - held + limit
	}
	return plus(balance-held, limit)
}

// consumedThisMonth is what the organization consumed since the month began,
// less what of that month's or earlier consumption came back.
func consumedThisMonth(tx *db.Tx, of id.Organization) (int64, error) {
	zone, err := timezone(tx)
	if err != nil {
		return 0, err
	}
	t := tx.Now.Std().In(zone)
	return consumedSince(tx, of, db.At(time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, zone)))
}

// Filter narrows a list of transactions. From is included, To is not.
type Filter struct {
	Kind     Kind
	From, To *db.Time
}

func (f Filter) check() error {
	if f.Kind == "" || slices.Contains(Kinds, f.Kind) {
		return nil
	}
	return fault.InvalidField("kind", "unknown_value", "Use a kind of transaction.")
}

// Transactions lists what moved a wallet, newest first, each with the balance
// that the wallet had after it.
func Transactions(tx *db.Tx, of Owner, f Filter, r page.Request) (page.List[Transaction], error) {
	var none page.List[Transaction]
	if err := f.check(); err != nil {
		return none, err
	}
	a, err := stateOf(tx, of)
	if err != nil {
		return none, err
	}
	total := a.recorded
	if f != (Filter{}) {
		if total, err = count(tx, of, f); err != nil {
			return none, err
		}
	}
	rows, err := list(tx, of, a.id, f, r)
	if err != nil {
		return none, err
	}
	return page.Of(r, rows, total, Transaction.position), nil
}

func (t Transaction) position() page.Position {
	return page.Position{At: int64(t.CreatedAt), ID: int64(t.ID)}
}

// price fills in what only a grant has.
func (t *Transaction) price(discountBP, cost int64) {
	if t.Kind == Granted {
		t.DiscountPercent, t.NetCost = new(float64(discountBP)/100), new(cost)
	}
}
