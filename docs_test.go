package edgeauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/edgeauth/edgeauth"
)

// Every Caddyfile that the documentation shows is one that Caddy takes, written
// as `caddy fmt` writes it. One that does not begin with the global options is
// a fragment: options of a realm.
func TestDocumentedCaddyfilesAreValid(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	fence := regexp.MustCompile("(?s)```caddyfile\n(.*?)```\n")
	variable := regexp.MustCompile(`\{env\.([A-Z0-9_]+)\}`)
	examples := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range fence.FindAllStringSubmatch(string(text), -1) {
			examples++
			t.Run(fmt.Sprintf("%s/%d", page, i+1), func(t *testing.T) {
				for _, found := range variable.FindAllStringSubmatch(block[1], -1) {
					t.Setenv(found[1], valueFor(found[1]))
				}
				if formatted := string(caddyfile.Format([]byte(block[1]))); formatted != block[1] {
					t.Errorf("caddy fmt writes it differently:\n%s", formatted)
				}
				source := block[1]
				if !strings.HasPrefix(source, "{") {
					source = "{\nedgeauth {\n" + minimal + source + "}\n}\n"
				}
				validate(t, source)
			})
		}
	}
	if examples == 0 {
		t.Error("there is no example: does the test look for the right thing?")
	}
}

// minimal is what a realm needs beside the fragment that is shown.
const minimal = `client example example-key
email_link https://frontend.app/auth/link/{token}
insecure_debug_links
`

// valueFor makes up the value of a variable. No two are the same, as it is with
// keys.
func valueFor(variable string) string {
	if variable == "REDIS_URL" {
		return "redis://user:password@redis.example.com:6379"
	}
	if strings.HasSuffix(variable, "_URL") {
		return "smtp://user:password@mail.example.com"
	}
	return "value-of-" + strings.ToLower(variable)
}

func validate(t *testing.T, source string) {
	t.Helper()
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(source), map[string]any{"filename": "example"})
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&config); err != nil {
		t.Error(err)
	}
}

// A link from one file of the project to another leads to a file.
func TestDocumentedLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, found[1])
			}
		}
	}
}

// The programs that the pages show are the ones that are compiled and run.
func TestDocumentedProgramsAreTheExamples(t *testing.T) {
	fence := regexp.MustCompile("(?s)```(go|js|jsonc|yaml)\n(.*?)```\n")
	for _, test := range []struct {
		page    string
		sources string
		shown   int
	}{
		{"docs/upstreams.md", "authcore/gate/example_test.go", 1},
		{"docs/edges.md", "wasm/js/examples/* wasm/e2e/example_test.go wasm/traefik/*.yml", 8},
	} {
		var examples []byte
		for pattern := range strings.FieldsSeq(test.sources) {
			files, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				examples = append(examples, text...)
			}
		}
		page, err := os.ReadFile(test.page)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, block := range fence.FindAllSubmatch(page, -1) {
			if bytes.Contains(examples, block[2]) {
				shown++
			}
		}
		if shown != test.shown {
			t.Errorf("%s shows %d programs of %s, want %d", test.page, shown, test.sources, test.shown)
		}
	}
}

// A test that the security page names as the proof of a rule is there.
func TestDocumentedTestsExist(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, name := range trackedFiles(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range function.FindAllStringSubmatch(string(source), -1) {
			written[filepath.Dir(name)+" "+found[1]] = true
		}
	}
	// `folder`: `TestA`, `TestB`. `folder`: `TestC`.
	folder := ""
	for _, found := range regexp.MustCompile("`([\\w/]+)`(:?)").FindAllStringSubmatch(string(text), -1) {
		switch name := found[1]; {
		case found[2] == ":":
			folder = name
		case strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"):
			if folder != "storage/storagetest" && !written[folder+" "+name] {
				t.Errorf("docs/security.md: there is no %s in %s", name, folder)
			}
		}
	}
}

// pages lists the documentation.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
