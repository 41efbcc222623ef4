package usage

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/pace"
	"github.com/tenantry/tenantry/internal/quota"
)

// Forecast says of credits and of every limited meter when they run out at this
// pace.
type Forecast struct {
	OrganizationID id.Organization `json:"organization_id"`
	AsOf           db.Time         `json:"as_of"`
	Credits        pace.Outlook    `json:"credits" doc:"Of what is available"`
	Data           []RunOut        `json:"data"`
}

// RunOut is when a limit is reached if things go on as in the last seven days.
type RunOut struct {
	Meter string `json:"meter"`
	Unit  string `json:"unit"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
	pace.Outlook
	ResetAt *db.Time `json:"reset_at" doc:"When a monthly counter begins anew"`
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
		perDay, err := growth(tx, o, m, known.zone)
		if err != nil {
			return f, err
		}
		f.Data = append(f.Data, runOut(tx.Now, m, max(stand[m.Key].used, 0), l.Limit, perDay, period))
	}
	figures, err := credit.Balance(tx, o)
	f.Credits = figures.Forecast
	return f, err
}

// growth is how much a meter grew a day, over the last seven days, today
// included.
func growth(tx *db.Tx, o id.Organization, m quota.Meter, zone *time.Location) (float64, error) {
	today := windowOf(tx.Now, zone).day
	g := gridFrom(&daily, zone, today-pace.Days+1, pace.Days)
	_, grown, err := g.read(tx, o, m, "")
	if err != nil {
		return 0, err
	}
	span := time.Duration(tx.Now-g.begins(0)) * time.Microsecond
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
	r := RunOut{Meter: m.Key, Unit: m.Unit, Used: used, Limit: limit}
	reset := db.Time(0)
	if m.Kind == quota.Counter {
		r.ResetAt, reset = &p.To, p.To
	}
	r.Outlook = pace.Ahead(now, limit-used, perDay, reset)
	return r
}

// lasts is the sentence that a warning ends with.
func (t *tally) lasts(r *row) (string, error) {
	perDay, err := growth(t.tx, r.organization, r.kind, t.known.zone)
	if err != nil {
		return "", err
	}
	p, _ := Month(t.tx.Now, t.known.zone)
	return runOut(t.tx.Now, r.kind, r.used, r.account.Limit(r.kind).Limit, perDay, p).Warning(), nil
}
