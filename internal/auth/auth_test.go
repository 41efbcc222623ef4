package auth_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/db/dbtest"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/secret"
)

var ctx = context.Background()

const email, password = "root@platform.example", "a quite long passphrase"

// clock is moved by the test.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.UnixMicro(c.at.Load()) }
func (c *clock) move(d time.Duration) { c.at.Add(d.Microseconds()) }

// world is accounts on one database, with one superadmin.
type world struct {
	*testing.T
	*clock
	url string
	s   *auth.Service
}

func each(t *testing.T, f func(w world)) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			w := world{T: t, clock: &clock{}, url: url(t)}
			w.at.Store(1_800_000_000_000_000)
			w.s = w.process()
			if err := w.s.Bootstrap(ctx, email, password); err != nil {
				t.Fatal(err)
			}
			f(w)
		})
	}
}

// process is the service as another process has it.
func (w world) process() *auth.Service {
	w.Helper()
	box, err := secret.NewBox(make([]byte, secret.KeySize))
	if err != nil {
		w.Fatal(err)
	}
	d := dbtest.Open(w, w.url, db.Options{Clock: w.now})
	return auth.New(d, auth.NewQuickHasher(), &mail.Outbox{Box: box, BaseURL: "http://localhost"}, func(*db.Tx) (int, error) { return 12, nil })
}

func (w world) login(s *auth.Service, password, ip string) (auth.Tokens, error) {
	return s.Login(ctx, auth.Credentials{Email: email, Password: password}, audit.Actor{Type: audit.Nobody, IP: ip})
}

// in signs in, which must succeed.
func (w world) in() auth.Tokens {
	w.Helper()
	t, err := w.login(w.s, password, "192.0.2.1")
	if err != nil {
		w.Fatal(err)
	}
	return t
}

func (w world) principal(s *auth.Service, token string) *auth.Principal {
	w.Helper()
	p, err := s.Authenticate(ctx, token)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w world) wantCode(what string, err error, code string) {
	w.Helper()
	if fault.Code(err) != code {
		w.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func TestPasswords(t *testing.T) {
	for password, want := range map[string]string{
		"securepassword": "", "correct horse battery staple": "password_common", strings.Repeat("ü", 256): "", "            ": "", "Jo and the others": "",
		"short pass": "password_too_short", "ünïcödé pä": "password_too_short", strings.Repeat("x", 257): "password_too_long", "passwordpassword": "password_common",
		"PasswordPassword": "password_common", "not bad, user@example.com": "password_contains_email", "mr User@Example.com": "password_contains_email",
		"the one username user has": "password_contains_email", "twelve \xff bytes": "invalid_text",
	} {
		var v fault.Validation
		auth.CheckPassword("password", password, "user@example.com", 12, &v)
		if got := fault.Code(v.Err()); got != want {
			t.Errorf("%q: got %q, want %q", password, got, want)
		}
	}
	var v fault.Validation
	auth.CheckPassword("password", "jo likes long ones", "jo@example.com", 0, &v)
	if v.Err() != nil {
		t.Errorf("a local part of two letters is in many words: got %v", v.Err())
	}
	auth.CheckPassword("password", "seven77", "jo@example.com", 0, &v)
	if fault.Code(v.Err()) != "password_too_short" {
		t.Errorf("the floor of 8: got %v", v.Err())
	}
}

func TestHasher(t *testing.T) {
	h := auth.NewHasher()
	hash, err := h.Hash(ctx, "caf\u00e9 au lait please")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Fatalf("got %s, %v", hash, err)
	}
	for typed, want := range map[string]bool{"caf\u00e9 au lait please": true, "cafe\u0301 au lait please": true, "cafe au lait please": false, "": false} {
		if ok, err := h.Verify(ctx, typed, hash); ok != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", typed, ok, err, want)
		}
	}
	if ok, err := h.Verify(ctx, "", ""); ok || err != nil {
		t.Errorf("an account without a password: got %v, %v", ok, err)
	}
	if _, err := h.Verify(ctx, "x", "$2a$10$other"); err == nil {
		t.Error("a hash of another kind was read")
	}
	_, err = auth.NewNarrowHasher().Hash(ctx, "x")
	if !fault.Is(err, fault.Unavailable) || fault.Code(err) != "overloaded" {
		t.Errorf("too many wait: got %v, want 503 overloaded", err)
	}
}

func TestFailuresSlowDown(t *testing.T) {
	each(t, func(w world) {
		const guesser = "198.51.100.7"
		for range 6 {
			_, err := w.login(w.s, "a wrong passphrase", guesser)
			w.wantCode("wrong", err, "invalid_credentials")
		}
		_, err := w.login(w.s, password, guesser)
		w.wantCode("right, but too soon", err, "too_many_attempts")
		_, err = w.login(w.process(), password, guesser)
		w.wantCode("after a restart", err, "too_many_attempts")
		w.move(2 * time.Second)
		if _, err = w.login(w.s, password, guesser); err != nil {
			w.Errorf("after the pause: got %v", err)
		}
		for range 6 {
			_, err = w.login(w.s, "a wrong passphrase", "203.0.113.9")
			w.wantCode("elsewhere", err, "invalid_credentials")
		}
		if _, err = w.login(w.s, password, guesser); err != nil {
			w.Errorf("where the account is known: got %v, want others' guesses not to count", err)
		}
	})
}

// Unknown, wrong and disabled say the same.
func TestSignInTellsNothing(t *testing.T) {
	each(t, func(w world) {
		_, wrong := w.login(w.s, "a wrong passphrase", "192.0.2.1")
		_, unknown := w.s.Login(ctx, auth.Credentials{Email: "nobody@platform.example", Password: password}, audit.Actor{IP: "192.0.2.2"})
		if wrong == nil || unknown == nil || wrong.Error() != unknown.Error() {
			w.Errorf("got %v and %v, want the same", wrong, unknown)
		}
	})
}

func TestRefreshRotates(t *testing.T) {
	each(t, func(w world) {
		first := w.in()
		second, err := w.s.Refresh(ctx, first.RefreshToken)
		if err != nil {
			w.Fatal(err)
		}
		w.principal(w.s, first.AccessToken) // lives to its end
		other := w.in()
		_, err = w.s.Refresh(ctx, first.RefreshToken)
		w.wantCode("used twice", err, "invalid_token")
		_, err = w.s.Refresh(ctx, second.RefreshToken)
		w.wantCode("of the same family", err, "invalid_token")
		if _, err = w.s.Refresh(ctx, other.RefreshToken); err != nil {
			w.Errorf("of another session: got %v", err)
		}
		w.principal(w.s, other.AccessToken)
		w.move(auth.AccessLife + time.Second)
		_, err = w.s.Authenticate(ctx, other.AccessToken)
		w.wantCode("past its end", err, "invalid_token")
	})
}

// A race for one refresh token has one winner at most, and reuse ends the
// session.
func TestRefreshRace(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		won := atomic.Int64{}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := w.s.Refresh(ctx, tokens.RefreshToken); err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			w.Errorf("%d of 20 won, want 1", won.Load())
		}
		_, err := w.s.Authenticate(ctx, tokens.AccessToken)
		w.wantCode("the session", err, "invalid_token")
	})
}

// What one process ends, the other reads for at most a second, and never
// writes by.
func TestRevocationElsewhere(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		other := w.process()
		p := w.principal(other, tokens.AccessToken)
		if err := w.s.DB.Write(ctx, func(tx *db.Tx) error { return auth.Logout(tx, p.Actor(audit.Platform), p) }); err != nil {
			w.Fatal(err)
		}
		_, err := w.s.Authenticate(ctx, tokens.AccessToken)
		w.wantCode("here, at once", err, "invalid_token")
		err = other.DB.Write(ctx, func(tx *db.Tx) error { _, err := other.Recheck(tx, p); return err })
		w.wantCode("a write elsewhere, at once", err, "invalid_token")
		w.move(time.Second)
		_, err = other.Authenticate(ctx, tokens.AccessToken)
		w.wantCode("elsewhere, after a second", err, "invalid_token")
	})
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	each(t, func(w world) {
		here, there := w.in(), w.in()
		p := w.principal(w.s, here.AccessToken)
		_, err := w.s.ChangePassword(ctx, p.Actor(audit.Platform), p, auth.PasswordChange{OldPassword: "a wrong passphrase", NewPassword: "another long passphrase"})
		w.wantCode("with a wrong one", err, "wrong_password")
		change, err := w.s.ChangePassword(ctx, p.Actor(audit.Platform), p, auth.PasswordChange{OldPassword: password, NewPassword: "another long passphrase"})
		if err == nil {
			err = w.s.DB.Write(ctx, change)
		}
		if err != nil {
			w.Fatal(err)
		}
		w.principal(w.s, here.AccessToken)
		_, err = w.s.Authenticate(ctx, there.AccessToken)
		w.wantCode("another session", err, "invalid_token")
		_, err = w.s.Refresh(ctx, there.RefreshToken)
		w.wantCode("its refresh token", err, "invalid_token")
		_, err = w.login(w.s, password, "192.0.2.1")
		w.wantCode("the old password", err, "invalid_credentials")
	})
}

// However many open the set-up link at once, one superadmin is made.
func TestSetupRace(t *testing.T) {
	for engine, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(engine, func(t *testing.T) {
			w := world{T: t, clock: &clock{}, url: url(t)}
			w.at.Store(1_800_000_000_000_000)
			s := w.process()
			token, err := s.SetupToken(ctx)
			if err != nil || token == "" {
				t.Fatalf("got %q, %v", token, err)
			}
			made := atomic.Int64{}
			var all sync.WaitGroup
			for i := range 50 {
				all.Go(func() {
					_, err := s.Setup(ctx, auth.NewSuperadmin{Token: token, Email: fmt.Sprintf("root%d@platform.example", i), Password: password, Name: "Root"})
					if err == nil {
						made.Add(1)
					} else if code := fault.Code(err); code != "already_set_up" && code != "invalid_token" {
						t.Errorf("got %v", err)
					}
				})
			}
			all.Wait()
			if made.Load() != 1 {
				t.Errorf("%d superadmins were made, want 1", made.Load())
			}
			if token, err := s.SetupToken(ctx); token != "" || err != nil {
				t.Errorf("with a superadmin: got a link %q, %v", token, err)
			}
		})
	}
}

func TestAPIKeys(t *testing.T) {
	each(t, func(w world) {
		var k auth.IssuedKey
		actor := w.principal(w.s, w.in().AccessToken).Actor(audit.Platform)
		make := func(in auth.NewAPIKey) error {
			return w.s.DB.Write(ctx, func(tx *db.Tx) (err error) { k, err = auth.CreateKey(tx, actor, 0, 0, in); return err })
		}
		w.wantCode("without scopes", make(auth.NewAPIKey{Name: "Mesh"}), "required")
		past := db.At(w.now())
		w.wantCode("expired", make(auth.NewAPIKey{Name: "Mesh", Scopes: []auth.Scope{auth.ScopeAuditRead}, ExpiresAt: &past}), "in_the_past")
		soon := past.Add(time.Hour)
		if err := make(auth.NewAPIKey{Name: "Mesh", Scopes: []auth.Scope{auth.ScopeAuditRead}, ExpiresAt: &soon}); err != nil {
			w.Fatal(err)
		}
		p := w.principal(w.s, k.Key)
		if p.Kind != auth.KeyHolder || p.Key.Organization != 0 {
			w.Errorf("got %+v, want a platform-wide key", p)
		}
		for permission, want := range map[*auth.Permission]string{&auth.AuditRead: "", &auth.Introspect: "forbidden", &auth.SettingsRead: "forbidden"} {
			_, err := auth.Decide(*permission, p, auth.Target{})
			w.wantCode(permission.Name, err, want)
		}
		w.move(time.Hour)
		_, err := w.s.Authenticate(ctx, k.Key)
		w.wantCode("past its end", err, "invalid_token")
	})
}
