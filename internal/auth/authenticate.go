package auth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Authenticate gives who an access token or API key stands for, with the roles
// and holds of now: as committed in this process, and at most a second old for
// what another process committed. The principal is shared and must not be
// changed. A token that stands for nobody is 401 invalid_token.
func (s *Service) Authenticate(ctx context.Context, token string) (*Principal, error) {
	d, read := readerOf(token)
	if read == nil {
		return nil, errInvalidToken()
	}
	epoch, now := s.epoch.Load(), s.DB.Now()
	if e, ok := s.cache.find(d); ok && e.fresh(epoch, now) {
		return e.principal, nil
	}
	var l loaded
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		now = tx.Now
		l, err = read(tx, d[:])
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return nil, errInvalidToken()
	}
	if err != nil {
		return nil, err
	}
	s.used.note(l, now)
	s.cache.keep(d, entry{loaded: l, epoch: epoch, at: now})
	return l.principal, nil
}

// readerOf gives a token's digest and what reads whom it stands for; nil for
// what cannot be a token, which costs no query.
func readerOf(token string) (digest, func(*db.Tx, []byte) (loaded, error)) {
	if d, ok := parseToken(accessPrefix, token); ok {
		return d, personByToken
	}
	if d, ok := parseToken(keyPrefix, token); ok {
		return d, keyByHash
	}
	if d, ok := parseToken(grantPrefix, token); ok {
		return d, actingByToken
	}
	return digest{}, nil
}

// Recheck reads p anew inside a transaction, past every cache: whoever writes
// decides by this one. A session, key or grant that has ended meanwhile is 401
// invalid_token.
func (s *Service) Recheck(tx *db.Tx, p *Principal) (*Principal, error) {
	fresh, _, err := s.RecheckAt(tx, p, Place{})
	return fresh, err
}

// RecheckAt is Recheck together with TargetAt; a person and the target are
// read by one statement.
func (s *Service) RecheckAt(tx *db.Tx, p *Principal, at Place) (*Principal, Target, error) {
	var l loaded
	var err error
	switch {
	case p.Acting != nil:
		if l, err = actingByGrant(tx, p.Acting.Grant); err == nil {
			l.target, err = TargetAt(tx, at)
		}
	case p.Kind == Person:
		l, err = personBySession(tx, p.Session, at)
	case p.Kind == KeyHolder:
		if l, err = keyByID(tx, p.Key.ID); err == nil {
			l.target, err = TargetAt(tx, at)
		}
	default:
		l.principal = p
		l.target, err = TargetAt(tx, at)
	}
	if errors.Is(err, db.ErrNoRows) {
		return nil, Target{}, errInvalidToken()
	}
	return l.principal, l.target, err
}

// RecheckKeys is Recheck for many API keys by one statement. One that has ended
// is not in the map.
func (s *Service) RecheckKeys(tx *db.Tx, keys []id.Key) (map[id.Key]*Principal, error) {
	all := make(map[id.Key]*Principal, len(keys))
	if len(keys) == 0 {
		return all, nil
	}
	for n := len(keys); n&(n-1) != 0; n++ { // few lengths, so few texts of the statement
		keys = append(keys, keys[0])
	}
	rows, err := keysByID(tx, keys)
	for _, l := range rows {
		all[l.principal.Key.ID] = l.principal
	}
	return all, err
}

// Ended is the refusal of a token that stands for nobody any more.
func Ended() error { return errInvalidToken() }

// Confirm says whether p still stands, past every cache: a notice that makes it
// doubtful may come to its reader before it comes to the cache.
func (s *Service) Confirm(ctx context.Context, p *Principal) error {
	return s.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := s.Recheck(tx, p)
		return err
	})
}

// staleUse is how old the stored time of last use may become.
const staleUse = 5 * time.Minute

// usedTokens collects when sessions and keys were used, to be stored rarely and
// together, never by a request.
type usedTokens struct {
	mu       sync.Mutex // guards both
	sessions map[id.Session]db.Time
	keys     map[id.Key]db.Time
}

func (u *usedTokens) note(l loaded, now db.Time) {
	if now < l.lastUsed.Add(staleUse) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions == nil {
		u.sessions, u.keys = map[id.Session]db.Time{}, map[id.Key]db.Time{}
	}
	switch p := l.principal; {
	case len(u.sessions)+len(u.keys) >= cacheSize: // the next load notes it
	case p.Kind == Person:
		u.sessions[p.Session] = now
	default:
		u.keys[p.Key.ID] = now
	}
}

func (u *usedTokens) take() (map[id.Session]db.Time, map[id.Key]db.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sessions, keys := u.sessions, u.keys
	u.sessions, u.keys = nil, nil
	return sessions, keys
}

// Flush stores the times of last use noted since the last time. What cannot be
// stored is forgotten: it is noted again by the next use.
func (s *Service) Flush(ctx context.Context) error {
	sessions, keys := s.used.take()
	if len(sessions)+len(keys) == 0 {
		return nil
	}
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		for _, session := range sorted(sessions) {
			if err := touchSession(tx, session, sessions[session]); err != nil {
				return err
			}
		}
		for _, key := range sorted(keys) {
			if err := touchKey(tx, key, keys[key]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !fault.Is(err, fault.Unavailable) {
		return err
	}
	return nil
}

// sorted gives the ids in ascending order, in which all lock rows.
func sorted[T id.Any](m map[T]db.Time) []T {
	return slices.Sorted(maps.Keys(m))
}
