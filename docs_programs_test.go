package edgeauth_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tool returns the path of a program, or skips the test. In CI it fails the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: %v", name, err)
		}
		t.Skipf("NOT TESTED: %s is not installed: %v", name, err)
	}
	return path
}

// checkJS checks the syntax of a module, its imports and the paths that it calls.
func checkJS(t *testing.T, b block) {
	checkImports(t, b)
	checkPaths(t, b)
	file := filepath.Join(t.TempDir(), "block.mjs")
	if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool(t, "node"), "--check", file).CombinedOutput(); err != nil {
		t.Errorf("node --check reports: %v\n%s", err, out)
	}
}

// checkComponent checks the script of a component or page.
func checkComponent(t *testing.T, b block) {
	script := regexp.MustCompile(`(?s)<script[^>]*>\n(.*?)</script>`).FindStringSubmatch(b.text)
	if script == nil {
		t.Fatal("the block has no script")
	}
	for _, element := range regexp.MustCompile(`<(edge-[a-z]+)`).FindAllStringSubmatch(b.text, -1) {
		if !strings.Contains(readFile(t, "clients/js/src/elements.ts"), "'"+element[1]+"'") {
			t.Errorf("clients/js does not define the element %s", element[1])
		}
	}
	b.text = script[1]
	checkJS(t, b)
}

// npmSources maps our npm packages, and their modules, to their sources.
var npmSources = map[string]string{
	"edgeauth":           "clients/js/src/index.ts",
	"edgeauth-server":    "clients/node/edgeauth.d.mts",
	"edgeauth-edge":      "wasm/js/edge.mjs",
	"edgeauth-edge/node": "wasm/js/node.mjs",
}

// checkImports checks that our packages export the imported names, and that the client
// has the methods that are called.
func checkImports(t *testing.T, b block) {
	for _, found := range regexp.MustCompile(`import \{ ([^}]+) \} from ['"](edgeauth[^'"]*)['"]`).FindAllStringSubmatch(b.text, -1) {
		source, ours := npmSources[found[2]]
		if !ours {
			source = "clients/js/src/" + strings.TrimPrefix(found[2], "edgeauth/") + ".ts"
		}
		text := readFile(t, source)
		for name := range strings.SplitSeq(found[1], ", ") {
			if !regexp.MustCompile(`(?m)^export .*\b` + name + `\b`).MatchString(text) {
				t.Errorf("%s exports no %s", source, name)
			}
		}
	}
	_, client, _ := strings.Cut(readFile(t, npmSources["edgeauth"]), "\n  return {\n")
	for _, found := range regexp.MustCompile(`\bauth\.(\w+)\(`).FindAllStringSubmatch(b.text, -1) {
		if !regexp.MustCompile(`(?m)^    (?:async )?` + found[1] + `[(:,<]`).MatchString(client) {
			t.Errorf("the client has no method %s", found[1])
		}
	}
}

// checkGo checks the syntax of statements or declarations, and the names that they use
// of package edgeauth of clients/go.
func checkGo(t *testing.T, b block) {
	_, declarations := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.text, parser.SkipObjectResolution)
	_, statements := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() error {\n"+b.text+"\nreturn nil\n}\n", parser.SkipObjectResolution)
	if declarations != nil && statements != nil {
		t.Errorf("neither declarations nor statements: %v", errors.Join(declarations, statements))
	}
	var sources strings.Builder
	for _, pattern := range []string{"clients/go/*.go", "authcore/gate/example_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			sources.WriteString(readFile(t, file))
		}
	}
	for _, found := range regexp.MustCompile(`\b(?:edge|edgeauth|e)\.(\w+)\(|\b(newEdge)\(`).FindAllStringSubmatch(b.text, -1) {
		if name := found[1] + found[2]; !regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?` + name + `\(`).MatchString(sources.String()) {
			t.Errorf("there is no function %s", name)
		}
	}
}

// checkPython checks the syntax, and the names of the modules of clients/python.
func checkPython(t *testing.T, b block) {
	for _, found := range regexp.MustCompile(`\b(edgeauth\w*)\.([A-Z]\w*)`).FindAllStringSubmatch(b.text, -1) {
		if !strings.Contains(readFile(t, "clients/python/"+found[1]+".py"), "\nclass "+found[2]) {
			t.Errorf("module %s has no class %s", found[1], found[2])
		}
	}
	cmd := exec.Command(tool(t, "python3"), "-c", "import ast, sys; ast.parse(sys.stdin.read())")
	cmd.Stdin = strings.NewReader(b.text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("python3 reports: %v\n%s", err, out)
	}
}

// checkJSON checks that the block consists of JSON values.
func checkJSON(t *testing.T, b block) {
	decoder := json.NewDecoder(strings.NewReader(b.text))
	for {
		var value any
		if err := decoder.Decode(&value); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// checkHTTP checks the header fields and the JSON body of a request or an answer.
func checkHTTP(t *testing.T, b block) {
	head, body, _ := strings.Cut(b.text, "\n\n")
	if first, _, _ := strings.Cut(head, "\n"); !strings.HasPrefix(first, "POST ") {
		head = "POST / HTTP/1.1\n" + head
	} else {
		head = strings.Replace(head, first, first+" HTTP/1.1", 1)
	}
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\nHost: example.com\r\n\r\n"
	if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head))); err != nil {
		t.Errorf("header: %v", err)
	}
	if body = strings.ReplaceAll(body, ", …", ""); !json.Valid([]byte(body)) {
		t.Errorf("the body is not valid JSON: %s", body)
	}
}

// checkUnit checks that the shipped units use the keys, too: they are run by a test.
func checkUnit(t *testing.T, b block) {
	units := readFile(t, "deploy/systemd/edgeauth.service") + readFile(t, "deploy/systemd/caddy.service.d/edgeauth.conf")
	for line := range strings.Lines(b.text) {
		key := strings.TrimSpace(line) // or the name of a section
		if name, _, isKey := strings.Cut(key, "="); isKey {
			key = name + "="
		}
		if !strings.Contains(units, "\n"+key) {
			t.Errorf("the units in deploy/systemd do not use %s", key)
		}
	}
}

// checkCSS checks that the style of the pages uses the variables.
func checkCSS(t *testing.T, b block) {
	style := readFile(t, "pages/assets/style.css")
	for _, found := range regexp.MustCompile(`(--[a-z-]+):`).FindAllStringSubmatch(b.text, -1) {
		if !strings.Contains(style, "var("+found[1]+")") {
			t.Errorf("the style does not use %s", found[1])
		}
	}
	if strings.Count(b.text, "{") != strings.Count(b.text, "}") {
		t.Error("the braces do not match")
	}
}

// checkImportFile checks that the import of users reads the columns.
func checkImportFile(t *testing.T, b block) {
	rows, err := csv.NewReader(strings.NewReader(b.text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := regexp.MustCompile(`\w+`).FindAllString(find([]string{"edgeauth", "user", "import"}).Long, -1)
	for _, column := range rows[0] {
		if !slices.Contains(columns, column) {
			t.Errorf("the help of user import has no column %s", column)
		}
	}
}

func applePrivateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
