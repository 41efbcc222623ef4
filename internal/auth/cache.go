package auth

import (
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Bounds of the cache of principals.
const (
	cacheLife = time.Second // how long another process's change may go unseen
	cacheSize = 16384       // entries of a generation; there are two
)

// cache keeps what tokens stand for. It has two generations: a full young one
// becomes the old one, and what was old is dropped, so that it never grows
// beyond twice cacheSize and never sweeps.
type cache struct {
	mu         sync.RWMutex // guards both
	young, old map[digest]entry
}

type entry struct {
	loaded
	epoch uint64  // of the service, read before loading
	at    db.Time // of loading
}

// fresh reports whether e may still answer: nothing relevant has committed in
// this process since before it was loaded, it is younger than cacheLife, and
// the token has not ended. A clock that went back makes it stale.
func (e *entry) fresh(epoch uint64, now db.Time) bool {
	return e.epoch == epoch && now >= e.at && now < e.at.Add(cacheLife) && (e.until == 0 || now < e.until)
}

func (c *cache) find(d digest) (entry, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.young[d]
	if !ok {
		e, ok = c.old[d]
	}
	return e, ok
}

func (c *cache) keep(d digest, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= cacheSize {
		c.young, c.old = make(map[digest]entry), c.young
	}
	c.young[d] = e
}
