package client

import (
	"context"
	"fmt"
	"time"
)

// User is a person with an account.
type User struct {
	ID            int64     `json:"id"`
	Email         string    `json:"email"`
	Name          string    `json:"name"`
	Phone         *string   `json:"phone"`
	EmailVerified bool      `json:"email_verified"` // a link mailed to the address was used
	Superadmin    bool      `json:"superadmin"`
	Status        string    `json:"status"` // active, disabled
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// Credentials sign a person in.
type Credentials struct {
	Email          string `json:"email"`
	Password       string `json:"password"`
	OrganizationID int64  `json:"organization_id,omitempty"` // the active one, if not the first
}

// Tokens are what signing in gives. ExpiresIn is the life of the access token
// in seconds; the refresh token works once.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	User         User   `json:"user"`
}

// Me is who the caller is and what it may.
type Me struct {
	User         User                `json:"user"`
	Roles        []Role              `json:"roles"`
	Organization *ActiveOrganization `json:"organization"` // nil where there is none
	Acting       *ActingFor          `json:"acting"`       // who acts for the user; nil where it is the user
}

// ActiveOrganization is what "my organization" means in a session.
type ActiveOrganization struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Slug      string `json:"slug"`
	Suspended bool   `json:"suspended"`
}

// Role is one role of a person: superadmin, admin (of AdminID), or owner,
// manager or member (of OrganizationID).
type Role struct {
	Role           string `json:"role"`
	AdminID        *int64 `json:"admin_id"`
	OrganizationID *int64 `json:"organization_id"`
	Suspended      bool   `json:"suspended"`
}

// ProfileEdit changes the own account; a null phone removes it.
type ProfileEdit struct {
	Name  Optional[string] `json:"name,omitzero"`
	Phone Optional[string] `json:"phone,omitzero"`
}

// Session is one sign-in.
type Session struct {
	ID             int64     `json:"id"`
	OrganizationID *int64    `json:"organization_id"`
	IP             string    `json:"ip"`
	UserAgent      string    `json:"user_agent"`
	Current        bool      `json:"current"` // the one that asks
	CreatedAt      time.Time `json:"created_at"`
	LastUsedAt     time.Time `json:"last_used_at"`
	ExpiresAt      time.Time `json:"expires_at"`
}

// PasswordChange gives the caller another password.
type PasswordChange struct {
	OldPassword string `json:"old_password"`
	NewPassword string `json:"new_password"`
}

// PasswordReset sets a password by a mailed token.
type PasswordReset struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

// Setup makes the first superadmin by the one-time token that the server
// printed.
type Setup struct {
	Token    string `json:"token"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
}

// Introspection is what a token stands for (RFC 7662). Of one that is not
// active nothing else is told.
type Introspection struct {
	Active         bool   `json:"active"`
	TokenType      string `json:"token_type"`
	Subject        string `json:"sub"`       // user:7, key:3
	ClientID       string `json:"client_id"` // of a key
	Username       string `json:"username"`
	Scope          string `json:"scope"`
	IssuedAt       int64  `json:"iat"` // in seconds since 1970
	ExpiresAt      int64  `json:"exp"` // zero: by no time
	OrganizationID *int64 `json:"organization_id"`
	// Act is who acts for the subject, if another.
	Act       *ActingParty `json:"act"`
	Suspended bool         `json:"suspended"` // the organization that the person would act in
}

type (
	refreshToken struct {
		RefreshToken string `json:"refresh_token"`
	}
	address struct {
		Email string `json:"email"`
	}
	organizationID struct {
		OrganizationID *int64 `json:"organization_id"`
	}
	mailedToken struct {
		Token string `json:"token"`
	}
	someToken struct {
		Token string `json:"token"`
		Hint  string `json:"token_type_hint"`
	}
	// accepted says that a request was taken, and nothing else.
	accepted struct {
		Accepted bool `json:"accepted"`
	}
)

// VerifyEmail confirms the own address by the token of a mailed link.
func (c *Client) VerifyEmail(ctx context.Context, token string, o ...CallOption) (User, error) {
	return do[User](ctx, c, "POST", "/api/auth/email/verify", mailedToken{token}, o)
}

// SendEmailVerification has another link mailed that confirms the own address.
func (c *Client) SendEmailVerification(ctx context.Context, o ...CallOption) error {
	_, err := do[accepted](ctx, c, "POST", "/api/auth/email/send", nil, o)
	return err
}

// Login trades a password for tokens; see SignIn for a client that acts with
// them.
func (c *Client) Login(ctx context.Context, in Credentials, o ...CallOption) (Tokens, error) {
	return do[Tokens](ctx, c, "POST", "/api/auth/login", in, o)
}

// Refresh trades a refresh token for new tokens. The old one is spoilt; using
// it again ends the session.
func (c *Client) Refresh(ctx context.Context, token string, o ...CallOption) (Tokens, error) {
	return do[Tokens](ctx, c, "POST", "/api/auth/refresh", refreshToken{token}, o)
}

// Logout ends the session.
func (c *Client) Logout(ctx context.Context, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "POST", "/api/auth/logout", nil, o)
	return err
}

// Me tells who the caller is.
func (c *Client) Me(ctx context.Context, o ...CallOption) (Me, error) {
	return do[Me](ctx, c, "GET", "/api/auth/me", nil, o)
}

// EditMe changes the own account.
func (c *Client) EditMe(ctx context.Context, in ProfileEdit, o ...CallOption) (User, error) {
	return do[User](ctx, c, "PUT", "/api/auth/me", in, o)
}

// Sessions lists the own sessions.
func (c *Client) Sessions() List[Session] { return listOf[Session](c, nil, "/api/auth/sessions") }

// RevokeSession ends one of the own sessions.
func (c *Client) RevokeSession(ctx context.Context, session int64, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "DELETE", fmt.Sprintf("/api/auth/sessions/%d", session), nil, o)
	return err
}

// SwitchOrganization chooses the active organization of this session; zero is
// none in particular.
func (c *Client) SwitchOrganization(ctx context.Context, organization int64, o ...CallOption) (Me, error) {
	var in organizationID
	if organization != 0 {
		in.OrganizationID = &organization
	}
	return do[Me](ctx, c, "POST", "/api/auth/switch", in, o)
}

// ChangePassword gives the caller another password; all other sessions end.
func (c *Client) ChangePassword(ctx context.Context, in PasswordChange, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "POST", "/api/auth/password/change", in, o)
	return err
}

// ForgotPassword mails a link to set a new password, if the address is known;
// it answers the same if not.
func (c *Client) ForgotPassword(ctx context.Context, email string, o ...CallOption) error {
	_, err := do[accepted](ctx, c, "POST", "/api/auth/password/forgot", address{email}, o)
	return err
}

// ResetPassword sets a new password by a mailed token; all sessions end.
func (c *Client) ResetPassword(ctx context.Context, in PasswordReset, o ...CallOption) error {
	_, err := do[nothing](ctx, c, "POST", "/api/auth/password/reset", in, o)
	return err
}

// SetUp makes the first superadmin.
func (c *Client) SetUp(ctx context.Context, in Setup, o ...CallOption) (User, error) {
	return do[User](ctx, c, "POST", "/api/auth/setup", in, o)
}

// Introspect asks what a token stands for; for services.
func (c *Client) Introspect(ctx context.Context, token string, o ...CallOption) (Introspection, error) {
	return do[Introspection](ctx, c, "POST", "/api/auth/introspect", someToken{Token: token, Hint: "access_token"}, o)
}
