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
		"immediate death": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"an echo for a status": func(w http.ResponseWriter, _ *http.Request) {
			connection, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				s.t.Errorf("Hijack() failed: %v", err)
				return
			}
			defer connection.Close()
			buffered.WriteString("HTTP/1.1 " + testCode + " " + testSecret + "\r\n\r\n")
			buffered.Flush()
		},
	}
}

// flood answers with 10 MB of JSON.
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

// station is one request of a login.
type station struct {
	row     *recorded
	name    string
	address string
}

// stations are the requests of a login, for each kind.
func stations(t *testing.T) []station {
	t.Helper()
	var all []station
	for _, row := range rows() {
		for name, address := range row.stations(t) {
			all = append(all, station{&row, name, address})
		}
	}
	return all
}

func (at station) String() string { return at.row.name() + " " + at.name }

// script plays a login that sends the request of the station.
func (at station) script(t *testing.T) *script {
	t.Helper()
	s := at.row.script(t)
	if at.name == "user info" {
		s.bare()
	}
	return s
}

// TestBrokenAnswers breaks each request of each kind in each way: the login fails
// as the provider's fault, the code is sent at most once, and no other host
// receives a request.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for _, station := range stations(t) {
		t.Run(station.String(), func(t *testing.T) {
			t.Parallel()
			for name := range station.script(t).breakages() {
				t.Run(name, func(t *testing.T) {
					s := station.script(t)
					s.handle(station.address, s.breakages()[name])
					_, err := station.row.login(s)
					wants(t, err, authcore.ErrProviderFailed)
					if n := len(s.to(s.at.token)); n > 1 {
						t.Errorf("number of token requests = %d", n)
					}
					for _, host := range []string{"evil.example", "idp.example:8443", "169.254.169.254"} {
						if s.heard(host) {
							t.Errorf("%s received a request", host)
						}
					}
				})
			}
		})
	}
}

// TestSlowAnswers limits each request of each kind to the provider's timeout.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	for _, station := range stations(t) {
		for name, slow := range map[string]func(*script) http.HandlerFunc{
			"hang": func(s *script) http.HandlerFunc { return s.hang },
			"drip": func(s *script) http.HandlerFunc { return s.drip },
		} {
			t.Run(station.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				s := station.script(t)
				s.handle(station.address, slow(s))
				s.deps.Timeout = 40 * time.Millisecond
				_, err := station.row.login(s)
				wants(t, err, authcore.ErrProviderTimeout)
			})
		}
	}
}

// TestCallerGivesUp does not attribute the caller's cancellation to the provider.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	for _, station := range stations(t) {
		t.Run(station.String(), func(t *testing.T) {
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

// TestCallersDeadline attributes the shorter deadline to the caller.
func TestCallersDeadline(t *testing.T) {
	s := githubScript(t)
	s.handle(s.at.token, s.hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.provider().Exchange(ctx, s.request())
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, authcore.ErrProviderTimeout) {
		t.Errorf("Exchange() = %v", err)
	}
}

// TestGitHubRateLimit fails the login instead of returning an account without an
// address.
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

// TestNoHost reports the reason and no details.
func TestNoHost(t *testing.T) {
	s := githubScript(t)
	s.server.Close()
	_, err := s.exchange(s.provider())
	wants(t, err, authcore.ErrProviderFailed)
	if err == nil || !strings.Contains(err.Error(), "dial: ") {
		t.Errorf("exchange() = %v", err)
	}
}

// TestRedirectWithinHost follows redirects within a host, except for token
// requests.
func TestRedirectWithinHost(t *testing.T) {
	s := oidcScript(t)
	s.answer(testIssuer+"/moved", 200, s.document())
	s.handle(discoveryAddress, redirectTo("/moved"))
	if _, err := s.exchange(s.provider()); err != nil {
		t.Errorf("provider() failed: %v", err)
	}
}

func TestBoundedBody(t *testing.T) {
	for _, test := range []struct {
		size, bound int
		want        error
	}{{0, 10, nil}, {9, 10, nil}, {10, 10, nil}, {11, 10, errTooLarge}, {1000, 10, errTooLarge}} {
		for name, reader := range map[string]io.Reader{
			"in one read": bytes.NewReader(make([]byte, test.size)),
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

// TestRedirectRule covers redirects that the guard would also refuse, for operators
// who allow private addresses.
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
			t.Errorf("withinHost(%s) = %v", address, err)
		}
		if err := withinHost(next, slices.Repeat([]*http.Request{first}, maxRedirects+1)); !errors.Is(err, errRedirect) {
			t.Errorf("withinHost(%s) after too many redirects = %v, want %v", address, err, errRedirect)
		}
	}
}
