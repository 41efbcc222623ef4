package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
)

// Failed sign-ins slow down further ones, per account and per address. After a
// few free failures each next one doubles a pause, up to maxPause, during which
// every attempt is refused without looking at the password; so nobody is ever
// locked out, and a guesser learns a handful of answers an hour. Concurrent
// attempts are no way around it: the pause is looked at again in the
// transaction that would tell the outcome.
//
// Somebody who signs in from an address where this account signed in before is
// counted apart, so that a guesser elsewhere cannot keep the owner waiting.
const (
	freeFailures        = 5  // of an account
	freeAddressFailures = 50 // of an address, behind which there may be many people
	firstPause          = time.Second
	maxPause            = 15 * time.Minute
	forgetFailures      = 24 * time.Hour
	knownAddress        = 90 * 24 * time.Hour // how long an address stays known for an account
)

// attempt is a sign-in, as far as throttling needs to know it.
type attempt struct {
	account, address string // subjects
	pair             string // the account at that address, where it is known there
}

// subject makes the key of a counter. What was typed may be anything, a
// password included, so it is hashed.
func subject(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return kind + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

// newAttempt counts by e-mail key and address; an IPv6 customer has a /64.
func newAttempt(key, ip string) attempt {
	if a, err := netip.ParseAddr(ip); err == nil && a.Unmap().Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			ip = p.String()
		}
	}
	return attempt{account: subject("account", key), address: subject("address", ip), pair: subject("pair", key, ip)}
}

// counter is the subject that counts this account's failures.
func (a attempt) counter(known bool) string {
	if known {
		return a.pair
	}
	return a.account
}

// paused refuses with 429 while the account or the address has to wait.
func (a attempt) paused(tx *db.Tx, known bool) error {
	until, err := blockedUntil(tx, a.counter(known), a.address)
	if errors.Is(err, db.ErrNoRows) || err == nil && until <= tx.Now {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.New(fault.TooMany, "too_many_attempts", "Too many failed attempts. Wait before trying again.").
		After(time.Duration(until-tx.Now) * time.Microsecond)
}

// failed counts one more failure of both. It takes the locks in one order.
func (a attempt) failed(tx *db.Tx, known bool) error {
	if err := count(tx, a.counter(known), freeFailures); err != nil {
		return err
	}
	return count(tx, a.address, freeAddressFailures)
}

// passed forgets the account's failures, now that the password was right; not
// while there is a pause, in which nobody learns whether it was.
func (a attempt) passed(tx *db.Tx, known bool) error {
	if err := lockThrottle(tx, a.counter(known)); err != nil {
		return err
	}
	if err := a.paused(tx, known); err != nil {
		return err
	}
	return forgive(tx, a.counter(known))
}

func count(tx *db.Tx, subject string, free int64) error {
	n, err := countFailure(tx, subject)
	if err != nil || n <= free {
		return err
	}
	return block(tx, subject, tx.Now.Add(pause(n-free)))
}

// pause is how long the nth failure beyond the free ones stops further attempts.
func pause(n int64) time.Duration {
	if n > 20 {
		return maxPause
	}
	return min(firstPause<<(n-1), maxPause)
}
