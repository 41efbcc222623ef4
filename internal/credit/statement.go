package credit

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"regexp"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// MonthlyStatement sums up a wallet's month: opening + in − out of all lines =
// closing, and a month opens with what the one before closed with. What was
// consumed stands beside it, by organization and plugin: of an admin, what all
// its organizations consumed, less what came back.
type MonthlyStatement struct {
	Month       string        `json:"month" example:"2026-11"`
	From        db.Time       `json:"from"`
	To          db.Time       `json:"to" doc:"The first moment that is not part of the month"`
	Opening     int64         `json:"opening"`
	Closing     int64         `json:"closing"`
	Entries     []Line        `json:"entries" nullable:"false"`
	Consumption []Consumption `json:"consumption" nullable:"false" doc:"What was consumed less what came back, by organization and plugin; of an admin, that of all its organizations"`
}

// Line is what one kind of transaction did to a wallet in a month.
type Line struct {
	Kind    Kind  `json:"kind"`
	Count   int64 `json:"count"`
	In      int64 `json:"in"`
	Out     int64 `json:"out"`
	NetCost int64 `json:"net_cost" doc:"Price of the grants among them"`
}

// Consumption is what an organization's use of a plugin cost in a month.
type Consumption struct {
	Organization id.Organization `json:"organization_id"`
	Name         string          `json:"organization"`
	Plugin       string          `json:"plugin"`
	Amount       int64           `json:"amount"`
}

// Consumers are the organizations that a sum of consumption is of: all, or those
// of these admins together with these.
type Consumers struct {
	All           bool
	Admins        []id.Admin
	Organizations []id.Organization
}

// consumers are the organization itself, or those of the admin.
func (o Owner) consumers() Consumers {
	if o.Admin != 0 {
		return Consumers{Admins: []id.Admin{o.Admin}}
	}
	return Consumers{Organizations: []id.Organization{o.Organization}}
}

// PluginCredits is what a plugin consumed, less what came back.
type PluginCredits struct {
	Plugin string
	Amount int64
}

// Sum is what all of them consumed together, up to the largest number.
func Sum(all []PluginCredits) int64 {
	var sum halves
	for _, c := range all {
		sum.high, sum.low = sum.high+c.Amount>>32, sum.low+c.Amount&math.MaxUint32
	}
	return sum.total()
}

// ByPlugin gives what each plugin consumed of the organizations' credits from
// one moment to before another. A refund counts when it was made.
func ByPlugin(tx *db.Tx, of Consumers, from, to db.Time) ([]PluginCredits, error) {
	return byPlugin(tx, of, from, to)
}

var months = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// Statement gives the statement of a month such as 2026-11; an empty one is
// the current month. Months begin at midnight in the setting billing_timezone.
func Statement(tx *db.Tx, of Owner, month string) (MonthlyStatement, error) {
	s, err := monthOf(tx, month)
	if err != nil {
		return s, err
	}
	a, err := stateOf(tx, of)
	if err != nil {
		return s, err
	}
	if s.Opening, err = balanceBefore(tx, a.id, s.From); err != nil {
		return s, err
	}
	if s.Entries, err = lines(tx, of, a.id, s.From, s.To); err != nil {
		return s, err
	}
	s.Closing = s.Opening
	for _, l := range s.Entries {
		s.Closing += l.In - l.Out
	}
	s.Consumption, err = consumption(tx, of.consumers(), s.From, s.To)
	return s, err
}

// monthOf begins the statement of a month.
func monthOf(tx *db.Tx, month string) (MonthlyStatement, error) {
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
	return s, nil
}

// StatementColumns is the first line of a statement as CSV.
var StatementColumns = []string{"month", "line", "count", "in", "out", "net_cost", "organization_id", "organization", "plugin", "amount"}

// WriteCSV writes the statement as RFC 4180 lines: opening, a line for each kind,
// closing, then what was consumed.
func (s MonthlyStatement) WriteCSV(w io.Writer) error {
	rows := [][]string{StatementColumns, {s.Month, "opening", "", "", "", "", "", "", "", number(&s.Opening)}}
	for _, l := range s.Entries {
		rows = append(rows, []string{s.Month, string(l.Kind), number(&l.Count), number(&l.In), number(&l.Out), number(&l.NetCost), "", "", "", ""})
	}
	rows = append(rows, []string{s.Month, "closing", "", "", "", "", "", "", "", number(&s.Closing)})
	for _, c := range s.Consumption {
		rows = append(rows, []string{s.Month, "consumption", "", "", "", "", number(&c.Organization), neutral(&c.Name), neutral(&c.Plugin), number(&c.Amount)})
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
