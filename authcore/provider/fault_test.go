package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// breakages are the ways in which a server can fail to answer (CWE-400,
// CWE-754).
func (s *script) breakages() map[string]http.HandlerFunc {
	body := func(contentType, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, text)
		}
	}
	return map[string]http.HandlerFunc{
		"HTML":            body("text/html", "<html><body>Sign in to the hotel's network</body></html>"),
		"HTML as JSON":    body("application/json", "<html>"),
		"plain text":      body("text/plain", "<html>error="),
		"null":            body("application/json", "null"),
		"a list":          body("application/json", `["access_token"]`),
		"a string":        body("application/json", `"access_token"`),
		"nothing":         body("application/json", ""),
		"half":            body("application/json", `{"access_token":"access-1-never-shown","id":1`),
		"wrong types":     body("application/json", `{"access_token":1,"id":{},"sub":[],"keys":"","issuer":1,"error":{}}`),
		"10 MB":           flood(`{"a":"`, "a", `"}`),
		"10 MB as blanks": flood("", " ", "{}"),
		"no content":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"not found":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"server error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, "<html>")
		},
		"another host":     redirectTo("https://evil.example/"),
		"another port":     redirectTo(testIssuer + ":8443/x"),
		"plain http":       redirectTo("http://idp.example/x"),
		"a private host":   redirectTo("http://169.254.169.254/latest/meta-data"),
		"going in circles": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"death mid-body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"access_token":"access-1-never-shown"}`)
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"death at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"an echo for a status": func(w http.ResponseWriter, _ *http.Request) {
			connection, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				s.t.Error(err)
				return
			}
			defer connection.Close()
			buffered.WriteString("HTTP/1.1 " + testCode + " " + testSecret + "\r\n\r\n")
			buffered.Flush()
		},
	}
}

// flood answers with 10 MB of JSON, for as long as somebody reads it.
func flood(before, filling, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, before)
		chunk := strings.Repeat(filling, 64<<10)
		for range (10 << 20) / len(chunk) {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
		io.WriteString(w, after)
	}
}

func redirectTo(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, address, http.StatusTemporaryRedirect)
	}
}

// hang never answers; drip sends a byte now and then, for ever.
func (s *script) hang(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.ended:
	}
}

func (s *script) drip(w http.ResponseWriter, r *http.Request) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.ended:
			return
		case <-ticker.C:
			io.WriteString(w, " ")
			http.NewResponseController(w).Flush()
		}
	}
}

// stations are the requests of a login, for each kind.
func stations() []struct {
	name    string
	script  func(*testing.T) *script
	address string
} {
	bare := func(build func(*testing.T) *script) func(*testing.T) *script {
		return func(t *testing.T) *script { // so that user info is asked for
			t.Helper()
			s := build(t)
			delete(s.claims, "email")
			return s
		}
	}
	return []struct {
		name    string
		script  func(*testing.T) *script
		address string
	}{
		{"google token", googleScript, google().public.token},
		{"google keys", googleScript, google().public.jwks},
		{"google user info", bare(googleScript), google().public.userInfo},
		{"github token", githubScript, github().public.token},
		{"github user", githubScript, github().public.userInfo},
		{"github e-mails", githubScript, github().public.userInfo + "/emails"},
		{"oidc discovery", oidcScript, discoveryAddress},
		{"oidc token", oidcScript, testIssuer + "/token"},
		{"oidc keys", oidcScript, testIssuer + "/keys"},
		{"oidc user info", oidcScript, testIssuer + "/userinfo"},
	}
}

// TestBrokenAnswers breaks each request of each kind in each way: the login
// fails as the provider's fault, the code goes out at most once, and no other
// host hears of it.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for _, station := range stations() {
		t.Run(station.name, func(t *testing.T) {
			t.Parallel()
			for name := range station.script(t).breakages() {
				t.Run(name, func(t *testing.T) {
					s := station.script(t)
					s.handle(station.address, s.breakages()[name])
					_, err := s.exchange(s.provider())
					wants(t, err, authcore.ErrProviderFailed)
					if n := len(s.to(s.at.token)); n > 1 {
						t.Errorf("%d token requests", n)
					}
					for _, host := range []string{"evil.example", "idp.example:8443", "169.254.169.254"} {
						if s.heard(host) {
							t.Errorf("%s was asked", host)
						}
					}
				})
			}
		})
	}
}

// TestSlowAnswers holds each request of each kind to the provider's time.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	for _, station := range stations() {
		for name, slow := range map[string]func(*script) http.HandlerFunc{
			"hang": func(s *script) http.HandlerFunc { return s.hang },
			"drip": func(s *script) http.HandlerFunc { return s.drip },
		} {
			t.Run(station.name+" "+name, func(t *testing.T) {
				t.Parallel()
				s := station.script(t)
				s.handle(station.address, slow(s))
				s.deps.Timeout = 150 * time.Millisecond
				_, err := s.exchange(s.provider())
				wants(t, err, authcore.ErrProviderTimeout)
			})
		}
	}
}

// TestCallerGivesUp does not blame the provider for a caller who left.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	for _, station := range stations() {
		t.Run(station.name, func(t *testing.T) {
			t.Parallel()
			s := station.script(t)
			ctx, cancel := context.WithCancel(t.Context())
			s.handle(station.address, func(w http.ResponseWriter, r *http.Request) {
				cancel()
				s.hang(w, r)
			})
			_, err := s.provider().Exchange(ctx, s.request())
			wants(t, err, context.Canceled)
		})
	}
}

// TestCallersDeadline is the caller's too, where it is the shorter one.
func TestCallersDeadline(t *testing.T) {
	s := githubScript(t)
	s.handle(s.at.token, s.hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.provider().Exchange(ctx, s.request())
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, authcore.ErrProviderTimeout) {
		t.Errorf("got %v", err)
	}
}

// TestDocumentedErrors maps every error that the three providers document for
// the token endpoint.
func TestDocumentedErrors(t *testing.T) {
	for _, test := range []struct {
		script func(*testing.T) *script
		status int
		body   string
		want   error
	}{
		// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
		{githubScript, 200, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`, authcore.ErrProviderDenied},
		{githubScript, 200, `{"error":"unverified_user_email","error_description":"ada@example.com"}`, authcore.ErrProviderDenied},
		{githubScript, 200, `{"error":"incorrect_client_credentials"}`, authcore.ErrProviderFailed},
		{githubScript, 200, `{"error":"redirect_uri_mismatch"}`, authcore.ErrProviderFailed},
		{githubScript, 200, `{"error":"application_suspended"}`, authcore.ErrProviderFailed},
		{githubScript, 200, `{"error":"bad_verification_code","access_token":"` + testAccess + `"}`, authcore.ErrProviderDenied},
		{githubScript, 200, `{"access_token":"","token_type":"bearer"}`, authcore.ErrProviderFailed},
		{githubScript, 200, `{"access_token":"a","token_type":"mac"}`, authcore.ErrProviderFailed},
		{githubScript, 429, `{"message":"API rate limit exceeded"}`, authcore.ErrProviderFailed},

		{googleScript, 400, `{"error":"invalid_grant","error_description":"Malformed auth code."}`, authcore.ErrProviderDenied},
		{googleScript, 400, `{"error":"admin_policy_enforced"}`, authcore.ErrProviderDenied},
		{googleScript, 403, `{"error":"org_internal"}`, authcore.ErrProviderDenied},
		{googleScript, 401, `{"error":"invalid_client","error_description":"The OAuth client was not found."}`, authcore.ErrProviderFailed},
		{googleScript, 401, `{"error":"deleted_client"}`, authcore.ErrProviderFailed},
		{googleScript, 400, `{"error":"redirect_uri_mismatch"}`, authcore.ErrProviderFailed},
		{googleScript, 400, `{"error":"invalid_request"}`, authcore.ErrProviderFailed},
		{googleScript, 200, `{"access_token":"a","token_type":"Bearer"}`, authcore.ErrProviderFailed},
		{googleScript, 200, `{"access_token":"a","token_type":"Bearer","id_token":{"sub":"1"}}`, authcore.ErrProviderFailed},
		{googleScript, 200, `{"access_token":"a","token_type":"Bearer","id_token":"` + strings.Repeat("a", maxIDToken+1) + `"}`, authcore.ErrProviderFailed},

		{oidcScript, 400, `{"error":"invalid_grant"}`, authcore.ErrProviderDenied},
		{oidcScript, 401, `{"error":"invalid_grant"}`, authcore.ErrProviderDenied},
		{oidcScript, 400, `{"error":"access_denied"}`, authcore.ErrProviderDenied},
		{oidcScript, 400, `{"error":"interaction_required"}`, authcore.ErrProviderDenied},
		{oidcScript, 401, `{"error":"invalid_client"}`, authcore.ErrProviderFailed},
		{oidcScript, 400, `{"error":"unauthorized_client"}`, authcore.ErrProviderFailed},
		{oidcScript, 400, `{"error":"unsupported_grant_type"}`, authcore.ErrProviderFailed},
		{oidcScript, 400, `{"error":"invalid_scope"}`, authcore.ErrProviderFailed},
		{oidcScript, 503, `{"error":"temporarily_unavailable"}`, authcore.ErrProviderFailed},
		{oidcScript, 500, `{"error":"invalid_grant"}`, authcore.ErrProviderFailed},
		{oidcScript, 400, `{"error":"` + testSecret + `"}`, authcore.ErrProviderFailed},
		{oidcScript, 400, testSecret, authcore.ErrProviderFailed},
	} {
		s := test.script(t)
		t.Run(s.cfg.Name+" "+test.body[:min(len(test.body), 40)], func(t *testing.T) {
			s.answer(s.at.token, test.status, test.body)
			_, err := s.exchange(s.provider())
			wants(t, err, test.want)
			// A second try, in another auth style, would spend the code
			// again: the answer would be about that try, and the provider
			// would take us for a thief (RFC 6749, section 4.1.2).
			if n := len(s.to(s.at.token)); n != 1 {
				t.Errorf("%d token requests", n)
			}
		})
	}
}

// TestGitHubRateLimit is no account without an address.
func TestGitHubRateLimit(t *testing.T) {
	for _, header := range []http.Header{{"Retry-After": {"60"}}, {"X-Ratelimit-Remaining": {"0"}}} {
		s := githubScript(t)
		s.handle(s.at.userInfo+"/emails", func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(http.StatusForbidden)
		})
		_, err := s.exchange(s.provider())
		wants(t, err, authcore.ErrProviderFailed)
	}
}

// TestNoHost says why nothing was reached, and nothing more.
func TestNoHost(t *testing.T) {
	s := githubScript(t)
	s.server.Close()
	_, err := s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderFailed)
	if err == nil || !strings.Contains(err.Error(), "dial: ") {
		t.Errorf("got %v", err)
	}
}

// TestRedirectWithinHost is followed, for what is no token request.
func TestRedirectWithinHost(t *testing.T) {
	s := oidcScript(t)
	s.answer(testIssuer+"/moved", 200, s.document())
	s.handle(discoveryAddress, redirectTo("/moved"))
	if _, err := s.exchange(s.provider()); err != nil {
		t.Error(err)
	}
}

func TestBoundedBody(t *testing.T) {
	for _, test := range []struct {
		size, bound int
		want        error
	}{{0, 10, nil}, {9, 10, nil}, {10, 10, nil}, {11, 10, errTooLarge}, {1000, 10, errTooLarge}} {
		for name, reader := range map[string]io.Reader{
			"at once":     bytes.NewReader(make([]byte, test.size)),
			"by one byte": iotest.OneByteReader(bytes.NewReader(make([]byte, test.size))),
			"with EOF":    iotest.DataErrReader(bytes.NewReader(make([]byte, test.size))),
		} {
			got, err := io.ReadAll(&boundedBody{ReadCloser: io.NopCloser(reader), left: test.bound})
			if !errors.Is(err, test.want) || len(got) > test.bound || test.want == nil && len(got) != test.size {
				t.Errorf("%d of %d %s: %d bytes, %v", test.size, test.bound, name, len(got), err)
			}
		}
	}
}

// TestRedirectRule covers what the guard would stop too, for operators who
// switched the guard off.
func TestRedirectRule(t *testing.T) {
	first := httptest.NewRequest(http.MethodGet, "https://idp.example/a", nil)
	for address, want := range map[string]error{
		"https://idp.example/b":        nil,
		"https://IDP.example/b":        nil,
		"http://idp.example/b":         errRedirect,
		"https://idp.example:8443/b":   errRedirect,
		"https://evil.example/b":       errRedirect,
		"https://idp.example.evil/b":   errRedirect,
		"https://sub.idp.example/b":    errRedirect,
		"https://10.0.0.1/idp.example": errRedirect,
	} {
		next := httptest.NewRequest(http.MethodGet, address, nil)
		if err := withinHost(next, []*http.Request{first}); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
		if err := withinHost(next, slices.Repeat([]*http.Request{first}, maxRedirects+1)); !errors.Is(err, errRedirect) {
			t.Errorf("%s: one redirect too many: %v", address, err)
		}
	}
}
