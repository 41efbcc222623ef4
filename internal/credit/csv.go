package credit

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Columns is the first line of a CSV of transactions.
var Columns = []string{"id", "created_at", "kind", "amount", "balance_after", "admin_id", "organization_id", "source",
	"reason", "partner_group_id", "discount_percent", "net_cost", "actor_type", "actor_id", "expires_at",
	"plugin", "reference", "hold_id", "reverses_id"}

// WriteCSV writes transactions as RFC 4180 lines under a line of Columns. A
// text that a spreadsheet would take for a formula is preceded by an
// apostrophe, so it stays text.
func WriteCSV(w io.Writer, list []Transaction) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(Columns); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, t := range list {
		if err := out.Write(t.cells()); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (t Transaction) cells() []string {
	discount := ""
	if t.DiscountPercent != nil {
		discount = strconv.FormatFloat(*t.DiscountPercent, 'f', -1, 64)
	}
	return []string{number(id.Ref(t.ID)), t.CreatedAt.String(), string(t.Kind), number(&t.Amount), number(&t.BalanceAfter),
		number(t.Admin), number(t.Organization), string(t.Source), neutral(t.Reason), number(t.PartnerGroup), discount,
		number(t.NetCost), string(t.Actor.Type), number(t.Actor.ID), moment(t.ExpiresAt),
		neutral(t.Plugin), neutral(t.Reference), number(t.Hold), number(t.Reverses)}
}

func number[T ~int64](n *T) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

func moment(at *db.Time) string {
	if at == nil {
		return ""
	}
	return at.String()
}

// neutral keeps a spreadsheet from running what somebody wrote.
func neutral(s *string) string {
	if s == nil {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(*s)
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + *s
	}
	return *s
}

// MaxExport bounds an export, in transactions.
const MaxExport = 20_000

// Export writes the list of transactions from r on as CSV, newest first; r's
// limit does not count. A list longer than MaxExport is refused, never cut:
// the filter's period narrows it.
func Export(tx *db.Tx, of Owner, f Filter, r page.Request, w io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	a, err := stateOf(tx, of)
	if err != nil {
		return err
	}
	var all []Transaction
	r.Limit = page.MaxLimit
	for {
		rows, err := list(tx, of, a.id, f, r)
		if err != nil {
			return err
		}
		all = append(all, rows[:min(len(rows), r.Limit)]...)
		if len(rows) <= r.Limit {
			return WriteCSV(w, all)
		}
		if len(all) >= MaxExport {
			return fault.New(fault.Invalid, "export_too_large", "There are more than %d transactions; narrow the period with from and to.", MaxExport)
		}
		r.Offset, r.After = 0, all[len(all)-1].position()
	}
}
