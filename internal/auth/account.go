package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/job"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/text"
)

// Purposes of one-time tokens.
const (
	purposeReset  = "password_reset"
	purposeSetup  = "setup"
	purposeVerify = "email_verification"
)

// PasswordChange is what a signed-in user sends.
type PasswordChange struct {
	OldPassword string `json:"old_password" maxLength:"1024"`
	NewPassword string `json:"new_password" maxLength:"1024"`
}

// ChangePassword checks the old password and hashes the new one; what it gives
// runs in the transaction, where all other sessions of the user end. Wrong old
// passwords count and slow down like failed sign-ins.
func (s *Service) ChangePassword(ctx context.Context, actor audit.Actor, p *Principal, in PasswordChange) (func(tx *db.Tx) error, error) {
	var c credential
	var known bool
	var unfit error
	try := newAttempt(emailKey(p.User.Email), actor.IP)
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if c, err = credentialByID(tx, p.User.ID); err != nil {
			return missing(err)
		}
		if known, err = knowsAddress(tx, p.User.ID, actor.IP); err != nil {
			return err
		}
		if err := try.paused(tx, known); err != nil {
			return err
		}
		unfit = s.check(tx, "new_password", in.NewPassword, c.user.Email)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if in.OldPassword == "" { // no guess
		return nil, fault.Join(errWrongPassword(), unfit)
	}
	ok, err := s.Hasher.Verify(ctx, in.OldPassword, c.hash)
	if err == nil && !ok {
		if err = s.countFailure(ctx, try, known); err == nil {
			err = errWrongPassword()
		}
	}
	if err = fault.Join(err, unfit); err != nil {
		return nil, err
	}
	hash, err := s.Hasher.Hash(ctx, in.NewPassword)
	if err != nil {
		return nil, err
	}
	return func(tx *db.Tx) error {
		if err := try.passed(tx, known); err != nil {
			return err
		}
		_, err := lockCredential(tx, p.User.ID, c.hash)
		if errors.Is(err, db.ErrNoRows) { // changed meanwhile
			err = errWrongPassword()
		}
		if err != nil {
			return err
		}
		return s.replace(tx, actor, p.User.ID, hash, p.Session)
	}, nil
}

func errWrongPassword() error {
	return fault.InvalidField("old_password", "wrong_password", "This is not your password.")
}

// check holds a new password against the policy in force.
func (s *Service) check(tx *db.Tx, field, password, email string) error {
	least, err := s.MinLength(tx)
	if err != nil {
		return err
	}
	var v fault.Validation
	CheckPassword(field, password, email, least, &v)
	return v.Err()
}

// replace stores a new hash and ends the sessions but one.
func (s *Service) replace(tx *db.Tx, actor audit.Actor, u id.User, hash string, but id.Session) error {
	if err := setPassword(tx, u, hash); err != nil {
		return err
	}
	if err := revokeSessions(tx, u, but); err != nil {
		return err
	}
	Changed(tx)
	return record(tx, actor, "user.password_changed", userTarget(u, actor.Name), nil)
}

// KindForgot is the job that answers a forgotten password.
const KindForgot = "forgotten password"

// Forgot has a link to set a new password mailed, if there is such a user. It
// only queues the question: neither the answer nor how long it takes tells
// whether the address is known.
func (s *Service) Forgot(ctx context.Context, email string) error {
	var v fault.Validation
	address, _ := text.Email("email", email, &v)
	if err := v.Err(); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error { return job.Enqueue(tx, KindForgot, address) })
}

// SendReset is the handler of KindForgot.
func (s *Service) SendReset(ctx context.Context, payload []byte) error {
	var email string
	if err := json.Unmarshal(payload, &email); err != nil {
		return job.Permanent(fmt.Errorf("read who forgot a password: %w", err))
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		u, err := userByKey(tx, emailKey(email))
		if errors.Is(err, db.ErrNoRows) || err == nil && u.Status != Active {
			return nil
		}
		if err != nil {
			return err
		}
		if err := spoilOnce(tx, purposeReset, u.ID); err != nil {
			return err
		}
		token, d := newToken(oncePrefix)
		if err := insertOnce(tx, d, purposeReset, u.ID, tx.Now.Add(ResetLife)); err != nil {
			return err
		}
		return s.Mail.Send(tx, mail.Message{To: u.Email, Subject: "Set a new password",
			Text: "Somebody, hopefully you, asked for a new password. This link sets it; it works once, for an hour:\n\n" +
				s.Mail.BaseURL + "/reset#token=" + token + "\n\nIf it was not you, do nothing: your password stays.\n"})
	})
}

// Reset sets a new password by a mailed token and ends all sessions.
func (s *Service) Reset(ctx context.Context, token, password string, from audit.Actor) error {
	d, ok := parseToken(oncePrefix, token)
	if !ok {
		return errSpentToken()
	}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		u, err := onceUser(tx, d, purposeReset)
		if err != nil {
			return spent(err)
		}
		found, err := userByID(tx, u)
		if err != nil {
			return err
		}
		return s.check(tx, "password", password, found.Email)
	})
	if err != nil {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		u, err := useOnce(tx, d, purposeReset)
		if err != nil {
			return spent(err)
		}
		found, err := lockUser(tx, u)
		if err != nil {
			return err
		}
		if err := setVerified(tx, u); err != nil {
			return err
		}
		actor := from
		actor.Type, actor.ID, actor.Name, actor.Email = audit.User, int64(u), found.Name, found.Email
		return s.replace(tx, actor, u, hash, 0)
	})
}

// errSpentToken answers one-time tokens that are unknown, used or expired.
func errSpentToken() error {
	return fault.InvalidField("token", "invalid_token", "This link is unknown, was used, or has expired.")
}

func spent(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return errSpentToken()
	}
	return err
}

// NewSuperadmin is what the set-up page sends.
type NewSuperadmin struct {
	Token    string `json:"token" maxLength:"100"`
	Email    string `json:"email" maxLength:"254"`
	Password string `json:"password" maxLength:"1024"`
	Name     string `json:"name" maxLength:"120"`
}

// SetupToken gives a one-time token that makes the first superadmin, or ""
// when there is one already.
func (s *Service) SetupToken(ctx context.Context) (string, error) {
	token, d := newToken(oncePrefix)
	exists := false
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		some, err := superadmins(tx)
		if exists = len(some) > 0; err != nil || exists {
			return err
		}
		return insertOnce(tx, d, purposeSetup, 0, tx.Now.Add(SetupLife))
	})
	if err != nil || exists {
		return "", err
	}
	return token, nil
}

// Setup makes the first superadmin by a one-time token; where there is one, 409
// already_set_up, whatever the token.
func (s *Service) Setup(ctx context.Context, in NewSuperadmin) (User, error) {
	d, ok := parseToken(oncePrefix, in.Token)
	if !ok {
		return User{}, errSpentToken()
	}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		if err := none(tx); err != nil {
			return err
		}
		if _, err := onceUser(tx, d, purposeSetup); err != nil {
			return spent(err)
		}
		return s.check(tx, "password", in.Password, in.Email)
	})
	if err != nil {
		return User{}, err
	}
	return s.first(ctx, in, func(tx *db.Tx) error {
		_, err := useOnce(tx, d, purposeSetup)
		return spent(err)
	})
}

// Bootstrap makes the first superadmin from the configuration. It does nothing
// when there is one, not even hash the password.
func (s *Service) Bootstrap(ctx context.Context, email, password string) error {
	err := s.DB.Read(ctx, none)
	if err == nil {
		_, err = s.first(ctx, NewSuperadmin{Email: email, Password: password, Name: "Superadmin"}, func(*db.Tx) error { return nil })
	}
	if fault.Code(err) == "already_set_up" {
		return nil
	}
	return err
}

// none refuses where there is a superadmin.
func none(tx *db.Tx) error {
	some, err := superadmins(tx)
	if err == nil && len(some) > 0 {
		err = fault.New(fault.Conflict, "already_set_up", "There is a superadmin already; sign in.")
	}
	return err
}

// first makes a superadmin while there is none.
func (s *Service) first(ctx context.Context, in NewSuperadmin, permit func(*db.Tx) error) (User, error) {
	hash, err := s.Hasher.Hash(ctx, in.Password)
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if err := lockPlatform(tx); err != nil {
			return err
		}
		if err := none(tx); err != nil {
			return err
		}
		if err := permit(tx); err != nil {
			return err
		}
		if err := s.check(tx, "password", in.Password, in.Email); err != nil {
			return err
		}
		u, err = makeSuperadmin(tx, in, hash)
		return err
	})
	return u, err
}

// makeSuperadmin creates the user, or raises the one that has the address; its
// sessions end, as they were opened by whoever had the account before.
func makeSuperadmin(tx *db.Tx, in NewSuperadmin, hash string) (User, error) {
	u, err := userByKey(tx, emailKey(in.Email))
	switch {
	case errors.Is(err, db.ErrNoRows):
		u, err = CreateUser(tx, NewUser{Email: in.Email, Name: in.Name, PasswordHash: hash, EmailVerified: true, Superadmin: true})
	case err == nil:
		if err = setSuperadmin(tx, u.ID); err == nil {
			err = setPassword(tx, u.ID, hash)
		}
		if err == nil {
			err = revokeSessions(tx, u.ID, 0)
		}
	}
	if err != nil {
		return User{}, err
	}
	Changed(tx)
	_, err = audit.Record(tx, audit.Event{Actor: audit.Product(""), Action: "superadmin.created", Target: userTarget(u.ID, u.Name)})
	if err != nil {
		return User{}, err
	}
	return UserByID(tx, u.ID)
}

// CreateSuperadmin makes one from the machine itself.
func (s *Service) CreateSuperadmin(ctx context.Context, email, password string) (User, error) {
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if err := s.check(tx, "password", password, email); err != nil {
			return err
		}
		u, err = makeSuperadmin(tx, NewSuperadmin{Email: email, Name: "Superadmin"}, hash)
		return err
	})
	return u, err
}

// ResetPassword sets a user's password from the machine itself and ends all
// sessions.
func (s *Service) ResetPassword(ctx context.Context, email, password string) error {
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		u, err := UserByEmail(tx, email)
		if err != nil {
			return err
		}
		if err := s.check(tx, "password", password, email); err != nil {
			return err
		}
		actor := audit.Product("")
		if err := setPassword(tx, u.ID, hash); err != nil {
			return err
		}
		if err := revokeSessions(tx, u.ID, 0); err != nil {
			return err
		}
		Changed(tx)
		return record(tx, actor, "user.password_changed", userTarget(u.ID, u.Name), nil)
	})
}

// Prune removes what has expired.
func (s *Service) Prune(ctx context.Context) error {
	return s.DB.Write(ctx, prune)
}
