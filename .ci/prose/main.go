package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// rule describes wording and its replacement.
type rule struct {
	pattern *regexp.Regexp
	instead string
	// files, if not nil, restricts the rule to matching names.
	files *regexp.Regexp
}

var rules = []rule{
	{regexp.MustCompile(`(?i)\b(?:is|are|was|were) (?:what|who|whom|how|when) (?:\w)`), "define with a noun phrase or a verb", nil},
	{regexp.MustCompile(`\b(?:[Ww]hoever|[Ww]homever|[Ss]omebody|[Nn]obody|[Ee]verybody)\b`), "name the role: client, caller, user, operator, attacker", nil},
	{regexp.MustCompile(`(?i)(?:^|[^e]|[^r]e|[^e]re)\s(?:is|are|was|were) no (?:[a-km-z]|l[a-np-z]|lo[a-mo-z])`), `write "is not a"`, nil},
	{regexp.MustCompile(`(?i)\b(?:is|are) none\b`), `write "does not exist" or "has no"`, nil},
	{regexp.MustCompile(`(?i)\b(?:goes|go|going|went) on\b`), "continue, proceed, forward", nil},
	{regexp.MustCompile(`(?i)\bbeside\b`), "next to, in addition to", nil},
	{regexp.MustCompile(`(?i)\bstands? (?:for|in|beside|there)\b`), "appear, be in, mean", nil},
	{regexp.MustCompile(`(?i)\bfor good\b`), "permanently", nil},
	{regexp.MustCompile(`\btb?\.(?:Error|Fatal)f\("(?:[^"a-zA-Z]|%[a-zA-Z+#.0-9]+)*"`), "a failure message contains words", regexp.MustCompile(`_test\.go$|storagetest/`)},
}

var (
	prose  = regexp.MustCompile(`\.(?:go|md|sql|lua|mjs|mts|js|ts|sh|yml|yaml|txt|html|css|py|toml)$|(?:^|/)(?:Makefile|Caddyfile[^/]*|run)$`)
	names  = regexp.MustCompile(`\\?"nobody\\?"`) // the user of Unix systems
	ignore = regexp.MustCompile(`(?:^|/)(?:LICENSE|go\.sum|package-lock\.json)$|^testdata/|/testdata/|^\.ci/prose/`)
)

func main() {
	findings, err := check(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	for _, finding := range findings {
		fmt.Println(finding)
	}
	if len(findings) > 0 {
		fmt.Printf("prose: %d findings\n", len(findings))
		os.Exit(1)
	}
}

// check returns the findings in the tracked files below root.
func check(root string) ([]string, error) {
	list := exec.Command("git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var findings []string
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if !prose.MatchString(name) || ignore.MatchString(name) {
			continue
		}
		file, err := os.Open(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, but not yet from the index
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(file)
		_ = file.Close()
		if err != nil {
			return nil, err
		}
		findings = append(findings, scan(name, text)...)
	}
	return findings, nil
}

// scan returns the findings in one file.
func scan(name string, text []byte) []string {
	var findings []string
	for number, line := range bytes.Split(text, []byte("\n")) {
		line = names.ReplaceAll(line, nil)
		for _, r := range rules {
			if r.files != nil && !r.files.MatchString(name) {
				continue
			}
			if match := r.pattern.Find(line); match != nil {
				findings = append(findings, fmt.Sprintf("%s:%d: %q: %s", name, number+1, match, r.instead))
			}
		}
	}
	return findings
}
