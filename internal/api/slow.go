package api

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// beat is how often an answer that is still worked on says so: proxies give up
// on one that is silent for a minute.
const beat = 10 * time.Second

// slow makes a route that reads for longer than a request may take, such as
// all of a big ledger. It has no deadline but its client's patience and the
// server's stop. f calls alive between its steps, and ends with its error: as
// often as needed alive writes white space, which JSON takes before a value.
// From the first of it on the status is 200; what fails later breaks the
// answer off, which no client takes for a whole one.
func slow[In, Out any](o op, f func(ctx context.Context, c *Call, in *In, alive func() error) (Out, error)) route {
	o.Slow = true
	return bound(o, func(s *Server, _ *op, ctx context.Context, c *Call, in *In) (any, error) {
		if err := c.judged(nil); err != nil {
			return nil, err
		}
		a := &awaited{c: c, conn: http.NewResponseController(c.w), now: s.DB.Now, last: s.DB.Now(), stopping: s.Stopping}
		out, err := f(ctx, c, in, a.alive)
		if !a.begun {
			return out, err
		}
		a.end(out, err)
		return sent{}, nil
	}, reflect.TypeFor[Out]())
}

// sent is the answer of an operation that has written it.
type sent struct{}

// awaited is an answer that is kept alive.
type awaited struct {
	c        *Call
	conn     *http.ResponseController
	now      func() db.Time
	last     db.Time // when something was written
	begun    bool    // status and headers are out
	stopping <-chan struct{}
}

// alive says that the work goes on. Its error is that nobody waits for it any
// more, or that the server stops.
func (a *awaited) alive() error {
	select {
	case <-a.stopping:
		return fault.New(fault.Unavailable, "timeout", "The server stops; try again shortly.").After(time.Second)
	default:
	}
	if a.now() < a.last.Add(beat) {
		return nil
	}
	if !a.begun {
		h := a.c.w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		a.begun = true
	}
	return a.write([]byte("\n"))
}

// write sends b at once.
func (a *awaited) write(b []byte) error {
	if err := a.conn.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := a.c.w.Write(b); err != nil {
		return err
	}
	a.last = a.now()
	return a.conn.Flush()
}

// end writes the value that was waited for. Where there is none it breaks the
// answer off.
func (a *awaited) end(v any, err error) {
	var b []byte
	if err == nil {
		b, err = marshal(v, new(bytes.Buffer))
	}
	if err == nil {
		err = a.write(b)
	}
	if err != nil {
		if a.c.r.Context().Err() == nil {
			slog.Error("an answer broke off", "request_id", requestID(a.c.r.Context()), "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}
