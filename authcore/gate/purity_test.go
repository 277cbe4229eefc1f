package gate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goList runs the go tool, for the platform of the tests or for another one.
func goList(t *testing.T, platform []string, arguments ...string) []string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go tool is not installed")
	}
	command := exec.CommandContext(t.Context(), tool, append([]string{"list"}, arguments...)...)
	command.Env = append(command.Environ(), platform...)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list failed: %v", err)
	}
	return strings.Fields(string(output))
}

// The package imports only what it needs to decide.
func TestImports(t *testing.T) {
	const curve = "filippo.io/edwards25519" // arithmetic and nothing else
	allowed := []string{
		"bytes", "crypto", "crypto/ecdsa", "crypto/ed25519", "crypto/elliptic", "crypto/hmac", "crypto/rsa", "crypto/sha256", "crypto/sha512",
		"encoding/base64", "encoding/binary", "cmp", "encoding/hex", "encoding/json", "errors", "fmt", "hash/maphash", "io", "iter", "maps", "math",
		"math/big", "math/bits", "slices", "sort", "strconv", "strings", "sync", "sync/atomic", "time", "unicode", "unicode/utf8",
		curve,
	}
	for _, name := range goList(t, nil, "-f", `{{join .Imports "\n"}}`, ".") {
		if !slices.Contains(allowed, name) {
			t.Errorf("the package imports %s, want only pure packages", name)
		}
	}
	forbidden := []string{"net", "net/http", "net/url", "log", "log/slog", "os/exec", "crypto/tls", "crypto/x509", "text/template"}
	for _, platform := range [][]string{nil, {"GOOS=wasip1", "GOARCH=wasm"}, {"GOOS=js", "GOARCH=wasm"}} {
		for _, name := range goList(t, platform, "-deps", ".") {
			root, _, _ := strings.Cut(name, "/")
			foreign := strings.Contains(root, ".") && !strings.HasSuffix(name, "/authcore/gate") && name != curve && name != curve+"/field"
			if foreign || slices.Contains(forbidden, name) {
				t.Errorf("the package depends on %s on %v, want only pure packages", name, platform)
			}
		}
	}
}

// Time is an argument, and nothing continues after a call.
func TestNoClockNoGoroutine(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v, want the files of the package", files, err)
	}
	clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "Sleep", "NewTimer", "NewTicker"}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatalf("parser.ParseFile = %v", err)
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: starts a goroutine", set.Position(node.Pos()))
			case *ast.SelectorExpr:
				owner, ok := node.X.(*ast.Ident)
				if !ok {
					break
				}
				if owner.Name == "time" && slices.Contains(clock, node.Sel.Name) || owner.Name == "fmt" && !slices.Contains([]string{"Errorf", "Sprintf"}, node.Sel.Name) {
					t.Errorf("%s: uses %s.%s", set.Position(node.Pos()), owner.Name, node.Sel.Name)
				}
			}
			return true
		})
	}
}
