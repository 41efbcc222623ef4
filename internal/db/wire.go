package db

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// channel is the one PostgreSQL channel that all topics share.
const channel = "tenantry"

// Bounds of the wire.
const (
	wireQueue  = 8192 // notices that wait to be sent; the oldest are dropped beyond
	wireBytes  = 7000 // of one notification; PostgreSQL takes less than 8,000
	wireSilent = 30 * time.Second
)

// wire carries notices between processes by LISTEN and NOTIFY. It sends outside
// the transaction that published: pg_notify inside would make all commits wait
// for each other.
type wire struct {
	pool      *pgxpool.Pool
	origin    string // tells what this handle sent itself
	listening atomic.Bool
	some      chan struct{} // holds one when the queue is not empty

	mu    sync.Mutex // guards queue
	queue []Notice
}

func newWire(p *pgxpool.Pool) *wire {
	return &wire{pool: p, origin: cryptorand.Text(), some: make(chan struct{}, 1)}
}

// letter is what travels in one notification.
type letter struct {
	Origin  string   `json:"o"`
	Notices []Notice `json:"n"`
}

func (w *wire) send(ns []Notice) {
	w.mu.Lock()
	w.queue = append(w.queue, ns...)
	if over := len(w.queue) - wireQueue; over > 0 {
		w.queue = w.queue[over:]
	}
	w.mu.Unlock()
	select {
	case w.some <- struct{}{}:
	default:
	}
}

// take empties the queue, each notice once.
func (w *wire) take() []Notice {
	w.mu.Lock()
	ns := w.queue
	w.queue = nil
	w.mu.Unlock()
	seen := make(map[Notice]struct{}, len(ns))
	distinct := ns[:0]
	for _, n := range ns {
		if _, again := seen[n]; !again {
			seen[n] = struct{}{}
			distinct = append(distinct, n)
		}
	}
	return distinct
}

// sendAll sends until ctx ends, and then what is left.
func (w *wire) sendAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			w.flush(time.Second)
			return
		case <-w.some:
		}
		ns := w.take()
		for wait := 50 * time.Millisecond; w.post(ctx, ns) != nil && ctx.Err() == nil; wait = min(2*wait, time.Second) {
			pause(ctx, wait)
			ns = append(ns, w.take()...)
			ns = ns[max(0, len(ns)-wireQueue):]
		}
	}
}

// flush sends what waits, once.
func (w *wire) flush(d time.Duration) {
	if ns := w.take(); len(ns) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		_ = w.post(ctx, ns) // a hint; it may be lost
	}
}

// post sends the notices in as few notifications as they fit in.
func (w *wire) post(ctx context.Context, ns []Notice) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var letters []string
	for len(ns) > 0 {
		n, size := 0, 0
		for n < len(ns) && (n == 0 || size+cost(ns[n]) <= wireBytes) {
			size += cost(ns[n])
			n++
		}
		b, err := json.Marshal(letter{w.origin, ns[:n]})
		if err != nil {
			return err
		}
		letters, ns = append(letters, string(b)), ns[n:]
	}
	_, err := w.pool.Exec(ctx, `SELECT pg_notify($1, x) FROM unnest($2::text[]) AS x`, channel, letters)
	return err
}

// cost bounds what a notice takes in a letter; JSON escapes a byte as six at most.
func cost(n Notice) int {
	size := 32
	for _, s := range [2]string{n.Topic, n.Payload} {
		for _, c := range []byte(s) {
			if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				size += 5
			}
			size++
		}
	}
	return size
}

// listenOn delivers what other processes send until ctx ends.
func (w *wire) listenOn(ctx context.Context, h *hub) {
	wait := 50 * time.Millisecond
	for ctx.Err() == nil {
		if w.listen(ctx, h) {
			wait = 50 * time.Millisecond
		}
		pause(ctx, wait/2+rand.N(wait))
		wait = min(2*wait, time.Second)
	}
}

// listen serves one connection to its end and says whether it ever worked.
func (w *wire) listen(ctx context.Context, h *hub) (worked bool) {
	conn, err := pgx.ConnectConfig(ctx, w.pool.Config().ConnConfig)
	if err != nil {
		return false
	}
	defer func() {
		w.listening.Store(false)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false
	}
	w.listening.Store(true)
	for {
		quiet, cancel := context.WithTimeout(ctx, wireSilent)
		n, err := conn.WaitForNotification(quiet)
		silent := quiet.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			w.deliver(h, n.Payload)
		case !silent || conn.IsClosed() || w.ping(ctx, conn) != nil:
			return true
		}
	}
}

// ping shows that a silent connection is not a dead one.
func (w *wire) ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return conn.Ping(ctx)
}

func (w *wire) deliver(h *hub, payload string) {
	var l letter
	if json.Unmarshal([]byte(payload), &l) != nil || l.Origin == w.origin {
		return
	}
	for _, n := range l.Notices {
		h.deliver(n)
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
