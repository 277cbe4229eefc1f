package gatecase

import (
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a program of which the test needs the output.
func run(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir())
	output, err := command.CombinedOutput()
	return string(output), err
}

// git over smart HTTP and curl send an API key as the password of HTTP Basic. git sends
// it only after a 401 that asks for it.
func TestClientsWithBasic(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	folder := t.TempDir()
	for _, arguments := range [][]string{
		{"init", "-q", "-b", "main", filepath.Join(folder, "work")},
		{"-C", filepath.Join(folder, "work"), "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first"},
		{"clone", "-q", "--bare", filepath.Join(folder, "work"), filepath.Join(folder, "repo.git")},
	} {
		if output, err := run(t, git, arguments...); err != nil {
			t.Fatalf("git %s = %v: %s", arguments[0], err, output)
		}
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, InheritEnv: []string{"PATH"},
		Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"},
	}
	tokens := MakeTokens(t)
	c := &Case{Config: map[string]any{
		"api_keys": "on", "keys_basic": true, "login_page": "/auth", "origin": "https://app.example.com",
	}}
	var common base
	read(t, "base.json", &common)
	c.Answer.Status = 401
	if err := c.complete(&common, tokens); err != nil {
		t.Fatalf("complete() failed: %v", err)
	}
	server := httptest.NewServer(newNative(t, c, backend))
	defer server.Close()
	address := func(password string) string {
		return strings.Replace(server.URL, "http://", "http://ada:"+password+"@", 1) + "/repo.git"
	}
	if output, err := run(t, git, "clone", "-q", address(tokens["key"]), filepath.Join(folder, "clone")); err != nil {
		t.Errorf("git clone with a key = %v: %s", err, output)
	}
	if _, err := os.Stat(filepath.Join(folder, "clone", ".git", "HEAD")); err != nil {
		t.Errorf("the clone has no HEAD: %v", err)
	}
	for _, name := range []string{"key_expired", "key_forged", "good"} {
		if output, err := run(t, git, "ls-remote", address(tokens[name])); err == nil {
			t.Errorf("git ls-remote with %s = %s, want an error", name, output)
		}
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	for name, want := range map[string]string{"key": "200", "key_forged": "401"} {
		output, err := run(t, curl, "-s", "-o", os.DevNull, "-w", "%{http_code}", "-u", "ada:"+tokens[name], server.URL+"/repo.git/HEAD")
		if err != nil || output != want {
			t.Errorf("curl -u with %s = %s, %v, want %s", name, output, err, want)
		}
	}
}
