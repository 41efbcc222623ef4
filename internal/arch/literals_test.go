package arch

import (
	"go/ast"
	"go/token"
	"regexp"
)

// literals gives the string literals of a file.
func literals(f *ast.File) (all []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			all = append(all, lit.Value)
		}
		return true
	})
	return all
}

var query = regexp.MustCompile("^[`\"]\\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) [^ ]+ ?(FROM|SET|\\(|[a-z_,]+)")

func isQuery(text string) bool { return query.MatchString(text) }
