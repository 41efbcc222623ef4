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

// Bounds of a history, in steps.
const (
	maxHours = 31 * 24
	maxDays  = 366
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
	h := History{OrganizationID: o, Meter: m.Key, Kind: m.Kind, Unit: m.Unit, Step: q.Step, Timezone: known.zone.String(), From: g.at(0), To: g.at(g.n)}
	if q.Plugin != "" {
		h.Plugin = &q.Plugin
	}
	if h.Data, h.Total, err = g.read(tx, o, m, q.Plugin); err != nil {
		return h, err
	}
	before := g.before()
	h.Previous = Previous{From: before.at(0), To: before.at(before.n)}
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

// grid is a sequence of hours or days: n of them from one on.
type grid struct {
	step  Step
	zone  *time.Location
	hours []db.Time // where each begins, and where the last ends
	first int64     // day
	n     int
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
	g := grid{step: q.Step, zone: zone}
	if q.Step == Hourly {
		if to-from > db.Time(maxHours*time.Hour/time.Microsecond) {
			return g, tooLong(maxHours)
		}
		for at := hourOf(from, zone); ; at = nextHour(at, zone) {
			g.hours = append(g.hours, at)
			if at >= to {
				break
			}
		}
		g.n = len(g.hours) - 1
		return g, nil
	}
	g.first = windowOf(from, zone).day
	last := windowOf(to-1, zone).day
	if last-g.first >= maxDays {
		return g, tooLong(maxDays)
	}
	g.n = int(last - g.first + 1)
	return g, nil
}

// nextHour is where the hour after one begins: an hour later, but where the
// zone changes its offset by less.
func nextHour(at db.Time, zone *time.Location) db.Time {
	next := hourOf(at.Add(time.Hour), zone)
	if next <= at {
		return at.Add(time.Hour)
	}
	return next
}

func tooLong(steps int) error {
	return fault.InvalidField("from", "out_of_range", "Ask for at most %d steps at once.", steps)
}

// before is the grid of as many steps just before.
func (g grid) before() grid {
	b := g
	if g.step == Daily {
		b.first = g.first - int64(g.n)
		return b
	}
	b.hours = make([]db.Time, g.n+1)
	b.hours[g.n] = g.hours[0]
	for i := g.n - 1; i >= 0; i-- {
		b.hours[i] = hourOf(b.hours[i+1]-1, g.zone)
	}
	return b
}

// at is where a step begins.
func (g grid) at(i int) db.Time {
	if g.step == Hourly {
		return g.hours[i]
	}
	return quota.Begins(g.first+int64(i), g.zone)
}

// key is how the roll-up names a step.
func (g grid) key(i int) int64 {
	if g.step == Hourly {
		return int64(g.hours[i])
	}
	return g.first + int64(i)
}

func (g grid) table() string {
	if g.step == Hourly {
		return hours
	}
	return days
}

// read gives the points, and the total.
func (g grid) read(tx *db.Tx, o id.Organization, m quota.Meter, plugin string) ([]Point, int64, error) {
	rows, err := readLevels(tx, g.table(), o, m.Key, g.key(0), g.key(g.n), plugin)
	if err != nil {
		return nil, 0, err
	}
	points := make([]Point, g.n)
	for i := range points {
		points[i].From, points[i].To = g.at(i), g.at(i+1)
	}
	if m.Kind == quota.Gauge {
		before, err := levelsBefore(tx, g.table(), o, m.Key, g.key(0), plugin)
		if err != nil {
			return nil, 0, err
		}
		return points, g.gauge(points, rows, before), nil
	}
	total := int64(0)
	i := 0
	for _, l := range rows {
		for i < g.n-1 && g.key(i+1) <= l.begins {
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
		for ; next < len(rows) && (i == g.n-1 || rows[next].begins < g.key(i+1)); next++ {
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
