package notify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/notify"
	"github.com/tenantry/tenantry/internal/page"
)

var ctx = context.Background()

func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(ctx, f); err != nil {
		t.Fatal(err)
	}
}

func users(t *testing.T, d *db.DB, n int) (all []id.User) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		all = nil
		for i := range n {
			u, err := tx.Insert(`INSERT INTO users (email, email_key, name, email_verified, superadmin, status, version, created_at, updated_at)
				VALUES ($1, $2, 'N', TRUE, FALSE, 'active', 1, $3, $4) RETURNING id`, fmt.Sprint(i), fmt.Sprint(i), tx.Now, tx.Now)
			if err != nil {
				return err
			}
			all = append(all, id.User(u))
		}
		return nil
	})
	return all
}

func send(t *testing.T, d *db.DB, title string, to ...id.User) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error {
		return notify.Send(tx, notify.Message{Users: to, Kind: "test.sent", Title: title, Target: notify.Target{Type: "test", ID: 1}})
	})
}

func unread(t *testing.T, d *db.DB, u id.User) (n int64) {
	t.Helper()
	err := d.Read(ctx, func(tx *db.Tx) (err error) { n, err = notify.Unread(tx, u); return err })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestListAndRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		u := users(t, d, 2)
		for i := range 5 {
			send(t, d, fmt.Sprint(i), u[0], u[0])
		}
		var l page.List[notify.Notification]
		at := func(only bool, r page.Request) {
			t.Helper()
			if err := d.Read(ctx, func(tx *db.Tx) (err error) { l, err = notify.List(tx, u[0], only, r); return err }); err != nil {
				t.Fatal(err)
			}
		}
		at(false, page.Request{Limit: 2})
		if l.Pagination.Total != 5 || !l.Pagination.HasMore || l.Data[0].Title != "4" || l.Data[1].Title != "3" {
			t.Fatalf("first page: got %+v", l)
		}
		after, err := page.ParseCursor(l.Pagination.NextCursor)
		if err != nil {
			t.Fatal(err)
		}
		at(false, page.Request{Limit: 2, After: after})
		if l.Data[0].Title != "2" {
			t.Errorf("after the cursor: got %s, want 2", l.Data[0].Title)
		}
		mine := l.Data[0].ID
		for range 2 {
			write(t, d, func(tx *db.Tx) error { _, err := notify.MarkRead(tx, u[0], mine); return err })
		}
		if got := unread(t, d, u[0]); got != 4 {
			t.Errorf("unread after reading one twice: got %d, want 4", got)
		}
		err = d.Write(ctx, func(tx *db.Tx) error { _, err := notify.MarkRead(tx, u[1], mine); return err })
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("another's: got %v, want 404", err)
		}
		at(true, page.Request{Limit: 10})
		if l.Pagination.Total != 4 || len(l.Data) != 4 {
			t.Errorf("unread only: got %d of %d, want 4", len(l.Data), l.Pagination.Total)
		}
		write(t, d, func(tx *db.Tx) error {
			n, err := notify.MarkAllRead(tx, u[0])
			if n != 4 {
				t.Errorf("read all: got %d, want 4", n)
			}
			return err
		})
		if got := unread(t, d, u[0]); got != 0 {
			t.Errorf("unread after reading all: got %d", got)
		}
	})
}

// Senders and readers at once leave the counter equal to a recount.
func TestCounterIsExactUnderRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		u := users(t, d, 3)
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				for j := range 10 {
					err := d.Write(ctx, func(tx *db.Tx) error {
						switch {
						case i < 8:
							return notify.Send(tx, notify.Message{Users: []id.User{u[2], u[0], u[1]}, Kind: "test.sent", Title: "x"})
						case i < 10:
							_, err := notify.MarkAllRead(tx, u[j%3])
							return err
						}
						l, err := notify.List(tx, u[j%3], true, page.Request{Limit: 1})
						if err != nil || len(l.Data) == 0 {
							return err
						}
						_, err = notify.MarkRead(tx, u[j%3], l.Data[0].ID)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for _, u := range u {
			err := d.Read(ctx, func(tx *db.Tx) error {
				n, err := db.One(tx, db.Int64, `SELECT COUNT(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL`, u)
				if got := unread(t, d, u); got != n {
					t.Errorf("user %d: the counter says %d, a recount %d", u, got, n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

var errEnough = errors.New("enough")

// A follower misses nothing of many concurrent senders, in order.
func TestFollowMissesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		u := users(t, d, 1)[0]
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 20 {
					if err := d.Write(ctx, func(tx *db.Tx) error {
						return notify.Send(tx, notify.Message{Users: []id.User{u}, Kind: "test.sent", Title: "x"})
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		var seen []id.Notification
		err := notify.Follow(ctx, d, u, 0, notify.Feed{Watch: "auth", Emit: func(e notify.Event) error {
			if e.Notification == nil {
				return nil
			}
			if n := len(seen); n > 0 && seen[n-1] >= e.Notification.ID {
				t.Errorf("%d came after %d", e.Notification.ID, seen[n-1])
			}
			if seen = append(seen, e.Notification.ID); len(seen) == 160 {
				return errEnough
			}
			return nil
		}, Idle: func() error { return nil }, Doubt: func() error { return nil }})
		all.Wait()
		if !errors.Is(err, errEnough) {
			t.Errorf("got %v after %d", err, len(seen))
		}
	})
}
