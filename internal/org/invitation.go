package org

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/effect"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/page"
	"github.com/tenantry/tenantry/internal/quota"
	"github.com/tenantry/tenantry/internal/text"
)

// InvitationLife is how long an invitation stays open and holds its seat.
const InvitationLife = 7 * 24 * time.Hour

const (
	invitationPrefix  = "tnt_in_"
	invitationEntropy = 32 // bytes
)

// InvitationState is how an invitation stands.
type InvitationState string

// The states.
const (
	Open     InvitationState = "open"
	Accepted InvitationState = "accepted"
	Revoked  InvitationState = "revoked"
	Expired  InvitationState = "expired"
)

// Invitation asks a person to become a member.
type Invitation struct {
	ID        id.Invitation   `json:"id"`
	Email     string          `json:"email"`
	Role      Role            `json:"role" enum:"owner,manager,member"`
	State     InvitationState `json:"state" enum:"open,accepted,revoked,expired"`
	InvitedBy *id.User        `json:"invited_by"`
	ExpiresAt db.Time         `json:"expires_at"`
	CreatedAt db.Time         `json:"created_at"`
	UpdatedAt db.Time         `json:"updated_at" doc:"When it was made or ended"`
	EndedAt   *db.Time        `json:"ended_at" doc:"When it was accepted, revoked or expired"`
}

// Revision is always the first: nothing of an invitation can be edited.
func (Invitation) Revision() int64 { return 1 }

// Issued is a new invitation with its link, which is shown this once.
type Issued struct {
	Invitation
	AcceptURL string `json:"accept_url" doc:"For the invited person; shown this once"`
}

// NewInvitation names whom to invite.
type NewInvitation struct {
	Email string `json:"email" maxLength:"254" example:"jane@example.com"`
	Role  Role   `json:"role" enum:"owner,manager,member" example:"member"`
}

// Service is what of an organization needs more than a transaction: mail, and
// passwords of those who join.
type Service struct {
	DB   *db.DB
	Auth *auth.Service
	Mail *mail.Outbox
}

// ticket is a fresh secret and what is stored of it.
func ticket() (token string, hash []byte) {
	var b [invitationEntropy]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	token = invitationPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(token))
	return token, sum[:]
}

func (s *Service) link(token string) string { return s.Mail.BaseURL + "/accept#token=" + token }

// Invite takes a seat for a person and mails the way in. The inviter is shown a
// link too; only the mailed one proves the address. A full organization is 403
// limit_exceeded, somebody who is in or invited already 409, and so is an
// archived one.
func (s *Service) Invite(tx *db.Tx, actor audit.Actor, organization id.Organization, in NewInvitation) (Issued, error) {
	var v fault.Validation
	email, key := text.Email("email", in.Email, &v)
	if !in.Role.Valid() {
		v.Add("role", "unknown_value", "Use owner, manager or member.")
	}
	if err := v.Err(); err != nil {
		return Issued{}, err
	}
	_, admin, err := lock(tx, organization)
	if err != nil {
		return Issued{}, err
	}
	if err := checkOpen(tx, actor, organization); err != nil {
		return Issued{}, err
	}
	if err := mayMake(tx, actor, organization, in.Role); err != nil {
		return Issued{}, err
	}
	if err := expire(tx, organization); err != nil {
		return Issued{}, err
	}
	shown, tokenHash := ticket()
	mailed, mailHash := ticket()
	i := Invitation{Email: email, Role: in.Role, State: Open, InvitedBy: id.Ref(actor.UserID()),
		CreatedAt: tx.Now, UpdatedAt: tx.Now, ExpiresAt: tx.Now.Add(InvitationLife)}
	if i.ID, err = admit(tx, organization, i, key, tokenHash, mailHash); err != nil {
		return Issued{}, err
	}
	if err := invitationChanged(tx, actor, organization, admin, "invitation.created", i, audit.Changes{
		"email": {New: i.Email}, "role": {New: i.Role}, "expires_at": {New: i.ExpiresAt}}); err != nil {
		return Issued{}, err
	}
	return Issued{i, s.link(shown)}, s.write(tx, organization, i, actor, mailed)
}

// admit refuses who is in or invited already, takes the seat and stores the
// invitation.
func admit(tx *db.Tx, organization id.Organization, i Invitation, key string, tokenHash, mailHash []byte) (id.Invitation, error) {
	in, err := memberByEmail(tx, organization, key)
	if err != nil {
		return 0, err
	}
	if in {
		return 0, fault.New(fault.Conflict, "already_member", "This person is a member already.")
	}
	n, err := insertInvitation(tx, organization, i, key, tokenHash, mailHash)
	if errors.Is(err, db.ErrNoRows) {
		return 0, fault.New(fault.Conflict, "already_invited", "This person has an open invitation. Revoke it to send another.")
	}
	if err != nil {
		return 0, err
	}
	seats, err := quota.SeatLimit(tx, organization)
	if err != nil {
		return 0, err
	}
	free, err := reserveSeat(tx, organization, seats.Limit)
	if err == nil && !free {
		e := fault.New(fault.Forbidden, "limit_exceeded", "All seats are taken, by members or open invitations.")
		e.Fields = []fault.Field{{Field: "max_users", Code: "limit_exceeded", Message: "All seats are taken."}}
		err = e.With("limit", seats.Limit).With("remaining", int64(0)).With("decided_by", seats.By)
	}
	if err != nil {
		return 0, err
	}
	return n, seated(tx, organization)
}

// write queues the mail to the invited person.
func (s *Service) write(tx *db.Tx, organization id.Organization, i Invitation, actor audit.Actor, token string) error {
	name, err := nameOf(tx, organization)
	if err != nil {
		return err
	}
	by := "You are invited to join "
	if actor.Name != "" {
		by = actor.Name + " invites you to join "
	}
	return s.Mail.Send(tx, mail.Message{To: i.Email, From: name, Subject: "Invitation to " + name,
		Text: fmt.Sprintf("%s%s as %s. This link accepts; it works once, until %s:\n\n%s\n\nIf you do not want to, do nothing.\n",
			by, name, i.Role, i.ExpiresAt.Std().Format("2 January 2006"), s.link(token))})
}

// InvitationFilter narrows a list of invitations; zero values filter nothing.
type InvitationFilter struct {
	State InvitationState
	Q     string // contained in the address
}

// Invitations lists an organization's invitations, newest first.
func Invitations(tx *db.Tx, organization id.Organization, f InvitationFilter, r page.Request) (page.List[Invitation], error) {
	return listInvitations(tx, organization, f, r)
}

// InvitationOf gives one; fault.Missing where the organization has no such.
func InvitationOf(tx *db.Tx, organization id.Organization, invitation id.Invitation) (Invitation, error) {
	i, err := findInvitation(tx, organization, invitation)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.Missing()
	}
	return i, err
}

// Revoke ends an open invitation and frees its seat. One that ended already is
// 409 invalid_transition.
func Revoke(tx *db.Tx, actor audit.Actor, organization id.Organization, invitation id.Invitation) error {
	_, admin, err := lock(tx, organization)
	if err != nil {
		return err
	}
	if err := expire(tx, organization); err != nil {
		return err
	}
	i, err := InvitationOf(tx, organization, invitation)
	if err != nil {
		return err
	}
	if i.State != Open {
		return fault.New(fault.Conflict, "invalid_transition", "The invitation is not open any more.").
			With("current_status", i.State).With("allowed", []InvitationState{})
	}
	if err := mayMake(tx, actor, organization, i.Role); err != nil {
		return err
	}
	if err := endInvitation(tx, organization, invitation, Revoked); err != nil {
		return err
	}
	if err := freeSeats(tx, organization, 1); err != nil {
		return err
	}
	effect.Add(tx, effect.Invitations, 1)
	if err := seated(tx, organization); err != nil {
		return err
	}
	return invitationChanged(tx, actor, organization, admin, "invitation.revoked", i, audit.Changes{"state": {Old: Open, New: Revoked}})
}

// invitationChanged records what was done to an invitation.
func invitationChanged(tx *db.Tx, actor audit.Actor, organization id.Organization, admin id.Admin, action string, i Invitation, changes audit.Changes) error {
	effect.Add(tx, effect.Users, 1)
	_, err := audit.Record(tx, audit.Event{
		Actor: actor, Action: action, Changes: changes,
		Target:       audit.Target{Type: "invitation", ID: int64(i.ID), Name: i.Email},
		Organization: organization, Admin: admin,
	})
	return err
}

// expire ends the organization's invitations that are over and frees their
// seats. The organization is locked.
func expire(tx *db.Tx, organization id.Organization) error {
	n, err := expireInvitations(tx, organization)
	if err != nil || n == 0 {
		return err
	}
	if err := freeSeats(tx, organization, n); err != nil {
		return err
	}
	return seated(tx, organization)
}

// ExpireInvitations frees the seats of invitations that are over, everywhere,
// an organization a transaction. For a schedule; inviting frees them too.
func ExpireInvitations(ctx context.Context, d *db.DB) error {
	for {
		var due []id.Organization
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = withExpired(tx, 100)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, o := range due {
			err := d.Write(ctx, func(tx *db.Tx) error {
				if _, _, err := lock(tx, o); err != nil {
					return err
				}
				return expire(tx, o)
			})
			if err != nil {
				return fmt.Errorf("expire invitations: %w", err)
			}
		}
	}
}
