package caddymodule

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// An operator writes a placeholder in an option of the gate. It must not become part
// of a signed token, or of a rule, as literal text (CWE-1188): it is resolved, and a
// variable that is not set is an error.
func TestHardeningPlaceholdersOfTheGate(t *testing.T) {
	for option, want := range map[string]string{
		"assertion {env.EDGEAUTH_TEST_UNSET}":      "env.EDGEAUTH_TEST_UNSET",
		"assertion {http.request.host}":            "has no value when the configuration is loaded",
		"require email {env.EDGEAUTH_TEST_UNSET}":  "env.EDGEAUTH_TEST_UNSET",
		"realm {env.EDGEAUTH_TEST_UNSET}":          "env.EDGEAUTH_TEST_UNSET",
		"public /{env.EDGEAUTH_TEST_UNSET}":        "env.EDGEAUTH_TEST_UNSET",
		"headers {env.EDGEAUTH_TEST_UNSET}":        "env.EDGEAUTH_TEST_UNSET",
		"assertion " + strings.Repeat("x", 300):    "audience: 300 bytes",
		"assertion {file./no/such/file}":           "cannot be read",
		"max_age {env.EDGEAUTH_TEST_UNSET}":        "max_age",
		"require client {env.EDGEAUTH_TEST_VALUE}": `"orders" is not one of`,
	} {
		t.Setenv("EDGEAUTH_TEST_VALUE", "orders")
		s := setup{Port: "8080", Realm: "storage memory\n mailer log", Site: "token_auth {\n " + option + "\n}"}
		if err := validate(s.caddyfile()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want one with %q", option, err, want)
		}
	}

	t.Setenv("EDGEAUTH_TEST_VALUE", "orders")
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "token_auth {\n assertion {env.EDGEAUTH_TEST_VALUE}\n}\n respond {http.request.header.X-Auth-Assertion}",
	}
	load(t, s.caddyfile())
	_, body := call(t, "GET", s.url("/"), nil, "Authorization", "Token "+login(t, s, "a@example.com"))
	parts := strings.Split(body, ".")
	if len(parts) != 3 {
		t.Fatalf("assertion = %q, want a token", body)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(payload), `"aud":"orders"`) {
		t.Errorf("assertion = %s, %v, want the audience orders", payload, err)
	}
}

// The start reports each realm in one line: what it consists of, and as a warning
// that its store is new. A realm may be called "default"; it is not the default one.
func TestStartIsLogged(t *testing.T) {
	folder := t.TempDir()
	log, path := filepath.Join(folder, "log"), filepath.Join(folder, "edgeauth.db")
	address := "127.0.0.1:" + freePort(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage bolt " + path + "\n provider github a b",
		Globals: "log {\n output file " + log + "\n}\n edgeauth default {\n client second k2\n email_link https://frontend.app/auth/link/{token}\n" +
			" mailer log\n storage bolt " + path + "\n}",
	}
	text := strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1)
	load(t, text)
	login(t, s, "ann@example.com")
	for realm, found := range map[string]bool{"": true, "default": false} {
		if _, err := operate(address, "user", "show", "ann@example.com", "--realm", realm); (err == nil) != found {
			t.Errorf("show in realm %q: error = %v, want found %t", realm, err, found)
		}
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	load(t, text)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, "realm started") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 4 {
		t.Fatalf("%d lines report the start of a realm, want 4:\n%s", len(lines), lines)
	}
	for i, parts := range [][]string{
		{`"warn"`, `"realm started with a new store"`, `"realm":""`, `"store":"bolt ` + path + `"`, `"mailer":"log"`, `"clients":["web"]`, `"providers":["github"]`},
		{`"warn"`, `"realm":"default"`, `"clients":["second"]`},
		{`"info"`, `"realm started"`, `"realm":""`, `"new_store":false`},
		{`"info"`, `"realm":"default"`},
	} {
		for _, part := range parts {
			if !strings.Contains(lines[i], part) {
				t.Errorf("line %d does not contain %s: %s", i+1, part, lines[i])
			}
		}
	}
}
