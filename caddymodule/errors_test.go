package caddymodule

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// A page must be able to read that its call failed, or it cannot tell "log in
// again" from a network that is down.
func TestErrorsCanBeReadByPages(t *testing.T) {
	for name, c := range map[string]struct {
		site  string
		token bool
		want  int
	}{
		"upstream is down": {"token_auth\n reverse_proxy 127.0.0.1:1", true, 502},
		"handle_errors":    {"token_auth {\n handle_errors\n}\n respond ok\n handle_errors {\n respond \"[{header.Authorization}]\"\n}", false, 401},
		"bad token":        {"token_auth {\n handle_errors\n}\n respond ok\n handle_errors {\n respond \"[{header.Authorization}]\"\n}", false, 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: c.site}
			load(t, s.caddyfile())
			header := []string{"Origin", "https://frontend.app"}
			if c.token {
				header = append(header, "Authorization", "Token "+login(t, s, "a@example.com"))
			} else if name == "bad token" {
				header = append(header, "Authorization", "Token nonsense")
			}
			response, body := call(t, http.MethodGet, s.url("/"), nil, header...)
			if response.StatusCode != c.want || response.Header.Get("Access-Control-Allow-Origin") != "https://frontend.app" {
				t.Errorf("%d, allowed for %q", response.StatusCode, response.Header.Get("Access-Control-Allow-Origin"))
			}
			if strings.Contains(body, "nonsense") {
				t.Errorf("the error routes see the token: %s", body)
			}
			stranger, _ := call(t, http.MethodGet, s.url("/"), nil, "Origin", "https://stranger.example")
			if got := stranger.Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("allowed for %s", got)
			}
		})
	}
}

// A single-page application rewrites every path to its one page; the login API
// and the log must see the paths as they were.
func TestSinglePageApplication(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("page"), 0o600); err != nil {
		t.Fatal(err)
	}
	logFile := filepath.Join(t.TempDir(), "log")
	secret := strings.Repeat("s", 43)
	for name, api := range map[string]string{"with the API": "login_api", "gate alone": " "} {
		t.Run(name, func(t *testing.T) {
			s := setup{
				Port: freePort(t), Realm: "insecure_debug_links\n storage memory", LoginAPI: api,
				Globals: "log {\n output file " + logFile + "\n}",
				Site: "log\n token_auth {\n public / /index.html /auth/link/*\n}\n root " + root +
					"\n try_files {path} /index.html\n file_server",
			}
			load(t, s.caddyfile())
			page, body := call(t, http.MethodGet, s.url("/auth/link/"+secret), nil)
			if page.StatusCode != 200 || body != "page" || page.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%d %s, referrer policy %q", page.StatusCode, body, page.Header.Get("Referrer-Policy"))
			}
			if api == "login_api" {
				login(t, s, "a@example.com")
			}
			call(t, http.MethodGet, s.url("/other"), nil)
			if err := caddy.Stop(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(logFile)
			if err != nil || !strings.Contains(string(content), `"uri":"/other"`) || strings.Contains(string(content), secret) {
				t.Errorf("the log shows the link, or nothing at all: %v", err)
			}
		})
	}
}

// The user that an earlier handler set is not the user that the gate identifies.
func TestPlaceholdersAreTheGates(t *testing.T) {
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "basic_auth {\n bob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}\n" +
			"token_auth {\n optional\n}\n respond \"[{http.auth.user.id}]\"",
	}
	load(t, s.caddyfile())
	response, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Basic Ym9iOmhpY2N1cA==")
	if response.StatusCode == http.StatusOK && body != "[]" {
		t.Errorf("the gate's placeholder names %s", body)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// A requirement that names nothing in the realm would lock out all users.
func TestRequirementsThatNobodyMeets(t *testing.T) {
	for requirement, want := range map[string]string{
		"client web":         "",
		"client nope":        `require client: "nope" is not one of web`,
		"method link github": "",
		"method saml":        `require method: "saml" is not one of link, code, github`,
	} {
		s := setup{Port: "1", Realm: "insecure_debug_links\n provider github a b", Site: "token_auth {\n require " + requirement + "\n}\n respond ok"}
		if err := validate(s.caddyfile()); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v", requirement, err)
		}
	}
}

func TestPrefixesThatCannotWork(t *testing.T) {
	for _, prefix := range []string{"/v1/auth/*", "/v1/{x}", "/v1/../auth", "/v1//auth", "/a?b", `/a\b`} {
		if err := validatePrefix(prefix); err == nil {
			t.Errorf("%s was taken", prefix)
		}
	}
	for _, prefix := range []string{"/v1/auth", "/v1/auth/", "/auth", "/a.b/c-d_e"} {
		if err := validatePrefix(prefix); err != nil {
			t.Error(err)
		}
	}
}
