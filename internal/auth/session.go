package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Session is one sign-in; all its tokens end with it.
type Session struct {
	ID             id.Session       `json:"id"`
	OrganizationID *id.Organization `json:"organization_id" doc:"The active organization that was chosen; null is the oldest of the own ones, or none"`
	IP             string           `json:"ip"`
	UserAgent      string           `json:"user_agent"`
	Current        bool             `json:"current" doc:"The session of this request"`
	CreatedAt      db.Time          `json:"created_at"`
	LastUsedAt     db.Time          `json:"last_used_at"`
	ExpiresAt      db.Time          `json:"expires_at"`

	user id.User
}

// Credentials are what a person signs in with.
type Credentials struct {
	Email          string           `json:"email" maxLength:"254" example:"user@example.com"`
	Password       string           `json:"password" maxLength:"1024" example:"securepassword"`
	OrganizationID *id.Organization `json:"organization_id,omitempty" doc:"The organization to make active"`
}

// Tokens are the answer to a sign-in or a refresh.
type Tokens struct {
	AccessToken  string `json:"access_token" doc:"Send it as Bearer."`
	TokenType    string `json:"token_type" enum:"Bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds until the access token ends."`
	RefreshToken string `json:"refresh_token" doc:"Good for one use; a second one ends the session."`
	User         User   `json:"user"`
}

func errWrongCredentials() error {
	return fault.New(fault.Unauthenticated, "invalid_credentials", "The e-mail address or the password is wrong.")
}

// Login checks a password and opens a session. Unknown, wrong and disabled
// cost and answer the same; failures are throttled per account and address.
func (s *Service) Login(ctx context.Context, in Credentials, from audit.Actor) (Tokens, error) {
	p, err := s.prove(ctx, in.Email, in.Password, from)
	if err != nil {
		return Tokens{}, err
	}
	var t Tokens
	err = s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		t, err = s.open(tx, p.credential, p.try, p.known, in.OrganizationID, from)
		return err
	})
	return t, err
}

// refuseLogin counts the failure.
func (s *Service) refuseLogin(ctx context.Context, try attempt, known bool) error {
	if err := s.countFailure(ctx, try, known); err != nil {
		return err
	}
	return errWrongCredentials()
}

// countFailure notes a wrong password. The pause is looked at again here, so
// that many guesses at once tell no more than one after the other.
func (s *Service) countFailure(ctx context.Context, try attempt, known bool) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := lockThrottle(tx, try.counter(known)); err != nil {
			return err
		}
		if err := try.paused(tx, known); err != nil {
			return err
		}
		return try.failed(tx, known)
	})
}

// open makes the session of a person whose password was right.
func (s *Service) open(tx *db.Tx, c credential, try attempt, known bool, organization *id.Organization, from audit.Actor) (Tokens, error) {
	if err := lockThrottle(tx, try.counter(known)); err != nil {
		return Tokens{}, err
	}
	if err := try.paused(tx, known); err != nil {
		return Tokens{}, err
	}
	u, err := lockCredential(tx, c.user.ID, c.hash)
	if errors.Is(err, db.ErrNoRows) {
		return Tokens{}, errWrongCredentials()
	}
	if err != nil {
		return Tokens{}, err
	}
	if err := forgive(tx, try.counter(known)); err != nil {
		return Tokens{}, err
	}
	row := Session{user: u.ID, IP: from.IP, UserAgent: from.UserAgent, CreatedAt: tx.Now, LastUsedAt: tx.Now, ExpiresAt: tx.Now.Add(RefreshLife)}
	if row.ID, err = insertSession(tx, row); err != nil {
		return Tokens{}, err
	}
	l, err := personBySession(tx, row.ID, Place{})
	if err != nil {
		return Tokens{}, err
	}
	if organization != nil {
		if err := l.principal.choose(tx, *organization); err != nil {
			return Tokens{}, err
		}
	}
	actor := l.principal.Actor(audit.Tenant)
	actor.IP, actor.UserAgent, actor.RequestID = from.IP, from.UserAgent, from.RequestID
	if err := record(tx, actor, "user.signed_in", userTarget(u.ID, u.Name), nil); err != nil {
		return Tokens{}, err
	}
	return issue(tx, row.ID, u)
}

// issue makes a new pair of tokens for a session.
func issue(tx *db.Tx, session id.Session, u User) (Tokens, error) {
	access, a := newToken(accessPrefix)
	refresh, r := newToken(refreshPrefix)
	if err := insertAccessToken(tx, a, session, tx.Now.Add(AccessLife)); err != nil {
		return Tokens{}, err
	}
	if err := insertRefreshToken(tx, r, session, tx.Now.Add(RefreshLife)); err != nil {
		return Tokens{}, err
	}
	return Tokens{AccessToken: access, TokenType: "Bearer", ExpiresIn: int(AccessLife.Seconds()), RefreshToken: refresh, User: u}, nil
}

// Refresh trades a refresh token for a new pair. Used a second time, it ends
// the session: one of the two users had stolen it.
func (s *Service) Refresh(ctx context.Context, token string) (Tokens, error) {
	d, ok := parseToken(refreshPrefix, token)
	if !ok {
		return Tokens{}, errInvalidToken()
	}
	var t Tokens
	var refused error
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		t, refused = Tokens{}, nil
		session, err := useRefreshToken(tx, d)
		if errors.Is(err, db.ErrNoRows) {
			refused = errInvalidToken()
			return s.revokeFamily(tx, d)
		}
		if err != nil {
			return err
		}
		row, err := refreshSession(tx, session)
		if errors.Is(err, db.ErrNoRows) {
			return errInvalidToken()
		}
		if err != nil {
			return err
		}
		u, err := userByID(tx, row.user)
		if err != nil {
			return err
		}
		t, err = issue(tx, row.ID, u)
		return err
	})
	if err == nil {
		err = refused
	}
	return t, err
}

// revokeFamily ends the session of a token that was used before.
func (s *Service) revokeFamily(tx *db.Tx, d digest) error {
	row, err := usedRefreshToken(tx, d)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := revokeSession(tx, row.user, row.ID); err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	Changed(tx)
	_, err = audit.Record(tx, audit.Event{Actor: audit.Product(""), Action: "session.revoked", Reason: "a refresh token was used twice",
		Target: audit.Target{Type: "session", ID: int64(row.ID)}})
	return err
}

// Logout ends the session of p, or the grant by which it acts for another.
func Logout(tx *db.Tx, actor audit.Actor, p *Principal) error {
	if p.Acting != nil {
		return leave(tx, actor, p)
	}
	return RevokeSession(tx, actor, p.Session)
}

// Sessions lists the live sessions of a user; current is marked.
func Sessions(tx *db.Tx, u id.User, current id.Session, r page.Request) (page.List[Session], error) {
	after := r.After
	if after == (page.Position{}) {
		after = page.Position{At: int64(tx.Now.Add(RefreshLife)), ID: 1}
	}
	rows, err := listSessions(tx, u, db.Time(after.At), after.ID, r.Limit+1, r.Offset)
	if err != nil {
		return page.List[Session]{}, err
	}
	for i := range rows {
		rows[i].Current = rows[i].ID == current
	}
	total, err := countSessions(tx, u)
	return page.Of(r, rows, total, func(s Session) page.Position { return page.Position{At: int64(s.CreatedAt), ID: int64(s.ID)} }), err
}

// RevokeSession ends one session of the actor; another's is 404.
func RevokeSession(tx *db.Tx, actor audit.Actor, session id.Session) error {
	if err := revokeSession(tx, actor.UserID(), session); err != nil {
		return missing(err)
	}
	Changed(tx)
	return record(tx, actor, "session.revoked", audit.Target{Type: "session", ID: int64(session)}, nil)
}

// Switch makes another organization the active one of p's session; zero is none
// in particular.
func Switch(tx *db.Tx, actor audit.Actor, p *Principal, organization id.Organization) error {
	if p.Active == organization {
		return nil
	}
	if err := p.choose(tx, organization); err != nil {
		return err
	}
	Changed(tx)
	target := audit.Target{Type: "organization", ID: int64(organization)}
	if organization == 0 {
		target = audit.Target{Type: "session", ID: int64(p.Session)}
	}
	return record(tx, actor, "user.switched", target, nil)
}

// choose stores the active organization: one that p is a member of, any for a
// superadmin. The staff of an admin has no organization of its own.
func (p *Principal) choose(tx *db.Tx, organization id.Organization) error {
	if organization == 0 {
		return chooseOrganization(tx, p.Session, 0)
	}
	t, err := organizationTarget(tx, organization)
	if err != nil {
		return err
	}
	if !t.Exists || !p.MayChoose(organization) {
		return fault.UnknownReference("organization_id")
	}
	return chooseOrganization(tx, p.Session, organization)
}

// Me is who calls, as the API answers it.
type Me struct {
	User         User                `json:"user"`
	Roles        []RoleHeld          `json:"roles"`
	Organization *ActiveOrganization `json:"organization" doc:"The active organization; null where there is none"`
	Acting       *ActingFor          `json:"acting" doc:"Who acts for the user, and by what leave; null where it is the user"`
}

// ActingFor is by what leave somebody acts for the user.
type ActingFor struct {
	GrantID   id.Grant `json:"grant_id"`
	Operator  Named    `json:"operator"`
	Reason    string   `json:"reason"`
	ExpiresAt db.Time  `json:"expires_at"`
}

// Revision is the user's, whom EditProfile changes.
func (m Me) Revision() int64 { return m.User.Version }

// ActiveOrganization is what "my organization" means in a session.
type ActiveOrganization struct {
	ID        id.Organization `json:"id"`
	Name      string          `json:"name"`
	Slug      string          `json:"slug"`
	Suspended bool            `json:"suspended" doc:"Whether a hold lies on it or on its admin"`
}

// RoleHeld is one role of a person.
type RoleHeld struct {
	Role           string           `json:"role" enum:"superadmin,admin,owner,manager,member"`
	AdminID        *id.Admin        `json:"admin_id"`
	OrganizationID *id.Organization `json:"organization_id"`
	Suspended      bool             `json:"suspended"`
}

// activeOrganization is nil for who has none.
func activeOrganization(tx *db.Tx, p *Principal) (*ActiveOrganization, error) {
	if p.Active == 0 {
		return nil, nil
	}
	o, err := organizationNamed(tx, p.Active)
	if err != nil {
		return nil, fmt.Errorf("read the active organization: %w", err)
	}
	for _, m := range p.Memberships {
		o.Suspended = o.Suspended || m.Organization == o.ID && m.Hold != Free
	}
	return &o, nil
}

// Whoami describes p.
func Whoami(tx *db.Tx, p *Principal) (Me, error) {
	u, err := UserByID(tx, p.User.ID)
	if err != nil {
		return Me{}, err
	}
	m := Me{User: u, Roles: p.Held()}
	if m.Organization, err = activeOrganization(tx, p); err != nil || p.Acting == nil {
		return m, err
	}
	a, err := accessOf(tx, p.Active, p.Acting.Grant)
	if err != nil {
		return Me{}, fmt.Errorf("read by what leave somebody acts: %w", err)
	}
	m.Acting = &ActingFor{GrantID: a.ID, Operator: a.Operator, Reason: a.Reason, ExpiresAt: a.ExpiresAt}
	return m, nil
}
