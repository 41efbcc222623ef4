package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// credential is what a client acts with.
type credential interface {
	// token is what to send now.
	token(ctx context.Context, c *Client) (string, error)
	// renew makes sure that token gives another one than spent, which the
	// server refused.
	renew(ctx context.Context, c *Client, spent string) error
}

// fixed is a token that stays as it is.
type fixed string

var errFixed = errors.New("client: this token cannot be renewed")

func (f fixed) token(context.Context, *Client) (string, error) { return string(f), nil }
func (f fixed) renew(context.Context, *Client, string) error   { return errFixed }

// A renewal is done this long before the access token ends, and never takes
// longer than the other.
const (
	early       = 30 * time.Second
	renewalTime = 20 * time.Second
)

// session renews its access token: before it ends, and when it is refused.
type session struct {
	keep func(Tokens)
	turn chan struct{} // holds one permit: who has it may renew

	mu     sync.Mutex // guards what follows
	tokens Tokens
	until  time.Time // when to renew
}

func newSession(t Tokens, keep func(Tokens)) *session {
	s := &session{keep: keep, turn: make(chan struct{}, 1)}
	s.set(t)
	return s
}

func (s *session) set(t Tokens) {
	life := time.Duration(t.ExpiresIn) * time.Second
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens, s.until = t, time.Now().Add(life-min(early, life/4))
}

func (s *session) current() (t Tokens, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens, s.tokens.AccessToken != "" && time.Now().Before(s.until)
}

func (s *session) token(ctx context.Context, c *Client) (string, error) {
	t, fresh := s.current()
	if !fresh {
		if err := s.renew(ctx, c, t.AccessToken); err != nil {
			return "", err
		}
		t, _ = s.current()
	}
	return t.AccessToken, nil
}

// renew trades the refresh token once, however many ask for it. It does not end
// with ctx once begun: an answer that nobody takes would be the end of the
// session, for the old refresh token is spoilt by then.
func (s *session) renew(ctx context.Context, c *Client, spent string) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	old, _ := s.current()
	if old.AccessToken != spent {
		return nil // another one was first
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), renewalTime)
	defer stop()
	t, err := c.as(nil).Refresh(ctx, old.RefreshToken)
	if err != nil {
		return fmt.Errorf("client: renew the session: %w", err)
	}
	if s.keep != nil {
		s.keep(t)
	}
	s.set(t)
	return nil
}

// SignIn gives a client that acts as this person and renews its session by
// itself. Logout ends it.
func (c *Client) SignIn(ctx context.Context, email, password string) (*Client, error) {
	t, err := c.as(nil).Login(ctx, Credentials{Email: email, Password: password})
	if err != nil {
		return nil, err
	}
	return c.as(newSession(t, nil)), nil
}

// Authorization puts on an http.Request what the client acts with, for requests
// that the client has no method for.
func (c *Client) Authorization(ctx context.Context, r *http.Request) error {
	if c.who == nil {
		return nil
	}
	token, err := c.who.token(ctx, c)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}
