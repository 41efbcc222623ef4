package db_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
)

// together has SQLite's writer run all closures as one group: they wait while
// another write is under way. On PostgreSQL they just run at once. It gives
// their errors in order.
func together(s scratch, closures ...func(*db.Tx) error) []error {
	errs := make([]error, len(closures))
	var all sync.WaitGroup
	busy, let := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		_ = s.Write(context.Background(), func(*db.Tx) error {
			close(busy)
			<-let
			return errOwn
		})
	})
	<-busy
	for i, f := range closures {
		all.Go(func() { errs[i] = s.Write(context.Background(), f) })
		if s.Engine() == db.SQLite {
			await(s, "a closure to queue", func() bool { return s.Stats().Waiting == i+1 })
		}
	}
	close(let)
	all.Wait()
	return errs
}

func insert(id int64) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO t (id, n) VALUES ($1, 1)`, id)
		return err
	}
}

func TestGroupCommit(t *testing.T) {
	each(t, func(s scratch) {
		const n = 50
		closures := make([]func(*db.Tx) error, n)
		for i := range closures {
			closures[i] = insert(int64(i + 1))
		}
		before := s.Stats()
		for i, err := range together(s, closures...) {
			if err != nil {
				s.Errorf("closure %d: %v", i, err)
			}
		}
		after := s.Stats()
		if got := after.Closures - before.Closures; got != n {
			s.Errorf("got %d closures, want %d", got, n)
		}
		want := map[db.Engine]int64{db.SQLite: 1, db.Postgres: n}[s.Engine()]
		if got := after.Commits - before.Commits; got != want {
			s.Errorf("%d closures took %d commits, want %d", n, got, want)
		}
		if got := len(s.ids()); got != n {
			s.Errorf("got %d rows, want %d", got, n)
		}
	})
}

func TestAFailingClosureLeavesTheOthers(t *testing.T) {
	each(t, func(s scratch) {
		errs := together(s,
			insert(1),
			func(tx *db.Tx) error { return errors.Join(insert(2)(tx), errOwn) },
			func(tx *db.Tx) error { _ = insert(3)(tx); panic("closure") },
			func(tx *db.Tx) error { return errors.Join(insert(4)(tx), insert(4)(tx)) },
			insert(5),
		)
		if errs[0] != nil || errs[4] != nil {
			s.Errorf("the good ones: got %v and %v", errs[0], errs[4])
		}
		if !errors.Is(errs[1], errOwn) {
			s.Errorf("a refusal: got %v, want it as it is", errs[1])
		}
		var panicked *db.Panic
		if !errors.As(errs[2], &panicked) || panicked.Value != "closure" || !strings.Contains(string(panicked.Stack), "write_test.go") {
			s.Errorf("a panic: got %v", errs[2])
		}
		if errs[3] == nil || fault.Is(errs[3], fault.Unavailable) {
			s.Errorf("a constraint error: got %v", errs[3])
		}
		if got := s.ids(); !slices.Equal(got, []int64{1, 5}) {
			s.Errorf("got rows %v, want 1 and 5", got)
		}
	})
}

func TestAGoroutineThatEndsInsideHarmsNobody(t *testing.T) {
	each(t, func(s scratch) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = s.Write(context.Background(), func(tx *db.Tx) error {
				_ = insert(1)(tx)
				runtime.Goexit()
				return nil
			})
		}()
		<-gone
		s.insert(2)
		if got := s.ids(); !slices.Equal(got, []int64{2}) {
			s.Errorf("got rows %v, want 2", got)
		}
	})
}

// A closure has no say over the transaction that it shares.
func TestAClosureCannotEndTheTransaction(t *testing.T) {
	each(t, func(s scratch) {
		for i, word := range []string{"COMMIT", "ROLLBACK", "END", " commit", "\nBegin", "SAVEPOINT x", "RELEASE closure", "ABORT", "rollback to closure", "START TRANSACTION", "/* x */ COMMIT", "-- x\nCOMMIT"} {
			n := int64(10 * (i + 1))
			errs := together(s, insert(n), func(tx *db.Tx) error {
				if err := insert(n + 1)(tx); err != nil {
					return err
				}
				if _, err := tx.Exec(word); err != nil {
					return err
				}
				return insert(n + 2)(tx)
			}, insert(n+3))
			if errs[0] != nil || errs[1] == nil || errs[2] != nil {
				s.Errorf("%q: got %v", word, errs)
			}
			if got := s.numbers(`SELECT id FROM t WHERE id >= $1 ORDER BY id`, n); !slices.Equal(got, []int64{n, n + 3}) {
				s.Errorf("%q: got rows %v, want %d and %d", word, got, n, n+3)
			}
		}
	})
}

// A statement may end SQLite's transaction without saying so, as a full disk
// does; then the others run again.
func TestATransactionLostUnderAClosure(t *testing.T) {
	s := newScratch(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	s.insert(1)
	runs := 0
	errs := together(s,
		func(tx *db.Tx) error { runs++; return insert(2)(tx) },
		func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT OR ROLLBACK INTO t (id) VALUES (1)`)
			return err
		},
		insert(3),
	)
	if errs[0] != nil || errs[2] != nil {
		t.Errorf("the others: got %v and %v", errs[0], errs[2])
	}
	if !fault.Is(errs[1], fault.Unavailable) {
		t.Errorf("the one that lost it: got %v", errs[1])
	}
	if runs != 2 || s.Stats().Retries != 1 {
		t.Errorf("the first closure ran %d times in %d retries, want 2 and 1", runs, s.Stats().Retries)
	}
	if got := s.ids(); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("got rows %v", got)
	}
}

func TestAWriteWhoseContextEndedIsSkipped(t *testing.T) {
	each(t, func(s scratch) {
		ended, end := context.WithCancel(context.Background())
		end()
		if err := s.Write(ended, func(*db.Tx) error { s.Error("it ran"); return nil }); !errors.Is(err, context.Canceled) {
			s.Errorf("got %v", err)
		}
	})
	// It ends while the closure waits behind another.
	s := newScratch(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	busy, let, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- s.Write(context.Background(), func(*db.Tx) error { close(busy); <-let; return nil })
	}()
	<-busy
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- s.Write(ctx, func(*db.Tx) error { t.Error("it ran"); return nil }) }()
	await(t, "the second to queue", func() bool { return s.Stats().Waiting == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := s.Stats().Waiting; n != 0 {
		t.Errorf("%d still wait", n)
	}
	close(let)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestADeadlineIsToldAsOne(t *testing.T) {
	each(t, func(s scratch) {
		late, end := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer end()
		for name, err := range map[string]error{
			"write": s.Write(late, func(*db.Tx) error { return nil }),
			"read":  s.Read(late, func(*db.Tx) error { return nil }),
		} {
			if fault.Code(err) != "timeout" {
				s.Errorf("%s: got %v", name, err)
			}
		}
	})
}

// A client that goes away while its closure runs stops neither that nor the
// others of the same commit.
func TestAClientThatLeavesRollsNothingBack(t *testing.T) {
	each(t, func(s scratch) {
		ctx, leave := context.WithCancel(context.Background())
		errs := together(s, insert(1), func(*db.Tx) error {
			return nil
		}, insert(2))
		if err := errors.Join(errs...); err != nil {
			s.Fatal(err)
		}
		err := s.Write(ctx, func(tx *db.Tx) error {
			if err := insert(3)(tx); err != nil {
				return err
			}
			leave()
			if tx.Context().Err() != nil {
				s.Error("the transaction's context ended with the client's")
			}
			return insert(4)(tx)
		})
		if err != nil {
			s.Errorf("got %v", err)
		}
		if got := s.ids(); !slices.Equal(got, []int64{1, 2, 3, 4}) {
			s.Errorf("got rows %v", got)
		}
	})
}

// A commit that fails answers all who were in it that the result is unknown;
// a refusal too, as it may rest on what another wrote.
func TestAFailedCommitIsUnknownToAll(t *testing.T) {
	s := newScratch(t, dbtest.Open(t, dbtest.SQLiteURL(t), db.Options{}))
	s.exec(`CREATE TABLE child (id INTEGER PRIMARY KEY, of INTEGER REFERENCES t (id)) STRICT`)
	ran := false
	errs := together(s, insert(1), func(tx *db.Tx) error {
		if _, err := tx.Exec(`PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO child (id, of) VALUES (1, 99)`)
		return err
	}, func(*db.Tx) error { return errOwn }, func(*db.Tx) error { panic("own") })
	for i, err := range errs[:3] {
		if fault.Code(err) != "result_unknown" || !fault.Is(err, fault.Unavailable) {
			t.Errorf("closure %d: got %v, want result_unknown", i, err)
		}
	}
	if panicked := (*db.Panic)(nil); !errors.As(errs[3], &panicked) {
		t.Errorf("a panic: got %v", errs[3])
	}
	if s.Stats().Unknown != 1 {
		t.Errorf("%d unknown commits, want 1", s.Stats().Unknown)
	}
	if err := s.Write(context.Background(), func(tx *db.Tx) error { ran = true; return insert(7)(tx) }); err != nil || !ran {
		t.Errorf("the next write: %v", err)
	}
	if got := s.ids(); !slices.Equal(got, []int64{7}) {
		t.Errorf("got rows %v, want 7", got)
	}
}

func TestAFailedCommitOfPostgres(t *testing.T) {
	onPostgres(t, func(s scratch) {
		s.exec(`CREATE TABLE child (id BIGINT PRIMARY KEY, of BIGINT REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)`)
		published := false
		defer s.Subscribe("topic", func(string) { published = true })()
		err := s.Write(context.Background(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { published = true })
			tx.Publish("topic", "")
			_, err := tx.Exec(`INSERT INTO child (id, of) VALUES (1, 99)`)
			return err
		})
		if fault.Code(err) != "result_unknown" {
			s.Errorf("got %v, want result_unknown", err)
		}
		if published {
			s.Error("told of a commit that failed")
		}
	})
}

func TestAFullQueueRefuses(t *testing.T) {
	for engine, url := range map[string]string{"sqlite": dbtest.SQLiteURL(t), "postgres": dbtest.PostgresURL(t)} {
		t.Run(engine, func(t *testing.T) {
			const limit = 3
			d := dbtest.Open(t, url, db.Options{Queue: limit, Connections: 2})
			busy, let := make(chan struct{}, limit), make(chan struct{})
			var all sync.WaitGroup
			hold := func() {
				if err := d.Write(context.Background(), func(*db.Tx) error { busy <- struct{}{}; <-let; return nil }); err != nil {
					t.Error(err)
				}
			}
			all.Go(hold)
			<-busy
			waiting := limit // SQLite's leader has left the queue
			if d.Engine() == db.Postgres {
				waiting = limit - 1
			}
			for range waiting {
				all.Go(hold)
			}
			await(t, "the queue to fill", func() bool { return d.Stats().Waiting == waiting })
			err := d.Write(context.Background(), func(*db.Tx) error { t.Error("it ran"); return nil })
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "overloaded" || f.RetryAfter <= 0 {
				t.Errorf("got %v, want overloaded with a time to come back", err)
			}
			close(let)
			all.Wait()
			if err := d.Write(context.Background(), func(*db.Tx) error { return nil }); err != nil {
				t.Errorf("after the queue emptied: %v", err)
			}
		})
	}
}

func TestWhatWaitsForTheCommit(t *testing.T) {
	each(t, func(s scratch) {
		var heard []string
		cancel := s.Subscribe("topic", func(payload string) {
			heard = append(heard, fmt.Sprintf("%s sees %v", payload, s.ids()))
		})
		inTx := func(tx *db.Tx) error {
			tx.Publish("topic", "notice")
			tx.Publish("other", "notice")
			tx.AfterCommit(func() { heard = append(heard, fmt.Sprintf("after sees %v", s.ids())) })
			err := insert(1)(tx)
			if len(heard) != 0 {
				s.Errorf("told before the commit: %v", heard)
			}
			return err
		}
		if err := s.Write(context.Background(), func(tx *db.Tx) error { return errors.Join(inTx(tx), errOwn) }); !errors.Is(err, errOwn) {
			s.Fatal(err)
		}
		if len(heard) != 0 {
			s.Errorf("told of what was rolled back: %v", heard)
		}
		if err := s.Write(context.Background(), inTx); err != nil {
			s.Fatal(err)
		}
		if want := []string{"after sees [1]", "notice sees [1]"}; !slices.Equal(heard, want) {
			s.Errorf("got %q, want %q", heard, want)
		}
		cancel()
		if err := s.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", "late"); return nil }); err != nil || len(heard) != 2 {
			s.Errorf("after cancel: heard %q, %v", heard, err)
		}
		err := s.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", strings.Repeat("x", db.MaxPayload)); return nil })
		if panicked := (*db.Panic)(nil); !errors.As(err, &panicked) {
			s.Errorf("a notice that is too long: got %v", err)
		}
	})
}

func TestATxEndsWithItsClosure(t *testing.T) {
	each(t, func(s scratch) {
		var kept *db.Tx
		for name, open := range map[string]func(context.Context, func(*db.Tx) error) error{"write": s.Write, "read": s.Read} {
			if err := open(context.Background(), func(tx *db.Tx) error { kept = tx; return nil }); err != nil {
				s.Fatal(err)
			}
			if _, err := db.All(kept, db.Int64, `SELECT id FROM t`); err == nil {
				s.Errorf("%s: a query ran after the end", name)
			}
			if _, err := kept.Exec(`DELETE FROM t`); err == nil {
				s.Errorf("%s: a change ran after the end", name)
			}
		}
	})
}

func TestReadChangesNothing(t *testing.T) {
	each(t, func(s scratch) {
		s.insert(1)
		err := s.Read(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM t`)
			return err
		})
		if err == nil {
			s.Error("a change ran inside Read")
		}
		if s.Engine() == db.SQLite {
			if _, err := read(s, db.Int64, `DELETE FROM t RETURNING id`); err == nil {
				s.Error("a change ran inside Read as a query")
			}
		}
		if got := s.ids(); len(got) != 1 {
			s.Errorf("got rows %v", got)
		}
	})
}

func TestTheClockIsTheTransactions(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, url := range []string{dbtest.SQLiteURL(t), dbtest.PostgresURL(t)} {
		d := dbtest.Open(t, url, db.Options{Clock: func() time.Time { return at }})
		for _, open := range []func(context.Context, func(*db.Tx) error) error{d.Write, d.Read} {
			err := open(context.Background(), func(tx *db.Tx) error {
				if tx.Now != db.At(at) || d.Now() != tx.Now {
					t.Errorf("%s: got %v, want %v", d.Engine(), tx.Now, at)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestValuesLiveAsLongAsTheTransaction(t *testing.T) {
	type key struct{}
	each(t, func(s scratch) {
		for range 2 {
			err := s.Write(context.Background(), func(tx *db.Tx) error {
				if got := tx.Value(key{}); got != nil {
					s.Errorf("got %v of the transaction before", got)
				}
				tx.SetValue(key{}, 1)
				if got := tx.Value(key{}); got != 1 {
					s.Errorf("got %v, want 1", got)
				}
				return nil
			})
			if err != nil {
				s.Error(err)
			}
		}
	})
}

func TestCloseRefusesFurtherWrites(t *testing.T) {
	for _, url := range []string{dbtest.SQLiteURL(t), dbtest.PostgresURL(t)} {
		d, err := db.Open(context.Background(), url, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Write(context.Background(), func(*db.Tx) error { return nil }); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: got %v", d.Engine(), err)
		}
	}
}
