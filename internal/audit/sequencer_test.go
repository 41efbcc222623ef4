package audit_test

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// fleet is some processes on one PostgreSQL, each with its own handle.
type fleet struct {
	*testing.T
	url string
	dbs []*db.DB
	raw *sql.DB
}

func newFleet(t *testing.T, n int) *fleet {
	f := &fleet{T: t, url: dbtest.PostgresURL(t)}
	for range n {
		f.dbs = append(f.dbs, dbtest.Open(t, f.url, db.Options{}))
	}
	var err error
	if f.raw, err = sql.Open("pgx", f.url+"&options=-c%20tenantry.scope%3Dplatform"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.raw.Close() })
	return f
}

// run starts a sequencer on every handle until the test ends.
func (f *fleet) run() {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, d := range f.dbs {
		all.Go(func() {
			if err := (audit.Sequencer{DB: d, Log: slog.New(slog.DiscardHandler)}).Run(ctx); err != nil {
				f.Error(err)
			}
		})
	}
	f.Cleanup(func() { stop(); all.Wait() })
}

func (f *fleet) record(d *db.DB, n int64) {
	f.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		_, err := audit.Record(tx, audit.Event{
			Actor: audit.Actor{Type: audit.User, ID: 1 + n%5}, Action: "organization.edited", Target: audit.Target{Type: "organization", ID: n},
			Organization: id.Organization(1 + n%7), Admin: id.Admin(1 + n%3),
		})
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// await asks again and again until ok, at most for a while.
func (f *fleet) await(what string, ok func() bool) {
	f.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			f.Fatalf("%s does not happen", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (f *fleet) number(query string, args ...any) (n int64) {
	f.Helper()
	if err := f.raw.QueryRow(query, args...).Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

// leader is the server's process that holds the leadership, or zero.
func (f *fleet) leader() int64 {
	return f.number(`SELECT COALESCE(MAX(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
}

func (f *fleet) drained() {
	f.Helper()
	f.await("the numbering of all", func() bool { return f.number(`SELECT COUNT(*) FROM audit_pending`) == 0 })
}

// TestSequencers writes from several processes while the leader is killed again
// and again: nothing is lost, nothing doubled, every sequence is dense.
func TestSequencers(t *testing.T) {
	f := newFleet(t, 3)
	f.run()
	const writers, each = 8, 150
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				f.record(f.dbs[w%len(f.dbs)], int64(w*each+i))
			}
		})
	}
	killed := 0
	written := make(chan struct{})
	go func() { all.Wait(); close(written) }()
	for done := false; !done || killed < 3; {
		select {
		case <-written:
			done = true
		default:
		}
		if pid := f.leader(); pid != 0 {
			f.number(`SELECT CAST(pg_terminate_backend($1) AS INT)`, pid)
			killed++
			f.await("another leader", func() bool { p := f.leader(); return p != 0 && p != pid })
		}
	}
	f.drained()
	verify(t, f.dbs[0], writers*each)
}

// TestLeaderDiesInBatch ends the leader's connection while it is in the middle
// of a batch, held up at a scope's head.
func TestLeaderDiesInBatch(t *testing.T) {
	f := newFleet(t, 2)
	f.record(f.dbs[0], 0) // makes the head of organization 1
	f.run()
	f.drained()
	f.await("a leader", func() bool { return f.leader() != 0 })

	hold, err := f.raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Exec(`UPDATE audit_heads SET next_seq = next_seq WHERE scope = 'o1'`); err != nil {
		t.Fatal(err)
	}
	for n := range int64(50) {
		f.record(f.dbs[n%2], n*7) // all in organization 1
	}
	pid := f.leader()
	f.await("a leader in the middle", func() bool {
		return f.number(`SELECT COUNT(*) FROM pg_locks WHERE pid = $1 AND NOT granted`, pid) > 0
	})
	f.number(`SELECT CAST(pg_terminate_backend($1) AS INT)`, pid)
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	f.drained()
	verify(t, f.dbs[1], 51)
}

// TestLateCommit commits an event after younger ones were numbered.
func TestLateCommit(t *testing.T) {
	f := newFleet(t, 2)
	f.run()
	wrote, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := f.dbs[0].Write(context.Background(), func(tx *db.Tx) error {
			_, err := audit.Record(tx, audit.Event{Actor: audit.Product(""), Action: "late", Target: audit.Target{Type: "system"}})
			close(wrote)
			<-release
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-wrote
	for n := range int64(20) {
		f.record(f.dbs[1], n)
	}
	f.drained()
	close(release)
	all.Wait()
	if err := audit.Settle(context.Background(), f.dbs[1]); err != nil {
		t.Fatal(err)
	}
	verify(t, f.dbs[1], 21)
	m := model{t: t, d: f.dbs[1]}
	if l := m.list(audit.Visibility{All: true}, audit.Filter{}, page.Request{Limit: 1}); l.Data[0].Seq() != 20 || decode(t, l.Data[0])["action"] != "late" {
		t.Errorf("got %v at %d, want the late one at 20", decode(t, l.Data[0]), l.Data[0].Seq())
	}
}

// TestRivalSequencers numbers from many goroutines that all believe to lead.
func TestRivalSequencers(t *testing.T) {
	f := newFleet(t, 2)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 25 {
				f.record(f.dbs[w%2], int64(w*25+i))
				if err := audit.Settle(context.Background(), f.dbs[(w+1)%2]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := audit.Settle(context.Background(), f.dbs[0]); err != nil {
		t.Fatal(err)
	}
	verify(t, f.dbs[0], 200)
}

// TestOwnWrites lists right after writing, on another process, with and without
// a sequencer: what was answered is there.
func TestOwnWrites(t *testing.T) {
	for name, led := range map[string]bool{"led": true, "unled": false} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 2)
			if led {
				f.run()
				f.await("a leader", func() bool { return f.leader() != 0 })
			}
			for range 5 {
				seen := map[string]int64{}
				for filter, how := range map[audit.Filter]page.Request{
					{}: {Limit: 1}, {Action: "organization.edited"}: {Limit: 1}, {Action: "organization.*"}: {Limit: 1},
					{From: 1}: {Limit: 1}, {Outcome: audit.OK}: {Limit: 1, Offset: 1}, {Actor: 1}: {Limit: 1}, {TargetType: "organization", Admin: 1}: {Limit: 1},
				} {
					list := func() (n int64) {
						err := audit.Settled(context.Background(), f.dbs[1], f.dbs[1], func(tx *db.Tx) error {
							l, err := audit.List(tx, audit.Visibility{All: true}, filter, how)
							n = l.Pagination.Total
							return err
						})
						if err != nil {
							t.Fatal(err)
						}
						return n
					}
					before := list()
					f.record(f.dbs[0], 0) // by user 1, of admin 1
					if after := list(); after != before+1 {
						t.Fatalf("%+v: got %d events after one more, %d before", filter, after, before)
					}
					f.record(f.dbs[0], 0)
					err := audit.Settled(context.Background(), f.dbs[1], f.dbs[1], func(tx *db.Tx) error {
						st, err := audit.Statistics(tx, audit.Visibility{All: true}, 1)
						seen["statistics"] = st.Total
						return err
					})
					m := model{t: t, d: f.dbs[1]}
					if l := m.list(audit.Visibility{All: true}, audit.Filter{}, page.Request{Limit: 1}); err != nil || seen["statistics"] != l.Pagination.Total {
						t.Fatalf("statistics: got %d events and %v, want %d", seen["statistics"], err, l.Pagination.Total)
					}
				}
			}
		})
	}
}

// TestSettleGivesUp lists while a leader is stuck: it answers what there is.
func TestSettleGivesUp(t *testing.T) {
	f := newFleet(t, 1)
	f.record(f.dbs[0], 0)
	f.run()
	f.drained()
	hold, err := f.raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback() }()
	if _, err := hold.Exec(`UPDATE audit_heads SET next_seq = next_seq WHERE scope = 'p'`); err != nil {
		t.Fatal(err)
	}
	f.record(f.dbs[0], 1)
	begun := time.Now()
	if err := audit.Settle(context.Background(), f.dbs[0]); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < audit.SettleTime || took > 4*audit.SettleTime {
		t.Errorf("waited %v, want about %v", took, audit.SettleTime)
	}
}
