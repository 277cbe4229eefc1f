package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAssertionExamples runs the programs of docs/upstreams.md. Each accepts an
// assertion, and refuses a login token, another audience and a changed signature.
func TestAssertionExamples(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs("../docs/examples/assertion")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "assertion")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(folder, "go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	programs := map[string][]string{"go": {program}, "node": {"node", filepath.Join(folder, "verify.mjs")}, "python": {"/usr/bin/python3", filepath.Join(folder, "verify.py")}}
	for _, algorithm := range []string{"EdDSA", "ES256", "RS256"} {
		s := newSite(t, caddyfile{Realm: append([]string{"algorithm " + algorithm}, debugLinks...), Gate: []string{"assertion upstream.test 1m"}})
		user := s.logIn(t, "ann@example.com")
		var seen struct{ Headers http.Header }
		if err := json.Unmarshal([]byte(s.get(t, "/whoami", user.token).must(t, http.StatusOK).body), &seen); err != nil {
			t.Fatal(err)
		}
		assertion := seen.Headers.Get("X-Auth-Assertion")
		s.secrets.Add("assertion", assertion)
		issuer := "edgeauth"
		for name, command := range programs {
			t.Run(algorithm+" in "+name, func(t *testing.T) {
				requireProgram(t, name, command[0])
				verify := func(token, audience string) (string, error) {
					run := exec.CommandContext(t.Context(), command[0], append(command[1:len(command):len(command)], s.URL+"/v1/auth/.well-known/jwks.json", issuer, audience)...)
					run.Stdin = strings.NewReader(token)
					var out bytes.Buffer
					run.Stdout = &out
					err := run.Run()
					return strings.TrimSpace(out.String()), err
				}
				if subject, err := verify(assertion, "upstream.test"); err != nil || subject != user.id {
					t.Errorf("verify(assertion) = %q, %v, want %s", subject, err, user.id)
				}
				// A shell adds the end of a line.
				if subject, err := verify(assertion+"\n", "upstream.test"); err != nil || subject != user.id {
					t.Errorf("verify(assertion with a line feed) = %q, %v, want %s", subject, err, user.id)
				}
				for what, token := range map[string]string{
					"login token": user.token, "changed": assertion[:len(assertion)-8] + "AAAAAAAA", "empty": "", "noise": "a.b.c",
				} {
					if subject, err := verify(token, "upstream.test"); err == nil {
						t.Errorf("verify(%s) = %q, want a refusal", what, subject)
					}
				}
				if subject, err := verify(assertion, "another.test"); err == nil {
					t.Errorf("verify() for another audience = %q, want a refusal", subject)
				}
			})
		}
	}
}

// requireProgram skips the test if a language is not installed, unless this is CI.
func requireProgram(t *testing.T, name, path string) {
	t.Helper()
	_, err := exec.LookPath(path)
	if err == nil && name == "python" {
		err = exec.CommandContext(t.Context(), path, "-c", "import jwt, cryptography").Run()
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed: %v", name, err)
	default:
		t.Skipf("%s is not installed: %v", name, err)
	}
}
