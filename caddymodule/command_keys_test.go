package caddymodule

import (
	"net/http"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// An operator rotates and revokes keys while the server runs. The tokens of a revoked
// key end, and users keep their accounts.
func TestKeysCommand(t *testing.T) {
	s, address := importing(t, "")
	run := func(args ...string) (string, error) { return operate(address, append([]string{"keys"}, args...)...) }
	status := func(token string) int {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		return response.StatusCode
	}
	keyOf := func(list, state string) string {
		for line := range strings.Lines(list) {
			if fields := strings.Fields(line); len(fields) > 2 && fields[2] == state {
				return fields[0]
			}
		}
		t.Fatalf("no %s key in:\n%s", state, list)
		return ""
	}
	token := login(t, s, "ann@example.com")
	before, err := run("list")
	if err != nil || strings.Count(before, "\n") != 3 {
		t.Fatalf("keys list = %q, %v, want a current key and a successor", before, err)
	}
	if lines, err := run("list", "--json"); err != nil || strings.Count(lines, "{") != 2 || !strings.Contains(lines, `"state":"current"`) {
		t.Errorf("keys list --json = %q, %v, want a line for each key", lines, err)
	}
	if _, err := run("rotate"); err != nil {
		t.Errorf("keys rotate: %v", err)
	}
	if got := status(token); got != http.StatusOK {
		t.Errorf("status after a rotation = %d, want 200", got)
	}
	after, err := run("revoke", keyOf(before, "current"))
	if err != nil || strings.Contains(after, keyOf(before, "current")) {
		t.Errorf("keys revoke = %q, %v, want a list without the key", after, err)
	}
	servertest.Eventually(t, "the token of the revoked key is refused", func() bool { return status(token) == http.StatusUnauthorized })
	token = login(t, s, "ann@example.com")
	if list, err := run("revoke", "--all"); err != nil || strings.Contains(list, keyOf(after, "current")) || keyOf(list, "current") == "" {
		t.Errorf("keys revoke --all = %q, %v, want fresh keys", list, err)
	}
	servertest.Eventually(t, "all tokens are refused", func() bool { return status(token) == http.StatusUnauthorized })
	if got := status(login(t, s, "ann@example.com")); got != http.StatusOK {
		t.Errorf("status of a login with fresh keys = %d, want 200", got)
	}
}
