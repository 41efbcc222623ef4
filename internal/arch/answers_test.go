package arch

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the server says to people, the console can say in German: every refusal
// with its fields, and every notification.
func TestAnswersAreTranslated(t *testing.T) {
	b, err := os.ReadFile("../console/answers.de.json")
	if err != nil {
		t.Fatal(err)
	}
	var known map[string]string
	if err := json.Unmarshal(b, &known); err != nil {
		t.Fatal(err)
	}
	said := sentences(t)
	if len(said) < 200 {
		t.Fatalf("found %d sentences in the sources, which cannot be all", len(said))
	}
	for _, s := range said {
		if _, ok := known[s]; !ok {
			t.Errorf("internal/console/answers.de.json has no German for %q", s)
		}
	}
	for format, german := range known {
		values := len(regexp.MustCompile(`%[ds]|%\.\df`).FindAllString(format, -1))
		for i := range values {
			if !strings.Contains(german, "{"+strconv.Itoa(i+1)+"}") {
				t.Errorf("the German of %q leaves out its value %d", format, i+1)
			}
		}
	}
}

// spoken are the functions that take a sentence, with its place; before it
// stands a stable code.
var spoken = map[string]int{"New": 2, "InvalidField": 2, "Add": 2, "insufficient": 2, "tell": 4, "refused": 1}

// joined are made of words that the sources fill in: the answers have each of
// the sentences that come of them.
var joined = []string{"%s was %s.", "%s: %s."}

// sentences are what the packages say in refusals and notifications.
func sentences(t *testing.T) []string {
	t.Helper()
	var all []string
	add := func(e ast.Expr) {
		s := strings.TrimSpace(format(e))
		if (strings.Contains(s, " ") || strings.HasSuffix(s, ".")) && !slices.Contains(joined, s) {
			all = append(all, s)
		}
	}
	for _, p := range packages(t) {
		if !strings.Contains(p.ImportPath, "/internal/") || slices.Contains([]string{"arch", "bench", "browser", "demo", "cli", "config", "db", "dbtest", "scenario", "console"}, filepath.Base(p.ImportPath)) {
			continue
		}
		for _, name := range p.GoFiles {
			ast.Inspect(parse(t, filepath.Join(p.Dir, name)), func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if at, ok := spoken[called(n)]; ok && len(n.Args) > at && !strings.ContainsAny(format(n.Args[at-1]), " %") {
						for _, e := range n.Args[at:] {
							add(e)
						}
					}
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && slices.Contains([]string{"Title", "Body", "Message"}, k.Name) {
						add(n.Value)
					}
				case *ast.AssignStmt:
					for i, to := range n.Lhs {
						if len(n.Rhs) == len(n.Lhs) && slices.Contains([]string{"title", "body", "Title", "Body", "message", "why", "Why"}, last(to)) {
							add(n.Rhs[i])
						}
					}
				}
				return true
			})
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func called(c *ast.CallExpr) string { return last(c.Fun) }

func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// format is the text of a literal, or the format of a Sprintf, and "" for
// anything else.
func format(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		if s := format(e.X); s != "" {
			return s + format(e.Y)
		}
	case *ast.CallExpr:
		if called(e) == "Sprintf" {
			return format(e.Args[0])
		}
	}
	return ""
}
