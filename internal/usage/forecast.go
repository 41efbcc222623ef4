package usage

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// paceDays is over how many days, today included, the pace is taken.
const paceDays = 7

// Forecast says of every limited meter when it runs out at this pace.
type Forecast struct {
	OrganizationID id.Organization `json:"organization_id"`
	AsOf           db.Time         `json:"as_of"`
	Data           []RunOut        `json:"data"`
}

// RunOut is when a limit is reached if things go on as in the last seven days.
type RunOut struct {
	Meter     string   `json:"meter"`
	Unit      string   `json:"unit"`
	Used      int64    `json:"used"`
	Limit     int64    `json:"limit"`
	PerDay    float64  `json:"per_day" doc:"The pace: the average of the last seven days"`
	DaysLeft  *float64 `json:"days_left" doc:"null: not at this pace, or not before reset_at"`
	RunsOutAt *db.Time `json:"runs_out_at"`
	ResetAt   *db.Time `json:"reset_at" doc:"When a monthly counter begins anew"`
	Sentence  string   `json:"sentence" example:"At this pace: 12 days."`
}

// ForecastOf looks ahead.
func ForecastOf(tx *db.Tx, o id.Organization) (Forecast, error) {
	known, err := knownIn(tx)
	if err != nil {
		return Forecast{}, err
	}
	period, month := Month(tx.Now, known.zone)
	a, err := quota.Find(tx, o)
	if err != nil {
		return Forecast{}, err
	}
	stand, err := standings(tx, o, month)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{OrganizationID: o, AsOf: tx.Now, Data: []RunOut{}}
	for _, m := range slices.SortedFunc(maps.Values(known.meters), func(a, b quota.Meter) int { return cmp.Compare(a.Key, b.Key) }) {
		l := a.Limit(m)
		if m.Kind == quota.People || l.Limit == unlimited {
			continue
		}
		perDay, err := pace(tx, o, m, known.zone)
		if err != nil {
			return f, err
		}
		f.Data = append(f.Data, runOut(tx.Now, m, max(stand[m.Key].used, 0), l.Limit, perDay, period))
	}
	return f, nil
}

// pace is how much a meter grew a day, over the last days.
func pace(tx *db.Tx, o id.Organization, m quota.Meter, zone *time.Location) (float64, error) {
	today := windowOf(tx.Now, zone).day
	g := grid{step: Daily, zone: zone, first: today - paceDays + 1, n: paceDays}
	_, grown, err := g.read(tx, o, m, "")
	if err != nil {
		return 0, err
	}
	span := time.Duration(tx.Now-g.at(0)) * time.Microsecond
	if m.Kind == quota.Gauge {
		_, stood, err := g.before().read(tx, o, m, "")
		if err != nil {
			return 0, err
		}
		grown -= stood
	}
	return float64(max(grown, 0)) / max(span.Hours()/24, 1), nil
}

func runOut(now db.Time, m quota.Meter, used, limit int64, perDay float64, p Period) RunOut {
	r := RunOut{Meter: m.Key, Unit: m.Unit, Used: used, Limit: limit, PerDay: round(perDay), Sentence: "Not at this pace."}
	if m.Kind == quota.Counter {
		r.ResetAt = &p.To
	}
	if used >= limit {
		r.DaysLeft, r.RunsOutAt, r.Sentence = new(0.0), &now, "It has run out."
		return r
	}
	if perDay <= 0 {
		return r
	}
	left := float64(limit-used) / perDay
	const farthest = 3650 // days
	if left > farthest {
		return r
	}
	at := now.Add(time.Duration(left * 24 * float64(time.Hour)))
	if r.ResetAt != nil && at >= *r.ResetAt {
		r.Sentence = "Not before it begins anew."
		return r
	}
	r.DaysLeft, r.RunsOutAt, r.Sentence = new(round(left)), &at, fmt.Sprintf("At this pace: %s.", daysWord(left))
	return r
}

func daysWord(left float64) string {
	switch n := int64(math.Floor(left)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

func round(f float64) float64 { return math.Round(f*100) / 100 }

// pace is the sentence that a warning ends with.
func (t *tally) pace(r *row) (string, error) {
	perDay, err := pace(t.tx, r.organization, r.kind, t.known.zone)
	if err != nil {
		return "", err
	}
	p, _ := Month(t.tx.Now, t.known.zone)
	out := runOut(t.tx.Now, r.kind, r.used, r.account.Limit(r.kind).Limit, perDay, p)
	if out.DaysLeft == nil || *out.DaysLeft == 0 {
		return "", nil
	}
	return out.Sentence, nil
}
