package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/usage"
)

// metered is how many organizations services ask about and report.
const metered = 1000

// service makes the key of the services, and gives the organizations that they
// speak of the plugin.
func (s *seeder) service(ctx context.Context) error {
	return s.d.Write(ctx, func(tx *db.Tx) error {
		k, err := auth.CreateKey(tx, s.root, 0, 0, auth.NewAPIKey{Name: "Bench", Scopes: []auth.Scope{auth.ScopeEntitlements, auth.ScopeUsageWrite, auth.ScopeUsageRead}})
		if err != nil {
			return err
		}
		s.w.key = k.Key
		for _, o := range s.w.organizations[:min(metered, len(s.w.organizations))] {
			if err := plugin.Set(tx, o, []string{"ecommerce"}, nil, "enabled_plugins"); err != nil {
				return err
			}
		}
		return nil
	})
}

// checks asks about a hundred organizations in turn.
func checks(b *bench) (source, error) {
	var all [][]byte
	for _, o := range b.w.organizations[:100] {
		all = append(all, request("POST", fmt.Sprintf("/api/tenants/organizations/%d/check", o), b.w.key, `{"plugin":"ecommerce","meter":"bandwidth_bytes","quantity":1000}`))
	}
	return rotate(all), nil
}

// perReport is how many events a report of the bench holds.
const perReport = 100

// reports are batches of events that nobody has sent before, each about ten of
// a thousand organizations. The numbers in a batch are put in where a
// placeholder of the same length stands.
func reports(b *bench) (source, error) {
	const placeholder = "0000000000000000"
	const many = 64
	templates := make([][]byte, many)
	for t := range templates {
		var events []string
		for i := range perReport {
			o := b.w.organizations[(t*10+i%10)%metered]
			events = append(events, fmt.Sprintf(`{"specversion":"1.0","id":"%s","source":"ecommerce","type":"bandwidth_bytes","subject":"%d","data":{"value":%d}}`, placeholder, o, 1000+i))
		}
		r := request("POST", "/api/tenants/usage/events", b.w.key, "["+strings.Join(events, ",")+"]")
		templates[t] = bytes.Replace(r, []byte("Content-Type: application/json"), []byte("Content-Type: application/cloudevents-batch+json"), 1)
	}
	places := make([][]int, many)
	for t, text := range templates {
		for at := 0; ; {
			i := bytes.Index(text[at:], []byte(placeholder))
			if i < 0 {
				break
			}
			places[t] = append(places[t], at+i)
			at += i + len(placeholder)
		}
	}
	var next atomic.Int64
	next.Store(time.Now().UnixMicro() * 1000)
	return func(c, i int) []byte {
		t := (c*31 + i) % many
		text := bytes.Clone(templates[t])
		first := next.Add(perReport)
		for n, at := range places[t] {
			number := first + int64(n)
			for digit := len(placeholder) - 1; digit >= 0; digit-- {
				text[at+digit] = "0123456789abcdef"[number&15]
				number >>= 4
			}
		}
		return text
	}, nil
}

// flat measures the usage answer of an organization before and after so many
// events, whose marks and roll-ups are put in directly: what the server spends,
// and what no other load bears on, how many rows the answer's statements look at
// (steps of SQLite's machine).
func (b *bench) flat(ctx context.Context) error {
	const few = 1000
	o := b.w.organizations[0]
	var took [2]time.Duration
	var work [2]int64
	for i, events := range []int{few, b.many} {
		progress("%s: putting in %d usage events", b.engine, events)
		rows := `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO usage_seen (organization_id, event_key, seen_at) SELECT %d, randomblob(16), %d FROM n`
		if b.engine == "postgres" {
			rows = `INSERT INTO usage_seen (organization_id, event_key, seen_at) SELECT %[2]d, decode(md5(i::text || clock_timestamp()::text), 'hex'), %[3]d FROM generate_series(1, %[1]d) i`
		}
		now := time.Now()
		for _, q := range []string{
			fmt.Sprintf(rows, events, o, now.UnixMicro()),
			fmt.Sprintf(`INSERT INTO usage_current (organization_id, meter, period, used, updated_at) VALUES (%d, 'storage_bytes', 0, %d, 0)
				ON CONFLICT (organization_id, meter, period) DO UPDATE SET used = usage_current.used + EXCLUDED.used`, o, events),
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO usage_hours (organization_id, meter, begins_at, plugin_key, value, peak, set_at, events, late, corrected)
				SELECT %d, 'bandwidth_bytes', i * 3600000000, 'ecommerce', 1, 0, 0, 1, 0, 0 FROM n WHERE TRUE ON CONFLICT DO NOTHING`, min(events, 9000), o),
		} {
			if _, err := b.raw.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		if _, err := b.raw.ExecContext(ctx, "ANALYZE"); err != nil {
			return err
		}
		var err error
		if work[i], err = b.work(ctx, o); err != nil {
			return err
		}
		ask := same(request("GET", fmt.Sprintf("/api/tenants/organizations/%d/usage", o), b.w.key, ""))
		for range b.rounds {
			_, cpu, err := b.measure(ctx, b.server, nil, 16, ask, b.span)
			if err != nil {
				return err
			}
			if took[i] == 0 || cpu < took[i] {
				took[i] = cpu
			}
		}
	}
	times := float64(took[1]) / float64(took[0])
	what := "rows"
	if b.engine == "sqlite" {
		what = "steps"
	}
	b.r.note(b.engine, fmt.Sprintf("%s that the usage answer takes after %d and %d events", what, few, b.many), fmt.Sprintf("%d and %d", work[0], work[1]), "the same", work[1] <= work[0])
	b.r.note(b.engine, fmt.Sprintf("usage answer after %d and %d events", few, b.many), fmt.Sprintf("%s µs and %s µs: %.2f ×", micro(took[0]), micro(took[1]), times), "≤ 1.25 ×", times <= 1.25)
	return nil
}

// work counts what the statements of an organization's usage answer look at.
func (b *bench) work(ctx context.Context, o id.Organization) (sum int64, err error) {
	var heard []dbtest.Statement
	d, err := db.Open(ctx, b.address, db.Options{Connections: 1, Trace: func(query string, args []any) {
		heard = append(heard, dbtest.Statement{Query: query, Args: args})
	}})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	err = d.In(db.Platform).Read(ctx, func(tx *db.Tx) error { _, err := usage.Of(tx, o); return err })
	if err != nil {
		return 0, err
	}
	all, err := dbtest.Work(ctx, b.address, heard)
	for _, n := range all {
		sum += n
	}
	return sum, err
}
