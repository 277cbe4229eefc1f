package edgeauth_test

import (
	"go/version"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// workflows returns the text of each workflow.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d workflows, %v", len(files), err)
	}
	texts := map[string]string{}
	for _, file := range files {
		texts[file] = readFile(t, file)
	}
	return texts
}

// The tag of an action can be moved to other code, which would run with the rights of
// the workflow. Dependabot updates a commit and the version in its comment.
func TestWorkflowsPinActions(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^ *(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	commits := map[string]string{}
	for file, text := range workflows(t) {
		for _, found := range uses.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(found[1]) {
				t.Errorf("%s: uses: %s, want a commit and the comment # vN.N.N", file, found[1])
				continue
			}
			action, commit, _ := strings.Cut(found[1], "@")
			owner := strings.Join(strings.Split(action, "/")[:2], "/")
			if other := commits[owner]; other != "" && other != commit {
				t.Errorf("%s: %s is used as %s and as %s", file, owner, commit, other)
			}
			commits[owner] = commit
		}
		if !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s: want the permissions contents: read for all jobs that have none of their own", file)
		}
		if checkouts, kept := strings.Count(text, "actions/checkout@"), strings.Count(text, "persist-credentials: false"); checkouts != kept {
			t.Errorf("%s: %d checkouts and %d persist-credentials: false, want one for each", file, checkouts, kept)
		}
		jobs := strings.Count(text, "\n    runs-on: ")
		if limits := strings.Count(text, "\n    timeout-minutes: "); limits != jobs {
			t.Errorf("%s: %d of %d jobs have timeout-minutes", file, limits, jobs)
		}
	}
}

// Workflows call what exists: targets of the Makefile, and files.
func TestWorkflowsCallWhatExists(t *testing.T) {
	call := regexp.MustCompile(`(?m)^ *(?:- )?run: (make|\.ci/)(.*)$`)
	calls := 0
	for file, text := range workflows(t) {
		for _, found := range call.FindAllStringSubmatch(text, -1) {
			calls++
			if found[1] != "make" {
				if _, err := os.Stat(found[1] + found[2]); err != nil {
					t.Errorf("%s: run: %v", file, err)
				}
				continue
			}
			targets := []string{strings.TrimSpace(found[2])}
			if strings.Contains(found[2], "${{ matrix.target }}") {
				matrix := regexp.MustCompile(`(?m)^ +target: \[(.*)\]$`).FindStringSubmatch(text)
				targets = strings.Split(matrix[1], ", ")
			}
			for _, target := range targets {
				checkMake(t, strings.Fields(target))
			}
		}
	}
	if calls == 0 {
		t.Error("found no call in the workflows")
	}
}

// setup-go installs the first release of the language version in a go.mod, which lacks
// later fixes and may be older than another module of the project requires.
func TestWorkflowsUseTheNewestGo(t *testing.T) {
	setup := regexp.MustCompile(`uses: actions/setup-go@[^\n]*\n +with:\n((?: {10}.*\n)+)`)
	minor := regexp.MustCompile(`go-version: "(\d+\.\d+)"`)
	for file, text := range workflows(t) {
		for _, found := range setup.FindAllStringSubmatch(text, -1) {
			version := minor.FindStringSubmatch(found[1])
			if version == nil || !strings.Contains(found[1], "check-latest: true") {
				t.Errorf("%s: setup-go has\n%swant a minor version and check-latest: true", file, found[1])
				continue
			}
			checkGoVersions(t, file, "go"+version[1])
		}
	}
}

// checkGoVersions checks that no module requires a later minor version.
func checkGoVersions(t *testing.T, file, minor string) {
	t.Helper()
	for _, module := range tracked(t, "*.mod") {
		required := regexp.MustCompile(`(?m)^go (.*)$`).FindStringSubmatch(readFile(t, module))
		if len(required) == 2 && version.Compare(version.Lang("go"+required[1]), minor) > 0 {
			t.Errorf("%s: installs %s, but %s requires %s", file, minor, module, required[1])
		}
	}
}

// Dependabot updates each module, each npm package that has dependencies, and the image.
func TestDependabotCoversTheTree(t *testing.T) {
	text := readFile(t, ".github/dependabot.yml")
	listed := map[string][]string{}
	for _, found := range regexp.MustCompile(`(?s)package-ecosystem: (\S+)(.*?)(?:\n  - |$)`).FindAllStringSubmatch(text, -1) {
		for _, folder := range regexp.MustCompile(`"(/[^"]*)"`).FindAllStringSubmatch(found[2], -1) {
			listed[found[1]] = append(listed[found[1]], folder[1])
		}
	}
	want := map[string][]string{}
	for ecosystem, name := range map[string]string{"gomod": "*go.mod", "npm": "*package-lock.json", "docker": "*Dockerfile", "docker-compose": "*compose.yaml"} {
		for _, file := range tracked(t, name) {
			want[ecosystem] = append(want[ecosystem], path.Clean("/"+path.Dir(file)))
		}
	}
	for ecosystem, folders := range want {
		for _, folder := range folders {
			if !slices.Contains(listed[ecosystem], folder) {
				t.Errorf("dependabot.yml, %s: does not list %s", ecosystem, folder)
			}
		}
		for _, folder := range listed[ecosystem] {
			if !slices.Contains(folders, folder) {
				t.Errorf("dependabot.yml, %s: lists %s, which has nothing to update", ecosystem, folder)
			}
		}
	}
}

// tracked lists the files of the repository.
func tracked(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("git", "-c", "safe.directory=*", "ls-files", pattern).Output()
	if err != nil {
		t.Skipf("NOT TESTED: this is not a clone: %v", err)
	}
	return strings.Fields(string(out))
}
