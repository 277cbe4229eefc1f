package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: jsonref DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "jsonref:", err)
		os.Exit(1)
	}
}

// structure is a type with options.
type structure struct {
	name, module, doc string
	fields            []field
}

// field is one option.
type field struct{ name, kind, doc string }

// write writes the page for the package in directory.
func write(w io.Writer, directory string) error {
	found, err := read(directory)
	if err != nil {
		return err
	}
	needed := reachable(found)
	if len(needed) == 0 {
		return fmt.Errorf("%s contains no Caddy module", directory)
	}
	fmt.Fprint(w, "# JSON configuration\n\nThe configuration that Caddy converts a Caddyfile to. `caddy adapt` prints it.\n")
	for _, s := range needed {
		title := s.name
		if s.module != "" {
			title = s.module
		}
		fmt.Fprintf(w, "\n## %s\n\n%s\n", title, s.doc)
		if len(s.fields) == 0 {
			continue
		}
		fmt.Fprint(w, "\n| option | type | meaning |\n|---|---|---|\n")
		for _, f := range s.fields {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", f.name, f.linked(needed), strings.ReplaceAll(f.doc, "|", `\|`))
		}
	}
	return nil
}

// linked returns the type of the field, as a link if the page describes it.
func (f field) linked(described []structure) string {
	inner := inner(f.kind)
	for _, s := range described {
		if s.name == inner && s.module == "" {
			return strings.Replace(f.kind, inner, "["+inner+"](#"+strings.ToLower(inner)+")", 1)
		}
	}
	return f.kind
}

// read returns the types of a package that have fields with JSON names, by name.
func read(directory string) (map[string]structure, error) {
	fset := token.NewFileSet()
	entries, err := fs.Glob(os.DirFS(directory), "*.go")
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range entries {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, directory+"/"+name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	modules := moduleIDs(files) // before package doc removes the bodies
	pkg, err := doc.NewFromFiles(fset, files, "caddymodule")
	if err != nil {
		return nil, err
	}
	found := make(map[string]structure)
	for _, t := range pkg.Types {
		spec, ok := t.Decl.Specs[0].(*ast.TypeSpec)
		if !ok {
			continue
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		s := structure{name: t.Name, module: modules[t.Name], doc: strings.TrimSpace(t.Doc)}
		s.fields = options(fields)
		found[t.Name] = s
	}
	for name, s := range found { // embedded types belong to the type that embeds them
		var fields []field
		for _, f := range s.fields {
			if f.name == "" {
				fields = append(fields, found[f.kind].fields...)
				continue
			}
			fields = append(fields, f)
		}
		s.fields = fields
		found[name] = s
	}
	return found, nil
}

// options returns the fields with a JSON name. An embedded type has no name.
func options(s *ast.StructType) []field {
	var list []field
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			if name, ok := f.Type.(*ast.Ident); ok {
				list = append(list, field{kind: name.Name})
			}
			continue
		}
		if f.Tag == nil {
			continue
		}
		name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		list = append(list, field{name, kind(f.Type), strings.Join(strings.Fields(f.Doc.Text()), " ")})
	}
	return list
}

// kind returns the JSON type of a Go type.
func kind(expression ast.Expr) string {
	switch t := expression.(type) {
	case *ast.StarExpr:
		return kind(t.X)
	case *ast.ArrayType:
		return "list of " + kind(t.Elt)
	case *ast.MapType:
		return "map to " + kind(t.Value)
	case *ast.SelectorExpr:
		switch t.Sel.Name {
		case "Duration":
			return "duration"
		case "RawMessage":
			return "module"
		case "ModuleMap":
			return "map to module"
		}
		return t.Sel.Name
	case *ast.Ident:
		switch t.Name {
		case "bool":
			return "boolean"
		case "int", "int64", "uint", "uint16", "float64":
			return "number"
		}
		return t.Name
	}
	return "value"
}

func inner(kind string) string {
	return kind[strings.LastIndexByte(kind, ' ')+1:]
}

var moduleID = regexp.MustCompile(`^"([a-z_.]+)"$`)

// moduleIDs returns the module ID of each type with a method CaddyModule. An ID that
// ends with a period is that of a family.
func moduleIDs(files []*ast.File) map[string]string {
	ids, constants := make(map[string]string), stringConstants(files)
	for _, file := range files {
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "CaddyModule" {
				continue
			}
			receiver := kind(method.Recv.List[0].Type)
			ast.Inspect(method, func(n ast.Node) bool {
				text := ""
				switch n := n.(type) {
				case *ast.BasicLit:
					text = n.Value
				case *ast.Ident:
					text = constants[n.Name]
				}
				if match := moduleID.FindStringSubmatch(text); match != nil {
					ids[receiver] = match[1]
				}
				return true
			})
			if strings.HasSuffix(ids[receiver], ".") {
				ids[receiver] += "<type>"
			}
		}
	}
	return ids
}

// stringConstants returns the constants and variables with a literal as their value.
func stringConstants(files []*ast.File) map[string]string {
	constants := make(map[string]string)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					constants[spec.Names[0].Name] = literal.Value
				}
			}
			return true
		})
	}
	return constants
}

// reachable returns the modules, ordered by ID, each followed by the types of its options
// that no earlier one used.
func reachable(found map[string]structure) []structure {
	var modules []string
	for name, s := range found {
		if s.module != "" {
			modules = append(modules, name)
		}
	}
	slices.SortFunc(modules, func(a, b string) int { return strings.Compare(found[a].module, found[b].module) })
	var list []structure
	seen := make(map[string]bool)
	var add func(name string)
	add = func(name string) {
		s, ok := found[name]
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		list = append(list, s)
		for _, f := range s.fields {
			add(inner(f.kind))
		}
	}
	for _, name := range modules {
		add(name)
	}
	return list
}
