package e2e

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/examples"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// ask sends a request to a server on a helper.
func ask(t *testing.T, address string, headers ...string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pageLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestServerHelpers verifies tokens and assertions with the helpers for servers. A logout
// and changed roles reach them through the feed of revocations.
func TestServerHelpers(t *testing.T) {
	t.Parallel()
	if err := examples.Missing(t.Context()); err != nil {
		missing(t, "servers: %v", err)
	}
	for _, algorithm := range []string{"EdDSA", "ES256"} {
		s := newSite(t, caddyfile{Realm: append([]string{"algorithm " + algorithm}, debugLinks...), Gate: []string{"assertion orders 1m"}})
		for _, name := range []string{"go", "node", "django", "fastapi"} {
			t.Run(name+" "+algorithm, func(t *testing.T) {
				user, other := s.logIn(t, name+"@example.com"), s.logIn(t, name+"@example.com")
				assertion := s.assertion(t, user.token)
				t.Run("token", func(t *testing.T) {
					address := examples.Server(t, name, s.URL+"/v1/auth", "")
					for what, header := range map[string]string{
						"nothing": "", "another scheme": "Basic YTpi", "noise": "Token a.b.c", "an assertion": "Token " + assertion,
						"a changed token": "Token " + user.token[:len(user.token)-8] + "AAAAAAAA",
					} {
						if status, body := ask(t, address, "Authorization", header); status != http.StatusUnauthorized {
							t.Errorf("GET with %s = %d %s, want 401", what, status, body)
						}
					}
					for _, token := range []string{user.token, other.token} {
						if status, body := ask(t, address, "Authorization", "Token "+token); status != http.StatusOK || body != user.id {
							t.Errorf("GET = %d %s, want 200 %s", status, body, user.id)
						}
					}
					s.logOut(t, other.token)
					wait.Until(t, pageLimit, "the end of the session", func() bool {
						status, _ := ask(t, address, "Authorization", "Token "+other.token)
						return status == http.StatusUnauthorized
					})
					if status, body := ask(t, address, "Authorization", "Token "+user.token); status != http.StatusOK {
						t.Errorf("GET with the other session = %d %s, want 200", status, body)
					}
					for _, roles := range [][]string{{"admin", "editor"}, {"editor"}, {}} {
						arguments := append([]string{"edgeauth", "user", "role", "--address", s.Admin, name + "@example.com"}, roles...)
						if err := s.Command(t, arguments...); err != nil {
							t.Fatal("role:", err)
						}
						want := strings.Join(append([]string{user.id}, roles...), " ")
						wait.Until(t, pageLimit, "the roles "+want, func() bool {
							status, body := ask(t, address, "Authorization", "Token "+user.token)
							return status == http.StatusOK && body == want
						})
					}
				})
				t.Run("assertion", func(t *testing.T) {
					address := examples.Server(t, name, s.URL+"/v1/auth", "orders")
					for what, header := range map[string]string{"nothing": "", "a login token": user.token, "noise": "a.b.c"} {
						if status, body := ask(t, address, "X-Auth-Assertion", header); status != http.StatusUnauthorized {
							t.Errorf("GET with %s = %d %s, want 401", what, status, body)
						}
					}
					if status, body := ask(t, address, "X-Auth-Assertion", assertion); status != http.StatusOK || body != user.id {
						t.Errorf("GET = %d %s, want 200 %s", status, body, user.id)
					}
				})
			})
		}
	}
}

// assertion returns the assertion that the application receives for a token.
func (s *site) assertion(t *testing.T, token string) string {
	t.Helper()
	_, rest, _ := strings.Cut(s.get(t, "/whoami", token).must(t, http.StatusOK).body, `"X-Auth-Assertion":["`)
	assertion, _, _ := strings.Cut(rest, `"`)
	s.secrets.Add("assertion", assertion)
	return assertion
}
