package db

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Notice is something published: see Tx.Publish.
type Notice struct {
	Topic   string `json:"t"`
	Payload string `json:"p,omitempty"`
}

// hub hands notices to the subscribers of this process.
type hub struct {
	mu   sync.Mutex // guards subs
	subs map[string]map[*func(string)]struct{}
}

// Subscribe calls f for every notice on topic until cancel is called. f runs
// on the publisher's goroutine: it must not block.
func (d *DB) Subscribe(topic string, f func(payload string)) (cancel func()) {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	if d.hub.subs == nil {
		d.hub.subs = map[string]map[*func(string)]struct{}{}
	}
	if d.hub.subs[topic] == nil {
		d.hub.subs[topic] = map[*func(string)]struct{}{}
	}
	key := &f
	d.hub.subs[topic][key] = struct{}{}
	return func() {
		d.hub.mu.Lock()
		defer d.hub.mu.Unlock()
		delete(d.hub.subs[topic], key)
	}
}

func (h *hub) deliver(n Notice) {
	h.mu.Lock()
	fs := make([]func(string), 0, len(h.subs[n.Topic]))
	for f := range h.subs[n.Topic] {
		fs = append(fs, *f)
	}
	h.mu.Unlock()
	for _, f := range fs {
		f(n.Payload)
	}
}

// Run carries notices between the processes on one PostgreSQL until ctx ends.
// On SQLite there is one process, and nothing to carry.
func (d *DB) Run(ctx context.Context) error {
	if d.wire == nil {
		<-ctx.Done()
		return nil
	}
	return d.wire.run(ctx)
}

// channel is the one LISTEN channel; every notice is a message on it.
const channel = "tenantry"

// wire sends this process's notices to the others and hears theirs. They are
// sent after the commit, on a connection of their own and many at a time: a
// NOTIFY inside a transaction would serialise all commits.
type wire struct {
	pool *pgxpool.Pool
	hub  *hub
	self string // marks our own messages, which were delivered already

	mu      sync.Mutex // guards waiting
	waiting map[Notice]struct{}
	wake    chan struct{}
}

// maxWaiting bounds the distinct notices that wait for a connection; beyond it
// they are lost, as hints may be.
const maxWaiting = 10_000

func (w *wire) send(topics []Notice) {
	w.mu.Lock()
	for _, n := range topics {
		if len(w.waiting) < maxWaiting {
			w.waiting[n] = struct{}{}
		}
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// message is a notice with its sender.
type message struct {
	From string `json:"f"`
	Notice
}

func (w *wire) run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { w.again(ctx, "send", w.sending) })
	both.Go(func() { w.again(ctx, "listen", w.listening) })
	both.Wait()
	return nil
}

// again repeats f until ctx ends, a moment after each failure.
func (w *wire) again(ctx context.Context, what string, f func(context.Context) error) {
	for ctx.Err() == nil {
		err := f(ctx)
		if ctx.Err() != nil {
			return
		}
		slog.Warn("notices between processes are interrupted", "doing", what, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (w *wire) sending(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		}
		w.mu.Lock()
		batch := w.waiting
		w.waiting = map[Notice]struct{}{}
		w.mu.Unlock()
		b := &pgx.Batch{}
		for n := range batch {
			text, err := json.Marshal(message{From: w.self, Notice: n})
			if err != nil {
				return err
			}
			b.Queue("SELECT pg_notify($1, $2)", channel, string(text))
		}
		if err := w.pool.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
}

func (w *wire) listening(ctx context.Context) error {
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	raw := conn.Hijack() // never returned to the pool: it listens
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = raw.Close(closing)
	}()
	if _, err := raw.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		n, err := raw.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		var m message
		if err := json.Unmarshal([]byte(n.Payload), &m); err != nil {
			return errors.New("a message of another program on our channel")
		}
		if m.From != w.self {
			w.hub.deliver(m.Notice)
		}
	}
}
