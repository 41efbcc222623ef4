package auth

import (
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/db"
)

// Bounds of what is remembered of principals and objects.
const (
	cacheLife = time.Second // how long another process's change may go unseen
	cacheSize = 16384       // entries of a generation; there are two
)

// cache keeps what was read under a key: what tokens stand for, and where objects
// belong. It has two generations: a full young one becomes the old one, and what
// was old is dropped, so that it never grows beyond twice cacheSize and never
// sweeps.
type cache[K comparable, V any] struct {
	mu         sync.RWMutex // guards both
	young, old map[K]V
}

func (c *cache[K, V]) find(k K) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.young[k]
	if !ok {
		v, ok = c.old[k]
	}
	return v, ok
}

func (c *cache[K, V]) keep(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= cacheSize {
		c.young, c.old = make(map[K]V), c.young
	}
	c.young[k] = v
}

// entry is what a token stands for.
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
