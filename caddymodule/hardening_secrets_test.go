package caddymodule

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// A link in the answer opens every account: it must not be possible to have it
// on a site that the public reaches by forgetting a line (CWE-489).
func TestHardeningDebugLinksOnPublicSites(t *testing.T) {
	config := func(option, site string) string {
		return fmt.Sprintf(`{
	edgeauth {
		client web key
		email_link https://frontend.app/{token}
		storage memory
		%s
	}
}
%s {
	login_api
}`, option, site)
	}
	for site, public := range map[string]bool{
		"api.example.com":            true,
		"*.example.com":              true,
		"localhost, api.example.com": true,
		":443":                       true,
		"https://:8443":              true,
		// the other name does not narrow what the first site takes
		"https://localhost:8443 {\n tls internal\n respond hi\n}\nhttps://:8443": true,
		"localhost":              false,
		"http://localhost:8080":  false,
		"127.0.0.1":              false,
		"http://api.example.com": false,
		"app.localhost":          false,
		"https://api.example.com {\n bind 127.0.0.1\n}\nhttp://localhost:8080": false,
	} {
		if strings.Contains(site, "bind") {
			site = strings.Replace(site, "bind 127.0.0.1", "bind 127.0.0.1\nlogin_api", 1)
		}
		err := validate(config("insecure_debug_links", site))
		if refused := err != nil && strings.Contains(err.Error(), "insecure_debug_links: refused"); refused != public || err != nil && !refused {
			t.Errorf("%s: got %v", site, err)
		}
		if err := validate(config("insecure_debug_links also_on_public_sites", site)); err != nil {
			t.Errorf("%s: said twice: %v", site, err)
		}
		if err := validate(config("mailer log", site)); err != nil {
			t.Errorf("%s: without the switch: %v", site, err)
		}
	}
}

// No header, parameter or field of a request turns debug links on.
func TestHardeningDebugLinksAreOffByDefault(t *testing.T) {
	box := newMailbox(t)
	s := setup{Port: freePort(t), Realm: box.option() + "\n storage memory"}
	load(t, s.caddyfile())
	answer := post(t, s.url("/v1/auth/by-link/link/?debug=1&insecure_debug_links=1"),
		map[string]any{"email": "a@example.com", "_debug_auth_link": true, "debug": true}, 200, "X-Debug", "1")
	if _, found := answer["_debug_auth_link"]; found {
		t.Errorf("the link is in the answer: %v", answer)
	}
	box.receive(t)
}

// A reader of the logs, of the configuration over the admin API or of its saved copy
// must not learn a secret or an address from it (CWE-532, CWE-312).
func TestHardeningSecretsStayOutOfLogsAndConfiguration(t *testing.T) {
	folder := t.TempDir()
	logFile := filepath.Join(folder, "log")
	t.Setenv("EDGEAUTH_TEST_KEY", "client-key-from-the-environment")
	secretFile := filepath.Join(folder, "secret")
	if err := os.WriteFile(secretFile, []byte("provider-secret-from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	box := newMailbox(t)
	s := setup{
		Port:    freePort(t),
		Globals: "debug\n log {\n output file " + logFile + "\n level DEBUG\n}",
		Realm: box.option() + "\n storage memory\n client env {env.EDGEAUTH_TEST_KEY}\n" +
			"provider github id {file." + secretFile + "}",
		Site: "log\n token_auth\n respond ok",
	}
	load(t, s.caddyfile())
	post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "someone@example.com"}, 200)
	mail := box.receive(t)
	secret := linkSecret(t, mail)
	code := mailedCode(mail)
	answer := post(t, s.url("/v1/auth/by-link/login/"),
		map[string]any{"token": secret, "client_key": "client-key-from-the-environment"}, 200)
	token := answer["token"].(string)
	call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
	call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token+"x")
	post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"token": secret, "client_key": "wrong-client-key"}, 400)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{logFile, caddy.ConfigAutosavePath} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"link": secret, "code": code, "token": token, "signature": token[strings.LastIndexByte(token, '.'):],
			"client key": "client-key-from-the-environment", "wrong key": "wrong-client-key",
			"provider secret": "provider-secret-from-a-file", "address": "someone@",
		} {
			if strings.Contains(string(content), value) {
				t.Errorf("%s contains the %s", filepath.Base(file), name)
			}
		}
	}
	if content, _ := os.ReadFile(caddy.ConfigAutosavePath); !strings.Contains(string(content), "{env.EDGEAUTH_TEST_KEY}") {
		t.Error("the saved configuration has lost the placeholder")
	}
	if content, _ := os.ReadFile(logFile); !strings.Contains(string(content), `"user_id":"`+answer["id"].(string)) {
		t.Error("the access log does not name the user")
	}
}

// A variable that is not set is an error that names it: an empty key would be known
// to every client.
func TestHardeningUnsetVariables(t *testing.T) {
	for option, want := range map[string][]string{
		"client ios {env.EDGEAUTH_TEST_UNSET}":                                {"client ios: key", "env.EDGEAUTH_TEST_UNSET"},
		"provider github {env.EDGEAUTH_TEST_UNSET} b":                         {"provider github: client_id", "env.EDGEAUTH_TEST_UNSET"},
		"provider github a {file./no/such/file}":                              {"provider github: client_secret", "file./no/such/file", "cannot be read", "no such file"},
		"provider github a {file./}":                                          {"provider github: client_secret", "file./", "cannot be read"},
		"issuer {http.request.host}":                                          {"issuer", "{http.request.host} has no value when the configuration is loaded"},
		"client {env.EDGEAUTH_TEST_UNSET} k":                                  {"the name cannot contain placeholders"},
		"signup domains {env.EDGEAUTH_TEST_UNSET}":                            {"signup", "env.EDGEAUTH_TEST_UNSET"},
		"provider github a b {\n signup domains {env.EDGEAUTH_TEST_UNSET}\n}": {"provider github: signup", "env.EDGEAUTH_TEST_UNSET"},
		"audience {env.EDGEAUTH_TEST_UNSET}":                                  {"audience", "env.EDGEAUTH_TEST_UNSET"},
		"allow {env.EDGEAUTH_TEST_UNSET}":                                     {"allow", "env.EDGEAUTH_TEST_UNSET"},
		"algorithm {env.EDGEAUTH_TEST_UNSET}":                                 {"algorithm"},
		"token_lifetime {env.EDGEAUTH_TEST_UNSET}":                            {"token_lifetime"},
		"limit login_per_ip {env.EDGEAUTH_TEST_UNSET} 1m":                     {"limit"},
		"issuer {env.EDGEAUTH_TEST_UNSET}":                                    {"issuer", "env.EDGEAUTH_TEST_UNSET"},
		"client c k {\n origin {env.EDGEAUTH_TEST_UNSET}\n}":                  {"client c: origin", "env.EDGEAUTH_TEST_UNSET"},
		"client c k {\n redirect_uri {env.EDGEAUTH_TEST_UNSET}\n}":            {"client c: redirect_uri", "env.EDGEAUTH_TEST_UNSET"},
	} {
		s := setup{Port: "8080", Realm: "storage memory\n mailer log\n" + option}
		err := validate(s.caddyfile())
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not contain %q: %v", option, part, err)
			}
		}
	}
}
