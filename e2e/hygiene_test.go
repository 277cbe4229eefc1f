package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// Every site of this suite logs at debug level and searches its log at the end.
// The tests here look where others do not (CWE-532).

// shippedFilter returns the log format of the shipped Caddyfile.
func shippedFilter(t *testing.T) []string {
	t.Helper()
	shipped, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(shipped), "format filter {\n")
	filter, _, ended := strings.Cut(rest, "\n\t\t}\n")
	if !found || !ended {
		t.Fatal("the shipped Caddyfile has no log filter")
	}
	return strings.Split("format filter {\n"+filter+"\n}", "\n")
}

// TestProxyLog checks the filter of the shipped Caddyfile: at debug level
// reverse_proxy logs the headers for the application, with those of the gate.
func TestProxyLog(t *testing.T) {
	t.Parallel()
	for name, gate := range map[string][]string{"default": nil, "all that can be sent": {"forward_token", "assertion"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, caddyfile{Realm: debugLinks, Gate: gate, Log: shippedFilter(t)})
			s.proxyLog = true
			l := s.logIn(t, "logged@example.com")
			var seen struct{ Headers http.Header }
			if err := json.Unmarshal([]byte(s.get(t, "/whoami", l.token).must(t, http.StatusOK).body), &seen); err != nil {
				t.Fatal(err)
			}
			s.secrets.Add("assertion", seen.Headers.Get("X-Auth-Assertion"))
			wait.Until(t, time.Minute, "the proxy logs what this test is about", func() bool {
				return s.Log.Contains("upstream roundtrip")
			})
		})
	}
}

// TestDebugLinksInPublic checks that the development option is refused on a public
// site, unless it is confirmed.
func TestDebugLinksInPublic(t *testing.T) {
	t.Parallel()
	s := prepareSite(t, caddyfile{Realm: debugLinks})
	public := s.config.render(s.Edge)
	public = strings.Replace(public, "\tauto_https off\n\tdefault_bind 127.0.0.1\n", "", 1)
	_, block, _ := strings.Cut(public, "\nhttp://127.0.0.1")
	address, _, _ := strings.Cut(block, " {")
	public = strings.Replace(public, "http://127.0.0.1"+address, "api.example.com", 1)
	s.Configure(t, public)
	if err := s.Validate(t); err == nil || !strings.Contains(err.Error(), "insecure_debug_links") {
		t.Errorf("validate without the confirmation = %v, want an error", err)
	}
	s.Configure(t, strings.Replace(public, "insecure_debug_links", "insecure_debug_links also_on_public_sites", 1))
	if err := s.Validate(t); err != nil {
		t.Errorf("validate with the confirmation = %v, want nil", err)
	}
}

// TestClientKeyInURL calls the endpoint that takes the client key in its query,
// which Caddy's access log would contain.
func TestClientKeyInURL(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	got := s.do(t, http.MethodGet, "/v1/auth/social/providers/?client_key="+clientKey, "", "")
	if got.must(t, http.StatusOK).body != "[]" {
		t.Errorf("got %s", got.body)
	}
}

// TestMisplacedSecrets checks that a token counts in the Authorization header only.
func TestMisplacedSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	token := s.logIn(t, "misplaced@example.com").token
	for name, got := range map[string]answer{
		"cookie":              s.do(t, http.MethodGet, "/whoami", "", "", "Cookie", "token="+token+"; Authorization=Token "+token),
		"Proxy-Authorization": s.do(t, http.MethodGet, "/whoami", "", "", "Proxy-Authorization", "Token "+token),
		"body":                s.do(t, http.MethodPost, "/whoami", formType, "access_token="+token+"&token="+token),
	} {
		if got.status != http.StatusUnauthorized {
			t.Errorf("a token in the %s = %d, want 401", name, got.status)
		}
	}
}

// TestProxyCommand runs the server without a Caddyfile. Then links lead to the
// server itself and appear in the paths of requests.
func TestProxyCommand(t *testing.T) {
	t.Parallel()
	s := prepareSite(t, caddyfile{})
	s.config.EmailLink = s.URL + "/auth/link/{token}"
	s.noAdmin = true
	s.Run(t, "edgeauth", "proxy", "--from", s.URL, "--to", s.config.Upstream,
		"--client-key", "{env.WEB_CLIENT_KEY}", "--public", "/static/*", "--access-log", "--debug")

	s.get(t, "/whoami", "").must(t, http.StatusUnauthorized)
	s.get(t, "/static/style.css", "").must(t, http.StatusOK)
	s.get(t, "/static/%2e%2e/whoami", "").must(t, http.StatusUnauthorized)
	s.askForMail(t, "proxied@example.com")
	var link string
	wait.Until(t, time.Minute, "the link is in the log", func() bool {
		start := strings.Index(s.Log.String(), s.URL+"/auth/link/")
		if start < 0 {
			return false
		}
		link = strings.FieldsFunc(s.Log.String()[start:], func(r rune) bool { return strings.ContainsRune("\"\\ \n", r) })[0]
		return true
	})
	token := s.linkToken(t, link)
	s.get(t, strings.TrimPrefix(link, s.URL), "").must(t, http.StatusOK)
	l := s.loggedIn(t, s.spendLink(t, token))
	s.get(t, "/whoami", l.token).must(t, http.StatusOK)
}
