package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// login is the answer to a login call.
type login struct {
	id, token string
	isNew     bool
	user      map[string]any
}

// requestLink requests a link and returns the token in it, from an answer that
// contains the link for debugging.
func (s *site) requestLink(t testing.TB, email string) string {
	t.Helper()
	s.secrets.Add("e-mail address", email)
	got := s.post(t, "/by-link/link/", map[string]any{"email": email}).must(t, http.StatusOK)
	return s.linkToken(t, got.text(t, "_debug_auth_link"))
}

// mailedToken is the form of the token in a link.
var mailedToken = regexp.MustCompile(`^[A-Za-z0-9_-]{64}$`)

// linkToken returns the token in a link.
func (s *site) linkToken(t testing.TB, link string) string {
	t.Helper()
	prefix, _, _ := strings.Cut(s.config.EmailLink, "{token}")
	token, found := strings.CutPrefix(link, prefix)
	if !found || !mailedToken.MatchString(token) {
		t.Fatalf("%q is not a link of this site", link)
	}
	s.secrets.Add("link token", token)
	return token
}

// spendLink logs in with a link token.
func (s *site) spendLink(t testing.TB, token string) answer {
	t.Helper()
	return s.post(t, "/by-link/login/", map[string]any{"token": token, "client_key": clientKey})
}

// logIn logs in by link.
func (s *site) logIn(t testing.TB, email string) login {
	t.Helper()
	return s.loggedIn(t, s.spendLink(t, s.requestLink(t, email)))
}

// loggedIn reads the answer of a login that must have succeeded.
func (s *site) loggedIn(t testing.TB, got answer) login {
	t.Helper()
	user := got.must(t, http.StatusOK).object(t)
	for _, name := range []string{"id", "token", "username", "first_name", "last_name", "email", "avatar_url", "expires_at"} {
		if _, ok := user[name].(string); !ok {
			t.Errorf("%s in %s is not a string", name, got.body)
		}
	}
	for _, name := range []string{"email_verified", "is_new"} {
		if _, ok := user[name].(bool); !ok {
			t.Errorf("%s in %s is not a boolean", name, got.body)
		}
	}
	l := login{id: got.text(t, "id"), token: got.text(t, "token"), user: user}
	l.isNew, _ = user["is_new"].(bool)
	s.secrets.Add("token", l.token)
	return l
}

// logOut ends the session of a token.
func (s *site) logOut(t testing.TB, token string) {
	t.Helper()
	s.post(t, "/logout/", map[string]any{}, "Authorization", "Token "+token).must(t, http.StatusNoContent)
}

// refresh returns the login with a fresh token.
func (s *site) refresh(t testing.TB, token string) login {
	t.Helper()
	return s.loggedIn(t, s.post(t, "/token/refresh/", map[string]any{}, "Authorization", "Token "+token))
}
