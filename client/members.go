package client

import (
	"context"
	"fmt"
	"time"
)

// Member is a person of an organization.
type Member struct {
	UserID    int64     `json:"user_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"` // owner, manager, member
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// MemberFilter narrows a list of members.
type MemberFilter struct {
	Q    string `query:"q"`    // part of name or e-mail
	Role string `query:"role"` // owner, manager, member
}

// Invitation is a seat kept for somebody.
type Invitation struct {
	ID        int64      `json:"id"`
	Email     string     `json:"email"`
	Role      string     `json:"role"`  // owner, manager, member
	State     string     `json:"state"` // open, accepted, revoked, expired
	InvitedBy *int64     `json:"invited_by"`
	ExpiresAt time.Time  `json:"expires_at"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// IssuedInvitation is a new invitation with a link to hand over, which is shown
// this once.
type IssuedInvitation struct {
	Invitation
	AcceptURL string `json:"accept_url"`
}

// NewInvitation invites somebody as owner, manager or member.
type NewInvitation struct {
	Email string `json:"email"`
	Role  string `json:"role"`
}

// InvitationFilter narrows a list of invitations.
type InvitationFilter struct {
	Q     string `query:"q"`     // part of the e-mail
	State string `query:"state"` // open, accepted, revoked, expired
}

// Acceptance accepts an invitation. Who has no account yet makes one with
// password and name.
type Acceptance struct {
	Token    string `json:"token"`
	Password string `json:"password,omitempty"`
	Name     string `json:"name,omitempty"`
}

// Joined tells which organization was joined.
type Joined struct {
	OrganizationID   int64  `json:"organization_id"`
	OrganizationName string `json:"organization_name"`
	Role             string `json:"role"`
	User             User   `json:"user"`
}

type role struct {
	Role string `json:"role"`
}

// Members lists the members of an organization.
func (c *Client) Members(org OrganizationRef, f MemberFilter) List[Member] {
	return listOf[Member](c, f, "%s/members", org.path())
}

// Member reads a member.
func (c *Client) Member(ctx context.Context, org OrganizationRef, user int64, o ...CallOption) (Member, error) {
	return do[Member](ctx, c, "GET", fmt.Sprintf("%s/members/%d", org.path(), user), nil, o)
}

// ChangeRole makes a member owner, manager or member.
func (c *Client) ChangeRole(ctx context.Context, org OrganizationRef, user int64, to string, o ...CallOption) (Member, error) {
	return do[Member](ctx, c, "PUT", fmt.Sprintf("%s/members/%d", org.path(), user), role{to}, o)
}

// RemoveMember ends a membership.
func (c *Client) RemoveMember(ctx context.Context, org OrganizationRef, user int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("%s/members/%d", org.path(), user), nil, o)
	return err
}

// Invitations lists the invitations of an organization.
func (c *Client) Invitations(org OrganizationRef, f InvitationFilter) List[Invitation] {
	return listOf[Invitation](c, f, "%s/invitations", org.path())
}

// Invite invites somebody.
func (c *Client) Invite(ctx context.Context, org OrganizationRef, in NewInvitation, o ...CallOption) (IssuedInvitation, error) {
	return do[IssuedInvitation](ctx, c, "POST", org.path()+"/invitations", in, o)
}

// Invitation reads an invitation.
func (c *Client) Invitation(ctx context.Context, org OrganizationRef, invitation int64, o ...CallOption) (Invitation, error) {
	return do[Invitation](ctx, c, "GET", fmt.Sprintf("%s/invitations/%d", org.path(), invitation), nil, o)
}

// RevokeInvitation takes an invitation back.
func (c *Client) RevokeInvitation(ctx context.Context, org OrganizationRef, invitation int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("%s/invitations/%d", org.path(), invitation), nil, o)
	return err
}

// AcceptInvitation joins an organization.
func (c *Client) AcceptInvitation(ctx context.Context, in Acceptance, o ...CallOption) (Joined, error) {
	return do[Joined](ctx, c, "POST", "/api/auth/invitations/accept", in, o)
}
