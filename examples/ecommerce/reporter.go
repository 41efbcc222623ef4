package main

import (
	"context"
	"log"
	"sync"
	"time"

	"github.com/tenantry/tenantry/client"
)

// reporter sends events together: every second, or when enough wait. What could
// not be sent is sent again as it is, which counts nothing twice.
type reporter struct {
	c    *client.Client
	some chan struct{} // holds one when enough wait

	mu      sync.Mutex // guards waiting
	waiting []client.UsageEvent
}

// Bounds of the reporter.
const (
	enough = 100
	most   = 100_000 // events that wait while Tenantry is away
)

// note takes an event; false says that too many wait, and the caller should
// serve nobody that it cannot report.
func (r *reporter) note(e client.UsageEvent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) >= most {
		return false
	}
	r.waiting = append(r.waiting, e)
	if len(r.waiting) >= enough {
		select {
		case r.some <- struct{}{}:
		default:
		}
	}
	return true
}

// run reports until ctx ends, and what is left once more then.
func (r *reporter) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			r.flush(last)
			return
		case <-tick.C:
		case <-r.some:
		}
		r.flush(ctx)
	}
}

// flush sends what waits, a batch at a time, and keeps what was not taken.
func (r *reporter) flush(ctx context.Context) {
	for {
		r.mu.Lock()
		batch := r.waiting[:min(len(r.waiting), 1000)]
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		receipt, err := r.c.ReportUsage(ctx, batch)
		if err != nil {
			log.Printf("not reported, later again: %v", err)
			return
		}
		for _, e := range receipt.Events {
			if e.Status == "refused" {
				log.Printf("event %s was refused: %s", e.ID, e.Code)
			}
		}
		r.mu.Lock()
		r.waiting = append([]client.UsageEvent(nil), r.waiting[len(batch):]...)
		r.mu.Unlock()
	}
}
