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

// Every Caddyfile in the documentation is valid, in the format of `caddy fmt`. One
// that does not begin with the global options is a fragment: options of a realm.
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
					t.Errorf("the format differs, caddy fmt returns:\n%s", formatted)
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
		t.Error("found no Caddyfile in the documentation")
	}
}

// minimal completes a fragment to a valid realm.
const minimal = `client example example-key
email_link https://frontend.app/auth/link/{token}
insecure_debug_links
`

// valueFor returns a value for a variable. Values differ, as those of keys do.
func valueFor(variable string) string {
	if variable == "REDIS_URL" {
		return "redis://user:password@redis.example.com:6379"
	}
	if strings.HasSuffix(variable, "_WEBHOOK") {
		return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
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

// Links between files of the project lead to files.
func TestDocumentedLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, found[1])
			}
		}
	}
}

// The programs in the pages are copies of programs that are compiled and run.
func TestDocumentedProgramsAreTheExamples(t *testing.T) {
	fence := regexp.MustCompile("(?s)```(go|js|jsonc|yaml|python)\n(.*?)```\n")
	for _, test := range []struct {
		page    string
		sources string
		shown   int
	}{
		{"docs/upstreams.md", "authcore/gate/example_test.go", 1},
		{"docs/upstreams.md", "docs/examples/assertion/*.* docs/examples/assertion/go/*", 3},
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
