package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestVersionOf(t *testing.T) {
	for _, test := range []struct{ described, want string }{
		{"v1.2.3-0-gabcdef01", "v1.2.3"},
		{"v1.2.3-14-gabcdef01", "v1.2.4-dev.14.gabcdef01"},
		{"v1.2.3-rc.1-0-gabcdef01", "v1.2.3-rc.1"},
		{"v1.2.3-rc.1-2-gabcdef01", "v1.2.3-rc.1.dev.2.gabcdef01"},
		{"v0.0.0-14-gabcdef01", "v0.0.0-dev.14.gabcdef01"}, // no tag
		{"v1.2-0-gabcdef01", ""},
		{"v1.2.3+build-0-gabcdef01", ""},
		{"v01.2.3-0-gabcdef01", ""},
		{"v1.2.3", ""},
		{"", ""},
	} {
		got, err := versionOf(test.described)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("versionOf(%q) = %q, %v, want %q", test.described, got, err, test.want)
		}
		if err == nil && !semantic.MatchString(got) {
			t.Errorf("versionOf(%q) = %q, which is not SemVer", test.described, got)
		}
	}
}

// The order of versions is that of apt and npm: a development version is newer than its
// tag and older than the next one.
func TestDebianOrder(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("NOT TESTED: dpkg is not installed")
	}
	// nfpm writes a prerelease after a tilde.
	order := []string{"0.0.0~dev.9.gff", "0.0.0~dev.10.g00", "1.2.3~rc.1", "1.2.3~rc.1.dev.2.gab", "1.2.3", "1.2.4~dev.14.gab", "1.2.4"}
	for i := range order[1:] {
		if err := exec.Command(dpkg, "--compare-versions", order[i], "lt", order[i+1]).Run(); err != nil {
			t.Errorf("dpkg: %s is not older than %s", order[i], order[i+1])
		}
	}
}

func TestSection(t *testing.T) {
	const changelog = "# Changelog\n\n## [Unreleased]\n\nNew.\n\n## [1.2.3] - 2026-11-27\n\n### Fixed\n\n- A fault.\n\n## [1.2.2] - 2026-11-01\n\n- Old.\n"
	for _, test := range []struct{ name, want string }{
		{"Unreleased", "New.\n"},
		{"1.2.3", "### Fixed\n\n- A fault.\n"},
		{"1.2.2", "- Old.\n"},
		{"1.2", ""},
	} {
		got, err := section(changelog, test.name)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("section(%q) = %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

func TestParsePlatforms(t *testing.T) {
	for _, test := range []struct {
		list string
		want int
	}{{everywhere, 8}, {" linux/amd64\ndarwin/arm64 ", 2}, {"", 0}, {"linux", 0}, {"/amd64", 0}, {"linux/", 0}} {
		got, err := parsePlatforms(test.list)
		if len(got) != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("parsePlatforms(%q) = %v, %v, want %d platforms", test.list, got, err, test.want)
		}
	}
}

// small is a release of a module without dependencies, in a repository of its own.
func small(t *testing.T) *release {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                         "module " + module + "\n\ngo 1.26.0\n",
		"newest.mod":                     "module " + module + "\n\ngo 1.26.0\n",
		"cmd/edgeauth/main.go":           "package main\n\nimport (\n\t\"os\"\n\n\t\"" + module + "/caddymodule/command\"\n)\n\nfunc main() { os.Stdout.WriteString(command.Version()) }\n",
		"caddymodule/command/version.go": "package command\n\nvar stamped string\n\nfunc Version() string { return stamped }\n",
		"xcaddy.json":                    `{"build_flags": "-trimpath -tags=nobadger"}`,
		"CHANGELOG.md":                   "## [1.2.3] - 2026-11-27\n\n- Something.\n",
		"LICENSE":                        "license",
		"README.md":                      "readme",
		"Caddyfile.example":              "example",
		"wasm/guest/main.go":             "package main\n\nvar built string\n\nfunc main() { print(built) }\n",
		"Makefile":                       ".PHONY: wasm\nwasm:\n\tmkdir -p dist && printf module >dist/" + wasmFile + "\n",
		"deploy/debian/nfpm.yaml":        "name: edgeauth\narch: ${ARCH}\nversion: ${VERSION}\nmaintainer: a <a@example.com>\ndescription: server\ncontents:\n  - {src: \"${BINARY}\", dst: /usr/bin/edgeauth, expand: true}\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &release{
		root: root, out: filepath.Join(root, "dist", "release"), version: "v1.2.3", noNPM: true,
		time: time.Unix(1764200000, 0).UTC(), platforms: []platform{{"linux", "amd64"}, {"windows", "arm64"}},
	}
}

func TestProduce(t *testing.T) {
	r := small(t)
	if err := r.produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	var names []string
	files, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		names = append(names, file.Name())
	}
	want := "SHA256SUMS edgeauth-gate.wasm edgeauth-gate.wasm.cdx.json edgeauth_1.2.3_amd64.deb edgeauth_1.2.3_linux_amd64.cdx.json " +
		"edgeauth_1.2.3_linux_amd64.tar.gz edgeauth_1.2.3_windows_arm64.cdx.json edgeauth_1.2.3_windows_arm64.zip"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("produce() wrote %s, want %s", got, want)
	}
	notes, err := os.ReadFile(r.notesFile())
	if err != nil || string(notes) != "- Something.\n" {
		t.Errorf("notes = %q, %v, want the section of the changelog", notes, err)
	}
}

// A changed file and an incomplete bill of materials are found.
func TestCheckFindsDifferences(t *testing.T) {
	r := small(t)
	if err := r.produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := *r
	other.out = filepath.Join(t.TempDir(), "release")
	other.time = other.time.Add(time.Second)
	if err := other.produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sameFiles(r.out, other.out); err == nil {
		t.Error("sameFiles() accepted a build with another time")
	}
	list := filepath.Join(r.out, "edgeauth_1.2.3_linux_amd64.cdx.json")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(`"pkg:golang/std@`), []byte(`"pkg:golang/other@`))
	if err := os.WriteFile(list, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := checkSums(r.out); err == nil {
		t.Error("checkSums() accepted a changed file")
	}
	if _, err := r.checkArchives(); err == nil || !strings.Contains(err.Error(), "does not list pkg:golang/std@") {
		t.Errorf("checkArchives() = %v, want the module that is not listed", err)
	}
	other = *r
	other.version = "v9.9.9"
	if _, err := other.checkArchives(); err == nil || !strings.Contains(err.Error(), "does not contain the version") {
		t.Errorf("checkArchives() = %v, want the version", err)
	}
}

func TestModuleComponents(t *testing.T) {
	got := moduleComponents(&debug.BuildInfo{
		GoVersion: "go1.26.8",
		Deps: []*debug.Module{
			{Path: "example.com/b", Version: "v1.0.0", Sum: "h1:b="},
			{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v2.0.0", Sum: "h1:f="}},
		},
	})
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pkg:golang/std@1.26.8", "pkg:golang/example.com/b@v1.0.0", "pkg:golang/example.com/fork@v2.0.0", "h1:f="} {
		if !strings.Contains(string(text), `"`+want+`"`) {
			t.Errorf("moduleComponents() = %s, want %s in it", text, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("moduleComponents() has %d components, want 3", len(got))
	}
}

// Every package that npm may publish is part of a release, and only these.
func TestPublishedPackages(t *testing.T) {
	r := &release{root: "../.."}
	listed, err := r.git(t.Context(), "ls-files", "*package.json")
	if err != nil {
		t.Skipf("NOT TESTED: this is not a clone: %v", err)
	}
	packed := map[string]bool{}
	for _, p := range npmPackages {
		packed[p.folder+"/package.json"] = true
	}
	for name := range strings.SplitSeq(listed, "\n") {
		text, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			t.Fatal(err)
		}
		var described struct {
			Version    string
			Private    bool
			Repository struct{ URL, Directory string }
		}
		if err := json.Unmarshal(text, &described); err != nil {
			t.Fatalf("decoding %s: %v", name, err)
		}
		if packed[name] {
			checkPublished(t, r.root, filepath.Dir(name), described.Repository.URL, described.Repository.Directory)
		}
		if published := described.Version != "" && !described.Private; published != packed[name] {
			t.Errorf("%s: published is %t, but in npmPackages is %t", name, published, packed[name])
		}
	}
}

// checkPublished checks what npm requires of a package with provenance: the repository. Its
// site shows the README, whose links must not be relative.
func checkPublished(t *testing.T, root, folder, repository, directory string) {
	t.Helper()
	if want := "git+https://" + module + ".git"; repository != want || directory != filepath.ToSlash(folder) {
		t.Errorf("%s/package.json: repository = %q, %q, want %q, %q", folder, repository, directory, want, filepath.ToSlash(folder))
	}
	readme, err := os.ReadFile(filepath.Join(root, folder, "README.md"))
	if err != nil {
		t.Errorf("the page of %s at npm: %v", folder, err)
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllSubmatch(readme, -1) {
		if !strings.HasPrefix(string(link[1]), "https://") {
			t.Errorf("%s/README.md links to %s, want a link with https", folder, link[1])
		}
	}
}
