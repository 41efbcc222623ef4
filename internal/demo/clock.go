package demo

import (
	"sync"
	"time"
)

// Clock is the time that the database handle of a seeding lives in: set, not
// running, so that what takes seconds looks like three months.
type Clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

// NewClock stands at now, which is the end of the history that Seed writes.
func NewClock(now time.Time) *Clock { return &Clock{at: now.UTC().Truncate(time.Millisecond)} }

// Now is the time it stands at; give it to db.Options.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *Clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}
