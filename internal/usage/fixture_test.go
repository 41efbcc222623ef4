package usage_test

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/plugin"
	"github.com/tenantry/tenantry/internal/usage"
)

// clock is what a database's time is.
type clock struct{ now atomic.Int64 }

func (c *clock) set(t time.Time)         { c.now.Store(t.UnixMicro()) }
func (c *clock) forward(d time.Duration) { c.now.Add(d.Microseconds()) }
func (c *clock) time() time.Time         { return time.UnixMicro(c.now.Load()) }

// world is a database whose clock the test moves, with the plugins of the
// product and a service.
type world struct {
	*testing.T
	*clock
	d *db.DB
	s *usage.Service
	n int
}

// boss is the superadmin of the tests.
var boss = audit.Actor{Type: audit.User, ID: 1, Name: "Boss", Tier: audit.Platform}

func eachWorld(t *testing.T, now time.Time, f func(w *world)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) { f(newWorld(t, url(t), now)) })
	}
}

func newWorld(t *testing.T, url string, now time.Time) *world {
	w := &world{T: t, clock: &clock{}}
	w.set(now)
	w.d = dbtest.Open(t, url, db.Options{Clock: w.time})
	w.s = usage.New(w.d)
	write(t, w.d, plugin.Seed)
	return w
}

// organization makes one with room for so many GB, and plugins.
func (w *world) organization(storage, bandwidth int64, plugins ...string) (o id.Organization) {
	w.Helper()
	w.n++
	write(w.T, w.d, func(tx *db.Tx) error {
		n, err := tx.Insert(`INSERT INTO organizations (name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ('Acme', 'acme', $1, 'active', $2, 10, $3, 1, 0, 1, $4, $5) RETURNING id`, fmt.Sprintf("acme-%d", w.n), storage, bandwidth, tx.Now, tx.Now)
		if err != nil {
			return err
		}
		o = id.Organization(n)
		if err := plugin.Set(tx, o, plugins, nil, "plugins"); err != nil {
			return err
		}
		return credit.Open(tx, credit.Owner{Organization: o})
	})
	return o
}

// sent is an event as the tests send it.
type sent struct {
	ID, Source, Type, Subject string
	Time                      time.Time
	Value, Delta              *int64
}

func (e sent) json() json.RawMessage {
	m := map[string]any{"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "data": map[string]any{"value": e.Value}}
	if e.Delta != nil {
		m["data"] = map[string]any{"delta": e.Delta}
	}
	if !e.Time.IsZero() {
		m["time"] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	b, _ := json.Marshal(m)
	return b
}

func batch(events ...sent) (b usage.Batch) {
	for _, e := range events {
		b.Add(e.json())
	}
	return b
}

var anybody = usage.Reporter{Still: func(*db.Tx) error { return nil }}

func (w *world) report(events ...sent) usage.Receipt {
	w.Helper()
	r, err := w.s.Report(ctx, anybody, batch(events...))
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// counted reports one event of a platform-wide key.
func (w *world) counted(o id.Organization, meter string, value int64) {
	w.Helper()
	w.n++
	r := w.report(sent{ID: fmt.Sprint(w.n), Source: "ecommerce", Type: meter, Subject: fmt.Sprint(o), Value: &value})
	if r.Accepted != 1 {
		w.Fatalf("%s of %d: got %+v", meter, value, r)
	}
}

func (w *world) history(o id.Organization, q usage.Query) (h usage.History) {
	w.Helper()
	err := w.d.Read(ctx, func(tx *db.Tx) (err error) { h, err = usage.HistoryOf(tx, o, q); return err })
	if err != nil {
		w.Fatal(err)
	}
	return h
}

func (w *world) limit(o id.Organization, meter string) usage.MeterLimit {
	w.Helper()
	var all usage.MeterLimits
	err := w.d.Read(ctx, func(tx *db.Tx) (err error) { all, err = usage.Limits(tx, o); return err })
	if err != nil {
		w.Fatal(err)
	}
	for _, l := range all.Data {
		if l.Meter == meter {
			return l
		}
	}
	w.Fatalf("no meter %s", meter)
	return usage.MeterLimit{}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}
