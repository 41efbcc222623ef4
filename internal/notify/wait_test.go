package notify

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Of changes that follow each other closely one is told at once, and what came
// after it together when the rest is over.
func TestChangesAreToldNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errEnough := errors.New("enough")
		began, changed := time.Now(), make(chan struct{}, 1)
		var got []time.Duration
		w := waiter{changed: changed, feed: Feed{Emit: func(e Event) error {
			if got = append(got, time.Since(began)); !e.Changed || e.Unread != 3 || e.At != 7 {
				t.Errorf("got %+v", e)
			}
			if len(got) == 3 {
				return errEnough
			}
			return nil
		}}}
		go func() {
			for range 30 {
				signal(changed)
				time.Sleep(100 * time.Millisecond)
			}
		}()
		if err := w.wait(t.Context(), place{after: 7, unread: 3}); !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
		if len(got) != 3 || got[0] != 0 || got[1] != rest || got[2] != 2*rest {
			t.Errorf("told after %v", got)
		}
	})
}
