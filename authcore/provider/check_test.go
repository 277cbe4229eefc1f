package provider

import (
	"net/http"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// check runs Check against a provider whose clock is offset.
func (s *script) check(t *testing.T, ahead time.Duration) (time.Duration, error) {
	t.Helper()
	s.date = func() time.Time { return s.clock.Now().Add(ahead) }
	checker, ok := s.provider().(authcore.Checker)
	if !ok {
		t.Fatalf("%s does not implement Checker", s.cfg.Name)
	}
	return checker.Check(t.Context())
}

// TestCheck checks every kind, without a login and with one token request.
func TestCheck(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		for _, ahead := range []time.Duration{0, 90 * time.Second, -time.Hour} {
			s := r.script(t)
			skew, err := s.check(t, ahead)
			if err != nil || skew < ahead-time.Second || skew > ahead+time.Second {
				t.Errorf("Check() = %s, %v, want %s", skew, err, ahead)
			}
			if requests := s.to(s.at.token); len(requests) != 1 || requests[0].form.Get("code") != checkCode {
				t.Errorf("number of token requests = %d, want 1", len(requests))
			}
			if s.at.userInfo != "" && len(s.to(s.at.userInfo)) > 0 {
				t.Error("the user info was requested")
			}
		}
	})
}

// TestCheckFinds reports faults, but not an error about the made-up code.
func TestCheckFinds(t *testing.T) {
	for _, test := range []struct {
		kind, doc string
		status    int
		body      string
		want      error
	}{
		{"github", "token", 200, `{"error":"bad_verification_code"}`, nil},
		{"github", "token", 200, `{"error":"redirect_uri_mismatch"}`, nil},
		{"github", "token", 200, `{"error":"incorrect_client_credentials"}`, authcore.ErrProviderFailed},
		{"github", "token", 404, `{"error":"Not Found"}`, authcore.ErrProviderFailed},
		{"oidc", "token", 400, `{"error":"invalid_request"}`, nil},
		{"oidc", "token", 400, `{"error":"unheard_of"}`, nil},
		{"oidc", "token", 401, `{"error":"invalid_client"}`, authcore.ErrProviderFailed},
		{"oidc", "token", 400, `{"error":"unauthorized_client"}`, authcore.ErrProviderFailed},
		{"oidc", "token", 500, `{"error":"invalid_grant"}`, authcore.ErrProviderFailed},
		{"oidc", "keys", 200, `{"keys":[]}`, authcore.ErrProviderFailed},
		{"oidc", "discovery", 404, `{}`, authcore.ErrProviderFailed},
		{"slack", "token", 200, `{"ok":false,"error":"invalid_code"}`, nil},
		{"slack", "token", 200, `{"ok":false,"error":"bad_client_secret"}`, authcore.ErrProviderFailed},
		{"apple-id", "token", 400, `{"error":"invalid_client"}`, authcore.ErrProviderFailed},
	} {
		s := rowOf(t, test.kind).script(t)
		s.answer(map[string]string{"token": s.at.token, "keys": s.at.jwks, "discovery": discoveryAddress}[test.doc], test.status, test.body)
		_, err := s.check(t, 0)
		wants(t, err, test.want)
	}
}

// TestCheckAsksAfresh bypasses the cache.
func TestCheckAsksAfresh(t *testing.T) {
	s := oidcScript(t)
	p := s.provider()
	if _, err := s.exchange(p); err != nil {
		t.Fatalf("exchange() failed: %v", err)
	}
	s.answer(discoveryAddress, http.StatusServiceUnavailable, `{}`)
	_, err := p.(authcore.Checker).Check(t.Context())
	wants(t, err, authcore.ErrProviderFailed)
}

// TestCheckWithoutDate reports no skew if the provider sends no date.
func TestCheckWithoutDate(t *testing.T) {
	s := githubScript(t)
	s.handle(s.at.token, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusBadRequest)
	})
	if skew, err := s.provider().(authcore.Checker).Check(t.Context()); skew != 0 || err != nil {
		t.Errorf("Check() = %s, %v, want 0", skew, err)
	}
}
