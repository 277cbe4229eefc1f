package edgeauth_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// xcaddy builds the same versions that the released binaries contain.
func TestXcaddyBuildsWhatIsTested(t *testing.T) {
	text, err := os.ReadFile("xcaddy.json")
	if err != nil {
		t.Fatal(err)
	}
	var builder struct {
		CaddyVersion string `json:"caddy_version"`
		Plugins      []struct {
			ModulePath string `json:"module_path"`
			Version    string `json:"version"`
		} `json:"plugins"`
		Replacements []struct {
			Old string `json:"old"`
			New string `json:"new"`
		} `json:"replacements"`
		BuildFlags string `json:"build_flags"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&builder); err != nil {
		t.Fatalf("xcaddy.json: %v", err)
	}
	required := requirements(t, "newest.mod")
	if want := required["github.com/caddyserver/caddy/v2"]; builder.CaddyVersion != want {
		t.Errorf("xcaddy.json builds Caddy %s, newest.mod requires %s", builder.CaddyVersion, want)
	}
	ours := false
	for _, plugin := range builder.Plugins {
		if plugin.ModulePath == module {
			ours = true
		} else if want := required[plugin.ModulePath]; plugin.Version != want {
			t.Errorf("xcaddy.json takes %s at %q, newest.mod requires %q", plugin.ModulePath, plugin.Version, want)
		}
	}
	if !ours {
		t.Errorf("xcaddy.json leaves out %s itself", module)
	}
}

// newest.mod is go.mod with another Caddy: it requires the same modules.
func TestNewestFollowsGoMod(t *testing.T) {
	oldest, newest := requirements(t, "go.mod"), requirements(t, "newest.mod")
	for path, version := range oldest {
		if !strings.HasPrefix(path, "github.com/caddyserver/") && newest[path] != version {
			t.Errorf("newest.mod requires %s %q, go.mod requires %s; run `make newest`", path, newest[path], version)
		}
	}
}

// requirements reads the versions that a module file requires directly, by module.
func requirements(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "// indirect") {
			continue
		}
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}
