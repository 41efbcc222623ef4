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
	beat  = 15 * time.Second // at least so often Emit or Idle is called
)

// Feed is who follows. The first error that one of its functions gives ends the
// following.
type Feed struct {
	// Emit takes the next event.
	Emit func(Event) error
	// Idle is called now and then while there is nothing.
	Idle func() error
	// Doubt is called when something was published on Watch: who follows may
	// have lost the right to.
	Doubt func() error
	Watch string
	// Stop ends the following when it is closed; nil is never.
	Stop <-chan struct{}
}

// Follow gives f everything that u is told after the notification named after,
// in order and without a gap, until ctx ends, f stops or fails.
func Follow(ctx context.Context, d *db.DB, u id.User, after id.Notification, f Feed) error {
	told, doubt := make(chan struct{}, 1), make(chan struct{}, 1)
	mine := strconv.FormatInt(int64(u), 10)
	defer d.Subscribe(Topic, func(payload string) {
		if payload == mine {
			signal(told)
		}
	})()
	defer d.Subscribe(f.Watch, func(string) { signal(doubt) })()
	quiet := time.NewTicker(beat)
	defer quiet.Stop()
	at := place{after: after, unread: -1}
	for {
		more, err := at.advance(ctx, d, u, f.Emit)
		if err == nil && !more {
			err = f.wait(ctx, told, doubt, quiet.C)
		}
		if err != nil {
			return err
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when there may be something to tell.
func (f Feed) wait(ctx context.Context, told, doubt <-chan struct{}, quiet <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.Stop:
			return context.Canceled
		case <-told:
			return nil
		case <-doubt:
			if err := f.Doubt(); err != nil {
				return err
			}
		case <-quiet:
			return f.Idle()
		}
	}
}

// place is how far a follower has come.
type place struct {
	after  id.Notification
	unread int64 // as it was told last
}

// advance tells what came since; more says that there is still more.
func (p *place) advance(ctx context.Context, d *db.DB, u id.User, emit func(Event) error) (more bool, err error) {
	var rows []Notification
	var unread int64
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		if rows, err = since(tx, u, p.after, batch); err != nil {
			return err
		}
		unread, err = Unread(tx, u)
		return err
	})
	if err != nil {
		return false, err
	}
	for i := range rows {
		if err := emit(Event{Notification: &rows[i], Unread: unread}); err != nil {
			return false, err
		}
		p.after = rows[i].ID
	}
	if len(rows) == 0 && unread != p.unread {
		err = emit(Event{Unread: unread})
	}
	p.unread = unread
	return len(rows) == batch, err
}
