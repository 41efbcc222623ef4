package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// NotificationEvent is something new for a person: a notification with the
// unread count of that moment, or, where Notification is nil, a count that
// moved, or word that something else changed.
type NotificationEvent struct {
	Notification *Notification `json:"notification"`
	Unread       int64         `json:"unread"`
	// Changed says that something which the caller's lists show may have changed:
	// of many changes in a row, one event every two seconds.
	Changed bool `json:"changed"`
}

// Limits of following.
const (
	maxEvent  = 1 << 20         // bytes of one event
	comeBack  = 2 * time.Second // until the server says otherwise
	mostFails = 30              // connections that fail in a row
)

// FollowNotifications gives the caller's notifications live. It begins after
// the notification with the id after, or, for zero, with what comes from now
// on; it gives each exactly once, also when the connection is lost and made
// again. It ends when ctx ends, the server refuses, or cannot be reached for
// long; the last thing it gives is why.
func (c *Client) FollowNotifications(ctx context.Context, after int64) iter.Seq2[NotificationEvent, error] {
	return func(yield func(NotificationEvent, error) bool) {
		f := &follower{c: c, after: after, retry: comeBack, yield: yield}
		for fails := 0; ; {
			had := f.seen
			err := f.connect(ctx)
			if f.done {
				return
			}
			if fails++; f.seen > had {
				fails = 0
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			} else if f.again(err) && fails < mostFails {
				if err = pause(ctx, f.retry); err == nil {
					continue
				}
			}
			yield(NotificationEvent{}, err)
			return
		}
	}
}

// follower is one stream, over as many connections as it takes.
type follower struct {
	c     *Client
	after int64
	retry time.Duration
	seen  int  // events
	done  bool // nobody wants more
	yield func(NotificationEvent, error) bool
}

// again reports an end after which connecting again makes sense.
func (f *follower) again(err error) bool {
	var e *Error
	return !errors.As(err, &e) || e.temporary()
}

// connect follows until the connection ends; it never gives nil unless done.
func (f *follower) connect(ctx context.Context) error {
	r := &request{method: http.MethodGet, path: "/api/tenants/notifications/stream", header: http.Header{"Accept": {"text/event-stream"}}}
	if f.after > 0 {
		r.header.Set("Last-Event-ID", strconv.FormatInt(f.after, 10))
	}
	res, token, err := f.c.send(ctx, r)
	if err == nil && res.StatusCode == http.StatusUnauthorized && token != "" && f.c.who.renew(ctx, f.c, token) == nil {
		_ = res.Body.Close()
		res, _, err = f.c.send(ctx, r)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, maxEvent))
		return refusal(res.StatusCode, res.Header, b)
	}
	return f.read(res.Body)
}

// read takes events off the connection. An event ends with an empty line.
func (f *follower) read(body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	id, data := "", []string(nil)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			id = value
		case "data":
			data = append(data, value)
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil && ms >= 0 {
				f.retry = min(time.Duration(ms)*time.Millisecond, MaxWait)
			}
		}
		if lines.Text() != "" || len(data) == 0 {
			continue
		}
		if err := f.emit(id, strings.Join(data, "\n")); err != nil || f.done {
			return err
		}
		id, data = "", nil
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("client: follow notifications: %w", err)
	}
	return io.ErrUnexpectedEOF
}

func (f *follower) emit(id, data string) error {
	var e NotificationEvent
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return fmt.Errorf("client: read an event: %w", err)
	}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		f.after = n
	}
	f.seen++
	f.done = !f.yield(e, nil)
	return nil
}
