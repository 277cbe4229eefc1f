package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// description is docs/openapi.yaml.
type description struct {
	document map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// operation is one operation of the description.
type operation struct {
	method, path, pointer string
	node                  map[string]any
}

func readDescription(t *testing.T) *description {
	t.Helper()
	text, err := os.ReadFile("../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("file:///openapi.json", document); err != nil {
		t.Fatal(err)
	}
	return &description{document.(map[string]any), compiler, map[string]*jsonschema.Schema{}}
}

// resolve follows a reference within the document.
func (d *description) resolve(pointer string) (string, map[string]any) {
	for {
		var node any = d.document
		for _, name := range strings.Split(strings.TrimPrefix(pointer, "#/"), "/") {
			members, _ := node.(map[string]any)
			node = members[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		}
		found, _ := node.(map[string]any)
		ref, isReference := found["$ref"].(string)
		if !isReference {
			return pointer, found
		}
		pointer = ref
	}
}

// validate returns how a value differs from the schema at a pointer.
func (d *description) validate(pointer string, value any) error {
	schema := d.schemas[pointer]
	if schema == nil {
		var err error
		if schema, err = d.compiler.Compile("file:///openapi.json" + pointer); err != nil {
			return err
		}
		d.schemas[pointer] = schema
	}
	return schema.Validate(value)
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func (d *description) operations() []operation {
	var all []operation
	paths := d.document["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if node, found := paths[path].(map[string]any)[method].(map[string]any); found {
				all = append(all, operation{strings.ToUpper(method), path, "#/paths/" + escapePointer(path) + "/" + method, node})
			}
		}
	}
	return all
}
