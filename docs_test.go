package edgeauth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct {
	page     string
	line     int
	language string
	text     string
}

// Each fenced block of the documentation has exactly one check: the claim that names
// it, or the check of its language. A block in another language fails.
func TestDocumentedBlocks(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	used := make([]bool, len(claims))
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			check, claimed := languages[b.language], 0
			for i, c := range claims {
				if c.page == b.page && c.language == b.language && strings.HasPrefix(b.text, c.begins) {
					check, used[i] = c.check, true
					claimed++
				}
			}
			t.Run(fmt.Sprintf("%s/%d", b.page, b.line), func(t *testing.T) {
				switch {
				case claimed > 1:
					t.Fatalf("%d claims name this block, want at most 1", claimed)
				case check == nil:
					t.Fatalf("nothing checks blocks in language %q; see languages and claims", b.language)
				}
				check(t, b)
			})
		}
	}
	for i, c := range claims {
		if !used[i] {
			t.Errorf("claim of %s, %s %q: there is no such block", c.page, c.language, c.begins)
		}
	}
}

// languages maps the language of a block to the check of its blocks.
var languages = map[string]func(*testing.T, block){
	"caddyfile": checkCaddyfile,
	"css":       checkCSS,
	"go":        checkGo,
	"html":      checkComponent,
	"http":      checkHTTP,
	"ini":       checkUnit,
	"js":        checkJS,
	"json":      checkJSON,
	"python":    checkPython,
	"sh":        checkShell,
	"svelte":    checkComponent,
	"syntax":    checkSyntax,
	"ts":        checkJS, // without type annotations
	"tsx":       checkImports,
	"vue":       checkComponent,
}

// claims lists the blocks whose check differs from that of their language. A block is
// named by its page, its language and its beginning; "" names all of the language.
var claims = []struct {
	page, language, begins string
	check                  func(*testing.T, block)
}{
	{"docs/edges.md", "go", "", copyOf("wasm/e2e/example_test.go")},
	{"docs/edges.md", "js", "", copyOf("wasm/js/examples/*")},
	{"docs/edges.md", "jsonc", "", copyOf("wasm/js/examples/*")},
	{"docs/edges.md", "yaml", "", copyOf("wasm/traefik/*.yml")},
	{"wasm/js/README.md", "jsonc", "", copyOf("wasm/js/examples/*")},
	{"docs/edges.md", "json", "", checkGuestConfig},
	{"docs/caddyfile.md", "json", "{\n  \"handler\"", checkHandler},
	{"docs/audit.md", "json", "{\"user\"", checkAuditSearch},
	{"docs/upstreams.md", "go", "// edge checks", copyOf("authcore/gate/example_test.go")},
	{"docs/upstreams.md", "go", "// newVerifier", copyOf("docs/examples/assertion/go/*")},
	{"docs/upstreams.md", "js", "// Verifies assertions", copyOf("docs/examples/assertion/*.mjs")},
	{"docs/upstreams.md", "python", "def verify_assertion", copyOf("docs/examples/assertion/*.py")},
	{"docs/frontend.md", "js", "import { createAuth }", copyOf("clients/js/examples/ten-lines.mjs")},
	{"README.md", "js", "", copyOf("clients/js/examples/ten-lines.mjs")},
	{"README.md", "sh", "# 1. Request a link", testedBy("e2e/example_test.go", "TestReadme")},
	{"docs/postgresql.md", "sql", "", testedBy("caddymodule/storage_postgres_test.go", "TestDocumentedStatements")},
	{"docs/redis.md", "conf", "user edge", testedBy("caddymodule/storage_redis_test.go", "TestHardeningRedisUser")},
	{"docs/redis.md", "conf", "appendonly", testedBy("caddymodule/storage_redis_test.go", "TestDocumentedRedisSettings")},
	{"docs/providers.md", "csv", "", checkImportFile},
}

// blocks returns the fenced blocks of a page, without their indentation.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	var current *block
	indent := ""
	for i, line := range strings.Split(string(text), "\n") {
		fence, language, isFence := strings.Cut(line, "```")
		switch {
		case isFence && current == nil && strings.TrimSpace(fence) == "":
			indent, current = fence, &block{page: page, line: i + 1, language: language}
		case isFence && current != nil && strings.TrimSpace(line) == "```":
			found, current = append(found, *current), nil
		case current != nil:
			current.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	if current != nil {
		t.Fatalf("%s:%d: the block does not end", page, current.line)
	}
	return found
}

// copyOf checks that the block is part of a file that other tests compile or run.
func copyOf(pattern string) func(*testing.T, block) {
	return func(t *testing.T, b block) {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.Contains(readFile(t, file), b.text) {
				return
			}
		}
		t.Errorf("no file of %s contains the block", pattern)
	}
}

// testedBy leaves the block to a test of another package, which reads the page.
func testedBy(file, test string) func(*testing.T, block) {
	return func(t *testing.T, b block) {
		source := readFile(t, file)
		if !strings.Contains(source, "func "+test+"(") || !strings.Contains(source, b.page) {
			t.Errorf("%s has no test %s that reads %s", file, test, b.page)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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

// The comparison in the README consists of rows of the whole one, which is checked.
func TestReadmeComparison(t *testing.T) {
	whole := readFile(t, "docs/comparison.md")
	rows := regexp.MustCompile(`(?m)^\|(?:[^|\n]*\|){7}$`).FindAllString(readFile(t, "README.md"), -1)
	if len(rows) < 3 {
		t.Fatalf("README.md has %d rows of a comparison, want its head and more", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(whole, row+"\n") {
			t.Errorf("docs/comparison.md does not have the row of README.md:\n%s", row)
		}
	}
}

// Badges of the README show workflows that exist.
func TestReadmeBadges(t *testing.T) {
	badges := regexp.MustCompile(`actions/(workflows/[a-z.]+)/badge\.svg`).FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(badges) == 0 {
		t.Error("README.md has no badge of a workflow")
	}
	for _, badge := range badges {
		if _, err := os.Stat(".github/" + badge[1]); err != nil {
			t.Errorf("README.md has a badge of a workflow: %v", err)
		}
	}
}

// pages lists the documentation.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "clients/*/README.md", "wasm/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
