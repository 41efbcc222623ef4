package usage

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/settings"
)

// Service is what needs more than a transaction: reports, checks, and what they
// keep in memory. Make it with New; it is safe for concurrent use.
type Service struct {
	DB *db.DB

	known   atomic.Pointer[catalogue]
	loading sync.Mutex // lets one load the catalogue
	epoch   atomic.Uint64
	cache   cache
}

// New makes a service. It stays subscribed to quota.Topic as long as d is open.
func New(d *db.DB) *Service {
	s := &Service{DB: d}
	d.Subscribe(quota.Topic, s.changed)
	return s
}

// life is how long what is kept in memory may answer: what another process
// changes shows at the latest after it, even when no notice comes.
const life = time.Second

// catalogue is what all organizations share.
type catalogue struct {
	epoch   uint64
	at      db.Time
	meters  map[string]quota.Meter
	plugins map[string]bool
	zone    *time.Location
}

// catalogue gives the meters, plugins and billing time zone: as committed in
// this process, and at most life old for what another one committed.
func (s *Service) catalogue(ctx context.Context) (*catalogue, error) {
	if c := s.fresh(); c != nil {
		return c, nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if c := s.fresh(); c != nil {
		return c, nil
	}
	c := &catalogue{epoch: s.epoch.Load()}
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		c.at = tx.Now
		if c.meters, c.plugins, err = loadCatalogue(tx); err != nil {
			return err
		}
		c.zone, err = zone(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.known.Store(c)
	return c, nil
}

func (s *Service) fresh() *catalogue {
	c := s.known.Load()
	if c == nil || c.epoch != s.epoch.Load() {
		return nil
	}
	if now := s.DB.Now(); now < c.at || now >= c.at.Add(life) {
		return nil
	}
	return c
}

// zone is the one in which months and days begin.
func zone(tx *db.Tx) (*time.Location, error) {
	s, err := settings.Load(tx)
	if err != nil {
		return nil, err
	}
	return s.Location()
}
