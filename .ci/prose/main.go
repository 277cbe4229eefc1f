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
	"slices"
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
	{regexp.MustCompile(`(?i)\b(?:is|are|was|were)\s(?:what|who|whom|how|when)\s(?:\w)`), "define with a noun phrase or a verb", nil},
	{regexp.MustCompile(`\b(?:[Ww]hoever|[Ww]homever|[Ss]omebody|[Nn]obody|[Ee]verybody)\b`), "name the role: client, caller, user, operator, attacker", nil},
	{regexp.MustCompile(`(?i)(?:^|[^e]|[^r]e|[^e]re)\s(?:is|are|was|were) no (?:[a-km-z]|l[a-np-z]|lo[a-mo-z])`), `write "is not a"`, nil},
	{regexp.MustCompile(`(?i)\b(?:is|are) none\b`), `write "does not exist" or "has no"`, nil},
	{regexp.MustCompile(`(?i)\b(?:goes|go|going|went)\son\b`), "continue, proceed, forward", nil},
	{regexp.MustCompile(`(?i)\bbeside\b`), "next to, in addition to", nil},
	{regexp.MustCompile(`(?i)\bstands?\s(?:for|in|beside|there)\b`), "appear, be in, mean", nil},
	{regexp.MustCompile(`(?i)\bfor\sgood\b`), "permanently", nil},
	{regexp.MustCompile(`\btb?\.(?:Error|Fatal)f\("(?:[^"a-zA-Z]|%[a-zA-Z+#.0-9]+)*"`), "a failure message contains words", regexp.MustCompile(`_test\.go$|storagetest/`)},
}

var (
	names = regexp.MustCompile(`\\?"nobody\\?"`) // the user of Unix systems
	// ignore excludes text of others, and what tests print or read. The cases of the gate
	// are prose.
	ignore = regexp.MustCompile(`(?:^|/)(?:LICENSE|go\.sum|newest\.sum|package-lock\.json)$|/testdata/|^testdata/[^g]|^\.ci/prose/`)
	// marker begins a line of a comment.
	marker = regexp.MustCompile(`^[\t ]*(?://|#|--|\*)?[\t ]*`)
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
		if ignore.MatchString(name) {
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
		if bytes.IndexByte(text, 0) < 0 { // a binary file contains NUL
			findings = append(findings, scan(name, text)...)
		}
	}
	return findings, nil
}

// scan returns the findings in one file, also those that continue in the next line.
func scan(name string, text []byte) []string {
	var findings []string
	lines := bytes.Split(text, []byte("\n"))
	for number, line := range lines {
		line = names.ReplaceAll(line, nil)
		both := line
		if number+1 < len(lines) {
			next := names.ReplaceAll(lines[number+1], nil)
			both = slices.Concat(line, []byte("\n"), marker.ReplaceAll(next, nil))
		}
		for _, r := range rules {
			if r.files != nil && !r.files.MatchString(name) {
				continue
			}
			if at := r.pattern.FindIndex(both); len(at) > 0 && at[0] < len(line) {
				findings = append(findings, fmt.Sprintf("%s:%d: %q: %s", name, number+1, both[at[0]:at[1]], r.instead))
			}
		}
	}
	return findings
}
