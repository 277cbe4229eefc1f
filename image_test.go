package edgeauth_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// startImage runs the start of the image with a caddy that prints its arguments.
func startImage(t *testing.T, config string, environment ...string) (output string, err error) {
	t.Helper()
	folder := t.TempDir()
	script := "#!/bin/sh\necho started \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "caddy"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	start := exec.CommandContext(t.Context(), "sh", "deploy/docker/start", config)
	start.Env = slices.Concat(environment, []string{"PATH=" + folder + ":" + os.Getenv("PATH")})
	out, err := start.CombinedOutput()
	return string(out), err
}

// The image names each variable that its Caddyfile reads and that is not set. A mounted
// Caddyfile needs those that it reads.
func TestImageNamesMissingVariables(t *testing.T) {
	const shipped = "deploy/docker/Caddyfile"
	text, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	var names, complete []string
	for _, found := range regexp.MustCompile(`\{(?:\$|env\.)([A-Z_]+)\}`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, found[1])
		complete = append(complete, found[1]+"=x")
	}
	if len(names) != 4 {
		t.Fatalf("the Caddyfile of the image reads %q, want four variables", names)
	}
	if out, err := startImage(t, shipped, complete...); err != nil || out != "started run --config "+shipped+"\n" {
		t.Errorf("start with all variables = %q, %v, want the server", out, err)
	}
	for i, name := range names {
		for _, value := range []string{"", name + "="} {
			environment := slices.Delete(slices.Clone(complete), i, i+1)
			out, err := startImage(t, shipped, append(environment, value)...)
			if err == nil || !strings.Contains(out, "the environment variable "+name+" is not set; set it to ") || strings.Count(out, "\n") != 1 {
				t.Errorf("start with %q = %q, %v, want a failure that names %s", value, out, err, name)
			}
		}
	}
	own := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(own, []byte("# not {$SITE}\n:80 {\n\treverse_proxy {$UPSTREAM:app:80}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := startImage(t, own); err != nil || !strings.HasPrefix(out, "started ") {
		t.Errorf("start with a Caddyfile without variables = %q, %v, want the server", out, err)
	}
	dockerfile, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nCOPY --chmod=0755 deploy/docker/start /usr/bin/edgeauth-start\n", "\nCMD [\"edgeauth-start\", \"/etc/caddy/Caddyfile\"]\n"} {
		if !strings.Contains(string(dockerfile), want) {
			t.Errorf("the Dockerfile does not contain %q", want)
		}
	}
}
