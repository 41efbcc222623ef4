package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// platform is the closed list of what reaches the rows of every tenant, past
// row-level security. Everything else names its tenant.
var platform = map[string]string{
	"internal/app openAt":           "background work: sequencer, jobs, mail, tokens, and the services behind public routes: signing in, registering, accepting an invitation, branding a host",
	"internal/api Server.as":        "public routes, which have no caller to go by",
	"internal/api Server.serve":     "the ledger's batches: one transaction for many services",
	"internal/api Server.settled":   "waiting until the events of all tenants have their numbers",
	"internal/auth Principal.reach": "superadmins and platform-wide keys",
	"internal/bench bench.work":     "the benchmark reads one answer of its own data",
	"internal/bench plan.seed":      "the benchmark's own data",
}

func TestOnlyTheseReachEveryTenant(t *testing.T) {
	found := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(name, "internal/db") {
			continue
		}
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				ast.Inspect(d, func(n ast.Node) bool {
					s, ok := n.(*ast.SelectorExpr)
					if ok && s.Sel.Name == "Platform" {
						if x, ok := s.X.(*ast.Ident); ok && x.Name == "db" {
							found[name+" "+nameOf(d)] = true
						}
					}
					return true
				})
			}
		}
	}
	got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(platform))
	if !slices.Equal(got, want) {
		t.Errorf("what uses db.Platform: got %q, want %q", got, want)
	}
}

// nameOf is how a declaration is called: Type.Method, or a function's name.
func nameOf(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "a variable"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	return of.(*ast.Ident).Name + "." + f.Name.Name
}
