package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/tenantry/tenantry/internal/fault"
)

// Hasher hashes passwords with argon2id. A hash takes tens of milliseconds and
// 46 MiB, so only as many run at once as there are cores; others queue.
type Hasher struct {
	cost  cost
	slots chan struct{}
	wait  time.Duration
}

// cost are the parameters of argon2id; memory in KiB.
type cost struct {
	memory, time uint32
	threads      uint8
}

// strong is the first of the equivalent choices that OWASP recommends.
var strong = cost{memory: 47104, time: 1, threads: 1}

// Sizes of a hash, in bytes.
const (
	saltSize = 16
	hashSize = 32
)

// NewHasher makes a hasher for as many cores as there are; one that waits
// longer than 5 s is refused.
func NewHasher() *Hasher { return newHasher(strong, runtime.GOMAXPROCS(0), 5*time.Second) }

// NewQuickHasher makes a hasher of the least cost, for data whose passwords
// protect nothing: tests and demos. What it hashed any hasher verifies.
func NewQuickHasher() *Hasher {
	return newHasher(cost{memory: 64, time: 1, threads: 1}, runtime.GOMAXPROCS(0), time.Minute)
}

func newHasher(c cost, slots int, wait time.Duration) *Hasher {
	return &Hasher{cost: c, slots: make(chan struct{}, slots), wait: wait}
}

// Hash gives the PHC string to store. When too many wait it refuses with
// fault.Unavailable.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails: see crypto/rand
	key, err := h.derive(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return encode(h.cost, salt, key), nil
}

// Verify compares a password with a stored hash. An empty hash costs the same
// as any other and never matches, so that an account which does not exist, or
// has no password, answers like one whose password is wrong.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = encode(h.cost, make([]byte, saltSize), make([]byte, hashSize))
	}
	c, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	key, err := h.derive(ctx, password, salt, c)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && known, nil
}

// derive waits for a slot and hashes. The password is taken in NFC, so that
// one typed on another keyboard is the same.
func (h *Hasher) derive(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	default:
		patience := time.NewTimer(h.wait)
		defer patience.Stop()
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-patience.C:
			return nil, fault.New(fault.Unavailable, "overloaded", "Too many people are signing in; try again shortly.").After(h.wait)
		}
	}
	defer func() { <-h.slots }()
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, c.time, c.memory, c.threads, hashSize), nil
}

// encode writes the PHC string.
func encode(c cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// decode reads a PHC string that encode wrote, with whatever parameters.
func decode(hash string) (c cost, salt, key []byte, err error) {
	bad := errors.New("auth: a stored password hash cannot be read")
	var version int
	var s, k string
	if n, err := fmt.Sscanf(separated(hash), " argon2id v=%d m=%d,t=%d,p=%d %s %s", &version, &c.memory, &c.time, &c.threads, &s, &k); err != nil || n != 6 {
		return c, nil, nil, bad
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, err1 := b64.DecodeString(s)
	key, err2 := b64.DecodeString(k)
	if version != argon2.Version || err1 != nil || err2 != nil || len(key) != hashSize || c.threads == 0 || c.time == 0 {
		return c, nil, nil, bad
	}
	return c, salt, key, nil
}

// separated puts blanks for the dollar signs, as Sscanf ends a word at a blank.
func separated(hash string) string {
	b := []byte(hash)
	for i := range b {
		if b[i] == '$' {
			b[i] = ' '
		}
	}
	return string(b)
}
