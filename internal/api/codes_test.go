package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/api"
)

// statuses of the kinds of faults.
var statuses = map[string]int{
	"BadRequest": 400, "Unauthenticated": 401, "PaymentRequired": 402, "Forbidden": 403, "NotFound": 404, "MethodUnknown": 405, "Conflict": 409,
	"Precondition": 412, "TooLarge": 413, "MediaType": 415, "Invalid": 422, "TooMany": 429, "Internal": 500, "Unavailable": 503,
}

// TestCodesAreDocumented holds the documented problem codes against every
// fault.New of the source, with its status, both ways. A fault of a single
// field lends the problem its code, so those of fields count too.
func TestCodesAreDocumented(t *testing.T) {
	made := map[api.Code]bool{}
	for _, code := range api.HumaCodes() {
		made[api.Code{Code: code, Status: 422}] = true
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if code, status, ok := newFault(n); ok {
				if status == 0 {
					t.Errorf("%s: the kind of %s is not known here", path, code)
				}
				made[api.Code{Code: code, Status: status}] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	documented := map[api.Code]bool{}
	for _, c := range api.Codes() {
		if documented[c] {
			t.Errorf("%v is documented twice", c)
		}
		documented[c] = true
		if !made[c] {
			t.Errorf("%v is documented and never answered", c)
		}
	}
	for c := range made {
		if !documented[c] {
			t.Errorf("%v is not documented", c)
		}
	}
}

// newFault reads a call of fault.New, fault.InvalidField or Validation.Add, from
// inside that package too.
func newFault(n ast.Node) (code string, status int, ok bool) {
	call, _ := n.(*ast.CallExpr)
	if call == nil {
		return "", 0, false
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	if len(call.Args) == 2 && name == "bad" { // of one field, in package domain
		lit, _ := call.Args[0].(*ast.BasicLit)
		if lit == nil {
			return "", 0, false
		}
		code, err := strconv.Unquote(lit.Value)
		return code, 422, err == nil
	}
	if len(call.Args) < 3 {
		return "", 0, false
	}
	lit, _ := call.Args[1].(*ast.BasicLit)
	if lit == nil || lit.Kind != token.STRING {
		return "", 0, false
	}
	code, err := strconv.Unquote(lit.Value)
	if name == "InvalidField" || name == "Add" {
		return code, 422, err == nil
	}
	if name != "New" {
		return "", 0, false
	}
	kind := ""
	switch k := call.Args[0].(type) {
	case *ast.SelectorExpr:
		kind = k.Sel.Name
	case *ast.Ident:
		kind = k.Name
	}
	return code, statuses[kind], err == nil
}
