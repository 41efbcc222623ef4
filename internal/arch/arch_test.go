// Package arch holds the tests of the architecture itself: who may import
// whom, that every package says what it is, and that no forbidden thing is
// used.
package arch

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tenantry/tenantry/"

// layers, from the lowest: a package imports only lower ones, never its own.
var layers = [][]string{
	{"internal/fault", "internal/patch", "internal/id", "client"},
	{"internal/page", "internal/text", "examples/ecommerce"},
	{"internal/db"},
	{"internal/audit", "internal/notify", "internal/job", "internal/hold", "internal/domain", "internal/secret", "internal/effect", "internal/brand", "internal/pace"},
	{"internal/mail", "internal/logo", "internal/db/dbtest", "internal/quota"},
	{"internal/auth", "internal/settings", "internal/plugin", "internal/partner", "internal/credit", "internal/branding"},
	{"internal/admin", "internal/org", "internal/usage"},
	{"internal/registration"},
	{"internal/api", "internal/console", "internal/config", "internal/demo"},
	{"internal/app"},
	{"internal/cli"},
	{"cmd/tenantry", "internal/arch", "internal/bench", "internal/scenario", "internal/browser"},
}

type pkg struct {
	ImportPath, Dir, Doc string
	Imports              []string
	GoFiles              []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func layerOf(path string) int {
	return slices.IndexFunc(layers, func(row []string) bool { return slices.Contains(row, strings.TrimPrefix(path, module)) })
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		mine := layerOf(p.ImportPath)
		if mine < 0 {
			t.Errorf("%s stands in no layer: add it to the list", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, module) && layerOf(imported) >= mine {
				t.Errorf("%s imports %s, which is not below it", p.ImportPath, imported)
			}
		}
	}
}

func TestOnlyOnePackageMay(t *testing.T) {
	rules := []struct {
		imported string
		may      []string
	}{
		{"modernc.org/sqlite", []string{"internal/db", "internal/db/dbtest"}},
		{"github.com/jackc/pgx", []string{"internal/db", "internal/db/dbtest"}},
		{"database/sql", []string{"internal/db", "internal/db/dbtest", "internal/bench"}},
		{"github.com/danielgtaylor/huma", []string{"internal/api"}},
		{"net/http", []string{"internal/api", "internal/console", "internal/app", "internal/bench", "internal/scenario", "client", "examples/ecommerce"}},
	}
	for _, p := range packages(t) {
		for _, rule := range rules {
			uses := slices.ContainsFunc(p.Imports, func(i string) bool { return i == rule.imported || strings.HasPrefix(i, rule.imported+"/") })
			if uses && !slices.Contains(rule.may, strings.TrimPrefix(p.ImportPath, module)) {
				t.Errorf("%s imports %s; only %v may", p.ImportPath, rule.imported, rule.may)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && len(strings.Fields(p.Doc)) < 5 {
			t.Errorf("%s has no doc comment", p.ImportPath)
		}
	}
}

// SQL stands in sql.go (or a file that says so in its name), nowhere else.
func TestQueriesHaveTheirPlace(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(name, "internal/db") || name == "internal/bench" || name == "internal/arch" {
			continue
		}
		for _, file := range p.GoFiles {
			if strings.HasSuffix(file, "sql.go") || strings.HasPrefix(file, "sql_") {
				continue
			}
			for _, text := range literals(parse(t, filepath.Join(p.Dir, file))) {
				if isQuery(text) {
					t.Errorf("%s/%s holds a query: %.40q", name, file, text)
				}
			}
		}
	}
}
