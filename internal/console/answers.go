package console

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	languages "golang.org/x/text/language"
	printer "golang.org/x/text/message"
	"golang.org/x/text/number"
)

// answersInGerman are what the server says to people: each key is the sentence
// as the server forms it, its verbs (%s, %d) numbered in the translation. The
// application has the same from this file, and a test compares the keys with the
// server's sentences.
//
//go:embed answers.de.json
var answersInGerman []byte

// sentence is one of the server's, as it looks with any values, in German.
type sentence struct {
	like   *regexp.Regexp
	german string
	verbs  []string
	weight int // what is not of a value: the most of it tells most
}

var verb = regexp.MustCompile(`%%|%d|%s|%\.\df`)

// sentences are made when somebody first reads German.
var sentences = sync.OnceValue(func() (all []sentence) {
	var answers map[string]string
	if err := json.Unmarshal(answersInGerman, &answers); err != nil {
		panic(err)
	}
	for format, german := range answers {
		var like strings.Builder
		s := sentence{german: german}
		rest := format
		for _, at := range verb.FindAllStringIndex(format, -1) {
			text, v := format[len(format)-len(rest):at[0]], format[at[0]:at[1]]
			rest = format[at[1]:]
			like.WriteString(regexp.QuoteMeta(text))
			s.weight += len(text)
			switch v {
			case "%%":
				like.WriteString("%")
				continue
			case "%s":
				like.WriteString("(.+?)")
			default:
				like.WriteString(`(-?[\d.]+)`)
			}
			s.verbs = append(s.verbs, v)
		}
		s.weight += len(rest)
		s.like = regexp.MustCompile(`(?s)^` + like.String() + regexp.QuoteMeta(rest) + `$`)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b sentence) int { return b.weight - a.weight })
	return all
})

// said gives a text of the server's in the language of the page: as a whole, or
// sentence by sentence where each is known. What is not known stays as it is.
func (v *view) said(text string) string {
	if v.Lang != "de" {
		return text
	}
	return inGerman(text)
}

func inGerman(text string) string {
	for at := range text {
		if at == 0 || text[at] != ' ' || !strings.ContainsRune(".!?", rune(text[at-1])) {
			continue
		}
		first, known := translated(text[:at])
		if rest := inGerman(text[at+1:]); known && rest != text[at+1:] {
			return first + " " + rest
		}
	}
	german, _ := translated(text)
	return german
}

var place = regexp.MustCompile(`\{\d\}`)

// translated gives a sentence in German, or itself where it is not known.
func translated(text string) (string, bool) {
	for _, s := range sentences() {
		values := s.like.FindStringSubmatch(text)
		if values == nil {
			continue
		}
		return place.ReplaceAllStringFunc(s.german, func(p string) string {
			n := int(p[1] - '0')
			return value(s.verbs[n-1], values[n])
		}), true
	}
	return text, false
}

// value is what stands in a sentence: a number as Germans write it, or a text
// that may be a sentence itself.
func value(verb, text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if verb == "%s" || err != nil {
		return inGerman(text)
	}
	return printer.NewPrinter(languages.German).Sprint(number.Decimal(n))
}
