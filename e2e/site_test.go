package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/e2e/internal/secrets"
)

// site is a running server with an application behind it.
type site struct {
	*edge.Edge
	secrets *secrets.Set
	config  caddyfile
	client  *http.Client
	// proxyLog includes the debug log of Caddy's reverse_proxy in the search; see
	// TestProxyLog.
	proxyLog bool
	// noAdmin is for a server without an admin API.
	noAdmin bool
	// cuts, if set, counts the connections that ended without an answer. Their
	// requests are repeated; see TestReloadUnderLoad.
	cuts *atomic.Int64
}

// newSite starts a server. At the end of the test it is stopped, and its log and
// configuration must contain no secret.
func newSite(t *testing.T, config caddyfile, env ...string) *site {
	t.Helper()
	s := prepareSite(t, config, env...)
	s.Start(t)
	return s
}

// prepareSite is newSite without the start.
func prepareSite(t *testing.T, config caddyfile, env ...string) *site {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(upstream.Close)
	config.Upstream = upstream.Listener.Addr().String()
	if config.EmailLink == "" {
		config.EmailLink = linkTemplate
	}
	s := bareSite(t, config, append(env, "WEB_CLIENT_KEY="+clientKey)...)
	s.secrets.Add("client key", clientKey)
	s.Configure(t, config.render(s.Edge))
	return s
}

// bareSite is prepareSite without a Caddyfile and an upstream.
func bareSite(t *testing.T, config caddyfile, env ...string) *site {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	s := &site{
		Edge:    edge.New(t, binary, env...),
		secrets: &secrets.Set{},
		config:  config,
		client: &http.Client{
			Transport: transport,
			Timeout:   time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // nothing here redirects
			},
		},
	}
	t.Cleanup(func() { s.finish(t) })
	return s
}

// echo answers with the request that the application receives.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"path": r.URL.Path, "headers": r.Header})
}

// finish ends the server and searches for secrets.
func (s *site) finish(t *testing.T) {
	t.Helper()
	if s.Started() {
		if !s.noAdmin {
			s.mustNotHold(t, "the configuration at the admin API", s.shownConfig(t))
		}
		s.Stop(t)
	}
	s.mustNotHold(t, "the log", s.searchedLog())
	for _, disaster := range []string{"DATA RACE", "panic:", `"panic"`, "goroutine "} {
		if s.Log.Contains(disaster) {
			t.Errorf("the log holds %q", disaster)
		}
	}
	saved, err := os.ReadFile(filepath.Join(s.Dir, "config", "caddy", "autosave.json"))
	if err == nil {
		s.mustNotHold(t, "the saved configuration", string(saved))
	}
}

// shownConfig returns the configuration from the admin API.
func (s *site) shownConfig(t *testing.T) string {
	t.Helper()
	response, err := s.client.Get("http://" + s.Admin + "/config/")
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// searchedLog returns the log without the lines that may contain secrets: the
// development mailer writes whole mails to it.
func (s *site) searchedLog() string {
	var searched strings.Builder
	for line := range strings.Lines(s.Log.String()) {
		isMail := strings.Contains(line, `"logger":"edgeauth.mailers.log"`)
		isProxy := strings.Contains(line, `"logger":"http.handlers.reverse_proxy"`)
		if !isMail && (s.proxyLog || !isProxy) {
			searched.WriteString(line)
		}
	}
	return searched.String()
}

func (s *site) mustNotHold(t *testing.T, where, text string) {
	t.Helper()
	for _, found := range s.secrets.FoundIn(text) {
		t.Errorf("%s holds the %s", where, found)
	}
}

// reconfigure changes the Caddyfile and reloads it.
func (s *site) reconfigure(t *testing.T, change func(*caddyfile)) {
	t.Helper()
	change(&s.config)
	s.Configure(t, s.config.render(s.Edge))
	if err := s.Reload(t); err != nil {
		t.Fatal(err)
	}
	s.client.CloseIdleConnections() // the server is about to close them
}

// answer is a complete HTTP answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request; headers are pairs of name and value.
func (s *site) do(t testing.TB, method, path, contentType, body string, headers ...string) answer {
	t.Helper()
	a, err := s.try(t, method, path, contentType, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// try is do for requests that may fail, and for goroutines.
func (s *site) try(t testing.TB, method, path, contentType, body string, headers ...string) (answer, error) {
	const attempts = 5
	got, err := s.once(t, method, path, contentType, body, headers...)
	for n := 1; n < attempts && s.cuts != nil && isCut(err); n++ {
		s.cuts.Add(1)
		got, err = s.once(t, method, path, contentType, body, headers...)
	}
	return got, err
}

// isCut reports whether a connection ended without an answer.
func isCut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

func (s *site) once(t testing.TB, method, path, contentType, body string, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// post sends a JSON object to the login API.
func (s *site) post(t testing.TB, path string, object map[string]any, headers ...string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, "/v1/auth"+path, "application/json", encode(t, object), headers...)
}

// get sends a GET request, with a token unless it is "".
func (s *site) get(t testing.TB, path, token string) answer {
	t.Helper()
	if token == "" {
		return s.do(t, http.MethodGet, path, "", "")
	}
	return s.do(t, http.MethodGet, path, "", "", "Authorization", "Token "+token)
}

func encode(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// object returns the body as a JSON object.
func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(a.body), &object); err != nil {
		t.Fatalf("%d with the body %q, want a JSON object", a.status, a.body)
	}
	return object
}

// text returns a member of the body that must be a string.
func (a answer) text(t testing.TB, name string) string {
	t.Helper()
	text, ok := a.object(t)[name].(string)
	if !ok {
		t.Fatalf("%d without a text %q: %s", a.status, name, a.body)
	}
	return text
}

// must fails the test unless the status is as expected.
func (a answer) must(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// refused fails the test unless status and code are as expected.
func (a answer) refused(t testing.TB, status int, code string) {
	t.Helper()
	got, _ := a.object(t)["code"].(string)
	if a.status != status || got != code {
		t.Errorf("got %d, want %d with code %q: %s", a.status, status, code, a.body)
	}
}
