package usage

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// inChunks calls f for parts of a list of one of few lengths, so that few
// statement texts exist.
func inChunks(n int, f func(from, to int) error) error {
	for from := 0; from < n; {
		size := 1
		for _, s := range []int{100, 10} {
			if n-from >= s {
				size = s
				break
			}
		}
		if err := f(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

var texts sync.Map // [2]int to string

// values is the list of so many rows of so many parameters, numbered from 1.
func values(rows, columns int) string {
	if s, ok := texts.Load([2]int{rows, columns}); ok {
		return s.(string)
	}
	var b strings.Builder
	for r := range rows {
		for c := range columns {
			switch {
			case c > 0:
				b.WriteByte(',')
			case r > 0:
				b.WriteString("),(")
			default:
				b.WriteByte('(')
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(r*columns + c + 1))
		}
	}
	b.WriteByte(')')
	texts.Store([2]int{rows, columns}, b.String())
	return b.String()
}

func metersByKey(tx *db.Tx) (map[string]quota.Meter, error) {
	all, err := db.All(tx, quota.ScanMeter, `SELECT `+quota.MeterColumns+` FROM meters ORDER BY key LIMIT $1`, MaxMeters)
	if err != nil {
		return nil, fmt.Errorf("read the meters: %w", err)
	}
	meters := make(map[string]quota.Meter, len(all))
	for _, m := range all {
		meters[m.Key] = m
	}
	return meters, nil
}

func loadCatalogue(tx *db.Tx) (map[string]quota.Meter, map[string]bool, error) {
	meters, err := metersByKey(tx)
	if err != nil {
		return nil, nil, err
	}
	plugins := map[string]bool{}
	keys, err := db.All(tx, db.String, `SELECT key FROM plugins ORDER BY key LIMIT 1000`)
	for _, k := range keys {
		plugins[k] = true
	}
	return meters, plugins, err
}

// insertSeen notes events, in one order for all, and calls fresh for those that
// nobody noted before.
func insertSeen(tx *db.Tx, events []*counted, fresh func(id.Organization, string)) error {
	args := make([]any, 0, 3*len(events))
	for _, c := range events {
		args = append(args, c.account.ID, []byte(c.key), tx.Now)
	}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var o id.Organization
		var b []byte
		err := r.Scan(&o, &b)
		fresh(o, string(b))
		return struct{}{}, err
	}, `INSERT INTO usage_seen (organization_id, event_key, seen_at) VALUES `+values(len(events), 3)+`
		ON CONFLICT (organization_id, event_key) DO NOTHING RETURNING organization_id, event_key`, args...)
	if err != nil {
		return fmt.Errorf("note usage events: %w", err)
	}
	return nil
}

// addCurrent adds to rows and reads what they stand at.
func addCurrent(tx *db.Tx, rows []*row) error {
	args := make([]any, 0, 5*len(rows))
	byKey := make(map[rowKey]*row, len(rows))
	for _, r := range rows {
		args = append(args, r.organization, r.meter, r.period, r.add, tx.Now)
		byKey[r.rowKey] = r
	}
	_, err := db.All(tx, func(r db.Row) (struct{}, error) {
		var k rowKey
		var used int64
		var told quota.Told
		err := r.Scan(&k.organization, &k.meter, &k.period, &used, &told.Bits, &told.Month)
		if into := byKey[k]; into != nil {
			into.used, into.told = used, told
		}
		return struct{}{}, err
	}, `INSERT INTO usage_current (organization_id, meter, period, used, updated_at) VALUES `+values(len(rows), 5)+`
		ON CONFLICT (organization_id, meter, period) DO UPDATE SET used = usage_current.used + EXCLUDED.used, updated_at = EXCLUDED.updated_at
		RETURNING organization_id, meter, period, used, told, told_period`, args...)
	if err != nil {
		return fmt.Errorf("count usage: %w", err)
	}
	return nil
}

// moveCurrent moves a gauge's row and gives what it stands at.
func moveCurrent(tx *db.Tx, k rowKey, by int64) (int64, error) {
	return db.One(tx, db.Int64, `UPDATE usage_current SET used = used + $1 WHERE organization_id = $2 AND meter = $3 AND period = $4 RETURNING used`,
		by, k.organization, k.meter, k.period)
}

func keepTold(tx *db.Tx, k rowKey, t quota.Told) error {
	_, err := tx.Exec(`UPDATE usage_current SET told = $1, told_period = $2 WHERE organization_id = $3 AND meter = $4 AND period = $5`,
		t.Bits, t.Month, k.organization, k.meter, k.period)
	return err
}

// addBuckets adds to rows of a counter's roll-up.
func addBuckets(tx *db.Tx, table string, all []*bucket) error {
	args := make([]any, 0, 10*len(all))
	for _, b := range all {
		args = append(args, b.organization, b.meter, b.begins, b.plugin, b.value, int64(0), int64(0), b.events, b.late, b.corrected)
	}
	_, err := tx.Exec(`INSERT INTO `+table+` (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected) VALUES `+values(len(all), 10)+`
		ON CONFLICT (organization_id, meter, begins_at, plugin_key) DO UPDATE SET value = `+table+`.value + EXCLUDED.value, events = `+table+`.events + EXCLUDED.events,
			late = `+table+`.late + EXCLUDED.late, corrected = `+table+`.corrected + EXCLUDED.corrected`, args...)
	if err != nil {
		return fmt.Errorf("roll usage up: %w", err)
	}
	return nil
}

// readShare gives a plugin's part of a gauge; nothing where it has none. The
// gauge's row in usage_current is locked.
func readShare(tx *db.Tx, k shareKey) (share, error) {
	all, err := db.All(tx, func(r db.Row) (s share, err error) { return s, r.Scan(&s.value, &s.setAt) },
		`SELECT value, set_at FROM usage_gauges WHERE organization_id = $1 AND meter = $2 AND plugin_key = $3 LIMIT 1`, k.organization, k.meter, k.plugin)
	if err != nil || len(all) == 0 {
		return share{}, err
	}
	return all[0], nil
}

func storeShare(tx *db.Tx, k shareKey, s share) error {
	_, err := tx.Exec(`INSERT INTO usage_gauges (organization_id, meter, plugin_key, value, set_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id, meter, plugin_key) DO UPDATE SET value = EXCLUDED.value, set_at = EXCLUDED.set_at`,
		k.organization, k.meter, k.plugin, s.value, s.setAt)
	return err
}

// lastLevel gives the row, or the one before it.
func lastLevel(tx *db.Tx, table string, k bucketKey) (level, error) {
	return db.One(tx, scanLevel, `SELECT organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected FROM `+table+`
		WHERE organization_id = $1 AND meter = $2 AND begins_at <= $3 AND plugin_key = $4 ORDER BY begins_at DESC LIMIT 1`,
		k.organization, k.meter, k.begins, k.plugin)
}

func scanLevel(r db.Row) (l level, err error) {
	return l, r.Scan(&l.organization, &l.meter, &l.begins, &l.plugin, &l.value, &l.peak, &l.setAt, &l.events, &l.late, &l.corrected)
}

func storeLevel(tx *db.Tx, table string, l level) error {
	_, err := tx.Exec(`INSERT INTO `+table+` (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (organization_id, meter, begins_at, plugin_key) DO UPDATE SET value = EXCLUDED.value, peak = EXCLUDED.peak, set_at = EXCLUDED.set_at,
			events = EXCLUDED.events, late = EXCLUDED.late, corrected = EXCLUDED.corrected`,
		l.organization, l.meter, l.begins, l.plugin, l.value, l.peak, l.setAt, l.events, l.late, l.corrected)
	return err
}

// moveLevels moves the rows after one, up to the next in which the gauge was
// set after the event.
func moveLevels(tx *db.Tx, table string, k bucketKey, c *counted, by int64) error {
	_, err := tx.Exec(`UPDATE `+table+` SET value = value + $1, peak = CASE WHEN peak < value + $2 THEN value + $3 ELSE peak END,
			set_at = CASE WHEN $4 THEN set_at ELSE $5 END
		WHERE organization_id = $6 AND meter = $7 AND begins_at > $8 AND plugin_key = $9 AND set_at <= $10`,
		by, by, by, c.delta, c.own, k.organization, k.meter, k.begins, k.plugin, c.own)
	return err
}

// forgetSeen removes the oldest marks, some at a time; done says that no more
// are old enough.
func forgetSeen(tx *db.Tx) (done bool, err error) {
	n, err := tx.Exec(`DELETE FROM usage_seen WHERE id IN (SELECT id FROM usage_seen ORDER BY id LIMIT 2000) AND seen_at < $1`, tx.Now.Add(-dedupe))
	return n == 0, err
}

// forgetHours removes hours that nobody asks for any more.
func forgetHours(tx *db.Tx) (done bool, err error) {
	cutoff := tx.Now.Add(-keptHours)
	n, err := tx.Exec(`DELETE FROM `+hourly.table+` WHERE begins_at IN (SELECT begins_at FROM `+hourly.table+` WHERE begins_at < $1 ORDER BY begins_at LIMIT 1)`, cutoff)
	return n == 0, err
}
