package registration

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/db"
	"github.com/tenantry/tenantry/internal/org"
	"github.com/tenantry/tenantry/internal/text"
)

// Flag is something a superadmin should know before deciding. The applicant
// never hears of flags.
type Flag string

// The flags.
const (
	EmailKnown     Flag = "email_known"            // a user or another open request has this address
	DisposableMail Flag = "disposable_mail_domain" // of a service for throw-away addresses
	LookAlikeSlug  Flag = "look_alike_slug"        // may be taken for another slug in use
	SameCompany    Flag = "same_company"           // a request or organization of this name exists
	SamePhone      Flag = "same_phone"             // a request with this number exists
)

//go:embed disposable.txt
var disposableText string

// disposable are domains of services for throw-away addresses.
var disposable = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(disposableText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			set[line] = true
		}
	}
	return set
}()

// disposableMail reports an address (its key) at such a domain or below one.
func disposableMail(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	for domain != "" {
		if disposable[domain] {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// legalForms say how a company is incorporated, not which one it is.
var legalForms = map[string]bool{
	"ab": true, "ag": true, "bv": true, "co": true, "corp": true, "corporation": true, "gmbh": true, "inc": true,
	"incorporated": true, "kg": true, "limited": true, "llc": true, "llp": true, "ltd": true, "nv": true, "oy": true, "plc": true,
	"pty": true, "sa": true, "sarl": true, "sl": true, "spa": true, "srl": true, "ug": true,
}

// companyKey is what two ways of writing one company's name share: lower case,
// no punctuation, no legal form.
func companyKey(name string) string {
	words := strings.FieldsFunc(text.Key(name), func(r rune) bool { return strings.ContainsRune(" .,;:-_/&+()'\"", r) })
	kept := words[:0:0]
	for _, w := range words {
		if !legalForms[w] {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return text.Key(name)
	}
	return strings.Join(kept, " ")
}

// phoneKey is a number's digits, the international prefix as in dialling
// rules: +1 555 and 001555 are the same.
func phoneKey(phone string) string {
	var b strings.Builder
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return strings.TrimPrefix(b.String(), "00")
}

// has reports a flag.
func (r Request) has(flag Flag) bool { return slices.Contains(r.Flags, flag) }

// flags looks the draft up among what is known already. Each question is asked
// whatever the others answered, so that the time taken tells nothing.
func flags(tx *db.Tx, d Draft) ([]Flag, error) {
	found := []Flag{}
	for _, q := range []struct {
		flag Flag
		is   func() (bool, error)
	}{
		{EmailKnown, func() (bool, error) { return emailKnown(tx, d.emailKey) }},
		{DisposableMail, func() (bool, error) { return disposableMail(d.emailKey), nil }},
		{SameCompany, func() (bool, error) { return companyKnown(tx, d.companyKey, text.Key(d.CompanyName)) }},
		{SamePhone, func() (bool, error) { return phoneKnown(tx, d.phoneKey) }},
	} {
		is, err := q.is()
		if err != nil {
			return nil, err
		}
		if is {
			found = append(found, q.flag)
		}
	}
	return found, nil
}

// lookAlike adds the flag for the slug that the request got.
func lookAlike(tx *db.Tx, slug string, found []Flag) ([]Flag, error) {
	alike, err := org.LooksLike(tx, slug)
	if err == nil && alike != "" {
		found = append(found, LookAlikeSlug)
	}
	return found, err
}
