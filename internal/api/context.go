package api

import (
	"context"
	"sync"
	"time"
)

// requestContext is what a request runs in: it carries the request's id and
// ends at its deadline. The timer starts when somebody first waits for it, so
// that an answer from memory costs none.
type requestContext struct {
	context.Context // of the connection
	id              string
	deadline        time.Time // zero is none

	mu     sync.Mutex
	timed  context.Context // once somebody waits
	cancel context.CancelFunc
}

type requestIDKey struct{}

// requestID is the id of the request, on its answer, its log lines and its
// audit rows.
func requestID(ctx context.Context) string {
	s, _ := ctx.Value(requestIDKey{}).(string)
	return s
}

func (c *requestContext) Deadline() (time.Time, bool) {
	if c.deadline.IsZero() {
		return c.Context.Deadline()
	}
	return c.deadline, true
}

func (c *requestContext) Done() <-chan struct{} {
	if c.deadline.IsZero() {
		return c.Context.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadline(c.Context, c.deadline)
	}
	return c.timed.Done()
}

func (c *requestContext) Err() error {
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.Done()
	}
	return c.current().Err()
}

// Value asks the context that ends, so that those derived from it hang on it
// directly instead of each on a goroutine of its own.
func (c *requestContext) Value(key any) any {
	if key == (requestIDKey{}) {
		return c.id
	}
	return c.current().Value(key)
}

// current is the context that ends with this one, as far as it is known.
func (c *requestContext) current() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed != nil {
		return c.timed
	}
	return c.Context
}

// end releases what waits for the deadline; the request is answered.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}
