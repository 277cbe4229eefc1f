package caddymodule

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// What is exempt is decided on the path that the upstream sees: none of these is
// below /public/ there (CWE-22, CWE-436), and none belongs to the login API.
func TestHardeningExemptPaths(t *testing.T) {
	app := newUpstream(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "@protected not path /public/*\ntoken_auth @protected\n" + app.proxy(),
	}
	load(t, s.caddyfile())
	for path, want := range map[string]int{
		"/public/a":             200,
		"/public/../private":    401,
		"/public/%2e%2e/secret": 401,
		"/public/..%2fsecret":   401,
		"//public/../secret":    401,
		"/v1/auth/../../secret": 401,
		"/v1/auth/%2e%2e/x":     401,
		"/v1/authentic":         401,
		"/v1/auth/nothing":      404,
	} {
		_, _, before := app.last()
		_, reader := raw(t, s, "GET "+path+" HTTP/1.1\r\nHost: 127.0.0.1:"+s.Port+"\r\nConnection: close\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		if err != nil || response.StatusCode != want {
			t.Errorf("%s: got %v %v, want %d", path, response, err, want)
		}
		if _, _, after := app.last(); want != 200 && after != before {
			t.Errorf("%s: reached the upstream", path)
		}
	}
}

// Only a CORS preflight passes without a token: some frameworks run the handler
// of GET for OPTIONS.
func TestHardeningOptions(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n" + app.proxy()}
	load(t, s.caddyfile())
	const method, origin = "Access-Control-Request-Method", "Origin"
	for _, c := range []struct {
		name   string
		header []string
		want   int
		passed bool
	}{
		{"no preflight", nil, 401, false},
		{"origin alone", []string{origin, "https://frontend.app"}, 401, false},
		{"method alone", []string{method, "GET"}, 401, false},
		{"client's origin", []string{origin, "https://frontend.app", method, "GET"}, 204, false},
		{"stranger's origin", []string{origin, "https://stranger.example", method, "GET"}, 200, true},
	} {
		_, _, before := app.last()
		response, _ := call(t, http.MethodOptions, s.url("/"), nil, c.header...)
		header, _, after := app.last()
		if response.StatusCode != c.want || (after != before) != c.passed {
			t.Errorf("%s: status %d, reached the upstream: %v", c.name, response.StatusCode, after != before)
		}
		if c.passed && header.Get("X-Auth-User-Id") != "" {
			t.Errorf("%s: passed with an identity", c.name)
		}
	}
}

// What passes without a token must not be read as another request, nor bring
// another kind of credentials: no browser sends a preflight with a body, cookies
// or a method override.
func TestHardeningPreflightsCarryNothing(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n" + app.proxy()}
	load(t, s.caddyfile())
	preflight := []string{"Origin", "https://stranger.example", "Access-Control-Request-Method", "GET"}
	response, _ := call(t, http.MethodOptions, s.url("/"), map[string]any{"delete": "all"}, preflight...)
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a body: %d", response.StatusCode)
	}
	response, _ = call(t, http.MethodOptions, s.url("/"), nil, append(preflight,
		"Cookie", "session=1", "X-Http-Method-Override", "DELETE", "X-Http-Method", "DELETE", "Authorization", "Basic x")...)
	header, _, _ := app.last()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	for _, name := range []string{"Cookie", "X-Http-Method-Override", "X-Http-Method", "Authorization"} {
		if header.Get(name) != "" {
			t.Errorf("%s passed: %s", name, header.Get(name))
		}
	}
}

// A disabled user gets no token and keeps none.
func TestHardeningDisabledUser(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n respond ok"}
	load(t, s.caddyfile())
	token := login(t, s, "a@example.com")
	realm := loadedRealm(t, "")
	service, err := realm.serving(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	user, err := service.Accounts.Find(t.Context(), "a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	pending := debugLink(t, s, "a@example.com")
	if _, err := service.Accounts.Disable(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	response, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
	if response.StatusCode != 401 || body != gate.BodyUserInactive {
		t.Errorf("the old token: %d %s", response.StatusCode, body)
	}
	post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"token": pending, "client_key": testKey}, 403)
}

// X-Forwarded-For of a stranger changes nothing about who is counted (CWE-348);
// behind a trusted proxy it tells clients apart.
func TestHardeningForwardedForIsNotBelieved(t *testing.T) {
	for trusted, want := range map[bool]int{false: 429, true: 200} {
		globals := ""
		if trusted {
			globals = "servers {\n trusted_proxies static 127.0.0.1/32\n}"
		}
		s := setup{
			Port: freePort(t), Globals: globals,
			Realm: "insecure_debug_links\n storage memory\n limit link_per_ip 1 1h",
		}
		load(t, s.caddyfile())
		url := s.url("/v1/auth/by-link/link/")
		post(t, url, map[string]any{"email": "a@example.com"}, 200, "X-Forwarded-For", "192.0.2.1")
		post(t, url, map[string]any{"email": "b@example.com"}, want, "X-Forwarded-For", "192.0.2.2")
		if err := caddy.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// A page of a client's origin can read the answers, a refusal too; no other page
// can, and what the upstream allows itself is left alone.
func TestHardeningCrossOrigin(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n" + app.proxy()}
	load(t, s.caddyfile())
	token := "Token " + login(t, s, "a@example.com")
	for _, c := range []struct{ path, origin, authorization, want string }{
		{"/", "https://frontend.app", token, "https://frontend.app"},
		{"/", "https://frontend.app", "", "https://frontend.app"},
		{"/", "https://stranger.example", token, ""},
		{"/", "https://frontend.app.stranger.example", "", ""},
		{"/", "null", token, ""},
		{"/?allow=*", "https://frontend.app", token, "*"},
	} {
		header := []string{"Origin", c.origin}
		if c.authorization != "" {
			header = append(header, "Authorization", c.authorization)
		}
		response, _ := call(t, http.MethodGet, s.url(c.path), nil, header...)
		if got := strings.Join(response.Header.Values("Access-Control-Allow-Origin"), "+"); got != c.want {
			t.Errorf("%s from %s: got %q, want %q", c.path, c.origin, got, c.want)
		}
	}
}

// Garbage gets an answer in the range of 4xx, and nothing panics.
func TestHardeningGarbage(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n respond ok"}
	load(t, s.caddyfile())
	for _, line := range []string{
		"Authorization: Token \xff\xfe", "Authorization: Token a b", "Authorization: Token " + strings.Repeat("x", 9000),
		"Authorization: Token a.b.c", "Authorization: \x01", "Authorization: Token a\r\nAuthorization: Token b",
		"Origin: \xff", "Connection: ,,,", "Connection: \xff",
	} {
		_, reader := raw(t, s, "GET / HTTP/1.1\r\nHost: 127.0.0.1:"+s.Port+"\r\n"+line+"\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		if err != nil || response.StatusCode < 400 || response.StatusCode > 499 {
			t.Errorf("%.40q: got %v %v", line, response, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
	}
}

// linkSecret finds the link in a mail.
func linkSecret(t *testing.T, mail map[string]string) string {
	t.Helper()
	_, rest, found := strings.Cut(mail["text"], "/auth/link/")
	if !found {
		t.Fatalf("no link in the mail: %q", mail["text"])
	}
	return strings.Fields(rest)[0]
}

// mailedCode finds the six digits in a mail.
func mailedCode(mail map[string]string) string {
	for _, word := range strings.Fields(mail["text"]) {
		if len(word) == 6 && strings.Trim(word, "0123456789") == "" {
			return word
		}
	}
	return "no code in the mail"
}

// loadedRealm returns a realm of the configuration that runs.
func loadedRealm(t *testing.T, name string) *Realm {
	t.Helper()
	realm, err := findRealm(caddy.ActiveContext(), name)
	if err != nil {
		t.Fatal(err)
	}
	return realm
}
