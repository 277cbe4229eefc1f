package httpapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lines returns a file of the documentation.
func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// The OpenAPI document lists exactly the routes and methods.
func TestOpenAPIListsTheRoutes(t *testing.T) {
	var served []string
	for _, route := range New(Options{}).routes {
		for method := range route.methods {
			served = append(served, strings.ToLower(method)+" "+route.pattern)
		}
	}
	pathLine := regexp.MustCompile(`^ {2}(/\S*?)/?:$`)
	methodLine := regexp.MustCompile(`^ {4}(get|put|post|patch|delete|head|options|trace):$`)
	var documented []string
	var section, current string
	for _, line := range lines(t, "openapi.yaml") {
		if line != "" && line[0] != ' ' {
			section = line
		}
		if section != "paths:" {
			continue
		}
		if match := pathLine.FindStringSubmatch(line); match != nil {
			current = match[1]
		} else if match := methodLine.FindStringSubmatch(line); match != nil {
			documented = append(documented, match[1]+" "+current)
		}
	}
	slices.Sort(served)
	slices.Sort(documented)
	if !slices.Equal(served, documented) {
		t.Errorf("served:\n%s\nwant documented:\n%s", strings.Join(served, "\n"), strings.Join(documented, "\n"))
	}
}

// The document begins as OpenAPI 3.1, and its references resolve.
func TestOpenAPIReferencesResolve(t *testing.T) {
	document := lines(t, "openapi.yaml")
	if !strings.HasPrefix(document[0], "openapi: 3.1.") {
		t.Errorf("the first line is %q", document[0])
	}
	defined := map[string]bool{}
	var section, group string
	for _, line := range document {
		name, _, isKey := strings.Cut(strings.TrimSpace(line), ":")
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); {
		case !isKey:
		case indent == 0:
			section = name
		case indent == 2:
			group = name
		case indent == 4:
			defined["#/"+section+"/"+group+"/"+name] = true
		}
	}
	reference := regexp.MustCompile(`\$ref: "([^"]+)"`)
	found := 0
	for i, line := range document {
		for _, match := range reference.FindAllStringSubmatch(line, -1) {
			found++
			if !defined[match[1]] {
				t.Errorf("line %d: %s does not exist", i+1, match[1])
			}
		}
	}
	if found == 0 {
		t.Error("no reference was found")
	}
}

// The list of errors contains exactly the codes in the source.
func TestErrorsListTheCodes(t *testing.T) {
	declared := map[string]bool{}
	for _, pattern := range []string{"../*.go", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				collectCodes(t, file, declared)
			}
		}
	}
	documented := map[string]bool{}
	row := regexp.MustCompile("^\\| `([a-z_]+)`(?: ¹)? \\| [1-5]\\d\\d \\|")
	for _, line := range lines(t, "errors.md") {
		if match := row.FindStringSubmatch(line); match != nil {
			documented[match[1]] = true
		}
	}
	if len(declared) < 19 || !maps.Equal(declared, documented) {
		t.Errorf("declared codes are   %v\ndocumented codes are %v", slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(documented)))
	}
}

// collectCodes adds the constants of type authcore.Code that a file declares.
func collectCodes(t *testing.T, file string, codes map[string]bool) {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(syntax, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !isCode(spec.Type) {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[text] = true
		}
		return true
	})
}

func isCode(typed ast.Expr) bool {
	switch typed := typed.(type) {
	case *ast.Ident:
		return typed.Name == "Code"
	case *ast.SelectorExpr:
		return typed.Sel.Name == "Code"
	}
	return false
}
