package auth

import (
	"context"
	"errors"
	"strconv"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Place is how a path names an object: an organization by id or slug, or an
// admin by its id; of the zero value there is none.
type Place struct {
	Object Object
	// Text is the path's value: of digits alone it is an id, any other value a
	// slug, where a slug may stand.
	Text string
}

// maxPlace is longer than every slug and id.
const maxPlace = 64

// number is the id that the place names; ok is false where it names none.
func (p Place) number() (n int64, ok bool) {
	n, err := strconv.ParseInt(p.Text, 10, 64)
	return n, err == nil && n > 0 && strconv.FormatInt(n, 10) == p.Text // beyond every id, or 01
}

// TargetAt finds the object at a place. Exists is false where there is none.
func TargetAt(tx *db.Tx, p Place) (Target, error) {
	query, arg := p.query()
	if query == "" {
		return Target{}, nil
	}
	t, err := db.One(tx, scanTarget, query, arg)
	if errors.Is(err, db.ErrNoRows) {
		return Target{}, nil
	}
	return t, err
}

// Target is TargetAt for the door, on d, from memory where it was found less
// than a second ago and nothing that bears on it has committed in this process
// since. Only what exists is remembered. Whoever writes asks again inside the
// transaction: see RecheckAt.
func (s *Service) Target(ctx context.Context, d *db.DB, p Place) (Target, error) {
	epoch, now := s.epoch.Load(), s.DB.Now()
	if k, ok := s.targets.find(p); ok && k.epoch == epoch && now >= k.at && now < k.at.Add(cacheLife) {
		return k.target, nil
	}
	var t Target
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		t, err = TargetAt(tx, p)
		return err
	})
	if err == nil && t.Exists {
		s.targets.keep(p, knownTarget{t, epoch, now})
	}
	return t, err
}

// knownTarget is a target with the time it was found.
type knownTarget struct {
	target Target
	epoch  uint64
	at     db.Time
}

// organizationTarget finds an organization by its id.
func organizationTarget(tx *db.Tx, o id.Organization) (Target, error) {
	return TargetAt(tx, Place{Organization, strconv.FormatInt(int64(o), 10)})
}
