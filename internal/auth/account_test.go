package auth_test

import (
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/page"
)

const another = "another long passphrase"

// write runs f in a transaction, which must succeed.
func (w world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.s.DB.Write(ctx, f); err != nil {
		w.Fatal(err)
	}
}

// count is the number that a query gives.
func (w world) count(query string, args ...any) (n int64) {
	w.Helper()
	err := w.s.DB.Read(ctx, func(tx *db.Tx) (err error) { n, err = db.One(tx, db.Int64, query, args...); return err })
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// user makes a person with the password of these tests.
func (w world) user(email string) (u auth.User) {
	w.Helper()
	hash, err := w.s.Hasher.Hash(ctx, password)
	if err != nil {
		w.Fatal(err)
	}
	w.write(func(tx *db.Tx) (err error) {
		u, err = auth.CreateUser(tx, auth.NewUser{Email: email, Name: "Jo", PasswordHash: hash})
		return err
	})
	return u
}

// as signs somebody in.
func (w world) as(email string) auth.Tokens {
	w.Helper()
	t, err := w.s.Login(ctx, auth.Credentials{Email: email, Password: password}, audit.Actor{Type: audit.Nobody, IP: "192.0.2.1"})
	if err != nil {
		w.Fatal(err)
	}
	return t
}

// organization makes one, under an admin of its own, as bare rows.
func (w world) organization(slug string) (o id.Organization, a id.Admin) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		n, err := tx.Insert(`INSERT INTO admins (name, name_key, contact_email, company_name, referral_code, organization_count, version, created_at, updated_at)
			VALUES ($1, $2, 'a@b.example', 'A', $3, 1, 1, $4, $5) RETURNING id`, slug, slug, slug, tx.Now, tx.Now)
		if err != nil {
			return err
		}
		a = id.Admin(n)
		n, err = tx.Insert(`INSERT INTO organizations (admin_id, name, name_key, slug, status, storage_limit_gb, max_users, bandwidth_limit_gb, members, invited, version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, 'active', 1, 10, 1, 0, 0, 1, $5, $6) RETURNING id`, a, slug, slug, slug, tx.Now, tx.Now)
		o = id.Organization(n)
		return err
	})
	return o, a
}

func (w world) join(u id.User, o id.Organization, role string) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO memberships (organization_id, user_id, role, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, 1)`, o, u, role, tx.Now, tx.Now)
		return err
	})
}

var resetLink = regexp.MustCompile(`http://localhost/reset#token=(tnt_ot_[\w-]+)`)

// mailed is the token in the link of the newest mail.
func (w world) mailed(link *regexp.Regexp) string {
	w.Helper()
	message := w.newest()
	found := link.FindStringSubmatch(message)
	if found == nil {
		w.Fatalf("no link in %s", message)
	}
	return found[1]
}

// newest is the newest mail.
func (w world) newest() string {
	w.Helper()
	var payload []byte
	err := w.s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		payload, err = db.One(tx, func(r db.Row) (p []byte, err error) { return p, r.Scan(&p) }, `SELECT payload FROM jobs WHERE kind = $1 ORDER BY id DESC LIMIT 1`, mail.Kind)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	dir := w.TempDir()
	sender, err := mail.NewSender(w.s.Mail.Box, "", "tenantry@localhost", dir, slog.New(slog.DiscardHandler))
	if err == nil {
		err = sender.Handle(ctx, payload)
	}
	if err != nil {
		w.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		w.Fatalf("got %d mails, want 1", len(files))
	}
	f, err := os.Open(files[0])
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(quotedprintable.NewReader(f))
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

// forgot asks for a link and has it mailed.
func (w world) forgot(email string) (token string) {
	w.Helper()
	if err := w.s.Forgot(ctx, email); err != nil {
		w.Fatal(err)
	}
	if err := w.s.SendReset(ctx, []byte(`"`+email+`"`)); err != nil {
		w.Fatal(err)
	}
	message := w.newest()
	if !strings.Contains(strings.ToLower(message), "to: <"+strings.ToLower(email)+">") {
		w.Errorf("the mail went elsewhere: %s", message)
	}
	return w.mailed(resetLink)
}

// A question about a password does and says the same, whoever it is about.
func TestForgotTellsNothing(t *testing.T) {
	each(t, func(w world) {
		gone := w.user("gone@example.com")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, gone.ID)
			return err
		})
		for _, address := range []string{email, "nobody@example.com", "gone@example.com"} {
			before := w.count(`SELECT COUNT(*) FROM jobs`)
			if err := w.s.Forgot(ctx, address); err != nil {
				w.Errorf("%s: got %v", address, err)
			}
			if n := w.count(`SELECT COUNT(*) FROM jobs`) - before; n != 1 {
				w.Errorf("%s: %d jobs were queued, want 1", address, n)
			}
		}
		for _, address := range []string{"nobody@example.com", "gone@example.com"} {
			if err := w.s.SendReset(ctx, []byte(`"`+address+`"`)); err != nil {
				w.Errorf("%s: got %v", address, err)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM jobs WHERE kind = $1`, mail.Kind); n != 0 {
			w.Errorf("%d mails to nobody", n)
		}
		w.wantCode("no address", w.s.Forgot(ctx, "not an address"), "invalid_email")
	})
}

func TestResetByMail(t *testing.T) {
	each(t, func(w world) {
		w.user("Jo@Example.com")
		session := w.as("jo@example.com")
		first := w.forgot("jo@example.com")
		token := w.forgot("JO@example.com")
		nobody := audit.Actor{Type: audit.Nobody, IP: "192.0.2.1"}
		w.wantCode("an earlier link", w.s.Reset(ctx, first, another, nobody), "invalid_token")
		w.wantCode("not a token", w.s.Reset(ctx, "x", another, nobody), "invalid_token")
		w.wantCode("an access token", w.s.Reset(ctx, session.AccessToken, another, nobody), "invalid_token")
		w.wantCode("a bad password", w.s.Reset(ctx, token, "short", nobody), "password_too_short")
		if err := w.s.Reset(ctx, token, another, nobody); err != nil {
			w.Fatal(err)
		}
		w.wantCode("the link again", w.s.Reset(ctx, token, another, nobody), "invalid_token")
		_, err := w.s.Authenticate(ctx, session.AccessToken)
		w.wantCode("a session of before", err, "invalid_token")
		in, err := w.s.Login(ctx, auth.Credentials{Email: "jo@example.com", Password: another}, nobody)
		if err != nil || !in.User.EmailVerified {
			w.Errorf("got %+v, %v, want a verified address", in.User, err)
		}
		late := w.forgot("jo@example.com")
		w.move(auth.ResetLife)
		w.wantCode("past its end", w.s.Reset(ctx, late, another, nobody), "invalid_token")
		if n := w.count(`SELECT COUNT(*) FROM one_time_tokens WHERE hash = $1`, []byte(late)); n != 0 {
			w.Error("a token is stored as it is")
		}
	})
}

// However many use a link at once, one of them sets the password.
func TestResetRace(t *testing.T) {
	each(t, func(w world) {
		token := w.forgot(email)
		var set atomic.Int64
		var winner atomic.Value
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				mine := fmt.Sprintf("my own passphrase %d", i)
				if err := w.s.Reset(ctx, token, mine, audit.Actor{Type: audit.Nobody}); err == nil {
					set.Add(1)
					winner.Store(mine)
				} else {
					w.wantCode("a loser", err, "invalid_token")
				}
			})
		}
		all.Wait()
		if set.Load() != 1 {
			w.Fatalf("%d of 50 set it, want 1", set.Load())
		}
		if _, err := w.login(w.s, winner.Load().(string), "192.0.2.1"); err != nil {
			w.Errorf("the winner's password: %v", err)
		}
	})
}

func TestSessions(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		var tokens []auth.Tokens
		for range 3 {
			tokens = append(tokens, w.as("jo@example.com"))
			w.move(time.Second)
		}
		w.in()
		p := w.principal(w.s, tokens[1].AccessToken)
		list := func(r page.Request) (l page.List[auth.Session]) {
			w.Helper()
			err := w.s.DB.Read(ctx, func(tx *db.Tx) (err error) { l, err = auth.Sessions(tx, jo.ID, p.Session, r); return err })
			if err != nil {
				w.Fatal(err)
			}
			return l
		}
		l := list(page.Request{Limit: 2})
		if len(l.Data) != 2 || l.Pagination.Total != 3 || !l.Data[1].Current || l.Data[0].Current || l.Data[0].ID < l.Data[1].ID || l.Data[0].IP != "192.0.2.1" {
			w.Fatalf("got %+v", l)
		}
		after, err := page.ParseCursor(l.Pagination.NextCursor)
		if err != nil {
			w.Fatal(err)
		}
		rest := list(page.Request{Limit: 2, After: after})
		if len(rest.Data) != 1 || rest.Pagination.HasMore {
			w.Errorf("the rest: got %+v", rest)
		}
		revoke := func(s id.Session) error {
			return w.s.DB.Write(ctx, func(tx *db.Tx) error { return auth.RevokeSession(tx, p.Actor(audit.Tenant), s) })
		}
		if err := revoke(rest.Data[0].ID); err != nil {
			w.Error(err)
		}
		w.wantCode("again", revoke(rest.Data[0].ID), "not_found")
		roots := w.principal(w.s, w.in().AccessToken)
		w.wantCode("another's", revoke(roots.Session), "not_found")
		_, err = w.s.Authenticate(ctx, tokens[0].AccessToken)
		w.wantCode("its token", err, "invalid_token")
		_, err = w.s.Refresh(ctx, tokens[0].RefreshToken)
		w.wantCode("its refresh token", err, "invalid_token")
		if l := list(page.Request{Limit: 10}); l.Pagination.Total != 2 || len(l.Data) != 2 {
			w.Errorf("after: got %+v", l.Pagination)
		}
		w.move(auth.RefreshLife)
		if l := list(page.Request{Limit: 10}); l.Pagination.Total != 0 {
			w.Errorf("after their end: got %+v", l.Pagination)
		}
	})
}

// A session that is refreshed lives on, but not beyond SessionLife.
func TestASessionEnds(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		begin := w.now()
		for {
			w.move(auth.RefreshLife - time.Minute)
			next, err := w.s.Refresh(ctx, tokens.RefreshToken)
			if w.now().Sub(begin) >= auth.SessionLife {
				w.wantCode("beyond 90 days", err, "invalid_token")
				break
			}
			if err != nil {
				w.Fatalf("after %v: %v", w.now().Sub(begin), err)
			}
			tokens = next
		}
	})
}

func TestSwitch(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		first, _ := w.organization("first")
		second, _ := w.organization("second")
		other, seller := w.organization("other")
		w.join(jo.ID, first, "member")
		token := w.as("jo@example.com").AccessToken
		if p := w.principal(w.s, token); p.Active != first {
			w.Errorf("of one membership: got %d active, want %d", p.Active, first)
		}
		w.join(jo.ID, second, "owner")
		w.write(func(tx *db.Tx) error { auth.Changed(tx); return nil })
		if p := w.principal(w.s, token); p.Active != first {
			w.Errorf("of two: got %d active, want the older, %d", p.Active, first)
		}
		try := func(o id.Organization) error {
			p := w.principal(w.s, token)
			return w.s.DB.Write(ctx, func(tx *db.Tx) error { return auth.Switch(tx, p.Actor(audit.Tenant), p, o) })
		}
		if err := try(second); err != nil {
			w.Fatal(err)
		}
		if p := w.principal(w.s, token); p.Active != second {
			w.Errorf("after switch: got %d, want %d", p.Active, second)
		}
		w.wantCode("a foreign one", try(other), "unknown_reference")
		w.wantCode("none", try(999), "unknown_reference")
		// The staff of its admin has every right in it, but it is not "mine".
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO admin_users (admin_id, user_id, role, created_at) VALUES ($1, $2, 'staff', $3)`, seller, jo.ID, tx.Now)
			auth.Changed(tx)
			return err
		})
		w.wantCode("one of the own admin", try(other), "unknown_reference")
		// At sign-in.
		in := func(o id.Organization) (auth.Tokens, error) {
			return w.s.Login(ctx, auth.Credentials{Email: "jo@example.com", Password: password, OrganizationID: &o}, audit.Actor{Type: audit.Nobody, IP: "192.0.2.1"})
		}
		chosen, err := in(first)
		if err != nil {
			w.Fatal(err)
		}
		if p := w.principal(w.s, chosen.AccessToken); p.Active != first {
			w.Errorf("chosen at sign-in: got %d, want %d", p.Active, first)
		}
		_, err = in(other)
		w.wantCode("a foreign one at sign-in", err, "unknown_reference")
	})
}

// A hold reaches the next request of this process, and another's within a
// second; writes at once.
func TestHoldsReachPrincipals(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		o, a := w.organization("first")
		w.join(jo.ID, o, "owner")
		token := w.as("jo@example.com").AccessToken
		other := w.process()
		held := func(p *auth.Principal) auth.Hold { return p.Memberships[0].Hold }
		before := w.principal(other, token)
		if held(before) != auth.Free || before.Memberships[0].Admin != a || before.Memberships[0].Role != auth.Owner {
			w.Fatalf("got %+v", before.Memberships)
		}
		end := db.At(w.now()).Add(time.Hour)
		w.write(func(tx *db.Tx) error {
			_, err := hold.Place(tx, hold.Subject{Organization: o}, hold.Platform, "why", 0, &end)
			auth.Changed(tx)
			return err
		})
		if got := held(w.principal(w.s, token)); got != auth.OrganizationSuspended {
			w.Errorf("here, at once: got %q", got)
		}
		err := other.DB.Write(ctx, func(tx *db.Tx) error {
			p, err := other.Recheck(tx, before)
			if err == nil && held(p) != auth.OrganizationSuspended {
				w.Errorf("a write elsewhere: got %q", held(p))
			}
			return err
		})
		if err != nil {
			w.Error(err)
		}
		w.move(time.Second)
		if got := held(w.principal(other, token)); got != auth.OrganizationSuspended {
			w.Errorf("elsewhere, after a second: got %q", got)
		}
		w.write(func(tx *db.Tx) error {
			_, err := hold.Place(tx, hold.Subject{Admin: a}, hold.Platform, "why", 0, nil)
			auth.Changed(tx)
			return err
		})
		if got := held(w.principal(w.s, token)); got != auth.OrganizationSuspended {
			w.Errorf("both: got %q, want its own first", got)
		}
		w.move(time.Hour) // the access token ends with it
		in := w.as("jo@example.com")
		if got := held(w.principal(w.s, in.AccessToken)); got != auth.AdminSuspended {
			w.Errorf("its own has ended: got %q", got)
		}
	})
}

// A disabled account is nobody: no sign-in, no token, no refresh.
func TestADisabledAccount(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		tokens := w.as("jo@example.com")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE users SET status = 'disabled' WHERE id = $1`, jo.ID)
			auth.Changed(tx)
			return err
		})
		_, err := w.s.Authenticate(ctx, tokens.AccessToken)
		w.wantCode("its token", err, "invalid_token")
		_, err = w.s.Refresh(ctx, tokens.RefreshToken)
		w.wantCode("its refresh token", err, "invalid_token")
		_, err = w.s.Login(ctx, auth.Credentials{Email: "jo@example.com", Password: password}, audit.Actor{IP: "192.0.2.1"})
		w.wantCode("signing in", err, "invalid_credentials")
	})
}

// Whoever had the address before keeps nothing of it: not the password, and
// not a session that would turn into a superadmin's.
func TestASuperadminFromAKnownAddress(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		before := w.as("jo@example.com")
		made, err := w.s.CreateSuperadmin(ctx, "JO@example.com", another)
		if err != nil || made.ID != jo.ID || !made.Superadmin || made.Name != "Jo" {
			w.Fatalf("got %+v, %v", made, err)
		}
		_, err = w.s.Authenticate(ctx, before.AccessToken)
		w.wantCode("a session of before", err, "invalid_token")
		_, err = w.s.Login(ctx, auth.Credentials{Email: "jo@example.com", Password: password}, audit.Actor{IP: "192.0.2.1"})
		w.wantCode("the password of before", err, "invalid_credentials")
	})
}

func TestFromTheMachineItself(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		if err := w.s.Bootstrap(ctx, "second@platform.example", another); err != nil {
			w.Errorf("a second bootstrap: got %v, want nothing to happen", err)
		}
		if n := w.count(`SELECT COUNT(*) FROM users`); n != 1 {
			w.Errorf("%d users after a second bootstrap, want 1", n)
		}
		_, err := w.s.CreateSuperadmin(ctx, "new@platform.example", "short")
		w.wantCode("a bad password", err, "password_too_short")
		_, err = w.s.CreateSuperadmin(ctx, "not an address", another)
		w.wantCode("a bad address", err, "invalid_email")
		w.wantCode("nobody's password", w.s.ResetPassword(ctx, "nobody@platform.example", another), "not_found")
		w.wantCode("a bad new password", w.s.ResetPassword(ctx, email, "short"), "password_too_short")
		if err := w.s.ResetPassword(ctx, email, another); err != nil {
			w.Fatal(err)
		}
		_, err = w.s.Authenticate(ctx, tokens.AccessToken)
		w.wantCode("a session of before", err, "invalid_token")
		if _, err := w.login(w.s, another, "192.0.2.1"); err != nil {
			w.Errorf("the new password: %v", err)
		}
		if n := w.count(`SELECT COUNT(*) FROM (SELECT body FROM audit_events UNION ALL SELECT body FROM audit_pending) AS e WHERE body LIKE '%argon2%' OR body LIKE '%passphrase%'`); n != 0 {
			w.Error("the audit log holds a password or its hash")
		}
	})
}
