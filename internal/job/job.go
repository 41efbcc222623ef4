// Package job is work for later, queued in the transaction that causes it: it
// runs if and only if that transaction commits, at least once, again after a
// failure, on whichever process claims it.
//
// Enqueue queues; a Runner in each process claims by lease and runs. A job
// whose process died runs again when its lease has expired, so a handler must
// bear to run twice.
package job

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// topic is what a runner subscribes to.
const topic = "jobs"

// Handler does one job; payload is the JSON that was queued. An error means
// later again, after a growing pause, until the attempts are used up; see
// Permanent. ctx ends before the lease does, and when the process is to stop.
type Handler func(ctx context.Context, payload []byte) error

// Enqueue queues payload, written as JSON, for the handler of kind. It runs as
// soon as tx has committed.
func Enqueue(tx *db.Tx, kind string, payload any) error {
	return EnqueueAt(tx, tx.Now, kind, payload)
}

// EnqueueAt is Enqueue for a later time.
func EnqueueAt(tx *db.Tx, at db.Time, kind string, payload any) error {
	return enqueue(tx, at, kind, payload)
}

// Permanent marks an error that another attempt will not mend: the job is dead
// at once.
func Permanent(err error) error { return &permanent{err} }

type permanent struct{ error }

func (p *permanent) Unwrap() error { return p.error }

func isPermanent(err error) bool {
	var p *permanent
	return errors.As(err, &p)
}

// Counts say how much work there is, for metrics. Beyond 100,000 a figure is no
// longer exact.
type Counts struct {
	Ready   int64 // waiting, for their time or a worker
	Running int64
	Dead    int64         // given up; kept for 30 days
	Delay   time.Duration // how long the oldest one that is due has waited
}

// Count reads the figures.
func Count(tx *db.Tx) (Counts, error) { return count(tx) }

// pause is how long to wait after so many attempts: 5 s, doubled each time, an
// hour at most.
func pause(attempts int64) time.Duration {
	return min(5*time.Second<<min(max(attempts, 1)-1, 12), time.Hour)
}
