package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// What tokens begin with, so that a leaked one is recognised, and no one is
// taken for another.
const (
	accessPrefix  = "tnt_at_"
	refreshPrefix = "tnt_rt_"
	keyPrefix     = "tnt_sk_"
	oncePrefix    = "tnt_ot_"
	grantPrefix   = "tnt_ag_"
)

// How long things live.
const (
	AccessLife   = 15 * time.Minute
	RefreshLife  = 30 * 24 * time.Hour // since the last refresh
	SessionLife  = 90 * 24 * time.Hour // since the sign-in
	ResetLife    = time.Hour
	VerifyLife   = 7 * 24 * time.Hour
	SetupLife    = 24 * time.Hour
	tokenEntropy = 32 // bytes
)

// digest is what of a token is stored and looked up.
type digest [sha256.Size]byte

// newToken makes a token; only its digest may be kept.
func newToken(prefix string) (token string, d digest) {
	var b [tokenEntropy]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	token = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token))
}

// tokenLength is the length of every token.
var tokenLength = len(accessPrefix) + base64.RawURLEncoding.EncodedLen(tokenEntropy)

// parseToken gives the digest of a token of this kind; ok is false for what
// cannot be one, which costs no query.
func parseToken(prefix, token string) (d digest, ok bool) {
	if len(token) != tokenLength || !strings.HasPrefix(token, prefix) {
		return d, false
	}
	return sha256.Sum256([]byte(token)), true
}

// errInvalidToken is the answer to every token that stands for nobody: unknown,
// expired and revoked alike.
func errInvalidToken() error {
	return fault.New(fault.Unauthenticated, "invalid_token", "The token is unknown, expired or revoked. Sign in again.")
}
