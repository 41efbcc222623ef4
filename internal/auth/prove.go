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
	key := emailKey(email)
	try := newAttempt(key, from.IP)
	var c credential
	known := false
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if c, err = credentialByKey(tx, key); errors.Is(err, db.ErrNoRows) {
			c, err = credential{}, nil
		} else if err == nil {
			known, err = knowsAddress(tx, c.user.ID, from.IP)
		}
		if err != nil {
			return err
		}
		return try.paused(tx, known)
	})
	if err != nil {
		return err
	}
	hash := c.hash
	if c.user.Status != Active {
		hash = ""
	}
	ok, err := s.Hasher.Verify(ctx, password, hash)
	if err == nil && !ok {
		err = s.refuseLogin(ctx, try, known)
	}
	return err
}

// Proved notes that a link mailed to the user's address was used.
func Proved(tx *db.Tx, u id.User) error {
	err := setVerified(tx, u)
	return err
}
