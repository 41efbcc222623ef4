package usage

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// most is the highest that a meter's row may stand at; one report adds a
// hundredth of what is left beyond it at most.
const most = 9e18

// tally sums in memory what a transaction counts and stores each row once, in
// one order for all: whoever counts for the same rows waits, and never in a
// circle.
type tally struct {
	tx    *db.Tx
	known *catalogue
	now   window
	since db.Time // what counts in now began

	rows    map[rowKey]*row
	buckets [len(rollups)]map[bucketKey]*bucket
	gauges  map[shareKey][]*counted
}

// rowKey names a row of usage_current.
type rowKey struct {
	organization id.Organization
	meter        string
	period       int64
}

// row is what is added to it, and what it is then.
type row struct {
	rowKey
	account *quota.Account
	kind    quota.Meter
	add     int64
	used    int64
	told    quota.Told
}

// bucketKey names a row of a roll-up.
type bucketKey struct {
	organization id.Organization
	meter        string
	begins       int64
	plugin       string
}

// bucket is what is added to it.
type bucket struct {
	bucketKey
	value, events, late, corrected int64
}

// shareKey names a plugin's part of a gauge.
type shareKey struct {
	organization id.Organization
	meter        string
	plugin       string
}

func newTally(tx *db.Tx, known *catalogue) *tally {
	t := &tally{tx: tx, known: known, now: windowOf(tx.Now, known.zone), since: sinceHour(tx.Now, known.zone), rows: map[rowKey]*row{}, gauges: map[shareKey][]*counted{}}
	for i := range t.buckets {
		t.buckets[i] = map[bucketKey]*bucket{}
	}
	return t
}

func compareRows(a, b *row) int {
	return cmp.Or(cmp.Compare(a.organization, b.organization), cmp.Compare(a.meter, b.meter), cmp.Compare(a.period, b.period))
}

func compareBuckets(a, b *bucket) int {
	return cmp.Or(cmp.Compare(a.organization, b.organization), cmp.Compare(a.meter, b.meter), cmp.Compare(a.begins, b.begins), cmp.Compare(a.plugin, b.plugin))
}

// keepLimits keeps limits from moving while the events are counted, on which the
// meters, known from memory, are read afresh.
func (t *tally) keepLimits() error {
	if t.tx.Engine() == db.SQLite {
		return nil // nothing moves beside its one writer
	}
	if err := quota.KeepLimits(t.tx); err != nil {
		return err
	}
	known := *t.known
	var err error
	known.meters, err = metersByKey(t.tx)
	t.known = &known
	return err
}

// add takes one event in.
func (t *tally) add(c *counted) {
	w := t.now
	if c.at < t.since {
		w = windowOf(c.at, t.known.zone)
	}
	k := rowKey{c.account.ID, c.meter.Key, w.month}
	if c.meter.Kind == quota.Gauge {
		k.period = 0
		share := shareKey{c.account.ID, c.meter.Key, c.source}
		t.gauges[share] = append(t.gauges[share], c)
	}
	r := t.rows[k]
	if r == nil {
		r = &row{rowKey: k, account: c.account, kind: c.meter}
		t.rows[k] = r
	}
	if c.meter.Kind == quota.Gauge {
		return
	}
	r.add += c.amount
	for i, r := range rollups {
		t.bucket(t.buckets[i], c, r.key(w))
	}
}

func (t *tally) bucket(all map[bucketKey]*bucket, c *counted, begins int64) {
	k := bucketKey{c.account.ID, c.meter.Key, begins, c.source}
	b := all[k]
	if b == nil {
		b = &bucket{bucketKey: k}
		all[k] = b
	}
	b.value += c.amount
	b.events++
	if c.late {
		b.late++
	}
	if c.at != c.own {
		b.corrected += c.amount
	}
}

// store writes everything, and tells who is to know.
func (t *tally) store() error {
	rows := slices.SortedFunc(maps.Values(t.rows), compareRows)
	err := inChunks(len(rows), func(from, to int) error { return addCurrent(t.tx, rows[from:to]) })
	if err != nil {
		return err
	}
	for _, share := range slices.SortedFunc(maps.Keys(t.gauges), func(a, b shareKey) int {
		return cmp.Or(cmp.Compare(a.organization, b.organization), cmp.Compare(a.meter, b.meter), cmp.Compare(a.plugin, b.plugin))
	}) {
		if err := t.gauge(share, t.rows[rowKey{share.organization, share.meter, 0}]); err != nil {
			return err
		}
	}
	for i, r := range rollups {
		buckets := slices.SortedFunc(maps.Values(t.buckets[i]), compareBuckets)
		err := inChunks(len(buckets), func(from, to int) error { return addBuckets(t.tx, r.table, buckets[from:to]) })
		if err != nil {
			return err
		}
	}
	return t.watch(rows)
}

// watch tells of thresholds that the counting crossed. What is counted for a
// month that is over tells nobody.
func (t *tally) watch(rows []*row) error {
	last := id.Organization(0)
	for _, r := range rows {
		if r.used > most {
			return fault.InvalidField("data", "too_large", "The meter cannot hold any more.")
		}
		if r.organization != last {
			quota.Changed(t.tx, r.organization)
			last = r.organization
		}
		if r.period != 0 && r.period != t.now.month {
			continue
		}
		told, err := r.account.Watch(t.tx, r.kind, r.used, r.told, t.now.month, func() (string, error) {
			return t.lasts(r)
		})
		if err != nil {
			return err
		}
		if told != r.told {
			if err := keepTold(t.tx, r.rowKey, told); err != nil {
				return err
			}
		}
	}
	return nil
}
