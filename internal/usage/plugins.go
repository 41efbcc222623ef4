package usage

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// PluginUsage is what each plugin used of an organization's credits and meters
// in a period.
type PluginUsage struct {
	OrganizationID id.Organization `json:"organization_id"`
	PluginTotals
}

// PluginTotals is what each plugin used in a period of whole days.
type PluginTotals struct {
	Period  Period       `json:"period" doc:"Whole days of the billing time zone"`
	Credits int64        `json:"credits" doc:"Of all plugins together: consumed, less what came back"`
	Data    []PluginPart `json:"data" nullable:"false" doc:"By the plugin's key"`
}

// PluginPart is one plugin's part.
type PluginPart struct {
	Plugin  string        `json:"plugin"`
	Credits int64         `json:"credits" doc:"Consumed, less what came back in the period; below zero where that was more"`
	Meters  []PluginMeter `json:"meters" nullable:"false"`
}

// PluginMeter is one plugin's part of one meter.
type PluginMeter struct {
	Meter  string     `json:"meter"`
	Kind   quota.Kind `json:"kind" enum:"counter,gauge"`
	Unit   string     `json:"unit"`
	Used   int64      `json:"used" doc:"Of a counter in the period; of a gauge at its end"`
	Events int64      `json:"events" doc:"In the period"`
}

// Span asks for a period: the days that it touches, whole. Without From it is
// the current month; without To up to now.
type Span struct{ From, To *db.Time }

// maxSpan is how many days a sum over many organizations may take in.
const maxSpan = 92

// span is a period in days.
type span struct {
	first, last int64 // days since 1970
	zone        *time.Location
	today       int64
}

func (s Span) days(now db.Time, zone *time.Location, most int64) (span, error) {
	month, _ := Month(now, zone)
	from, to := month.From, month.To
	if s.From != nil {
		from, to = *s.From, max(now, *s.From)+1
	}
	if s.To != nil {
		to = *s.To
	}
	if from >= to {
		return span{}, fault.InvalidField("to", "invalid_value", "Give a time after from; without from, one of this month.")
	}
	d := span{first: windowOf(from, zone).day, last: windowOf(to-1, zone).day, zone: zone, today: windowOf(now, zone).day}
	if d.last-d.first >= most {
		return d, fault.InvalidField("from", "out_of_range", "Ask for at most %d days at once.", most)
	}
	return d, nil
}

func (d span) period() Period {
	return Period{From: quota.Begins(d.first, d.zone), To: quota.Begins(d.last+1, d.zone)}
}

// months are the keys of the months that the days lie in.
func (d span) months() (all []int64) {
	for day := d.first; day <= d.last; {
		p, key := Month(quota.Begins(day, d.zone), d.zone)
		all, day = append(all, key), windowOf(p.To, d.zone).day
	}
	return all
}

// ByPlugin gives each plugin's part of what an organization used.
func ByPlugin(tx *db.Tx, o id.Organization, s Span) (PluginUsage, error) {
	t, err := totals(tx, auth.Reach{Organizations: []id.Organization{o}}, s, int64(daily.most))
	return PluginUsage{OrganizationID: o, PluginTotals: t}, err
}

// ByPluginOf is ByPlugin of all the organizations that a caller may see, at most
// 92 days at once.
func ByPluginOf(tx *db.Tx, of auth.Reach, s Span) (PluginTotals, error) {
	return totals(tx, of, s, maxSpan)
}

func totals(tx *db.Tx, of auth.Reach, s Span, most int64) (PluginTotals, error) {
	known, err := knownIn(tx)
	if err != nil {
		return PluginTotals{}, err
	}
	d, err := s.days(tx.Now, known.zone, most)
	if err != nil {
		return PluginTotals{}, err
	}
	t := PluginTotals{Period: d.period()}
	all := parts{}
	spent, err := credit.ByPlugin(tx, credit.Consumers(of), t.Period.From, t.Period.To)
	if err != nil {
		return t, err
	}
	t.Credits = credit.Sum(spent)
	for _, c := range spent {
		all.of(c.Plugin).Credits = c.Amount
	}
	rows, err := counterParts(tx, of, d)
	if err != nil {
		return t, err
	}
	gauges, err := gaugeParts(tx, of, d)
	for _, r := range append(rows, gauges...) {
		if r.Used != 0 || r.Events != 0 {
			all.of(r.plugin).add(r.PluginMeter, known.meters[r.Meter])
		}
	}
	t.Data = all.list()
	return t, err
}

// parts are the plugins that used anything.
type parts map[string]*PluginPart

func (p parts) of(plugin string) *PluginPart {
	if p[plugin] == nil {
		p[plugin] = &PluginPart{Plugin: plugin, Meters: []PluginMeter{}}
	}
	return p[plugin]
}

// add takes in a meter's row; of a counter there is one a month.
func (p *PluginPart) add(r PluginMeter, m quota.Meter) {
	for i := range p.Meters {
		if p.Meters[i].Meter == r.Meter {
			p.Meters[i].Used += r.Used
			p.Meters[i].Events += r.Events
			return
		}
	}
	r.Kind, r.Unit = m.Kind, m.Unit
	p.Meters = append(p.Meters, r)
}

func (p parts) list() []PluginPart {
	all := make([]PluginPart, 0, len(p))
	for _, key := range slices.Sorted(maps.Keys(p)) {
		slices.SortFunc(p[key].Meters, func(a, b PluginMeter) int { return cmp.Compare(a.Meter, b.Meter) })
		all = append(all, *p[key])
	}
	return all
}
