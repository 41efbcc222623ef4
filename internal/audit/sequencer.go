package audit

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Bounds of the sequencer.
const (
	leadership = 0x7465_6e61_7564_6974 // the advisory lock's key: "tenaudit"
	batch      = 2000                  // events numbered in one commit
	poll       = 100 * time.Millisecond
	retry      = 250 * time.Millisecond // to ask again for the leadership, or after a failure
)

// Sequencer numbers the events that wait, on PostgreSQL. Any number of
// processes run one; one of them leads. An event is moved, numbered and counted
// in one commit under the lock of the platform's head, so however many believe
// to lead, each event is numbered once; one whose transaction commits late is
// numbered when it is there.
type Sequencer struct {
	DB *db.DB
	// Log hears of failures, after which it goes on; slog.Default where nil.
	Log *slog.Logger
}

// Run works until ctx ends. On SQLite, where the writer numbers at once, it
// just waits.
func (s Sequencer) Run(ctx context.Context) error {
	if s.DB.Engine() == db.SQLite {
		<-ctx.Done()
		return nil
	}
	log := s.Log
	if log == nil {
		log = slog.Default()
	}
	wake, cancel := s.awaken()
	defer cancel()
	for ctx.Err() == nil {
		lead, ok, err := s.DB.Lead(ctx, leadership)
		if err == nil && ok {
			err = s.drain(ctx, lead, wake)
			if e := lead.Close(); err == nil {
				err = e
			}
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("the audit sequencer starts again", "error", err)
		}
		pause(ctx, nil, retry)
	}
	return nil
}

// awaken gives a channel that holds something once events were written.
func (s Sequencer) awaken() (wake chan struct{}, cancel func()) {
	wake = make(chan struct{}, 1)
	return wake, s.DB.Subscribe(Topic, func(string) {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
}

// pause waits for a signal, for d, or for the end of ctx.
func pause(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}

// drain numbers as a leader until something fails.
func (s Sequencer) drain(ctx context.Context, lead *db.Lead, wake <-chan struct{}) error {
	for ctx.Err() == nil {
		some, err := anyWaits(ctx, lead)
		if err != nil {
			return err
		}
		if !some {
			pause(ctx, wake, poll)
			continue
		}
		if err = lead.Write(ctx, pass); err != nil {
			return err
		}
	}
	return nil
}

// anyWaits asks on the leader's own connection, so that it notices its loss.
func anyWaits(ctx context.Context, lead *db.Lead) (some bool, err error) {
	err = lead.Read(ctx, func(tx *db.Tx) (err error) {
		last, err := waiting(tx)
		some = last > 0
		return err
	})
	return some, err
}

// pass numbers one batch in tx.
func pass(tx *db.Tx) error {
	head, err := lockHead(tx)
	if err != nil {
		return err
	}
	rows, err := take(tx, batch)
	if err != nil || len(rows) == 0 {
		return err
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].id < rows[j].id })
	if err := number(tx, head, rows); err != nil {
		return err
	}
	tx.Publish(Topic, "")
	return nil
}

// SettleTime is how long lists and statistics wait at most.
const SettleTime = 500 * time.Millisecond

// Settle waits until all that had committed before is numbered, at most
// SettleTime. A list or statistics that begins after it sees the caller's own
// earlier writes, on whichever process they were made. Where nobody leads, it
// numbers itself.
func Settle(ctx context.Context, d *db.DB) error {
	if d.Engine() == db.SQLite {
		return nil
	}
	last, err := lastWaiting(ctx, d)
	if err != nil || last == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, SettleTime)
	defer cancel()
	wake, stop := Sequencer{DB: d}.awaken()
	defer stop()
	for tries := 0; ctx.Err() == nil; tries++ {
		if tries > 1 { // a leader would have been quicker
			if err := numberUnled(ctx, d); err != nil {
				return unlessLate(ctx, err)
			}
		}
		some, err := stillWaits(ctx, d, last)
		if err != nil || !some {
			return unlessLate(ctx, err)
		}
		pause(ctx, wake, 10*time.Millisecond)
	}
	return nil
}

// Settled runs f, which lists or counts on d, once all that had committed before
// is numbered, as Settle waits for it on platform. What waits is looked for in
// the first statement that f runs; only where something does, f runs again
// after the wait.
func Settled(ctx context.Context, platform, d *db.DB, f func(tx *db.Tx) error) error {
	if d.Engine() == db.SQLite {
		return d.Read(ctx, f)
	}
	err := d.Read(ctx, func(tx *db.Tx) error {
		tx.SetValue(lookingKey{}, true)
		return f(tx)
	})
	if !errors.Is(err, errWaits) {
		return err
	}
	if err := Settle(ctx, platform); err != nil {
		return err
	}
	return d.Read(ctx, f)
}

type lookingKey struct{}

// errWaits ends the first attempt of Settled.
var errWaits = errors.New("audit: events wait for their numbers")

// looks reports, once in the first attempt of Settled, that the statement at
// hand has to tell whether something waits.
func looks(tx *db.Tx) bool {
	looking, _ := tx.Value(lookingKey{}).(bool)
	if looking {
		tx.SetValue(lookingKey{}, false)
	}
	return looking
}

// look is for what begins with a statement that does not tell.
func look(tx *db.Tx) error {
	if !looks(tx) {
		return nil
	}
	last, err := waiting(tx)
	if err == nil && last > 0 {
		err = errWaits
	}
	return err
}

// unlessLate hides the failures that come from waiting no longer. A connection
// may notice the deadline a moment before the context does.
func unlessLate(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func lastWaiting(ctx context.Context, d *db.DB) (last int64, err error) {
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		last, err = waiting(tx)
		return err
	})
	return last, err
}

func stillWaits(ctx context.Context, d *db.DB, last int64) (some bool, err error) {
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		some, err = waits(tx, last)
		return err
	})
	return some, err
}

// numberUnled runs one pass if nobody leads.
func numberUnled(ctx context.Context, d *db.DB) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		ok, err := unled(tx)
		if err == nil && ok {
			err = pass(tx)
		}
		return err
	})
}
