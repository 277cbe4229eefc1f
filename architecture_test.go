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

// listed is a package in the output of `go list`.
type listed struct {
	ImportPath string
	// Imports are direct, Deps direct and indirect, both without those of tests.
	Imports, Deps []string
}

// folder returns the directory of the package below the root of the module.
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

// The arrows between the areas: caddymodule may use adminapi, storage, mailer and
// authcore; its commands do not know Caddy; adminapi may use authcore and contrib; storage, mailer and contrib may use authcore; wasm may use its gate; authcore uses
// none of them. Indirect imports count as well: otherwise the core would not build for
// WebAssembly, and a back end could not be used without Caddy.
func TestArrows(t *testing.T) {
	const caddy, zap = "github.com/caddyserver", "go.uber.org/zap"
	ours := func(folder string) string { return module + "/" + folder }
	all := packages(t)
	for _, rule := range []struct {
		in      string
		forbids []string
	}{
		{"authcore", []string{caddy, zap, ours("adminapi"), ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd")}},
		{"adminapi", []string{caddy, zap, ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd")}},
		{"caddymodule/command", []string{caddy, zap, ours("cmd")}},
		{"authcore/gate", []string{"net", "log", "crypto/tls", ours("authcore/httpapi"), ours("authcore/provider")}},
		{"storage", []string{caddy, zap, ours("mailer"), ours("caddymodule"), ours("cmd")}},
		{"wasm", []string{
			caddy, zap, "net", "log", "crypto/tls", "github.com/golang-jwt", ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd"),
			ours("authcore/httpapi"), ours("authcore/provider"),
		}},
		{"mailer", []string{caddy, zap, ours("storage"), ours("caddymodule"), ours("cmd")}},
		{"contrib", []string{caddy, zap, ours("storage"), ours("mailer"), ours("caddymodule"), ours("cmd")}},
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
	t.Run("only package passkey imports the library for passkeys", func(t *testing.T) {
		const webauthn = "github.com/go-webauthn"
		for _, p := range all {
			switch {
			case p.in("authcore/gate", "wasm", "storage", "mailer") || p.folder() == "authcore":
				p.refuse(t, p.Deps, webauthn)
			case !p.in("authcore/passkey"):
				p.refuse(t, p.Imports, webauthn)
			}
		}
	})
	t.Run("only the thin layers import Caddy", func(t *testing.T) {
		for _, p := range all {
			if !p.in("caddymodule", "cmd") {
				p.refuse(t, p.Imports, caddy)
				p.refuse(t, p.Imports, zap)
			}
		}
	})
}

// layers lists the packages below authcore, each after those that it may import.
var layers = [][]string{
	{"authcore/gate"},
	{"authcore"},
	{"authcore/keys", "authcore/provider", "authcore/ratelimit", "authcore/revocation"},
	{"authcore/account", "authcore/captcha"},
	{"authcore/apikey", "authcore/audit", "authcore/passkey", "authcore/session"},
	{"authcore/factor", "authcore/webhook"},
	{"authcore/login", "authcore/session/sessiontest"},
	{"authcore/realm"},
	{"authcore/httpapi"},
}

// No arrow between the packages of the core runs back up or within a layer.
func TestLayersOfTheCore(t *testing.T) {
	height := map[string]int{}
	for i, layer := range layers {
		for _, folder := range layer {
			height[folder] = i
		}
	}
	for _, p := range packages(t) {
		if !p.in("authcore") {
			continue
		}
		own, known := height[p.folder()]
		if !known {
			t.Errorf("%s is in no layer; add it to layers", p.folder())
		}
		for _, path := range p.Imports {
			folder := strings.TrimPrefix(path, module+"/")
			if imported, ours := height[folder]; ours && imported >= own {
				t.Errorf("%s must not import %s", p.folder(), folder)
			}
		}
	}
}

// refuse fails the test if one of the import paths is forbidden or below it.
func (p listed) refuse(t *testing.T, paths []string, forbidden string) {
	t.Helper()
	for _, path := range paths {
		if within(path, forbidden) {
			t.Errorf("%s must not depend on %s", p.ImportPath, path)
		}
	}
}

// No file contains a path of the machine on which it was written: it is useless
// elsewhere and may disclose something.
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
			continue // a binary file
		}
		for number, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, root+"/") || outside.MatchString(line) {
				t.Errorf("%s:%d contains a path outside the tree: %s", name, number+1, strings.TrimSpace(line))
			}
		}
	}
}

// trackedFiles lists what git tracks or would track.
func trackedFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("this is not a clone, so the files of the project are unknown")
	}
	// The owner of a checkout may differ from the user who runs the tests.
	list := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}
