package api

import (
	"context"

	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// authRoutes are signing in and what belongs to it.
func (s *Server) authRoutes() []route {
	return append(s.signInRoutes(), s.accountRoutes()...)
}

func authOp(method, path, oid, summary string, may auth.Permission) op {
	return op{Method: method, Path: "/api/auth" + path, ID: oid, Tag: "Accounts", Summary: summary, May: may, NoDryRun: true}
}

func (s *Server) signInRoutes() []route {
	at := authOp
	reset := at("POST", "/password/reset", "reset-password", "Set a new password by a mailed link", auth.Public)
	reset.Status = 204
	forgot := at("POST", "/password/forgot", "forgot-password", "Ask for a link to set a new password", auth.Public)
	forgot.Description = "Answers the same whether or not the address is known."
	setup := at("POST", "/setup", "set-up", "Make the first superadmin by the one-time link", auth.Public)
	setup.Status, setup.Refuses = 201, []int{409}
	login := at("POST", "/login", "login", "Sign in", auth.Public)
	login.Refuses = []int{401}
	refresh := at("POST", "/refresh", "refresh", "Trade a refresh token for new tokens", auth.Public)
	refresh.Refuses, refresh.Proves = []int{401}, true
	return []route{
		direct(login,
			func(ctx context.Context, c *Call, in *struct{ Body auth.Credentials }) (auth.Tokens, error) {
				return s.Auth.Login(ctx, in.Body, c.Actor)
			}),
		direct(refresh,
			func(ctx context.Context, _ *Call, in *struct{ Body refreshBody }) (auth.Tokens, error) {
				return s.Auth.Refresh(ctx, in.Body.RefreshToken)
			}),
		direct(setup, func(ctx context.Context, c *Call, in *struct{ Body auth.NewSuperadmin }) (auth.User, error) {
			u, err := s.Auth.Setup(ctx, in.Body)
			c.Created("/api/auth/me")
			return u, err
		}),
		direct(forgot, func(ctx context.Context, _ *Call, in *struct{ Body forgotBody }) (accepted, error) {
			return accepted{Accepted: true}, s.Auth.Forgot(ctx, in.Body.Email)
		}),
		direct(reset, func(ctx context.Context, c *Call, in *struct{ Body resetBody }) (none, error) {
			return none{}, s.Auth.Reset(ctx, in.Body.Token, in.Body.Password, c.Actor)
		}),
	}
}

// accountRoutes are what somebody who is signed in does with the own account.
func (s *Server) accountRoutes() []route {
	at := authOp
	password := at("POST", "/password/change", "change-password", "Change the own password; all other sessions end", auth.Account)
	password.Refuses = []int{429}
	profile := at("PUT", "/me", "edit-me", "Change the own profile", auth.Account)
	profile.Lock = func(tx *db.Tx, c *Call) (int64, error) { return auth.LockUser(tx, c.Principal.User.ID) }
	verify := at("POST", "/email/verify", "verify-email", "Confirm the own e-mail address by a mailed link", auth.Account)
	verify.Description = "The token is good once, for seven days, for the user it was mailed to, and only while the account has that address."
	send := at("POST", "/email/send", "send-email-verification", "Have a link mailed that confirms the own e-mail address", auth.Account)
	send.Refuses = []int{409, 429}
	send.Description = "Ends the links that were mailed before. Asking again too soon is 429."
	introspect := at("POST", "/introspect", "introspect", "Ask what a token stands for (RFC 7662)", auth.Introspect)
	introspect.Form = true
	introspect.Description = "A key of an organization is told of its members and its own keys alone. As RFC 7662 has it, the body may be a form."
	return []route{
		change(at("POST", "/logout", "logout", "Sign out: end this session, or the leave to act for a member", auth.Profile),
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, auth.Logout(tx, c.Actor, c.Principal)
			}),
		prepared(password,
			func(ctx context.Context, c *Call, in *struct{ Body auth.PasswordChange }) (func(tx *db.Tx) (none, error), error) {
				f, err := s.Auth.ChangePassword(ctx, c.Actor, c.Principal, in.Body)
				return func(tx *db.Tx) (none, error) { return none{}, f(tx) }, err
			}),
		read(at("GET", "/me", "me", "Who am I, and what may I", auth.Profile),
			func(tx *db.Tx, c *Call, _ *struct{}) (auth.Me, error) { return auth.Whoami(tx, c.Principal) }),
		change(profile,
			func(tx *db.Tx, c *Call, in *struct{ Body auth.ProfileEdit }) (auth.User, error) {
				return auth.EditProfile(tx, c.Actor, in.Body)
			}),
		change(verify,
			func(tx *db.Tx, c *Call, in *struct{ Body verifyBody }) (auth.User, error) {
				return auth.VerifyEmail(tx, c.Actor, in.Body.Token)
			}),
		change(send,
			func(tx *db.Tx, c *Call, _ *struct{}) (accepted, error) {
				return accepted{Accepted: true}, s.Auth.SendVerification(tx, c.Actor)
			}),
		read(at("GET", "/sessions", "list-sessions", "List the own sessions", auth.Account),
			func(tx *db.Tx, c *Call, in *ListInput) (page.List[auth.Session], error) {
				r, err := in.page()
				if err != nil {
					return page.List[auth.Session]{}, err
				}
				return auth.Sessions(tx, c.Principal.User.ID, c.Principal.Session, r)
			}),
		change(at("DELETE", "/sessions/{id}", "revoke-session", "End one of the own sessions", auth.Account),
			func(tx *db.Tx, c *Call, _ *struct{}) (none, error) {
				return none{}, auth.RevokeSession(tx, c.Actor, id.Session(c.ID("id")))
			}),
		change(at("POST", "/switch", "switch-organization", "Choose the active organization of this session", auth.Account),
			func(tx *db.Tx, c *Call, in *struct{ Body switchBody }) (auth.Me, error) {
				if err := auth.Switch(tx, c.Actor, c.Principal, id.Val(in.Body.OrganizationID)); err != nil {
					return auth.Me{}, err
				}
				p, err := s.Auth.Recheck(tx, c.Principal)
				if err != nil {
					return auth.Me{}, err
				}
				return auth.Whoami(tx, p)
			}),
		direct(introspect, func(ctx context.Context, c *Call, in *struct{ Body tokenBody }) (auth.Introspection, error) {
			return s.Auth.Introspect(ctx, c.Principal.Key.Organization, in.Body.Token)
		}),
	}
}

type (
	refreshBody struct {
		RefreshToken string `json:"refresh_token" maxLength:"256"`
	}
	forgotBody struct {
		Email string `json:"email" maxLength:"254"`
	}
	resetBody struct {
		Token    string `json:"token" maxLength:"256"`
		Password string `json:"password" maxLength:"1024"`
	}
	verifyBody struct {
		Token string `json:"token" maxLength:"256" doc:"From the link"`
	}
	switchBody struct {
		OrganizationID *id.Organization `json:"organization_id" minimum:"1" doc:"null: none in particular, as after signing in"`
	}
	tokenBody struct {
		Token string `json:"token" maxLength:"256"`
		Hint  string `json:"token_type_hint,omitempty" required:"false" maxLength:"100" doc:"Taken, and not needed: a token says of what kind it is"`
	}
	accepted struct {
		Accepted bool `json:"accepted"`
	}
)
