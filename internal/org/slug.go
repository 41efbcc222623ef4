package org

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/id"
)

// Lengths of a slug, in characters.
const (
	MinSlug = 3
	MaxSlug = 48
)

// fallbackSlug stands for names that leave no ASCII letter behind.
const fallbackSlug = "organization"

var slugForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{1,46}[a-z0-9])$`)

// reserved are the words that would read as the platform itself, or that are
// host names and paths with a meaning of their own.
var reserved = wordSet(`about abuse access account accounts admin administrator admins analytics android anonymous api apis app
	apps assets auth authentication autoconfig autodiscover backup beta billing blog board bot broadcasthost cache calendar cdn
	chat ci cloud cluster cms code config connect console contact cpanel credits css customer customers dashboard data
	db debug default demo dev developer developers dns doc docs domain download downloads edge email error errors events
	example faq feedback file files forum ftp git graphql guest health healthz help home host hostmaster hosting html http https
	icons image images imap img info internal invite invites invoice ios ipv4 ipv6 isatap java javascript jobs
	js json legal livez local localdomain localhost log login logout logs mail mailer mailer-daemon mailing manage
	management manager master me member members metrics mobile monitor mx my my-organization newsletter nobody noc noreply no-reply
	notifications ns ns0 ns1 ns2 ns3 ns4 null oauth oauth2 openapi operator ops org organization organizations owner owners page pages partner
	partners password pay payment payments ping platform plugin plugins policy pop pop3 portal post postmaster pricing
	private privacy prod production profile proxy public readyz register registration reseller resellers root
	rss sale sandbox search secure security server service services settings setup sftp shop signin signout signup
	site sitemap sitemaps smtp sql ssl sso ssl-admin staff stage staging static stats status stylesheet stylesheets sub
	superadmin superuser support svn sys sysadmin system systems tenant tenantry tenants terms test testing tests tls token tokens
	tools true undefined unknown update upload uploads usage user users usenet uucp v1 v2 v3 vpn web webhook webhooks webmail
	webmaster website whois wpad ww www www1 www2 www3 wwww xml xmpp`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// CheckSlug adds to v, under field, what keeps s from being a slug: its form
// alone, not whether it is free.
func CheckSlug(field, s string, v *fault.Validation) {
	switch {
	case !slugForm.MatchString(s):
		v.Add(field, "invalid_slug", "Use %d to %d of the characters a-z, 0-9 and -, beginning and ending with a letter or digit.", MinSlug, MaxSlug)
	case !strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz"):
		v.Add(field, "invalid_slug", "Use at least one letter.")
	case strings.Contains(s, "--"):
		v.Add(field, "invalid_slug", "Do not put two hyphens next to each other.")
	case reserved[s]:
		v.Add(field, "reserved_slug", "This word is reserved.")
	}
}

// letters are the Latin letters that decomposition leaves whole.
var letters = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ħ", "h", "ı", "i", "ŋ", "n", "ŧ", "t",
	"&", " and ", "@", " at ", "'", "", "’", "", "ª", "a", "º", "o",
)

// DeriveSlug makes a slug of a name: transliterated to ASCII as far as letters
// decompose, everything else a hyphen, repaired to the form of a slug. It
// always answers an acceptable one, which need not be free.
func DeriveSlug(name string) string {
	s := letters.Replace(strings.ToLower(norm.NFC.String(name)))
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the accent that came off a letter
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > MaxSlug {
			break
		}
	}
	return repair(b.String())
}

// repair brings characters of the slug alphabet into the form of a slug.
func repair(s string) string {
	s = cut(strings.Trim(s, "-"), MaxSlug)
	switch {
	case s == "":
		return fallbackSlug + "-1"
	case len(s) < MinSlug, reserved[s], !strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz"):
		return cut("org-"+s, MaxSlug)
	}
	return s
}

// cut shortens s to at most n bytes without leaving a hyphen at its end.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.TrimRight(s, "-")
}

// confusable maps what looks alike to one sign: digits that stand for letters,
// pairs that read as one letter. Hyphens vanish.
var confusable = strings.NewReplacer("-", "", "rn", "m", "vv", "w", "0", "o", "1", "l", "i", "l", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b")

// skeleton is what two slugs share that a person may take for each other.
func skeleton(slug string) string { return confusable.Replace(slug) }

// reservedSkeletons leads from a skeleton to a reserved word long enough to be
// mistaken.
var reservedSkeletons = func() map[string]string {
	words := map[string]string{}
	for w := range reserved {
		if len(w) > MinSlug {
			words[skeleton(w)] = w
		}
	}
	return words
}()

// LooksLike names a slug in use, or a reserved word, that a person may take
// this one for; "" when there is none.
func LooksLike(tx *db.Tx, slug string) (string, error) {
	if word := reservedSkeletons[skeleton(slug)]; word != "" && word != slug {
		return word, nil
	}
	return lookAlike(tx, slug)
}

// SlugFree reports whether nobody holds the slug now. Only reserving it
// decides: between the two somebody else may be faster.
func SlugFree(tx *db.Tx, slug string) (bool, error) {
	taken, err := takenSlugs(tx, []string{slug})
	return err == nil && !taken[slug], err
}

// ReserveForRequest holds the slug for an open registration request and
// reports whether it could: of any number of concurrent callers one. A request
// that already holds it holds it still. It refuses without an error, so that
// the caller can try another in the same transaction.
func ReserveForRequest(tx *db.Tx, slug string, request id.Request) (bool, error) {
	return holdSlug(tx, slug, 0, request)
}

// ClaimForOrganization makes the slug the organization's: a free one, or the
// one that request holds. Held by anybody else it is fault slug_taken.
func ClaimForOrganization(tx *db.Tx, slug string, organization id.Organization, request id.Request) error {
	ok, err := holdSlug(tx, slug, organization, request)
	if err == nil && !ok {
		err = SlugTaken(tx, slug)
	}
	return err
}

// ReleaseRequest frees the slug that a request holds, at once: nobody was ever
// reached under it. What an organization holds stays.
func ReleaseRequest(tx *db.Tx, slug string, request id.Request) error {
	return freeRequestSlug(tx, slug, request)
}

// SlugTaken is the refusal of a slug that was asked for and is held, with
// free ones to take instead.
func SlugTaken(tx *db.Tx, slug string) error {
	free, err := Suggestions(tx, slug, 3)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "slug_taken", "This slug is taken. Choose another, such as one of the suggestions.").With("suggestions", free)
}

// Suggestions gives n free slugs that begin with base, which is repaired
// first. With base itself free it is not among them.
func Suggestions(tx *db.Tx, base string, n int) ([]string, error) {
	base = repair(base)
	free := make([]string, 0, n)
	for from := 2; len(free) < n && from < 1e9; from *= 10 {
		var tries []string
		for i := range n + 8 {
			suffix := fmt.Sprintf("-%d", from+i)
			tries = append(tries, cut(base, MaxSlug-len(suffix))+suffix)
		}
		taken, err := takenSlugs(tx, tries)
		if err != nil {
			return nil, err
		}
		for _, s := range tries {
			if !taken[s] && len(free) < n {
				free = append(free, s)
			}
		}
	}
	return free, nil
}
