package auth

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
)

// Prove checks that password is that of the account with this address, for
// what asks a person without opening a session. It costs, answers and is
// throttled like Login.
func (s *Service) Prove(ctx context.Context, email, password string, from audit.Actor) error {
	_, err := s.prove(ctx, email, password, from)
	return err
}

// proof is an account whose password was right, and the attempt that showed it.
type proof struct {
	credential
	try   attempt
	known bool // the account signed in from this address before
}

func (s *Service) prove(ctx context.Context, email, password string, from audit.Actor) (p proof, err error) {
	key := emailKey(email)
	p.try = newAttempt(key, from.IP)
	err = s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if p.credential, err = credentialByKey(tx, key); errors.Is(err, db.ErrNoRows) {
			p.credential, err = credential{}, nil
		} else if err == nil {
			p.known, err = knowsAddress(tx, p.user.ID, from.IP)
		}
		if err != nil {
			return err
		}
		return p.try.paused(tx, p.known)
	})
	if err != nil {
		return p, err
	}
	hash := p.hash
	if p.user.Status != Active {
		hash = ""
	}
	ok, err := s.Hasher.Verify(ctx, password, hash)
	if err == nil && !ok {
		err = s.refuseLogin(ctx, p.try, p.known)
	}
	return p, err
}

// Proved notes that a link mailed to the user's address was used.
func Proved(tx *db.Tx, u id.User) error {
	return setVerified(tx, u)
}
