package caddymodule

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An application keeps its own keys at the well-known path of the site.
func TestKeysOfTheApplication(t *testing.T) {
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "token_auth {\npublic /.well-known/*\n}\nrespond /.well-known/jwks.json `{\"keys\":[\"of the application\"]}`",
	}
	load(t, s.caddyfile())
	if response, body := call(t, http.MethodGet, s.url("/.well-known/jwks.json"), nil); response.StatusCode != http.StatusOK || !strings.Contains(body, "of the application") {
		t.Errorf("the keys of the application = %d %s, want those of the application", response.StatusCode, body)
	}
	if response, body := call(t, http.MethodGet, s.url("/v1/auth/.well-known/jwks.json"), nil); response.StatusCode != http.StatusOK || !strings.Contains(body, `"kty"`) {
		t.Errorf("the keys of the realm = %d %s, want those of the realm", response.StatusCode, body)
	}
}

// Caddy's module templates includes parts of the same site by requests of its own, which
// have the headers of the request behind the gate: no credentials, unless forward_token
// leaves the token. The part is anonymous, or refused, and never another user's.
func TestTemplatesBehindTheGate(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"page.html":           `for {{placeholder "http.auth.user.email"}}: {{httpInclude "/open/part.html"}}`,
		"private.html":        `for {{placeholder "http.auth.user.email"}}: {{httpInclude "/part.html"}}`,
		"part.html":           `part for [{{placeholder "http.auth.user.email"}}] [{{.Req.Header.Get "X-Auth-Email"}}]`,
		"open/part.html":      `part for [{{placeholder "http.auth.user.email"}}] [{{.Req.Header.Get "X-Auth-Email"}}]`,
		"by-placeholder.html": `for {{placeholder "http.auth.user.email"}}: {{include "/part.html"}}`,
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const email = "ann@example.com"
	for option, want := range map[string]map[string]string{
		"": {
			"/page.html": "for " + email + ": part for [] []", "/by-placeholder.html": "for " + email + ": part for [" + email + "] [" + email + "]",
			"/private.html": "", // the part is refused
		},
		"forward_token": {
			"/page.html": "for " + email + ": part for [" + email + "] [" + email + "]", "/private.html": "for " + email + ": part for [" + email + "] [" + email + "]",
		},
	} {
		s := setup{
			Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
			Site: "root * " + root + "\ntoken_auth {\npublic /open/*\n" + option + "\n}\ntemplates\nfile_server",
		}
		load(t, s.caddyfile())
		token := login(t, s, email)
		for path, text := range want {
			response, body := call(t, http.MethodGet, s.url(path), nil, "Authorization", "Token "+token)
			if text == "" && strings.Contains(body, "part for") || text != "" && (response.StatusCode != http.StatusOK || strings.TrimSpace(body) != text) {
				t.Errorf("%q: %s = %d %q, want %q", option, path, response.StatusCode, body, text)
			}
		}
	}
}

// A proxy in front of Caddy that connects through a Unix socket names the client in
// X-Forwarded-For.
func TestTrustedProxiesUnix(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "caddy.sock")
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth",
		Globals: "servers {\ntrusted_proxies_unix\n}",
	}
	config := strings.Replace(s.caddyfile(), "http://127.0.0.1:"+s.Port+" {", "http://127.0.0.1:"+s.Port+" {\nbind unix/"+socket+"|0600", 1)
	load(t, config)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	t.Cleanup(client.CloseIdleConnections)
	send := func(path, body string, headers ...string) string {
		t.Helper()
		method := http.MethodPost
		if body == "" {
			method = http.MethodGet
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.url(path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s = %d %s, %v, want 200", path, response.StatusCode, text, err)
		}
		return string(text)
	}
	forwarded := []string{"X-Forwarded-For", "203.0.113.9"}
	_, link, _ := strings.Cut(send("/v1/auth/by-link/link/", `{"email":"ann@example.com"}`, forwarded...), `"_debug_auth_link":"`)
	link, _, _ = strings.Cut(link, `"`)
	answer := send("/v1/auth/by-link/login/", `{"client_key":"`+testKey+`","token":"`+link[strings.LastIndex(link, "/")+1:]+`"}`, forwarded...)
	_, token, _ := strings.Cut(answer, `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if sessions := send("/v1/auth/sessions/", "", append(forwarded, "Authorization", "Token "+token)...); !strings.Contains(sessions, `"203.0.113.9"`) {
		t.Errorf("sessions = %s, want the address of the client", sessions)
	}
}
