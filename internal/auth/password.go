package auth

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/text"
)

// Bounds of a password, in characters. The least is a setting that cannot go
// below the floor.
const (
	PasswordFloor   = 8
	PasswordDefault = 12
	PasswordMax     = 256
)

//go:embed passwords.txt
var passwordList string

// common is the exact blocklist: lower case, a line each.
var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(passwordList) {
		m[strings.TrimSpace(line)] = true
	}
	return m
})

// CheckPassword adds to v what is wrong with a new password: shorter than min
// characters (never less than PasswordFloor), longer than PasswordMax, one of
// the commonest, or made of the person's own e-mail address. There are no
// rules of composition, and no message repeats the password.
func CheckPassword(field, password, email string, min int, v *fault.Validation) {
	min = max(min, PasswordFloor)
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		v.Add(field, "invalid_text", "Use valid UTF-8.")
		return
	case n < min:
		v.Add(field, "password_too_short", "Use at least %d characters.", min)
		return
	case n > PasswordMax:
		v.Add(field, "password_too_long", "Use at most %d characters.", PasswordMax)
		return
	}
	low, key := text.Key(password), text.Key(email)
	local, _, _ := strings.Cut(key, "@")
	switch {
	case common()[low]:
		v.Add(field, "password_common", "This is one of the commonest passwords; choose another.")
	case key != "" && strings.Contains(low, key), utf8.RuneCountInString(local) >= 4 && strings.Contains(low, local):
		v.Add(field, "password_contains_email", "Leave your e-mail address out of the password.")
	}
}
