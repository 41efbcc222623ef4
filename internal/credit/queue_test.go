package credit_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// One that spoils the transaction of all has each run alone; what is refused
// then is told its refusal.
func TestARefusalAloneIsTold(t *testing.T) {
	queues(t, func(t *testing.T, d *db.DB, all []*credit.Queue) {
		o := newOrganization(t, d, 0)
		must(t, add(d, o, 100))
		q := all[0]
		q.Admit = func(_ *db.Tx, all []credit.Submission) ([]error, error) {
			refused := make([]error, len(all))
			for i, s := range all {
				if s.Caller == "refused" {
					refused[i] = fault.Denied()
				}
			}
			return refused, nil
		}
		broken := errors.New("broken")
		start := make(chan struct{})
		var wait sync.WaitGroup
		submitted := func(caller string, s credit.Submission, right func(error) bool) {
			r := spend(o, 1)
			r.Actor = service
			s.Caller, s.Requests = caller, []credit.Request{r}
			wait.Go(func() {
				got, err := q.Submit(ctx, s)
				if !right(err) || err == nil && len(got) != 1 {
					t.Errorf("%s: got %v, %v", caller, got, err)
				}
			})
		}
		began := make(chan struct{})
		once := sync.OnceFunc(func() { close(began) })
		submitted("first", credit.Submission{Before: func(*db.Tx) (bool, error) { once(); <-start; return true, nil }}, func(err error) bool { return err == nil })
		<-began
		submitted("refused", credit.Submission{}, func(err error) bool { return fault.Code(err) == "forbidden" })
		submitted("broken", credit.Submission{After: func(*db.Tx, []credit.Result) error { return broken }}, func(err error) bool { return errors.Is(err, broken) })
		for q.Waiting() < 2 {
			runtime.Gosched()
		}
		close(start)
		wait.Wait()
	})
}
