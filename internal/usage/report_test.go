package usage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/usage"
)

func TestEventsCountOnce(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(10, 10, "ecommerce")
		e := sent{ID: "a", Source: "ecommerce", Type: usage.BandwidthMeter, Subject: "acme-1", Value: new(int64(5))}
		other := e
		other.Source = "calendar" // another source: another event
		byID := e
		byID.Subject = fmt.Sprint(o) // the same organization: the same event
		r := w.report(e, e, other, byID)
		if r.Accepted != 2 || r.Duplicate != 2 || r.Events[0].Status != usage.Accepted || r.Events[1].Status != usage.Duplicate || r.Events[3].Status != usage.Duplicate {
			w.Errorf("got %+v", r)
		}
		if r := w.report(e, other); r.Duplicate != 2 || r.Events[0].CountedAt != nil {
			w.Errorf("again: got %+v", r)
		}
		if l := w.limit(o, usage.BandwidthMeter); l.Used != 10 {
			w.Errorf("got %d used, want 10", l.Used)
		}
		// After 32 days it is another event.
		w.forward(31 * 24 * time.Hour)
		if err := usage.Forget(ctx, w.d); err != nil {
			w.Fatal(err)
		}
		if r := w.report(e); r.Duplicate != 1 {
			w.Errorf("after 31 days: got %+v", r)
		}
		w.forward(2 * 24 * time.Hour)
		if err := usage.Forget(ctx, w.d); err != nil {
			w.Fatal(err)
		}
		if r := w.report(e); r.Accepted != 1 {
			w.Errorf("after 33 days: got %+v", r)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	eachWorld(t, at("2026-11-10T12:30:00Z"), func(w *world) {
		o := w.organization(10, 10, "ecommerce")
		held, archived := w.organization(10, 10), w.organization(10, 10)
		write(w.T, w.d, func(tx *db.Tx) error {
			_, err := hold.Place(tx, hold.Subject{Organization: held}, hold.Platform, "x", 0, nil)
			if err == nil {
				_, err = tx.Exec(`UPDATE organizations SET status = 'archived' WHERE id = $1`, archived)
			}
			return err
		})
		good := sent{ID: "a", Source: "ecommerce", Type: usage.BandwidthMeter, Subject: fmt.Sprint(o), Value: new(int64(5))}
		for _, c := range []struct {
			code string
			edit func(*sent)
		}{
			{"unknown_meter", func(e *sent) { e.Type = "nothing" }},
			{"unknown_plugin", func(e *sent) { e.Source = "nothing" }},
			{"unknown_reference", func(e *sent) { e.Subject = "nobody" }},
			{"unknown_reference", func(e *sent) { e.Subject = "999" }},
			{"unknown_reference", func(e *sent) { e.Subject = "01" }},
			{"organization_archived", func(e *sent) { e.Subject = fmt.Sprint(archived) }},
			{"not_reported", func(e *sent) { e.Type = "seats" }},
			{"not_a_gauge", func(e *sent) { e.Value, e.Delta = nil, new(int64(1)) }},
			{"out_of_range", func(e *sent) { e.Value = new(int64(-1)) }},
			{"out_of_range", func(e *sent) { e.Value = new(int64(1e15)) }},
			{"in_the_future", func(e *sent) { e.Time = at("2026-11-10T12:36:00Z") }},
			{"invalid_id", func(e *sent) { e.ID = "" }},
		} {
			e := good
			c.edit(&e)
			if r := w.report(e); r.Refused != 1 || r.Events[0].Code != c.code || r.Events[0].Message == "" {
				w.Errorf("want %s, got %+v", c.code, r)
			}
		}
		for code, raw := range map[string]string{
			"invalid_event": `[]`, "invalid_specversion": `{"specversion":"0.3","id":"a","source":"ecommerce","type":"t","subject":"s","data":{"value":1}}`,
			"invalid_data":            `{"specversion":"1.0","id":"a","source":"ecommerce","type":"t","subject":"s","data":{"value":1.5}}`,
			"invalid_time":            `{"specversion":"1.0","id":"a","source":"ecommerce","type":"t","subject":"s","time":"yesterday","data":{"value":1}}`,
			"invalid_datacontenttype": `{"specversion":"1.0","id":"a","source":"ecommerce","type":"t","subject":"s","datacontenttype":"text/xml","data":{"value":1}}`,
		} {
			var b usage.Batch
			b.Add(json.RawMessage(raw))
			if r, err := w.s.Report(ctx, anybody, b); err != nil || r.Events[0].Code != code {
				w.Errorf("%s: want %s, got %+v, %v", raw, code, r, err)
			}
		}
		// Of an organization's own key others are as if they did not exist.
		r, err := w.s.Report(ctx, usage.Reporter{Organization: held, Still: anybody.Still}, batch(good))
		if err != nil || r.Events[0].Code != "unknown_reference" {
			w.Errorf("foreign: got %+v, %v", r, err)
		}
		// What a suspended organization used, it used.
		past := good
		past.Subject = fmt.Sprint(held)
		if r := w.report(past); r.Accepted != 1 {
			w.Errorf("suspended: got %+v", r)
		}
		// What was refused was not noted: put right, it counts.
		if r := w.report(good); r.Accepted != 1 {
			w.Errorf("put right: got %+v", r)
		}
		ended := errors.New("ended")
		if _, err := w.s.Report(ctx, usage.Reporter{Still: func(*db.Tx) error { return ended }}, batch(good)); !errors.Is(err, ended) {
			w.Errorf("a key that ended: got %v", err)
		}
	})
}

func TestLateEvents(t *testing.T) {
	eachWorld(t, at("2026-12-02T12:30:00Z"), func(w *world) {
		o := w.organization(10, 10)
		n := 0
		send := func(when string, value int64) usage.Outcome {
			n++
			return w.report(sent{ID: fmt.Sprint(n), Source: "ecommerce", Type: usage.BandwidthMeter, Subject: fmt.Sprint(o), Time: at(when), Value: &value}).Events[0]
		}
		for _, c := range []struct {
			when    string
			value   int64
			status  usage.Status
			counted string
		}{
			{"2026-12-02T11:31:00Z", 1, usage.Accepted, "2026-12-02T11:31:00.000Z"},
			{"2026-12-02T12:34:00Z", 2, usage.Accepted, "2026-12-02T12:30:00.000Z"}, // ahead by a little: now
			{"2026-12-02T11:29:00Z", 4, usage.Late, "2026-12-02T11:29:00.000Z"},
			{"2026-11-30T23:59:59Z", 8, usage.Late, "2026-11-30T23:59:59.000Z"}, // of the month before
			{"2026-11-29T12:30:00Z", 16, usage.Late, "2026-11-29T12:30:00.000Z"},
			{"2026-11-29T12:29:59Z", 32, usage.Late, "2026-12-02T12:30:00.000Z"}, // beyond 72 hours
			{"2025-01-01T00:00:00Z", 64, usage.Late, "2026-12-02T12:30:00.000Z"},
		} {
			got := send(c.when, c.value)
			if got.Status != c.status || got.CountedAt == nil || got.CountedAt.String() != c.counted {
				w.Errorf("%s: got %+v, want %s at %s", c.when, got, c.status, c.counted)
			}
		}
		if l := w.limit(o, usage.BandwidthMeter); l.Used != 1+2+4+32+64 {
			w.Errorf("December: got %d", l.Used)
		}
		h := w.history(o, usage.Query{Meter: usage.BandwidthMeter, Step: usage.Daily, From: new(db.At(at("2026-11-29T00:00:00Z"))), To: new(db.At(at("2026-12-02T13:00:00Z")))})
		var values, late, corrected []int64
		for _, p := range h.Data {
			values, late, corrected = append(values, p.Value), append(late, p.Late), append(corrected, p.Corrected)
		}
		if fmt.Sprint(values, late, corrected) != "[16 8 0 103] [1 1 0 3] [0 0 0 96]" || h.Total != 127 {
			w.Errorf("got %v %v %v, total %d", values, late, corrected, h.Total)
		}
	})
}

// Eight reporters send overlapping batches, in which three of ten events stand
// in several: the totals are the distinct sum.
func TestReportersWhoOverlap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, s: usage.New(d), clock: &clock{}}
		write(t, d, plugin.Seed)
		var all []id.Organization
		for range 3 {
			all = append(all, w.organization(10, 10))
		}
		const events = 2000
		value := func(n int) int64 { return int64(n%17 + 1) }
		event := func(n int) sent {
			return sent{ID: fmt.Sprint("e", n), Source: "ecommerce", Type: usage.BandwidthMeter, Subject: fmt.Sprint(all[n%3]), Value: new(value(n))}
		}
		var wg sync.WaitGroup
		for r := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(r)))
				for from := r * events / 8; from < (r+1)*events/8; from += 50 {
					var b []sent
					for n := from; n < from+50; n++ {
						b = append(b, event(n))
						if random.IntN(10) < 3 {
							b = append(b, event(random.IntN(events)))
						}
					}
					if _, err := w.s.Report(ctx, anybody, batch(b...)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i, o := range all {
			want := int64(0)
			for n := i; n < events; n += 3 {
				want += value(n)
			}
			h := w.history(o, usage.Query{Meter: usage.BandwidthMeter, Step: usage.Hourly})
			if l := w.limit(o, usage.BandwidthMeter); l.Used != want || h.Total != want {
				t.Errorf("got %d used, %d in the history, want %d", l.Used, h.Total, want)
			}
		}
	})
}
