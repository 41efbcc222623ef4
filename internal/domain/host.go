package domain

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/tenantry/tenantry/internal/fault"
)

// Normalize gives a host name as it is compared and stored: lower case, in
// ASCII form. It adds to v under field what cannot be a custom domain: an
// address, a port, a single label, a public suffix itself, mixed scripts, or
// one of own, the platform's hosts and what lies beneath them.
func Normalize(field, s string, own []string, v *fault.Validation) string {
	bad := func(code, message string) string {
		v.Add(field, code, "%s", message)
		return ""
	}
	s = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".")
	if s == "" || len(s) > 253 || strings.ContainsAny(s, ":/@_*%[]\\ ") || strings.HasSuffix(s, ".") || strings.HasPrefix(s, ".") || strings.Contains(s, "..") {
		return bad("invalid_domain", "Give a host name such as app.example.com: no scheme, port, path or underscore.")
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return bad("invalid_domain", "Give a host name, not an address.")
	}
	if mixed(s) {
		return bad("invalid_domain", "Use letters of one script, digits and hyphens within a label.")
	}
	host, err := idna.Lookup.ToASCII(s)
	if err != nil || !labels(host) {
		return bad("invalid_domain", "Give a host name such as app.example.com.")
	}
	if suffix, _ := publicsuffix.PublicSuffix(host); suffix == host {
		return bad("public_suffix", "Give a domain of your own, not a public suffix.")
	}
	under := func(h string) bool { return h != "" && (host == h || strings.HasSuffix(host, "."+h)) }
	if slices.ContainsFunc(own, under) || strings.HasSuffix(host, ".localhost") {
		return bad("domain_reserved", "This domain belongs to the platform.")
	}
	return host
}

// number is a last label by which a browser takes a host for an IPv4 address.
var number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)

// labels checks what idna lets pass: every label 1 to 63 of a-z, 0-9 and inner
// hyphens, at least two of them, the last not a number, in whatever base: what
// looks like an address is read as one by browsers.
func labels(host string) bool {
	parts := strings.Split(host, ".")
	for _, l := range parts {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	last := parts[len(parts)-1]
	return len(parts) >= 2 && len(host) <= 253 && !number.MatchString(last)
}

// scripts that together look like one another.
var scripts = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Hebrew, unicode.Arabic, unicode.Cherokee}

// mixed reports a label with signs that are no letters or digits, with letters
// of several of those scripts, or made only of letters that look like Latin
// ones.
func mixed(host string) bool {
	u, err := idna.Display.ToUnicode(host)
	if err != nil {
		u = host
	}
	for label := range strings.SplitSeq(u, ".") {
		if strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) }) {
			return true
		}
		found := 0
		for _, s := range scripts {
			if strings.ContainsFunc(label, func(r rune) bool { return unicode.Is(s, r) }) {
				found++
			}
		}
		if found > 1 || twin(label) {
			return true
		}
	}
	return false
}

// twins are letters of other scripts that look like Latin ones.
const twins = "асԁеһіјӏорԛѕԝхуѵαοντρυ"

// twin reports a label made only of such letters.
func twin(label string) bool { return label != "" && strings.Trim(label, twins) == "" }
