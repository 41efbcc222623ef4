package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
)

func TestOneLeads(t *testing.T) {
	ctx := context.Background()
	url := dbtest.PostgresURL(t)
	here, there := dbtest.Open(t, url, db.Options{}), dbtest.Open(t, url, db.Options{})
	lead := func(d *db.DB, key int64) *db.Lead {
		t.Helper()
		l, ok, err := d.Lead(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return nil
		}
		return l
	}
	first := lead(here, 1)
	if first == nil {
		t.Fatal("nobody leads, and it was refused")
	}
	if second := lead(there, 1); second != nil {
		t.Error("two lead")
	}
	if other := lead(there, 2); other == nil {
		t.Error("another leadership was refused")
	} else if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := lead(there, 1)
	if second == nil {
		t.Fatal("given up, and still held")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// Who has lost the leadership can commit nothing more, though it does not know.
func TestAFormerLeaderIsFencedOff(t *testing.T) {
	ctx := context.Background()
	url := dbtest.PostgresURL(t)
	s := newScratch(t, dbtest.Open(t, url, db.Options{}))
	there := dbtest.Open(t, url, db.Options{})
	old, ok, err := s.Lead(ctx, 1)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer old.Close()
	if err := old.Write(ctx, insert(1)); err != nil {
		t.Fatal(err)
	}
	var pid int64
	err = old.Read(ctx, func(tx *db.Tx) (err error) {
		pid, err = db.One(tx, db.Int64, `SELECT pg_backend_pid()`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.numbers(`SELECT 1 FROM pg_terminate_backend(CAST($1 AS INT), 20000)`, pid)
	next, ok, err := there.Lead(ctx, 1)
	if err != nil || !ok {
		t.Fatalf("nobody took over: %v %v", ok, err)
	}
	defer next.Close()
	if err := old.Write(ctx, insert(2)); err == nil {
		t.Error("the former leader wrote")
	}
	if err := old.Read(ctx, func(tx *db.Tx) error { _, err := db.One(tx, db.Int64, `SELECT 1`); return err }); err == nil {
		t.Error("the former leader still reads as one")
	}
	if err := next.Write(ctx, insert(3)); err != nil {
		t.Error(err)
	}
	if got := s.ids(); !slices.Equal(got, []int64{1, 3}) {
		t.Errorf("got rows %v, want 1 and 3", got)
	}
}

func TestALeaderWritesLikeAnyone(t *testing.T) {
	each(t, func(s scratch) {
		l, ok, err := s.Lead(context.Background(), 7)
		if err != nil || !ok {
			s.Fatal(ok, err)
		}
		told := 0
		defer s.Subscribe("topic", func(string) { told++ })()
		if err := l.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", ""); return insert(1)(tx) }); err != nil {
			s.Error(err)
		}
		err = l.Write(context.Background(), func(tx *db.Tx) error { tx.Publish("topic", ""); return errors.Join(insert(2)(tx), errOwn) })
		if !errors.Is(err, errOwn) {
			s.Errorf("got %v, want the closure's own", err)
		}
		if err := l.Close(); err != nil {
			s.Error(err)
		}
		if got := s.ids(); !slices.Equal(got, []int64{1}) || told != 1 {
			s.Errorf("got rows %v, told %d times", got, told)
		}
	})
}
