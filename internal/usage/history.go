package usage

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// Step is how long each part of a history is.
type Step string

// The steps.
const (
	Hourly Step = "hour"
	Daily  Step = "day"
)

// Query asks for a history; without From and To it is the current month up to
// now.
type Query struct {
	Meter    string
	From, To *db.Time
	Step     Step
	Plugin   string // "" is all together
}

// History is what a meter showed, step by step, beside the same span before.
type History struct {
	OrganizationID id.Organization `json:"organization_id"`
	Meter          string          `json:"meter"`
	Kind           quota.Kind      `json:"kind" enum:"counter,gauge"`
	Unit           string          `json:"unit"`
	Plugin         *string         `json:"plugin" doc:"null: all of them together"`
	Step           Step            `json:"step" enum:"hour,day"`
	Timezone       string          `json:"timezone" doc:"In whose hours and days"`
	From           db.Time         `json:"from"`
	To             db.Time         `json:"to"`
	Data           []Point         `json:"data"`
	Total          int64           `json:"total" doc:"The sum of a counter, the last value of a gauge"`
	Previous       Previous        `json:"previous" doc:"The span of as many steps just before"`
}

// Point is one hour or day.
type Point struct {
	From      db.Time `json:"from"`
	To        db.Time `json:"to"`
	Value     int64   `json:"value" doc:"What a counter grew by; what a gauge stood at in the end"`
	Peak      *int64  `json:"peak" doc:"The most that a gauge stood at; null of a counter"`
	Events    int64   `json:"events"`
	Late      int64   `json:"late" doc:"How many events came more than an hour late"`
	Corrected int64   `json:"corrected" doc:"The part of value that came more than 72 hours late, for times before"`
}

// Previous compares.
type Previous struct {
	From          db.Time  `json:"from"`
	To            db.Time  `json:"to"`
	Total         int64    `json:"total"`
	ChangePercent *float64 `json:"change_percent" doc:"null: there was nothing before"`
}

// HistoryOf reads a history. A step that began before From, or ends after To,
// is in it whole.
func HistoryOf(tx *db.Tx, o id.Organization, q Query) (History, error) {
	known, err := knownIn(tx)
	if err != nil {
		return History{}, err
	}
	m, err := q.check(known)
	if err != nil {
		return History{}, err
	}
	g, err := q.grid(tx.Now, known.zone)
	if err != nil {
		return History{}, err
	}
	h := History{OrganizationID: o, Meter: m.Key, Kind: m.Kind, Unit: m.Unit, Step: q.Step, Timezone: known.zone.String(), From: g.begins(0), To: g.begins(g.steps())}
	if q.Plugin != "" {
		h.Plugin = &q.Plugin
	}
	if h.Data, h.Total, err = g.read(tx, o, m, q.Plugin); err != nil {
		return h, err
	}
	before := g.before()
	h.Previous = Previous{From: before.begins(0), To: before.begins(before.steps())}
	if _, h.Previous.Total, err = before.read(tx, o, m, q.Plugin); err != nil {
		return h, err
	}
	if h.Previous.Total != 0 {
		change := float64(h.Total-h.Previous.Total) / float64(h.Previous.Total) * 100
		h.Previous.ChangePercent = new(math.Round(change*100) / 100)
	}
	return h, nil
}

func (q *Query) check(known *catalogue) (quota.Meter, error) {
	var v fault.Validation
	m, ok := known.meters[q.Meter]
	switch {
	case !ok:
		v.Add("meter", "unknown_meter", "Name a meter of the catalogue; see GET /api/tenants/meters.")
	case m.Kind == quota.People:
		v.Add("meter", "not_applicable", "Seats have no history.")
	}
	if q.Step == "" {
		q.Step = Daily
	}
	if q.From != nil && q.To != nil && *q.From >= *q.To {
		v.Add("to", "invalid_value", "Give a time after from.")
	}
	if q.Plugin != "" && !known.plugins[q.Plugin] {
		v.Add("plugin", "unknown_plugin", "Name a plugin of the catalogue; see GET /api/tenants/available-plugins.")
	}
	return m, v.Err()
}

// grid finds the steps that a query touches.
func (q Query) grid(now db.Time, zone *time.Location) (grid, error) {
	month, _ := Month(now, zone)
	from, to := month.From, now
	if q.From != nil {
		from = *q.From
	}
	if q.To != nil {
		to = *q.To
	}
	if from >= to {
		to = from + 1
	}
	if q.Step == Hourly {
		return gridOver(&hourly, zone, from, to)
	}
	return gridOver(&daily, zone, from, to)
}

func tooLong(steps int) error {
	return fault.InvalidField("from", "out_of_range", "Ask for at most %d steps at once.", steps)
}

// read gives the points, and the total.
func (g grid) read(tx *db.Tx, o id.Organization, m quota.Meter, plugin string) ([]Point, int64, error) {
	n := g.steps()
	rows, err := readLevels(tx, g.table, o, m.Key, g.keys[0], g.keys[n], plugin)
	if err != nil {
		return nil, 0, err
	}
	points := make([]Point, n)
	for i := range points {
		points[i].From, points[i].To = g.begins(i), g.begins(i+1)
	}
	if m.Kind == quota.Gauge {
		before, err := levelsBefore(tx, g.table, o, m.Key, g.keys[0], plugin)
		if err != nil {
			return nil, 0, err
		}
		return points, g.gauge(points, rows, before), nil
	}
	total := int64(0)
	i := 0
	for _, l := range rows {
		for i < n-1 && g.keys[i+1] <= l.begins {
			i++
		}
		points[i].add(l)
		points[i].Value += l.value
		total += l.value
	}
	return points, total, nil
}

func (p *Point) add(l level) {
	p.Events += l.events
	p.Late += l.late
	p.Corrected += l.corrected
}

// gauge carries what each plugin's share stands at from step to step. The peak
// of several shares together is at most the sum of theirs, which it is taken
// for.
func (g grid) gauge(points []Point, rows []level, stands map[string]int64) int64 {
	next, total := 0, int64(0)
	for i := range points {
		peaks := map[string]int64{}
		for ; next < len(rows) && (i == g.steps()-1 || rows[next].begins < g.keys[i+1]); next++ {
			l := rows[next]
			points[i].add(l)
			stands[l.plugin], peaks[l.plugin] = l.value, l.peak
		}
		total = 0
		peak := int64(0)
		for plugin, value := range stands {
			total += value
			peak += max(value, peaks[plugin])
		}
		points[i].Value, points[i].Peak = total, &peak
	}
	return total
}

// WriteCSV writes a history as RFC 4180 lines under a line of names.
func (h History) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	lines := [][]string{{"from", "to", "meter", "plugin", "value", "peak", "events", "late", "corrected"}}
	plugin := ""
	if h.Plugin != nil {
		plugin = *h.Plugin
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, p := range h.Data {
		peak := ""
		if p.Peak != nil {
			peak = number(*p.Peak)
		}
		lines = append(lines, []string{p.From.String(), p.To.String(), h.Meter, plugin, number(p.Value), peak, number(p.Events), number(p.Late), number(p.Corrected)})
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
