package db

import (
	"context"
	"sync"
)

// Notice is something published: see Tx.Publish.
type Notice struct{ Topic, Payload string }

// hub hands notices to the subscribers of this process.
type hub struct {
	mu   sync.RWMutex // guards subs
	subs map[string]map[*func(string)]struct{}
}

// Subscribe calls f for every notice on topic until cancel is called. f runs
// on the publisher's goroutine: it must not block.
func (s *store) Subscribe(topic string, f func(payload string)) (cancel func()) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.subs == nil {
		s.hub.subs = map[string]map[*func(string)]struct{}{}
	}
	if s.hub.subs[topic] == nil {
		s.hub.subs[topic] = map[*func(string)]struct{}{}
	}
	key := &f
	s.hub.subs[topic][key] = struct{}{}
	return func() {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		delete(s.hub.subs[topic], key)
	}
}

func (h *hub) deliver(n Notice) {
	h.mu.RLock()
	fs := make([]func(string), 0, len(h.subs[n.Topic]))
	for f := range h.subs[n.Topic] {
		fs = append(fs, *f)
	}
	h.mu.RUnlock()
	for _, f := range fs {
		f(n.Payload)
	}
}

// Run carries notices between the processes on one PostgreSQL until ctx ends:
// it listens, connecting again after a failure, and sends what was published
// here. On SQLite, whose only process this is, it just waits.
func (s *store) Run(ctx context.Context) error {
	if s.wire == nil {
		<-ctx.Done()
		return nil
	}
	var both sync.WaitGroup
	both.Go(func() { s.wire.sendAll(ctx) })
	s.wire.listenOn(ctx, &s.hub)
	both.Wait()
	return nil
}
