package credit

import (
	"fmt"
	"regexp"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Balance gives an organization's figures.
func Balance(tx *db.Tx, of id.Organization) (Figures, error) {
	s, err := account(tx, Owner{Organization: of})
	return s.figures(), err
}

// Balances gives the figures of several organizations, for a page of a list:
// at most 200 ids.
func Balances(tx *db.Tx, of []id.Organization) (map[id.Organization]Figures, error) {
	all := make(map[id.Organization]Figures, len(of))
	err := accounts(tx, "organization", of, func(o id.Organization, s state) { all[o] = s.figures() })
	return all, err
}

// AdminBalance gives an admin's pool. What backs limits is only taken off what
// is available when the admin's group does not oversell.
func AdminBalance(tx *db.Tx, of id.Admin) (Pool, error) {
	s, err := account(tx, Owner{Admin: of})
	if err != nil {
		return Pool{}, err
	}
	oversell, err := oversells(tx, of)
	return Pool{Balance: s.balance(), LimitsBacked: s.backed, Available: max(s.uncommitted(oversell), 0)}, err
}

// AdminBalances gives the balances of several admins, for a page of a list: at
// most 200 ids.
func AdminBalances(tx *db.Tx, of []id.Admin) (map[id.Admin]int64, error) {
	all := make(map[id.Admin]int64, len(of))
	err := accounts(tx, "admin", of, func(a id.Admin, s state) { all[a] = s.balance() })
	return all, err
}

// figures tells what an organization has. Nothing is consumed yet: spending
// comes with its own issue.
func (s state) figures() Figures {
	return Figures{Balance: s.balance(), Limit: s.limit, Held: s.held, Available: Available(s.balance(), s.held, s.limit)}
}

// Available is what can be spent: balance less what is held plus the limit,
// never below zero, up to the largest number.
func Available(balance, held, limit int64) int64 {
	free := balance - held
	if free < 0 {
		return max(free+limit, 0)
	}
	return plus(free, limit)
}

// Filter narrows a list of transactions. From is included, To is not.
type Filter struct {
	Kind     Kind
	From, To *db.Time
}

func (f Filter) check() error {
	switch f.Kind {
	case "", Granted, Allocated, Added:
		return nil
	}
	return fault.InvalidField("kind", "unknown_value", "Use grant, allocate or add.")
}

// Transactions lists what moved a wallet, newest first, each with the balance
// that the wallet had after it.
func Transactions(tx *db.Tx, of Owner, f Filter, r page.Request) (page.List[Transaction], error) {
	var none page.List[Transaction]
	if err := f.check(); err != nil {
		return none, err
	}
	a, err := account(tx, of)
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

// MonthlyStatement sums up a wallet's month: opening + in − out of all lines =
// closing, and a month opens with what the one before closed with.
type MonthlyStatement struct {
	Month   string  `json:"month" example:"2026-11"`
	From    db.Time `json:"from"`
	To      db.Time `json:"to" doc:"The first moment that is not part of the month"`
	Opening int64   `json:"opening"`
	Closing int64   `json:"closing"`
	Entries []Line  `json:"entries" nullable:"false"`
}

// Line is what one kind of transaction did to a wallet in a month.
type Line struct {
	Kind    Kind  `json:"kind"`
	Count   int64 `json:"count"`
	In      int64 `json:"in"`
	Out     int64 `json:"out"`
	NetCost int64 `json:"net_cost" doc:"Price of the grants among them"`
}

var months = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// Statement gives the statement of a month such as 2026-11; an empty one is
// the current month. Months begin at midnight in the setting billing_timezone.
func Statement(tx *db.Tx, of Owner, month string) (MonthlyStatement, error) {
	zone, err := timezone(tx)
	if err != nil {
		return MonthlyStatement{}, err
	}
	if month == "" {
		month = tx.Now.Std().In(zone).Format("2006-01")
	}
	if !months.MatchString(month) {
		return MonthlyStatement{}, fault.InvalidField("month", "invalid_month", "Give a month such as 2026-11.")
	}
	first, err := time.ParseInLocation("2006-01", month, zone)
	if err != nil {
		return MonthlyStatement{}, fmt.Errorf("read the month: %w", err)
	}
	s := MonthlyStatement{Month: month, From: db.At(first), To: db.At(first.AddDate(0, 1, 0))}
	if s.From.Std().Year() < 1 || s.To.Std().Year() > 9999 { // which no answer could say
		return MonthlyStatement{}, fault.InvalidField("month", "invalid_month", "Give a month such as 2026-11.")
	}
	a, err := account(tx, of)
	if err != nil {
		return s, err
	}
	if s.Opening, err = balanceBefore(tx, of, a.id, s.From); err != nil {
		return s, err
	}
	if s.Entries, err = lines(tx, of, a.id, s.From, s.To); err != nil {
		return s, err
	}
	s.Closing = s.Opening
	for _, l := range s.Entries {
		s.Closing += l.In - l.Out
	}
	return s, nil
}

// price fills in what only a grant has.
func (t *Transaction) price(discountBP, cost int64) {
	if t.Kind == Granted {
		t.DiscountPercent, t.NetCost = new(float64(discountBP)/100), new(cost)
	}
}
