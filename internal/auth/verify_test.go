package auth_test

import (
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
)

var verifyLink = regexp.MustCompile(`http://localhost/verify\?token=(tnt_ot_[\w-]+)`)

func actorOf(u auth.User) audit.Actor {
	return audit.Actor{Type: audit.User, ID: int64(u.ID), Name: u.Name, Email: u.Email, IP: "192.0.2.1"}
}

// sent asks for a link and gives its token.
func (w world) sent(u auth.User) string {
	w.Helper()
	w.write(func(tx *db.Tx) error { return w.s.SendVerification(tx, actorOf(u)) })
	return w.mailed(verifyLink)
}

func (w world) verify(u auth.User, token string) (after auth.User, events int, err error) {
	err = w.s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		after, err = auth.VerifyEmail(tx, actorOf(u), token)
		events = len(audit.Recorded(tx))
		return err
	})
	return after, events, err
}

// refused is verify for what must be no good.
func (w world) refused(what string, u auth.User, token string) {
	w.Helper()
	_, _, err := w.verify(u, token)
	w.wantCode(what, err, "invalid_token")
}

func TestVerifyEmail(t *testing.T) {
	each(t, func(w world) {
		jo, other := w.user("jo@example.com"), w.user("other@example.com")
		session := w.as("jo@example.com")
		first := w.sent(jo)
		w.move(time.Hour)
		token := w.sent(jo)
		w.refused("an earlier link", jo, first)
		w.refused("another's link", other, token)
		w.refused("not a token", jo, "x")
		w.refused("an access token", jo, session.AccessToken)
		w.refused("a link to set a password", jo, w.forgot("jo@example.com"))
		w.wantCode("as a link to set a password", w.s.Reset(ctx, token, another, audit.Actor{Type: audit.Nobody}), "invalid_token")
		after, events, err := w.verify(jo, token)
		if err != nil || !after.EmailVerified || after.Version != jo.Version+1 || events != 1 {
			w.Fatalf("got %+v with %d events, %v", after, events, err)
		}
		w.refused("the link again", jo, token)
		if n := w.count(`SELECT COUNT(*) FROM one_time_tokens WHERE hash = $1`, []byte(token)); n != 0 {
			w.Error("a token is stored as it is")
		}
		err = w.s.DB.Write(ctx, func(tx *db.Tx) error { return w.s.SendVerification(tx, actorOf(jo)) })
		w.wantCode("another link", err, "already_verified")
	})
}

func TestAVerificationLinkEnds(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		late := w.sent(jo)
		w.move(auth.VerifyLife)
		w.refused("past its end", jo, late)

		moved := w.sent(jo)
		address := func(key string) {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE users SET email = $1, email_key = $2 WHERE id = $3`, key, key, jo.ID)
				return err
			})
		}
		address("elsewhere@example.com")
		w.refused("of the address before", jo, moved)
		address("jo@example.com")
		if after, _, err := w.verify(jo, moved); err != nil || !after.EmailVerified {
			w.Errorf("of the address again: got %+v, %v", after, err)
		}
	})
}

// A link that is used after the address was proved otherwise changes nothing.
func TestVerifyEmailTwice(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		token := w.sent(jo)
		w.write(func(tx *db.Tx) error { return auth.Proved(tx, jo.ID) })
		if after, events, err := w.verify(jo, token); err != nil || events != 0 || !after.EmailVerified {
			w.Errorf("got %+v with %d events, %v", after, events, err)
		}
	})
}

func TestVerificationMailsAreFew(t *testing.T) {
	each(t, func(w world) {
		jo, other := w.user("jo@example.com"), w.user("other@example.com")
		ask := func() error {
			return w.s.DB.Write(ctx, func(tx *db.Tx) error { return w.s.SendVerification(tx, actorOf(jo)) })
		}
		for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
			if err := ask(); err != nil {
				w.Fatalf("before %v: %v", pause, err)
			}
			w.move(pause - time.Second)
			w.wantCode("within "+pause.String(), ask(), "too_many_mails")
			w.move(time.Second)
		}
		w.sent(other)
		mails := w.count(`SELECT COUNT(*) FROM jobs WHERE kind = $1`, mail.Kind)
		for range 100 { // a day of asking as soon as it is let
			if err := ask(); err != nil {
				w.Fatal(err)
			}
			w.move(time.Hour)
		}
		if n := w.count(`SELECT COUNT(*) FROM jobs WHERE kind = $1`, mail.Kind) - mails; n != 100 {
			w.Errorf("got %d mails, want 100", n)
		}
		w.move(48 * time.Hour)
		if err := ask(); err != nil {
			w.Fatal(err)
		}
		w.move(time.Minute)
		if err := ask(); err != nil {
			w.Errorf("after two days the pause is the first one: %v", err)
		}
	})
}

// However many ask and use at once, one mail is sent and one use counts.
func TestVerifyRace(t *testing.T) {
	each(t, func(w world) {
		jo := w.user("jo@example.com")
		together := func(f func() error) (ended map[string]int) {
			var mu sync.Mutex // guards ended
			ended = map[string]int{}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					code := fault.Code(f())
					mu.Lock()
					ended[code]++
					mu.Unlock()
				})
			}
			all.Wait()
			return ended
		}
		ended := together(func() error {
			return w.s.DB.Write(ctx, func(tx *db.Tx) error { return w.s.SendVerification(tx, actorOf(jo)) })
		})
		if ended[""] != 1 || ended["too_many_mails"] != 19 {
			w.Errorf("20 questions: got %v", ended)
		}
		token := w.mailed(verifyLink)
		var events atomic.Int64
		ended = together(func() error {
			_, n, err := w.verify(jo, token)
			if err == nil {
				events.Add(int64(n))
			}
			return err
		})
		if ended[""] != 1 || ended["invalid_token"] != 19 || events.Load() != 1 {
			w.Errorf("20 uses: got %v with %d events", ended, events.Load())
		}
	})
}
