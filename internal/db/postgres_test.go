package db_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
)

// twice runs two writes whose first attempts meet in the middle: each has done
// its first step before either does its second. It says how often they ran.
func twice(s scratch, first, second func(tx *db.Tx, me int64) error) (runs int64) {
	var all sync.WaitGroup
	var count atomic.Int64
	met := make(chan struct{})
	var meet sync.WaitGroup
	meet.Add(2)
	go func() { meet.Wait(); close(met) }()
	for me := range int64(2) {
		all.Go(func() {
			var once sync.Once
			err := s.Write(context.Background(), func(tx *db.Tx) error {
				count.Add(1)
				if err := first(tx, me+1); err != nil {
					return err
				}
				once.Do(meet.Done)
				<-met
				return second(tx, me+1)
			})
			if err != nil {
				s.Errorf("writer %d: %v", me+1, err)
			}
		})
	}
	all.Wait()
	return count.Load()
}

func TestASerializationFailureRunsAgain(t *testing.T) {
	onPostgres(t, func(s scratch) {
		s.insert(1)
		s.insert(2)
		// Each reads both and lowers one: together they would pass below zero.
		runs := twice(s, func(tx *db.Tx, me int64) error {
			if _, err := tx.Exec(`SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`); err != nil {
				return err
			}
			sum, err := db.One(tx, db.Int64, `SELECT SUM(n) FROM t`)
			tx.SetValue("sum", sum)
			return err
		}, func(tx *db.Tx, me int64) error {
			if tx.Value("sum").(int64) < 3 {
				return nil
			}
			_, err := tx.Exec(`UPDATE t SET n = n - 3 WHERE id = $1`, me)
			return err
		})
		if sum := s.numbers(`SELECT SUM(n) FROM t`)[0]; sum != 0 {
			s.Errorf("the sum is %d, want 0: one of the two had to see the other", sum)
		}
		if retries := s.Stats().Retries; retries < 1 || runs != 2+retries {
			s.Errorf("%d runs, %d retries; want one at least", runs, retries)
		}
	})
}

func TestADeadlockRunsAgain(t *testing.T) {
	onPostgres(t, func(s scratch) {
		s.insert(1)
		s.insert(2)
		add := func(tx *db.Tx, id int64) error {
			_, err := tx.Exec(`UPDATE t SET n = n + 10 WHERE id = $1`, id)
			return err
		}
		runs := twice(s, add, func(tx *db.Tx, me int64) error { return add(tx, 3-me) })
		if got := s.numbers(`SELECT n FROM t ORDER BY id`); !slices.Equal(got, []int64{21, 22}) {
			s.Errorf("got %v, want 21 and 22", got)
		}
		if retries := s.Stats().Retries; retries < 1 || runs != 2+retries {
			s.Errorf("%d runs, %d retries; want one at least", runs, retries)
		}
	})
}

func TestALostConnectionRunsAgain(t *testing.T) {
	onPostgres(t, func(s scratch) {
		runs := 0
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			runs++
			if err := insert(1)(tx); err != nil {
				return err
			}
			if runs == 1 {
				_, err := db.One(tx, db.Int64, `SELECT 1 FROM pg_terminate_backend(pg_backend_pid())`)
				return err
			}
			return nil
		})
		if err != nil || runs != 2 {
			s.Errorf("got %v in %d runs, want 2", err, runs)
		}
		if got := s.ids(); !slices.Equal(got, []int64{1}) {
			s.Errorf("got rows %v", got)
		}
	})
}

// A server that goes away and comes back: refusals meanwhile that say when to
// come back, and recovery without a new handle.
func TestTheServerGoesAndComes(t *testing.T) {
	c, err := dbtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	url, err := c.Database("work", "")
	if err != nil {
		t.Fatal(err)
	}
	s := newScratch(t, dbtest.Open(t, url, db.Options{}))
	stop := carry(t, s.DB)
	defer stop()
	s.insert(1)
	for n, end := range []func() error{c.Stop, c.Crash} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"write": s.try(`INSERT INTO t (id) VALUES (99)`),
			"read":  s.Read(context.Background(), func(tx *db.Tx) error { _, err := db.All(tx, db.Int64, `SELECT id FROM t`); return err }),
			"ping":  s.Ping(context.Background()),
		} {
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != "store_unavailable" || f.RetryAfter <= 0 {
				t.Errorf("%s while it is away: got %v", name, err)
			}
		}
		await(t, "the end of listening", func() bool { return !s.Stats().Listening })
		if err := c.Restart(); err != nil {
			t.Fatal(err)
		}
		s.insert(int64(n) + 2)
		if got := len(s.ids()); got != n+2 {
			t.Errorf("got %d rows, want %d", got, n+2)
		}
		await(t, "listening again", func() bool { return s.Stats().Listening })
	}
}

// carry runs d.Run and gives what ends it.
func carry(t *testing.T, d *db.DB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestNoticesReachOtherHandles(t *testing.T) {
	url := dbtest.PostgresURL(t)
	here, there := dbtest.Open(t, url, db.Options{}), dbtest.Open(t, url, db.Options{})
	for _, d := range []*db.DB{here, there} {
		defer carry(t, d)()
		await(t, "listening", func() bool { return d.Stats().Listening })
	}
	heard, own := make(chan string, 200), make(chan string, 200)
	defer there.Subscribe("topic", func(p string) { heard <- p })()
	defer here.Subscribe("topic", func(p string) { own <- p })()
	awkward := strings.Repeat("<\"ä\x01\U0001F600>", 100)
	err := here.Write(context.Background(), func(tx *db.Tx) error {
		tx.Publish("other", "unheard")
		tx.Publish("topic", "first")
		tx.Publish("topic", awkward)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", awkward} {
		if got := <-own; got != want {
			t.Errorf("here: got %q, want %q", got, want)
		}
		if got := <-heard; got != want {
			t.Errorf("there: got %q, want %q", got, want)
		}
	}
	// One that comes after shows that what was sent here did not come back.
	if err := there.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", "last"); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := <-own; got != "last" {
		t.Errorf("got %q, want last alone", got)
	}
}

// What was published while nothing is sent is sent by Close.
func TestCloseSendsWhatWaits(t *testing.T) {
	url := dbtest.PostgresURL(t)
	there := dbtest.Open(t, url, db.Options{})
	defer carry(t, there)()
	await(t, "listening", func() bool { return there.Stats().Listening })
	heard := make(chan string, 1)
	defer there.Subscribe("topic", func(p string) { heard <- p })()
	here, err := db.Open(context.Background(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := here.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", "x"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := here.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "x" {
		t.Errorf("got %q", got)
	}
}
