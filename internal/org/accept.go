package org

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/text"
)

// Acceptance is what an invited person sends.
type Acceptance struct {
	Token    string `json:"token" maxLength:"100" doc:"From the link"`
	Password string `json:"password,omitempty" required:"false" maxLength:"1024" doc:"Of the account with the address; a new one needs it, and another unless its holder is signed in or uses the mailed link"`
	Name     string `json:"name,omitempty" required:"false" maxLength:"480" example:"Jane Doe" doc:"Of a new account; the local part of the address where absent"`
}

// Joined is who became a member of what.
type Joined struct {
	OrganizationID   id.Organization `json:"organization_id"`
	OrganizationName string          `json:"organization_name"`
	Role             Role            `json:"role" enum:"owner,manager,member"`
	User             auth.User       `json:"user"`
}

// offer is an open invitation as its token finds it.
type offer struct {
	Invitation
	organization id.Organization
	mailed       bool // by the mailed link, which proves the address
}

// errToken answers tokens that are unknown, used, revoked and expired alike.
func errToken() error {
	return fault.InvalidField("token", "invalid_token", "This invitation is unknown, was used or revoked, or has expired.")
}

// Accept makes the invited person a member. An account that exists joins as it
// is when its holder accepts: who is signed in (signedIn), gives its password,
// or used the mailed link to its verified address. Otherwise a new account is
// made of password and name, which is the local part of the address where none
// is given. A token is good once, whatever the concurrency.
func (s *Service) Accept(ctx context.Context, from audit.Actor, signedIn id.User, in Acceptance) (Joined, error) {
	if !strings.HasPrefix(in.Token, invitationPrefix) {
		return Joined{}, errToken()
	}
	sum := sha256.Sum256([]byte(in.Token))
	account, err := s.prepare(ctx, from, signedIn, sum[:], in)
	if err != nil {
		return Joined{}, err
	}
	var j Joined
	err = s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		j, err = join(tx, from, sum[:], account)
		return err
	})
	return j, err
}

// prepare does what is slow before the transaction: it checks the password, or
// hashes one for a new account, which it gives.
func (s *Service) prepare(ctx context.Context, from audit.Actor, signedIn id.User, hash []byte, in Acceptance) (*auth.NewUser, error) {
	var o offer
	var u auth.User
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if o, err = offered(tx, hash); err != nil {
			return err
		}
		u, err = auth.UserByEmail(tx, o.Email)
		known := !fault.Is(err, fault.NotFound)
		if known && (err != nil || in.Password != "" || o.proves(u, signedIn)) {
			return err
		}
		return s.checkNew(tx, o.Email, in) // the same of an account that is there
	})
	switch {
	case err != nil:
		return nil, err
	case u.ID == 0:
		h, err := s.Auth.Hasher.Hash(ctx, in.Password)
		local, _, _ := strings.Cut(o.Email, "@")
		return &auth.NewUser{Email: o.Email, Name: cmp.Or(in.Name, local), PasswordHash: h, EmailVerified: o.mailed}, err
	case u.Status != auth.Active:
		return nil, fault.New(fault.Conflict, "user_disabled", "The account with this e-mail address is disabled.")
	case o.proves(u, signedIn):
		return nil, nil
	}
	return nil, s.Auth.Prove(ctx, o.Email, in.Password, from)
}

// proves reports whether it is shown that the account's holder accepts: it is
// signed in, or used the link that was mailed to its verified address. The
// link that the inviter was shown proves nothing.
func (o offer) proves(u auth.User, signedIn id.User) bool {
	return u.ID == signedIn || u.EmailVerified && o.mailed
}

// checkNew validates what a new account needs.
func (s *Service) checkNew(tx *db.Tx, email string, in Acceptance) error {
	least, err := s.Auth.MinLength(tx)
	if err != nil {
		return err
	}
	var v fault.Validation
	if in.Password == "" {
		v.Add("password", "required", "Give a password; or sign in first, if there is an account with this address.")
	} else {
		auth.CheckPassword("password", in.Password, email, least, &v)
	}
	if in.Name != "" {
		text.Name("name", in.Name, auth.MaxName, &v)
	}
	return v.Err()
}

// offered finds the open invitation of a token.
func offered(tx *db.Tx, hash []byte) (offer, error) {
	o, err := findOffer(tx, hash)
	if errors.Is(err, db.ErrNoRows) {
		err = errToken()
	}
	return o, err
}

// join uses the token up and makes the membership. account is nil for a person
// who has an account already.
func join(tx *db.Tx, from audit.Actor, hash []byte, account *auth.NewUser) (Joined, error) {
	o, err := offered(tx, hash)
	if err != nil {
		return Joined{}, err
	}
	_, admin, err := lock(tx, o.organization)
	if err != nil {
		return Joined{}, err
	}
	if o, err = offered(tx, hash); err != nil { // as it is under the lock
		return Joined{}, err
	}
	organization, err := Detail(tx, o.organization)
	if err != nil {
		return Joined{}, err
	}
	if err := organization.open(); err != nil {
		return Joined{}, err
	}
	u, err := userOf(tx, o, account)
	if err != nil {
		return Joined{}, err
	}
	if err := seat(tx, o, u); err != nil {
		return Joined{}, err
	}
	actor := from
	actor.Type, actor.ID, actor.Name, actor.Email = audit.User, int64(u.ID), u.Name, u.Email
	tx.Publish("auth", "")
	if err := invitationChanged(tx, actor, o.organization, admin, "invitation.accepted", o.Invitation, audit.Changes{
		"state": {Old: Open, New: Accepted}, "role": {New: o.Role}}); err != nil {
		return Joined{}, err
	}
	err = tell(tx, actor, organization, "member.joined", "A member joined", fmt.Sprintf("%s joined %s as %s.", u.Name, organization.Name, o.Role))
	return Joined{OrganizationID: o.organization, OrganizationName: organization.Name, Role: o.Role, User: u}, err
}

// open refuses to let anybody into an organization on hold.
func (o Organization) open() error {
	switch {
	case o.Status != Active:
		return auth.OrganizationSuspended.Refusal()
	case o.AdminSuspended:
		return auth.AdminSuspended.Refusal()
	}
	return nil
}

// userOf gives the account that joins, made now where there was none.
func userOf(tx *db.Tx, o offer, account *auth.NewUser) (auth.User, error) {
	if account != nil {
		return auth.CreateUser(tx, *account)
	}
	u, err := auth.UserByEmail(tx, o.Email)
	if err != nil || !o.mailed || u.EmailVerified {
		return u, err
	}
	if err := auth.Proved(tx, u.ID); err != nil {
		return u, err
	}
	return auth.UserByID(tx, u.ID)
}

// seat turns the invitation's seat into the member's.
func seat(tx *db.Tx, o offer, u auth.User) error {
	added, err := insertMember(tx, o.organization, u.ID, o.Role)
	if err != nil {
		return err
	}
	if !added {
		return fault.New(fault.Conflict, "already_member", "You are a member already.")
	}
	if err := endInvitation(tx, o.organization, o.ID, Accepted); err != nil {
		return err
	}
	if err := fillSeat(tx, o.organization); err != nil {
		return err
	}
	return settleOwner(tx, o.organization)
}
