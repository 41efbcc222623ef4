package notify

import (
	"context"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Event is a live notification with the unread count of that moment, or, where
// Notification is nil, a moved count, or that something else changed.
type Event struct {
	Notification *Notification `json:"notification"`
	Unread       int64         `json:"unread"`
	Changed      bool          `json:"changed"` // something that the follower's lists show
	// At is the last notification told, from which following can go on.
	At id.Notification `json:"-"`
}

// Newest is the id of a user's newest notification, zero for none: where
// following from now on begins.
func Newest(tx *db.Tx, u id.User) (id.Notification, error) { return newest(tx, u) }

const (
	batch = 100
	beat  = 15 * time.Second // at least so often Emit or Idle is called
	rest  = 2 * time.Second  // between two events that tell of changes
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
	// Changes are the topics on which it is published that something changed;
	// each says whether a notice concerns who follows. It is not asked while a
	// change waits to be told: spends publish thousands of notices a second.
	Changes map[string]func(notice string) bool
	// Resumed begins with telling of a change: there may have been one meanwhile.
	Resumed bool
	// Stop ends the following when it is closed; nil is never.
	Stop <-chan struct{}
}

// Follow gives f everything that u is told after the notification named after,
// in order and without a gap, until ctx ends, f stops or fails.
func Follow(ctx context.Context, d *db.DB, u id.User, after id.Notification, f Feed) error {
	told, doubt, changed := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	mine := strconv.FormatInt(int64(u), 10)
	defer d.Subscribe(Topic, func(payload string) {
		if payload == mine {
			signal(told)
		}
	})()
	defer d.Subscribe(f.Watch, func(string) { signal(doubt) })()
	for topic, concerns := range f.Changes {
		defer d.Subscribe(topic, func(payload string) {
			if len(changed) == 0 && concerns(payload) {
				signal(changed)
			}
		})()
	}
	if f.Resumed {
		signal(changed)
	}
	quiet := time.NewTicker(beat)
	defer quiet.Stop()
	w := waiter{feed: f, told: told, doubt: doubt, changed: changed, quiet: quiet.C}
	at := place{after: after, unread: -1}
	for {
		more, err := at.advance(ctx, d, u, f.Emit)
		if err == nil && !more {
			err = w.wait(ctx, at)
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

// waiter is a follower while there is nothing to tell.
type waiter struct {
	feed                 Feed
	told, doubt, changed <-chan struct{}
	quiet, rested        <-chan time.Time // rested is set while changes wait
}

// wait returns when a notification may have come or a count moved. It tells of
// changes meanwhile, of many at once where they follow each other closely.
func (w *waiter) wait(ctx context.Context, at place) error {
	for {
		changed := w.changed
		if w.rested != nil {
			changed = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.feed.Stop:
			return context.Canceled
		case <-w.told:
			return nil
		case <-w.doubt:
			if err := w.feed.Doubt(); err != nil {
				return err
			}
		case <-changed:
			if err := w.feed.Emit(Event{Unread: at.unread, Changed: true, At: at.after}); err != nil {
				return err
			}
			w.rested = time.After(rest)
		case <-w.rested:
			w.rested = nil
		case <-w.quiet:
			return w.feed.Idle()
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
		p.after = rows[i].ID
		if err := emit(Event{Notification: &rows[i], Unread: unread, At: p.after}); err != nil {
			return false, err
		}
	}
	if len(rows) == 0 && unread != p.unread {
		err = emit(Event{Unread: unread, At: p.after})
	}
	p.unread = unread
	return len(rows) == batch, err
}
