package usage

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/tenantry/tenantry/internal/credit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/quota"
)

// entitlement is what an organization may do and has used, as it is kept in
// memory. It is shared and never changed.
type entitlement struct {
	epoch   uint64
	at      db.Time
	account quota.Account
	plugins map[string]bool
	meters  map[string]standing
	period  Period
	credits credit.Figures

	renewed atomic.Bool // somebody reads it anew, before it is too old
}

// standing is what a meter stands at.
type standing struct{ used, reserved int64 }

// Bounds of the cache: some 16,000 organizations.
const (
	shards    = 64
	shardSize = 256
)

// cache keeps entitlements. A shard that is full begins anew.
type cache struct {
	shards [shards]shard

	mu    sync.RWMutex // guards slugs
	slugs map[string]id.Organization
}

type shard struct {
	mu  sync.RWMutex // guards both
	gen uint64       // moves with every change of one of its organizations
	all map[id.Organization]*entitlement
}

func (c *cache) of(o id.Organization) *shard { return &c.shards[uint64(o)%shards] }

// changed drops what rests on something that has changed: one organization, or
// with an empty payload everything.
func (s *Service) changed(payload string) {
	n, err := strconv.ParseInt(payload, 10, 64)
	if err != nil {
		s.epoch.Add(1)
		return
	}
	h := s.cache.of(id.Organization(n))
	h.mu.Lock()
	h.gen++
	delete(h.all, id.Organization(n))
	h.mu.Unlock()
}

// Find gives the organization that a path names by id or slug, and its admin;
// zero where there is none.
func (s *Service) Find(ctx context.Context, idOrSlug string) (id.Organization, id.Admin, error) {
	e, err := s.find(ctx, idOrSlug)
	if fault.Is(err, fault.NotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	return e.account.ID, e.account.Admin, nil
}

func (s *Service) find(ctx context.Context, idOrSlug string) (*entitlement, error) {
	if n, ok := organizationID(idOrSlug); ok {
		return s.entitlement(ctx, n, "")
	}
	if idOrSlug == "" || len(idOrSlug) > 64 || digits(idOrSlug) {
		return nil, fault.Missing()
	}
	s.cache.mu.RLock()
	n := s.cache.slugs[idOrSlug]
	s.cache.mu.RUnlock()
	return s.entitlement(ctx, n, idOrSlug)
}

func digits(s string) bool {
	for _, r := range []byte(s) {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// entitlement is the one of an organization, by its slug where that is given: as
// committed in this process, and at most life old for what another committed.
func (s *Service) entitlement(ctx context.Context, o id.Organization, slug string) (*entitlement, error) {
	h := s.cache.of(o)
	h.mu.RLock()
	e, gen := h.all[o], h.gen
	h.mu.RUnlock()
	if e != nil && s.current(e) && (slug == "" || e.account.Slug == slug) && !s.early(e) {
		return e, nil
	}
	e, err := s.load(ctx, o, slug)
	if err != nil {
		return nil, err
	}
	if slug != "" && e.account.ID != o {
		s.cache.learn(slug, e.account.ID)
		return e, nil // kept the next time, when its shard is known before it is read
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gen == gen {
		if h.all == nil || len(h.all) >= shardSize {
			h.all = map[id.Organization]*entitlement{}
		}
		h.all[e.account.ID] = e
	}
	return e, nil
}

func (c *cache) learn(slug string, o id.Organization) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slugs == nil || len(c.slugs) >= shards*shardSize {
		c.slugs = map[string]id.Organization{}
	}
	c.slugs[slug] = o
}

// current reports whether e may still answer.
func (s *Service) current(e *entitlement) bool {
	now := s.DB.Now()
	return e.epoch == s.epoch.Load() && now >= e.at && now < e.at.Add(life) && now < e.period.To
}

// early reports, to one caller alone, that e will soon be too old: that one
// reads it anew, and the others need not wait for it.
func (s *Service) early(e *entitlement) bool {
	return s.DB.Now() >= e.at.Add(life*7/10) && e.renewed.CompareAndSwap(false, true)
}

// load reads an entitlement.
func (s *Service) load(ctx context.Context, o id.Organization, slug string) (*entitlement, error) {
	known, err := s.catalogue(ctx)
	if err != nil {
		return nil, err
	}
	e := &entitlement{epoch: s.epoch.Load()}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		e.at = tx.Now
		var month int64
		e.period, month = Month(tx.Now, known.zone)
		ids, slugs := []id.Organization{o}, []string(nil)
		if slug != "" {
			ids, slugs = nil, []string{slug}
		}
		all, err := quota.Accounts(tx, ids, slugs)
		if err == nil && len(all) == 0 {
			err = fault.Missing()
		}
		if err != nil {
			return err
		}
		e.account = all[0]
		if e.meters, err = standings(tx, e.account.ID, month); err != nil {
			return err
		}
		if e.plugins, err = enabledPlugins(tx, e.account.ID); err != nil {
			return err
		}
		e.credits, err = credit.Spendable(tx, e.account.ID)
		return err
	})
	return e, err
}
