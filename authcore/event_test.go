package authcore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// EventNames has every constant of the type, so that no event is refused as unknown.
func TestEventNames(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []authcore.EventName
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "EventName" {
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, authcore.EventName(name))
		}
		return true
	})
	if names := authcore.EventNames(); len(declared) < 30 || !slices.Equal(declared, names) {
		t.Errorf("EventNames() = %v, want %v", names, declared)
	}
	if authcore.EventName("user_delted").IsKnown() {
		t.Error(`EventName("user_delted").IsKnown() = true, want false`)
	}
}
