package notify

import (
	"context"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Event is a live notification with the unread count of that moment, or a
// moved count alone, where Notification is nil.
type Event struct {
	Notification *Notification `json:"notification"`
	Unread       int64         `json:"unread"`
}

// Newest is the id of a user's newest notification, zero for none: where
// following from now on begins.
func Newest(tx *db.Tx, u id.User) (id.Notification, error) { return newest(tx, u) }

const (
	batch = 100
	beat  = 15 * time.Second // at least so often emit or idle is called
)

// Follow gives emit everything that u is told after the notification named
// after, in order and without a gap, until ctx ends or emit fails. While there
// is nothing it calls idle now and then, which may end it too.
func Follow(ctx context.Context, d *db.DB, u id.User, after id.Notification, emit func(Event) error, idle func() error) error {
	wake := make(chan struct{}, 1)
	mine := strconv.FormatInt(int64(u), 10)
	cancel := d.Subscribe(Topic, func(payload string) {
		if payload != mine {
			return
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer cancel()
	quiet := time.NewTicker(beat)
	defer quiet.Stop()
	last := int64(-1)
	for {
		var rows []Notification
		var unread int64
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			if rows, err = since(tx, u, after, batch); err != nil {
				return err
			}
			unread, err = Unread(tx, u)
			return err
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := emit(Event{Notification: &rows[i], Unread: unread}); err != nil {
				return err
			}
			after = rows[i].ID
		}
		if len(rows) == 0 && unread != last {
			if err := emit(Event{Unread: unread}); err != nil {
				return err
			}
		}
		last = unread
		if len(rows) == batch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-quiet.C:
			if err := idle(); err != nil {
				return err
			}
		}
	}
}
