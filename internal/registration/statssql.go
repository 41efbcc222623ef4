package registration

import (
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

const microsPerDay = 24 * 60 * 60 * 1_000_000

// reached are the columns of a Reached.
const reached = `COUNT(*), COUNT(*) FILTER (WHERE status IN ('approved', 'active')), COUNT(*) FILTER (WHERE status = 'active'),
	COUNT(*) FILTER (WHERE status = 'rejected')`

func (r *Reached) columns() []any { return []any{&r.Submitted, &r.Approved, &r.Active, &r.Rejected} }

func reachedByDay(tx *db.Tx, from db.Time, days int) (map[string]Reached, error) {
	found := map[string]Reached{}
	_, err := db.All(tx, func(row db.Row) (r Reached, err error) {
		var day int64
		err = row.Scan(append([]any{&day}, r.columns()...)...)
		found[time.UnixMicro(day*microsPerDay).UTC().Format(time.DateOnly)] = r
		return r, err
	}, `SELECT created_at / 86400000000 AS day, `+reached+` FROM registration_requests WHERE created_at >= $1 GROUP BY 1 ORDER BY 1 LIMIT $2`, from, days)
	return found, err
}

func reachedByCampaign(tx *db.Tx, from db.Time) ([]CampaignReached, error) {
	return db.All(tx, func(row db.Row) (c CampaignReached, err error) {
		return c, row.Scan(append([]any{&c.UTMSource, &c.UTMMedium, &c.UTMCampaign}, c.columns()...)...)
	}, `SELECT utm_source, utm_medium, utm_campaign, `+reached+` FROM registration_requests WHERE created_at >= $1
		GROUP BY utm_source, utm_medium, utm_campaign ORDER BY 4 DESC, utm_source NULLS LAST, utm_medium NULLS LAST, utm_campaign NULLS LAST LIMIT $2`, from, maxCampaigns)
}
