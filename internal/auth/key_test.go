package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/audit"
	"github.com/tenantry/tenantry/internal/auth"
	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/hold"
	"github.com/tenantry/tenantry/internal/id"
	"github.com/tenantry/tenantry/internal/page"
)

// Times of use are stored rarely and together; what has expired goes.
func TestFlushAndPrune(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		p := w.principal(w.s, tokens.AccessToken)
		used := func() int64 { return w.count(`SELECT last_used_at FROM sessions WHERE id = $1`, p.Session) }
		begin := used()
		flush := func() {
			w.Helper()
			if err := w.s.Flush(ctx); err != nil {
				w.Fatal(err)
			}
		}
		w.move(time.Minute)
		w.principal(w.s, tokens.AccessToken)
		flush()
		if used() != begin {
			w.Error("a use soon after was stored")
		}
		w.move(5 * time.Minute)
		w.principal(w.s, tokens.AccessToken)
		if used() != begin {
			w.Error("a request stored its use")
		}
		flush()
		if got := used(); got != w.at.Load() {
			w.Errorf("got %d, want %d", got, w.at.Load())
		}
		_, err := w.login(w.s, "a wrong passphrase", "203.0.113.1")
		w.wantCode("wrong", err, "invalid_credentials")
		w.move(auth.RefreshLife + 25*time.Hour)
		if err := w.s.Prune(ctx); err != nil {
			w.Fatal(err)
		}
		for _, table := range []string{"access_tokens", "refresh_tokens", "throttle"} {
			if n := w.count(`SELECT COUNT(*) FROM ` + table); n != 0 {
				w.Errorf("%s: %d rows are left", table, n)
			}
		}
	})
}

// A key of an organization is that organization's alone, and ends at once.
func TestKeysOfAnOrganization(t *testing.T) {
	each(t, func(w world) {
		o, a := w.organization("first")
		other, _ := w.organization("other")
		actor := audit.Actor{Type: audit.User, ID: 1, Name: "Jo"}
		var k auth.IssuedKey
		w.write(func(tx *db.Tx) (err error) {
			k, err = auth.CreateKey(tx, actor, o, a, auth.NewAPIKey{Name: "Shop", Scopes: []auth.Scope{auth.ScopeUsageRead, auth.ScopeUsageRead, auth.ScopeEntitlements}})
			return err
		})
		if len(k.Scopes) != 2 || !strings.HasPrefix(k.Key, k.Prefix) || len(k.Prefix) >= len(k.Key)/2 {
			w.Errorf("got %+v", k)
		}
		p := w.principal(w.s, k.Key)
		if p.Key.Organization != o || p.Key.Admin != a || p.Key.Hold != auth.Free {
			w.Errorf("got %+v", p.Key)
		}
		elsewhere := w.process()
		w.principal(elsewhere, k.Key)
		list := func(o id.Organization) (l page.List[auth.APIKey]) {
			w.Helper()
			err := w.s.DB.Read(ctx, func(tx *db.Tx) (err error) { l, err = auth.Keys(tx, o, "", page.Request{Limit: 10}); return err })
			if err != nil {
				w.Fatal(err)
			}
			return l
		}
		if len(list(o).Data) != 1 || len(list(other).Data) != 0 || len(list(0).Data) != 0 {
			w.Error("a key is listed elsewhere than with its organization")
		}
		w.write(func(tx *db.Tx) error {
			_, err := hold.Place(tx, hold.Subject{Admin: a}, hold.Platform, "why", 0, nil)
			auth.Changed(tx)
			return err
		})
		if p := w.principal(w.s, k.Key); p.Key.Hold != auth.AdminSuspended {
			w.Errorf("under a hold: got %q", p.Key.Hold)
		}
		revoke := func(o id.Organization) error {
			return w.s.DB.Write(ctx, func(tx *db.Tx) error { return auth.RevokeKey(tx, actor, o, a, k.ID) })
		}
		w.wantCode("by another organization", revoke(other), "not_found")
		w.wantCode("by the platform's list", revoke(0), "not_found")
		if err := revoke(o); err != nil {
			w.Fatal(err)
		}
		if err := revoke(o); err != nil {
			w.Errorf("again: got %v", err)
		}
		_, err := w.s.Authenticate(ctx, k.Key)
		w.wantCode("here, at once", err, "invalid_token")
		err = elsewhere.DB.Write(ctx, func(tx *db.Tx) error { _, err := elsewhere.Recheck(tx, p); return err })
		w.wantCode("a write elsewhere, at once", err, "invalid_token")
	})
}

func TestKeysAreFound(t *testing.T) {
	each(t, func(w world) {
		o, a := w.organization("first")
		actor := audit.Actor{Type: audit.User, ID: 1, Name: "Jo"}
		add := func(o id.Organization, a id.Admin, name string) (k auth.IssuedKey) {
			w.write(func(tx *db.Tx) (err error) {
				k, err = auth.CreateKey(tx, actor, o, a, auth.NewAPIKey{Name: name, Scopes: []auth.Scope{auth.ScopeUsageRead}})
				return err
			})
			return k
		}
		shop := add(o, a, "Shop_ÄPFEL")
		add(o, a, "shopx")
		platform := add(0, 0, "Shop of all")
		found := func(o id.Organization, q string) (names string) {
			w.Helper()
			err := w.s.DB.Read(ctx, func(tx *db.Tx) error {
				l, err := auth.Keys(tx, o, q, page.Request{Limit: 10})
				for _, k := range l.Data {
					names += k.Name + " "
				}
				if l.Pagination.Total != int64(len(l.Data)) {
					w.Errorf("%q: %d of %d", q, len(l.Data), l.Pagination.Total)
				}
				return err
			})
			if err != nil {
				w.Fatal(err)
			}
			return names
		}
		for q, want := range map[string]string{"": "shopx Shop_ÄPFEL ", "SHOP": "shopx Shop_ÄPFEL ", "shop_": "Shop_ÄPFEL ", "äpf": "Shop_ÄPFEL ", "%": "",
			shop.Prefix: "Shop_ÄPFEL ", platform.Prefix: ""} {
			if got := found(o, q); got != want {
				w.Errorf("%q: got %q, want %q", q, got, want)
			}
		}
		if got := found(0, platform.Prefix); got != "Shop of all " {
			w.Errorf("platform-wide: got %q", got)
		}
		var second auth.IssuedKey
		w.write(func(tx *db.Tx) (err error) {
			second, err = auth.RotateKey(tx, actor, o, a, shop.ID, auth.Rotation{})
			return err
		})
		if got := found(o, second.Prefix); got != "Shop_ÄPFEL " {
			w.Errorf("a rotated one: got %q", got)
		}
	})
}

// An address behind which many people are waits as well, and IPv6 counts by
// the customer's whole network.
func TestAnAddressWaits(t *testing.T) {
	each(t, func(w world) {
		var all sync.WaitGroup
		try := func(who, ip string) error {
			_, err := w.s.Login(ctx, auth.Credentials{Email: who, Password: "a wrong passphrase"}, audit.Actor{IP: ip})
			return err
		}
		for i := range 51 {
			all.Go(func() {
				w.wantCode("wrong", try(fmt.Sprintf("user%d@example.com", i), fmt.Sprintf("2001:db8:1:2::%x", i)), "invalid_credentials")
			})
		}
		all.Wait()
		w.wantCode("from the same network", try("fresh@example.com", "2001:db8:1:2:ffff::1"), "too_many_attempts")
		w.wantCode("from another", try("fresh@example.com", "2001:db8:1:3::1"), "invalid_credentials")
		w.wantCode("from IPv4", try("fresh@example.com", "192.0.2.77"), "invalid_credentials")
	})
}

func TestMalformedTokensCostNothing(t *testing.T) {
	each(t, func(w world) {
		tokens := w.in()
		for _, token := range []string{"", "x", "tnt_at_", tokens.RefreshToken, tokens.AccessToken + "x", tokens.AccessToken[:len(tokens.AccessToken)-1],
			strings.ToUpper(tokens.AccessToken), "tnt_sk_" + tokens.AccessToken[7:], strings.Repeat("a", 100_000)} {
			_, err := w.s.Authenticate(ctx, token)
			w.wantCode(fmt.Sprintf("%.20q", token), err, "invalid_token")
		}
		_, err := w.s.Refresh(ctx, tokens.AccessToken)
		w.wantCode("refresh by an access token", err, "invalid_token")
	})
}
