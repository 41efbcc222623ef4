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

var verb = regexp.MustCompile(`%%|%d|%s|%\\\.\df`) // in a quoted format

// sentences are made when somebody first reads German.
var sentences = sync.OnceValue(func() (all []sentence) {
	var answers map[string]string
	if err := json.Unmarshal(answersInGerman, &answers); err != nil {
		panic(err)
	}
	for format, german := range answers {
		s := sentence{german: german, weight: len(format)}
		like := verb.ReplaceAllStringFunc(regexp.QuoteMeta(format), func(v string) string {
			if v == "%%" {
				return "%"
			}
			s.verbs = append(s.verbs, v)
			s.weight -= len(v)
			if v == "%s" {
				return "(.+?)"
			}
			return `(-?[\d.]+)`
		})
		s.like = regexp.MustCompile("(?s)^" + like + "$")
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

// mostSentences are taken apart; what follows them, such as the reason that
// somebody gave, belongs to the last.
const mostSentences = 8

func inGerman(text string) string {
	parts := make([]string, 0, mostSentences)
	for at := 1; at < len(text) && len(parts) < mostSentences-1; at++ {
		if text[at] == ' ' && strings.IndexByte(".!?", text[at-1]) >= 0 {
			parts, text, at = append(parts, text[:at]), text[at+1:], 0
		}
	}
	german, _ := sentenceBySentence(append(parts, text))
	return german
}

// sentenceBySentence takes parts for sentences, where a known one may run over
// several; else all of them for one.
func sentenceBySentence(parts []string) (string, bool) {
	for n := 1; n < len(parts); n++ {
		if first, known := translated(strings.Join(parts[:n], " ")); known {
			if rest, known := sentenceBySentence(parts[n:]); known {
				return first + " " + rest, true
			}
		}
	}
	return translated(strings.Join(parts, " "))
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
// that may be one sentence itself.
func value(verb, text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if verb == "%s" || err != nil {
		german, _ := translated(text)
		return german
	}
	return printer.NewPrinter(languages.German).Sprint(number.Decimal(n))
}
