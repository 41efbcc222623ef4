// Package text cleans what people write before it is stored: names without
// control, bidirectional or invisible characters, in NFC; e-mail addresses
// with the key that makes two of them the same; search keys.
package text

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenantry/tenantry/internal/fault"
)

// Name cleans a required one-line text of at most max characters. What is
// wrong is added to v under field.
func Name(field, s string, max int, v *fault.Validation) string {
	whole := utf8.ValidString(s)
	s = clean(field, s, max, v, false)
	if s == "" && whole {
		v.Add(field, "required", "Give at least one visible character.")
	}
	return s
}

// Line cleans an optional one-line text.
func Line(field, s string, max int, v *fault.Validation) string {
	return clean(field, s, max, v, false)
}

// Prose cleans an optional text of several lines; they end with a line feed
// alone.
func Prose(field, s string, max int, v *fault.Validation) string {
	return clean(field, s, max, v, true)
}

func clean(field, s string, max int, v *fault.Validation, lines bool) string {
	s = strings.TrimSpace(norm.NFC.String(s))
	if lines {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if !utf8.ValidString(s) {
		v.Add(field, "invalid_text", "Use valid UTF-8.")
		return ""
	}
	if utf8.RuneCountInString(s) > max {
		v.Add(field, "too_long", "Use at most %d characters.", max)
	}
	for _, r := range s {
		if hidden(r) && (!lines || r != '\n' && r != '\t') {
			v.Add(field, "invalid_text", "Leave out control, bidirectional and invisible characters.")
			break
		}
	}
	return s
}

// hidden reports characters that change how a text reads without being seen.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' ||
		r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == unicode.ReplacementChar
}

// number is a last label that makes a domain an IP address.
var number = regexp.MustCompile(`(?i)\.([0-9]+|0x[0-9a-f]*)$`)

// Email checks a required address at a domain, not at an IP address. key is what makes two addresses the same:
// lower case, without a final dot of the domain.
func Email(field, s string, v *fault.Validation) (address, key string) {
	s = strings.TrimSuffix(strings.TrimSpace(norm.NFC.String(s)), ".")
	bad := func() (string, string) {
		v.Add(field, "invalid_email", "Give one e-mail address, such as user@example.com.")
		return "", ""
	}
	if len(s) > 254 || strings.ContainsFunc(s, hidden) || strings.ContainsAny(s, " <>[]\"(),;:\\") {
		return bad()
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return bad()
	}
	local, domain, _ := strings.Cut(s, "@")
	if local == "" || len(local) > 64 || !strings.Contains(domain, ".") || strings.Contains(domain, "..") || strings.HasPrefix(domain, ".") || number.MatchString(domain) {
		return bad()
	}
	return local + "@" + domain, Key(local + "@" + domain)
}

// Phone checks an optional telephone number: digits with the usual marks.
func Phone(field, s string, v *fault.Validation) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case strings.ContainsRune("+-(). /", r):
		default:
			v.Add(field, "invalid_phone", "Use digits, spaces and + - ( ) . / only.")
			return ""
		}
	}
	if digits < 4 || len(s) > 40 {
		v.Add(field, "invalid_phone", "Give a telephone number of 4 to 40 characters.")
	}
	return s
}

// Key is the form in which texts are compared and searched: NFC, lower case,
// surrounding white space gone.
func Key(s string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFC.String(s)))
}

// Like makes a search term the pattern of LIKE … ESCAPE '\' over stored keys:
// contained anywhere, every character meant literally.
func Like(q string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(Key(q)) + "%"
}
