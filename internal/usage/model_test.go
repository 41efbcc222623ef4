package usage_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/usage"
)

// zones whose days are 23, 24 and 25 hours long, begin at half past, or whose
// midnight is skipped.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Asuncion", "Africa/Cairo", "Pacific/Apia"}

// around are moments at which periods end: months, leap days, changes of
// offset.
var around = []string{
	"2024-02-28T23:00:00Z", "2024-03-01T00:30:00Z", "2025-12-31T22:30:00Z", "2026-03-29T00:30:00Z", "2026-10-25T00:15:00Z", "2026-11-01T05:10:00Z",
	"2026-04-04T14:45:00Z", "2026-10-03T15:20:00Z", "2026-04-23T21:45:00Z", "2026-11-30T23:59:00Z",
}

// fact is an event that counted, as the model keeps it.
type fact struct {
	meter, source string
	own, at       time.Time
	amount        int64
	delta         bool
}

// standing is what the model says of a gauge's share at the end of a step.
type standing struct {
	value int64
	set   time.Time
}

// model counts plainly: every hour of the span has its figures, whether or not
// anything happened in it.
type model struct {
	zone    *time.Location
	begin   time.Time
	seen    map[string]bool
	hours   map[string]int64     // meter, source and hour to the sum of a counter
	months  map[string]int64     // meter and month to the sum of a counter
	gauges  map[string]*standing // source to the share now
	levels  map[string][]standing
	through int // how many hours the span has
}

func (m *model) hour(t time.Time) time.Time {
	t = t.In(m.zone)
	return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
}

func (m *model) month(t time.Time) string { return t.In(m.zone).Format("2006-01") }

// take counts an event that came at now.
func (m *model) take(key string, f fact, now time.Time) {
	if m.seen[key] {
		return
	}
	m.seen[key] = true
	f.at = f.own
	if now.Sub(f.own) > 72*time.Hour {
		f.at = now
	}
	if f.meter == usage.StorageMeter {
		m.gauge(f)
		return
	}
	m.hours[f.meter+f.source+m.hour(f.at).UTC().String()] += f.amount
	m.months[f.meter+m.month(f.at)] += f.amount
}

// gauge moves every hour from the event's on that was not set later, and what
// the gauge stands at now.
func (m *model) gauge(f fact) {
	if m.gauges[f.source] == nil {
		m.gauges[f.source] = &standing{}
		m.levels[f.source] = make([]standing, m.through)
	}
	all := m.levels[f.source]
	its := all[int(m.hour(f.at).Sub(m.begin)/(30*time.Minute))]
	if f.own.Before(its.set) {
		return
	}
	by := f.amount
	if !f.delta {
		by -= its.value
	}
	shift := func(s *standing) {
		if !s.set.After(f.own) {
			s.value += by
			if !f.delta {
				s.set = f.own
			}
		}
	}
	for i := range all {
		if !m.begin.Add(time.Duration(i) * 30 * time.Minute).Before(m.hour(f.at)) {
			shift(&all[i])
		}
	}
	shift(m.gauges[f.source])
}

// Whatever is reported, whenever, in whatever batches and however often, in
// whatever zone: hours, days and months show what a plain count shows.
func TestCountingIsThePlainCount(t *testing.T) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, url(t), at("2024-01-01T00:00:00Z"))
			rapid.Check(t, func(rt *rapid.T) { play(rt, w) })
		})
	}
}

func play(rt *rapid.T, w *world) {
	zone := rapid.SampledFrom(zones).Draw(rt, "zone")
	location, err := time.LoadLocation(zone)
	if err != nil {
		rt.Fatal(err)
	}
	now := at(rapid.SampledFrom(around).Draw(rt, "around")).Add(time.Duration(rapid.Int64Range(-3*3600, 3*3600).Draw(rt, "offset")) * time.Second)
	w.set(now)
	write(w.T, w.d, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE settings SET billing_timezone = $1`, zone)
		tx.Publish("entitlement", "")
		return err
	})
	o := w.organization(-1, -1)
	m := &model{zone: location, seen: map[string]bool{}, hours: map[string]int64{}, months: map[string]int64{}, gauges: map[string]*standing{}, levels: map[string][]standing{}}
	m.begin = m.hour(now.Add(-100 * time.Hour))
	m.through = 2 * 24 * 14
	var earlier []sent
	for range rapid.IntRange(1, 8).Draw(rt, "reports") {
		now = now.Add(time.Duration(rapid.Int64Range(0, 20*3600).Draw(rt, "wait")) * time.Second)
		w.set(now)
		var b []sent
		for range rapid.IntRange(1, 6).Draw(rt, "events") {
			if len(earlier) > 0 && rapid.IntRange(0, 9).Draw(rt, "again") < 3 {
				b = append(b, rapid.SampledFrom(earlier).Draw(rt, "which"))
				continue
			}
			b = append(b, drawn(rt, w, o, now))
		}
		earlier = append(earlier, b...)
		for _, e := range b {
			f := fact{meter: e.Type, source: e.Source, own: e.Time}
			if f.delta = e.Delta != nil; f.delta {
				f.amount = *e.Delta
			} else {
				f.amount = *e.Value
			}
			m.take(e.Source+e.ID, f, now)
		}
		w.report(b...)
	}
	m.compare(rt, w, o, now)
}

// drawn makes an event of the last days.
func drawn(rt *rapid.T, w *world, o id.Organization, now time.Time) sent {
	w.n++
	e := sent{ID: fmt.Sprint(w.n), Subject: fmt.Sprint(o), Source: rapid.SampledFrom([]string{"ecommerce", "calendar"}).Draw(rt, "source"),
		Time: now.Add(-time.Duration(rapid.Int64Range(0, 90*3600).Draw(rt, "age")) * time.Second)}
	n := rapid.Int64Range(0, 1000).Draw(rt, "amount")
	switch rapid.IntRange(0, 3).Draw(rt, "kind") {
	case 0:
		e.Type, e.Value = usage.StorageMeter, &n
	case 1:
		n -= 300
		e.Type, e.Delta = usage.StorageMeter, &n
	default:
		e.Type, e.Value = usage.BandwidthMeter, &n
	}
	return e
}

func (m *model) compare(rt *rapid.T, w *world, o id.Organization, now time.Time) {
	if got, want := w.limit(o, usage.BandwidthMeter).Used, m.months[usage.BandwidthMeter+m.month(now)]; got != want {
		rt.Errorf("this month: got %d, want %d", got, want)
	}
	share := int64(0)
	for _, s := range m.gauges {
		share += s.value
	}
	if got := w.limit(o, usage.StorageMeter).Used; got != max(share, 0) {
		rt.Errorf("storage: got %d, want %d", got, max(share, 0))
	}
	from, to := db.At(m.begin), db.At(m.hour(now).Add(time.Hour))
	for _, source := range []string{"", "ecommerce", "calendar"} {
		h := w.history(o, usage.Query{Meter: usage.BandwidthMeter, Step: usage.Hourly, From: &from, To: &to, Plugin: source})
		days := map[string]int64{}
		for i, p := range h.Data {
			want := int64(0)
			for _, s := range []string{"ecommerce", "calendar"} {
				if source == "" || s == source {
					want += m.hours[usage.BandwidthMeter+s+p.From.Std().String()]
				}
			}
			if p.Value != want || i > 0 && p.From != h.Data[i-1].To {
				rt.Errorf("%s in the hour of %s: got %d, want %d", source, p.From, p.Value, want)
			}
			days[p.From.Std().In(m.zone).Format(time.DateOnly)] += p.Value
		}
		m.days(rt, w, o, usage.Query{Meter: usage.BandwidthMeter, From: &from, To: &to, Plugin: source}, days)
		h = w.history(o, usage.Query{Meter: usage.StorageMeter, Step: usage.Hourly, From: &from, To: &to, Plugin: source})
		ends := map[string]int64{}
		for _, p := range h.Data {
			want := int64(0)
			for s, all := range m.levels {
				if source == "" || s == source {
					want += all[int(p.From.Std().Sub(m.begin)/(30*time.Minute))].value
				}
			}
			ends[p.From.Std().In(m.zone).Format(time.DateOnly)] = want
			if p.Value != want {
				rt.Errorf("storage of %q in the hour of %s: got %d, want %d", source, p.From, p.Value, want)
			}
		}
		m.days(rt, w, o, usage.Query{Meter: usage.StorageMeter, From: &from, To: &to, Plugin: source}, ends)
		if source != "" {
			m.part(rt, w, o, source, days, ends, usage.Span{From: &from, To: &to})
			begin, end := m.begin.Add(30*time.Hour), m.begin.Add(80*time.Hour)
			m.part(rt, w, o, source, days, ends, usage.Span{From: new(db.At(begin)), To: new(db.At(end))})
		}
	}
}

// part holds a plugin's part of a span against the sums of its days, and what
// its share of the gauge stood at in the end of the last.
func (m *model) part(rt *rapid.T, w *world, o id.Organization, source string, days, ends map[string]int64, s usage.Span) {
	first, last := s.From.Std().In(m.zone).Format(time.DateOnly), (*s.To - 1).Std().In(m.zone).Format(time.DateOnly)
	want := map[string]int64{}
	for name, n := range days {
		if first <= name && name <= last {
			want[usage.BandwidthMeter] += n
		}
	}
	want[usage.StorageMeter] = ends[last]
	var u usage.PluginUsage
	err := w.d.Read(ctx, func(tx *db.Tx) (err error) { u, err = usage.ByPlugin(tx, o, s); return err })
	if err != nil {
		rt.Fatal(err)
	}
	got := map[string]int64{}
	for _, p := range u.Data {
		for _, part := range p.Meters {
			if p.Plugin == source {
				got[part.Meter] = part.Used
			}
		}
	}
	for _, meter := range []string{usage.BandwidthMeter, usage.StorageMeter} {
		if got[meter] != want[meter] {
			rt.Errorf("%s of %s from %s to %s: got %d, want %d", meter, source, first, last, got[meter], want[meter])
		}
	}
}

// days holds the days against the sums of their hours.
func (m *model) days(rt *rapid.T, w *world, o id.Organization, q usage.Query, want map[string]int64) {
	q.Step = usage.Daily
	h := w.history(o, q)
	for i, p := range h.Data {
		if i > 0 && p.From != h.Data[i-1].To {
			rt.Errorf("%s does not begin where the day before ends, %s", p.From, h.Data[i-1].To)
		}
		first := p.From.Std().In(m.zone)
		if name := first.Format(time.DateOnly); p.Value != want[name] || first.Add(-time.Microsecond).Format(time.DateOnly) == name {
			rt.Errorf("on %s (from %s): got %d, want %d", name, first, p.Value, want[name])
		}
	}
}
