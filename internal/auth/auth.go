// Package auth knows who calls and what they may do: users and their
// passwords, sessions and tokens, API keys, and the authorization table.
//
// Tokens are opaque and random; only their SHA-256 is stored. What a token
// stands for, with every role and hold of this moment, is a Principal; it is
// cached for at most a second and forgotten at once when anything that bears
// on it commits in this process (see Changed). Whoever writes asks again
// inside the transaction (Service.Recheck).
package auth

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/mail"
)

// Topic is what is published when a role, a hold, a session, a key or a user
// changed. Packages below this one publish it by name.
const Topic = "auth"

// Changed says that tx changes something that bears on what a token stands
// for: cached principals are dropped when it commits.
func Changed(tx *db.Tx) { tx.Publish(Topic, "") }

// Service is what needs more than a transaction: hashing, tokens, mail, the
// cache of principals. Make it with New; it is safe for concurrent use.
type Service struct {
	DB     *db.DB
	Hasher *Hasher
	Mail   *mail.Outbox
	// MinLength reads the least number of characters of a new password from
	// the settings.
	MinLength func(tx *db.Tx) (int, error)

	cache   cache[digest, entry]
	targets cache[Place, knownTarget]
	epoch   atomic.Uint64 // moves with every change that bears on principals
	used    usedTokens
}

// New makes a service. It stays subscribed to Topic as long as d is open.
func New(d *db.DB, h *Hasher, m *mail.Outbox, minLength func(tx *db.Tx) (int, error)) *Service {
	s := &Service{DB: d, Hasher: h, Mail: m, MinLength: minLength}
	d.Subscribe(Topic, func(string) { s.epoch.Add(1) })
	return s
}

// Run keeps the times of last use and removes what has expired, until ctx
// ends. A database that is away is tried again at the next turn; report hears
// of it.
func (s *Service) Run(ctx context.Context, report func(error)) error {
	flush := time.NewTicker(time.Minute)
	defer flush.Stop()
	prune := time.NewTicker(time.Hour)
	defer prune.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return s.Flush(context.WithoutCancel(ctx))
		case <-flush.C:
			err = s.Flush(ctx)
		case <-prune.C:
			err = s.Prune(ctx)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			report(err)
		}
	}
}
