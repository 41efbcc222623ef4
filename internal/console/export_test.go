package console

import (
	"os"
	"regexp"
	"slices"
	"strings"
)

var spoken = []*regexp.Regexp{regexp.MustCompile(`v\.T\("([^"]+)"\)`), regexp.MustCompile(`\{t \S+ "([^"]+)"\}`), regexp.MustCompile(`\(t \S+ "([^"]+)"\)`)}

// Untranslated lists the sentences of the pages that have no German.
func Untranslated() (missing []string) {
	all := []string{"optional"}
	for _, f := range slices.Concat(forms, signedForms) {
		all = append(all, f.title, f.intro, f.button)
		for _, fd := range f.fields {
			all = append(all, fd.Label, fd.Hint)
		}
		for _, l := range f.links {
			all = append(all, l.Text)
		}
	}
	for _, s := range done {
		all = append(all, s)
	}
	for _, name := range []string{"console.go", "view.go", "application.go", "page/page.html", "page/app.html"} {
		b, err := os.ReadFile(name)
		if err != nil {
			return []string{err.Error()}
		}
		for _, re := range spoken {
			for _, m := range re.FindAllStringSubmatch(string(b), -1) {
				all = append(all, m[1])
			}
		}
	}
	for _, s := range all {
		if _, ok := german[s]; !ok && !strings.Contains(s, "Tenantry ·") {
			missing = append(missing, s)
		}
	}
	return missing
}

// LookOf is what the templates make of a brand, and Contrast how two of its
// colours stand out.
var LookOf, Contrast = lookOf, contrast
