package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
)

// exampleKey is the client key of the shipped Caddyfile.
const exampleKey = "dev-client-key"

// exampleSite starts the shipped Caddyfile on other ports.
func exampleSite(t *testing.T) *site {
	t.Helper()
	shipped, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	upstream := edge.FreePort(t)
	s := bareSite(t, caddyfile{})
	s.Setenv(fmt.Sprintf("PORT=%d", s.Port), fmt.Sprintf("UPSTREAM_PORT=%d", upstream), "EDGEAUTH_ADMIN="+s.Admin)
	s.URL = fmt.Sprintf("http://localhost:%d", s.Port)
	s.config.EmailLink = s.URL + "/auth/link/{token}"
	s.Configure(t, string(shipped))
	s.Start(t)
	return s
}

func TestExample(t *testing.T) {
	t.Parallel()
	s := exampleSite(t)
	if !s.Log.Contains("insecure_debug_links") {
		t.Error("there is no warning at the start")
	}
	s.get(t, "/", "").must(t, http.StatusUnauthorized)
	s.get(t, "/hello", "").must(t, http.StatusUnauthorized)
	token := s.requestLink(t, "ann@example.com")
	if page := s.get(t, "/auth/link/"+token, "").must(t, http.StatusOK); !strings.Contains(page.body, "ann@example.com") {
		t.Errorf("the page behind the link: %s", page.body)
	}
	l := s.loggedIn(t, s.post(t, "/by-link/login/", map[string]any{"token": token, "client_key": exampleKey}))
	seen := s.get(t, "/hello", l.token).must(t, http.StatusOK)
	if want := `{"user_id":"` + l.id + `","email":"ann@example.com"}`; seen.body != want {
		t.Errorf("the application sees %s, want %s", seen.body, want)
	}
	s.logOut(t, l.token)
	isRefused(t, "after the logout", s.get(t, "/hello", l.token), bodyInvalid)
}

// TestReadme runs the calls of the README in a shell.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		missing(t, "there is no README: %v", err)
	}
	script := curlBlock(string(readme))
	if strings.Count(script, "curl ") < 4 {
		missing(t, "the README has no block of four curl calls")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		missing(t, "there is no shell: %v", err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		missing(t, "there is no curl: %v", err)
	}
	s := exampleSite(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell, "-eu", "-c", strings.ReplaceAll(script, "http://localhost:8080", s.URL))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, complaints.String(), output)
	}
	said := string(output)
	position := 0
	for _, want := range []string{
		s.URL + "/auth/link/", // the link
		"\ney",                // the token, a JWT
		`"email":"ann@example.com"`,
		"HTTP/1.1 401", bodyInvalid,
	} {
		at := strings.Index(said[position:], want)
		if at < 0 {
			t.Fatalf("%q is missing, or in the wrong place:\n%s", want, said)
		}
		position += at
	}
	if complaints.Len() > 0 {
		t.Errorf("the shell printed errors: %s", complaints.String())
	}
}

// curlBlock returns the first fenced block of shell that calls curl.
func curlBlock(markdown string) string {
	for _, rest := range strings.Split(markdown, "\n```sh\n")[1:] {
		block, _, _ := strings.Cut(rest, "\n```")
		if strings.Contains(block, "curl ") {
			return block
		}
	}
	return ""
}

// TestExampleIsTidy checks that the shipped Caddyfile is formatted by `caddy fmt`.
func TestExampleIsTidy(t *testing.T) {
	t.Parallel()
	path, err := filepath.Abs("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := edge.New(t, binary).Command(t, "fmt", "--diff", path); err != nil {
		t.Error(err)
	}
}
