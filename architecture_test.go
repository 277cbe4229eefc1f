package edgeauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/edgeauth/edgeauth"

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath string
	// Imports are direct, Deps direct and indirect; neither is of tests.
	Imports, Deps []string
}

// folder is the place of the package below the root of the module.
func (p listed) folder() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p listed) in(folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(p.folder(), folder) })
}

// within reports whether an import path is root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// packages lists the packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "./...")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// The arrows: caddymodule may use storage, mailer and authcore; storage and
// mailer may use authcore, wasm its gate; authcore uses nothing of ours. What a package must
// not know it must not reach by detours either, or the core would no longer
// build for WebAssembly and a back end could not be used without Caddy.
func TestArrows(t *testing.T) {
	const caddy, zap = "github.com/caddyserver", "go.uber.org/zap"
	ours := func(folder string) string { return module + "/" + folder }
	all := packages(t)
	for _, rule := range []struct {
		in      string
		forbids []string
	}{
		{"authcore", []string{caddy, zap, ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd")}},
		{"authcore/gate", []string{"net", "log", "crypto/tls", ours("authcore/httpapi"), ours("authcore/provider")}},
		{"storage", []string{caddy, zap, ours("mailer"), ours("caddymodule"), ours("cmd")}},
		{"wasm", []string{
			caddy, zap, "net", "log", "crypto/tls", "github.com/golang-jwt", ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd"),
			ours("authcore/httpapi"), ours("authcore/provider"),
		}},
		{"mailer", []string{caddy, zap, ours("storage"), ours("caddymodule"), ours("cmd")}},
		{"caddymodule", []string{ours("cmd")}},
	} {
		t.Run(rule.in, func(t *testing.T) {
			found := false
			for _, p := range all {
				if !p.in(rule.in) {
					continue
				}
				found = true
				for _, forbidden := range rule.forbids {
					p.refuse(t, p.Deps, forbidden)
				}
			}
			if !found {
				t.Errorf("there is no package in %s", rule.in)
			}
		})
	}
	t.Run("only the thin layers import Caddy", func(t *testing.T) {
		for _, p := range all {
			if !p.in("caddymodule", "cmd") {
				p.refuse(t, p.Imports, caddy)
				p.refuse(t, p.Imports, zap)
			}
		}
	})
}

// refuse fails the test when one of the import paths is, or is below, forbidden.
func (p listed) refuse(t *testing.T, paths []string, forbidden string) {
	t.Helper()
	for _, path := range paths {
		if within(path, forbidden) {
			t.Errorf("%s must not depend on %s", p.ImportPath, path)
		}
	}
}

// A path of the machine on which a file was written says nothing to whoever
// reads it elsewhere, and may say too much.
func TestNoFileNamesAPlaceOutsideTheTree(t *testing.T) {
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	outside := regexp.MustCompile(`(?:^|[\s"'=(` + "`" + `])(?:/(?:root|work|home/[a-z]\w*|Users/[A-Za-z]\w*)/\w|[A-Z]:\\Users\\)`)
	for _, name := range trackedFiles(t) {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, but not yet from the index
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // no text
		}
		for number, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, root+"/") || outside.MatchString(line) {
				t.Errorf("%s:%d names a place outside the tree: %s", name, number+1, strings.TrimSpace(line))
			}
		}
	}
}

// trackedFiles lists what git tracks or would track.
func trackedFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("this is no clone: nothing says which files belong to the project")
	}
	// The owner of a checkout may be another user than the one who tests it.
	list := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}
