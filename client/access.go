package client

import (
	"context"
	"fmt"
	"time"
)

// Named is a person as others see it.
type Named struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Access is leave to act inside an organization as one of its members, for a
// while and for a reason.
type Access struct {
	ID             int64      `json:"id"`
	OrganizationID int64      `json:"organization_id"`
	UserID         int64      `json:"user_id"` // the member acted for
	Member         Named      `json:"member"`
	Operator       Named      `json:"operator"` // who acts
	Reason         string     `json:"reason"`
	Minutes        int64      `json:"minutes"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      time.Time  `json:"expires_at"`
	EndedAt        *time.Time `json:"ended_at"` // before its time
	EndedBecause   *string    `json:"ended_because"`
	Active         bool       `json:"active"`
}

// IssuedAccess is a new Access with its token, which is shown this once. A
// client made WithToken of it acts for the member until it ends.
type IssuedAccess struct {
	Access
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
}

// AccessRequest asks for an Access of 1 to 480 minutes; without UserID to act
// for the organization's owner.
type AccessRequest struct {
	Reason  string `json:"reason"`
	Minutes int64  `json:"minutes"`
	UserID  int64  `json:"user_id,omitempty"`
}

// ActingFor is by what leave somebody acts for the user of Me.
type ActingFor struct {
	GrantID   int64     `json:"grant_id"`
	Operator  Named     `json:"operator"`
	Reason    string    `json:"reason"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ActingParty is who acts for a token's subject (RFC 8693).
type ActingParty struct {
	Subject  string `json:"sub"` // user:7
	Username string `json:"username"`
	GrantID  int64  `json:"grant_id"`
}

// GrantAccess gives the caller leave to act for a member of an organization.
func (c *Client) GrantAccess(ctx context.Context, org OrganizationRef, in AccessRequest, o ...CallOption) (IssuedAccess, error) {
	return do[IssuedAccess](ctx, c, "POST", org.path()+"/access", in, o)
}

// Accesses lists who may act, or might, for members of an organization.
func (c *Client) Accesses(org OrganizationRef) List[Access] {
	return listOf[Access](c, nil, "%s/access", org.path())
}

// Access reads one of them, one that is over too.
func (c *Client) Access(ctx context.Context, org OrganizationRef, grant int64, o ...CallOption) (Access, error) {
	return do[Access](ctx, c, "GET", fmt.Sprintf("%s/access/%d", org.path(), grant), nil, o)
}

// EndAccess ends one of them before its time.
func (c *Client) EndAccess(ctx context.Context, org OrganizationRef, grant int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("%s/access/%d", org.path(), grant), nil, o)
	return err
}
