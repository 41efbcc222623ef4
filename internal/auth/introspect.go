package auth

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Introspection is RFC 7662's answer about a token.
type Introspection struct {
	Active    bool             `json:"active"`
	TokenType string           `json:"token_type,omitempty"`
	Subject   string           `json:"sub,omitempty" example:"user:7"`
	ClientID  string           `json:"client_id,omitempty" doc:"Of an API key" example:"key:3"`
	Username  string           `json:"username,omitempty" doc:"The e-mail address of a person"`
	Scope     string           `json:"scope,omitempty" doc:"Of an API key, separated by spaces"`
	IssuedAt  int64            `json:"iat,omitempty" doc:"When it was issued, in seconds since 1970"`
	ExpiresAt int64            `json:"exp,omitempty" doc:"When it ends, in seconds since 1970; absent: by no time"`
	OrgID     *id.Organization `json:"organization_id,omitempty" doc:"The organization that a person acts in, or that a key belongs to; absent while it is suspended"`
	Suspended bool             `json:"suspended,omitempty" doc:"The organization that the person would act in is suspended: give them nothing of it"`
	Act       *ActingParty     `json:"act,omitempty" doc:"Who acts for the subject (RFC 8693)"`
}

// ActingParty is RFC 8693's claim of who acts for a token's subject.
type ActingParty struct {
	Subject  string   `json:"sub"`
	Username string   `json:"username"`
	GrantID  id.Grant `json:"grant_id"`
}

// Introspect tells a service what a token stands for, as far as the service may
// know: one of the organization mine of its members and its own keys, one of
// the platform (zero) of all. What cannot be used now, a key of a suspended
// organization included, is not active, and nothing more is said of it.
func (s *Service) Introspect(ctx context.Context, mine id.Organization, token string) (Introspection, error) {
	p, err := s.Authenticate(ctx, token)
	if fault.Is(err, fault.Unauthenticated) {
		return Introspection{}, nil // RFC 7662: an answer, not an error
	}
	if err != nil {
		return Introspection{}, err
	}
	a := p.told(mine)
	if !a.Active {
		return a, nil
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		l, err := lifeOf(tx, token)
		a.IssuedAt = l.issued.Std().Unix()
		if l.ends != nil {
			a.ExpiresAt = l.ends.Std().Unix()
		}
		return err
	})
	if errors.Is(err, db.ErrNoRows) { // has ended meanwhile
		return Introspection{}, nil
	}
	return a, err
}

// told is what a service of the organization mine, or of the platform, may know
// of p.
func (p *Principal) told(mine id.Organization) Introspection {
	if p.Kind == KeyHolder {
		if p.Key.Hold != Free || mine != 0 && mine != p.Key.Organization {
			return Introspection{}
		}
		key := "key:" + strconv.FormatInt(int64(p.Key.ID), 10)
		scopes := make([]string, len(p.Key.Scopes))
		for i, scope := range p.Key.Scopes {
			scopes[i] = string(scope)
		}
		return Introspection{Active: true, TokenType: "Bearer", Subject: key, ClientID: key, Scope: strings.Join(scopes, " "), OrgID: id.Ref(p.Key.Organization)}
	}
	a := Introspection{Active: true, TokenType: "Bearer", Subject: "user:" + strconv.FormatInt(int64(p.User.ID), 10), Username: p.User.Email}
	organization := p.Active
	if mine != 0 {
		organization = mine
	}
	if by := p.Acting; by != nil {
		a.Act = &ActingParty{Subject: "user:" + strconv.FormatInt(int64(by.By.ID), 10), Username: by.By.Email, GrantID: by.Grant}
	}
	m, member := p.Member(organization)
	switch {
	case mine != 0 && !member:
		return Introspection{}
	case m.Hold != Free:
		a.Suspended = true
	default:
		a.OrgID = id.Ref(organization)
	}
	return a
}

// life is when a token was issued, and when it ends by itself: nil is never.
type life struct {
	issued db.Time
	ends   *db.Time
}

func lifeOf(tx *db.Tx, token string) (life, error) {
	if d, ok := parseToken(keyPrefix, token); ok {
		return keyLife(tx, d)
	}
	if d, ok := parseToken(grantPrefix, token); ok {
		return grantLife(tx, d)
	}
	d, _ := parseToken(accessPrefix, token)
	return tokenLife(tx, d)
}
