package credit

import (
	"math"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// within is the condition that a column names an admin of the reach.
func (of Reach) within(column string, args *[]any) string {
	if of.All {
		return "TRUE"
	}
	parts := []string{"FALSE"}
	for _, a := range of.Admins {
		*args = append(*args, int64(a))
		parts = append(parts, column+" = $"+strconv.Itoa(len(*args)))
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// filledDays reads what is added up already from a day on, and how far that is.
func filledDays(tx *db.Tx, of Reach, from int64) ([]movedOn, mark, error) {
	upTo, err := db.One(tx, scanMark, `SELECT transaction_id, at FROM credit_days_filled WHERE id = 1`)
	if err != nil {
		return nil, upTo, err
	}
	args := []any{from}
	condition := of.within("admin_id", &args)
	all, err := db.All(tx, func(r db.Row) (m movedOn, err error) {
		var sum halves
		err = r.Scan(&m.day, &m.kind, &sum.high, &sum.low)
		m.amount = sum.total()
		return m, err
	},
		`SELECT day, kind, `+sumOf("amount")+` FROM credit_days WHERE day >= $1 AND `+condition+` GROUP BY day, kind ORDER BY day, kind LIMIT 10000`, args...)
	return all, upTo, err
}

// unfilled reads the transactions that are not added up yet, oldest first.
func unfilled(tx *db.Tx, of Reach, after id.Transaction, limit int) ([]fresh, error) {
	args := []any{after}
	const admin = `CASE WHEN t.organization_id IS NULL THEN t.admin_id ELSE o.admin_id END`
	condition := of.within(admin, &args)
	args = append(args, limit)
	return db.All(tx, func(r db.Row) (f fresh, err error) {
		var a *id.Admin
		err = r.Scan(&f.id, &a, &f.kind, &f.amount, &f.at)
		f.admin = id.Val(a)
		return f, err
	}, `SELECT t.id, `+admin+`, t.kind, t.amount, t.created_at FROM credit_transactions t LEFT JOIN organizations o ON o.id = t.organization_id
		WHERE t.id > $1 AND `+condition+` ORDER BY t.id LIMIT $`+strconv.Itoa(len(args)), args...)
}

// sumOf is a sum over the numbers of many wallets as two columns, neither of
// which overflows: halves has them.
func sumOf(column string) string {
	return `CAST(SUM(` + column + ` >> 32) AS BIGINT), CAST(SUM(` + column + ` & 4294967295) AS BIGINT)`
}

// halves are the sums of the upper and of the lower halves of numbers.
type halves struct{ high, low int64 }

// total is the sum; what is out of range is the number next to it that is not.
func (h halves) total() int64 {
	high := h.high + h.low>>32
	switch {
	case high > math.MaxInt32:
		return math.MaxInt64
	case high < math.MinInt32:
		return math.MinInt64
	}
	return high<<32 | h.low&math.MaxUint32
}

func scanMark(r db.Row) (m mark, err error) { return m, r.Scan(&m.transaction, &m.at) }

func lockFilled(tx *db.Tx) (mark, error) {
	return db.One(tx, scanMark, `UPDATE credit_days_filled SET at = at WHERE id = 1 RETURNING transaction_id, at`)
}

func keepFilled(tx *db.Tx, m mark) error {
	_, err := tx.Exec(`UPDATE credit_days_filled SET transaction_id = $1, at = $2 WHERE id = 1`, m.transaction, m.at)
	return err
}

func addToDay(tx *db.Tx, admin id.Admin, day int64, kind Kind, count, amount int64) error {
	_, err := tx.Exec(`INSERT INTO credit_days (admin_id, day, kind, count, amount) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (admin_id, day, kind) DO UPDATE SET count = credit_days.count + EXCLUDED.count, amount =
			CASE WHEN credit_days.amount > 9223372036854775807 - EXCLUDED.amount THEN 9223372036854775807 ELSE credit_days.amount + EXCLUDED.amount END`,
		int64(admin), day, string(kind), count, amount)
	return err
}
