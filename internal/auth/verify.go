package auth

import (
	"errors"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
)

// VerifyPath is where the link of a mail leads that asks to confirm an address.
const VerifyPath = "/verify"

// Whoever asks for another link waits: a minute after the first, then twice as
// long after each, up to an hour.
const (
	firstMailPause = time.Minute
	maxMailPause   = time.Hour
)

// VerificationLink makes the link, below base, by which the user confirms the
// address that the account has now: good for VerifyLife, once, for this user
// alone and only while the account keeps the address. Links of before end.
//
// The token stands in the query, where a page without a script can read it,
// and not in the fragment like those of links that need nobody signed in: to
// whoever finds it in a log it is worth nothing without the user's session.
func VerificationLink(tx *db.Tx, base string, u id.User) (string, error) {
	if err := spoilOnce(tx, purposeVerify, u); err != nil {
		return "", err
	}
	token, d := newToken(oncePrefix)
	if err := insertVerification(tx, d, u, tx.Now.Add(VerifyLife)); err != nil {
		return "", err
	}
	return base + VerifyPath + "?token=" + token, nil
}

// SendVerification mails the actor another link to confirm the own address. It
// is 409 already_verified where that is done, and 429 where the link before
// was asked for a moment ago.
func (s *Service) SendVerification(tx *db.Tx, actor audit.Actor) error {
	asked := subject("verification", strconv.FormatInt(int64(actor.UserID()), 10))
	if err := lockThrottle(tx, asked); err != nil {
		return err
	}
	u, err := lockUser(tx, actor.UserID())
	if err != nil {
		return missing(err)
	}
	if u.EmailVerified {
		return fault.New(fault.Conflict, "already_verified", "The e-mail address is confirmed already.")
	}
	if err := countMail(tx, asked); err != nil {
		return err
	}
	link, err := VerificationLink(tx, s.Mail.BaseURL, u.ID)
	if err != nil {
		return err
	}
	if err := s.Mail.Send(tx, mail.Message{To: u.Email, Subject: "Confirm your e-mail address",
		Text: "This link confirms that the address is yours; sign in and follow it. It works once, for seven days:\n\n" +
			link + "\n\nIf you have no account here, do nothing.\n"}); err != nil {
		return err
	}
	return record(tx, actor, "user.verification_sent", userTarget(u.ID, u.Name), nil)
}

// countMail counts a mail and begins the pause before the next; within one it
// refuses. The subject is locked.
func countMail(tx *db.Tx, subject string) error {
	until, err := blockedUntil(tx, subject, subject)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if until > tx.Now {
		return fault.New(fault.TooMany, "too_many_mails", "A mail was sent a moment ago. Look for it, or wait before asking for another.").
			After(time.Duration(until-tx.Now) * time.Microsecond)
	}
	n, err := countFailure(tx, subject)
	if err != nil {
		return err
	}
	return block(tx, subject, tx.Now.Add(min(firstMailPause<<min(n-1, 10), maxMailPause)))
}

// VerifyEmail confirms the actor's own address by the token of a mailed link.
// One that is unknown, was used, has expired, is another user's, or was mailed
// to an address that the account no longer has, is 422 invalid_token.
func VerifyEmail(tx *db.Tx, actor audit.Actor, token string) (User, error) {
	d, ok := parseToken(oncePrefix, token)
	if !ok {
		return User{}, errNoProof()
	}
	before, err := lockUser(tx, actor.UserID())
	if err != nil {
		return User{}, missing(err)
	}
	switch err := useVerification(tx, d, before.ID); {
	case errors.Is(err, db.ErrNoRows):
		return User{}, errNoProof()
	case err != nil:
		return User{}, err
	}
	if before.EmailVerified { // by another link, meanwhile
		return before, nil
	}
	if err := Proved(tx, before.ID); err != nil {
		return User{}, err
	}
	after, err := userByID(tx, before.ID)
	if err != nil {
		return User{}, err
	}
	return after, record(tx, actor, "user.email_verified", userTarget(after.ID, after.Name),
		audit.Changes{"email_verified": {Old: false, New: true}})
}

// errNoProof answers every token that proves nothing of this account alike.
func errNoProof() error {
	return fault.InvalidField("token", "invalid_token", "This link is unknown, was used, has expired, or was mailed to another account.")
}
