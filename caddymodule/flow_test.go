package caddymodule

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestLinkFlow(t *testing.T) {
	app := newUpstream(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "token_auth {\n assertion app 30s\n}\n" + app.proxy(),
	}
	load(t, s.caddyfile())

	response, body := call(t, http.MethodGet, s.url("/private"), nil)
	if response.StatusCode != 401 || body != `{"detail":"Authentication credentials were not provided."}` {
		t.Fatalf("without token: %d %s", response.StatusCode, body)
	}
	for name, want := range map[string]string{
		"Www-Authenticate": "Token", "Content-Type": "application/json", "Cache-Control": "no-store",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	token := login(t, s, "You@Example.com")
	response, body = call(t, http.MethodGet, s.url("/private"), nil, "Authorization", "Token "+token)
	if response.StatusCode != 200 || body != "upstream" {
		t.Fatalf("with token: %d %s", response.StatusCode, body)
	}
	header, _, _ := app.last()
	if header.Get("X-Auth-Email") != "You@example.com" || header.Get("X-Auth-Method") != "" ||
		header.Get("X-Auth-Client") != "" || header.Get("X-Auth-User-Id") == "" {
		t.Errorf("identity headers: %v", header)
	}
	if header.Get("Authorization") != "" {
		t.Error("the token reached the upstream")
	}
	assertion := header.Get("X-Auth-Assertion")
	if response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+assertion); assertion == "" || response.StatusCode != 401 {
		t.Errorf("the assertion was taken for a login token: %d", response.StatusCode)
	}
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+token)
	if response, _ := call(t, http.MethodGet, s.url("/private"), nil, "Authorization", "Token "+token); response.StatusCode != 401 {
		t.Errorf("after the logout: %d", response.StatusCode)
	}
}

func TestKeysAtTheRootOfTheSite(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth", LoginAPI: "login_api /login {\nroot_jwks\n}"}
	load(t, s.caddyfile())
	for _, path := range []string{"/.well-known/jwks.json", "/login/.well-known/jwks.json"} {
		if response, body := call(t, http.MethodGet, s.url(path), nil); response.StatusCode != 200 || !strings.Contains(body, `"keys"`) {
			t.Errorf("%s: got %d %s", path, response.StatusCode, body)
		}
	}
	post(t, s.url("/login/by-link/link/"), map[string]any{"email": "a@example.com"}, 200)
	if response, _ := call(t, http.MethodPost, s.url("/v1/auth/by-link/link/"), nil); response.StatusCode != 401 {
		t.Errorf("another prefix passed the gate: %d", response.StatusCode)
	}
}

func TestPolicies(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: `
		route /optional {
			token_auth {
				optional
				headers x-auth-user-id
			}
			` + app.proxy() + `
		}
		route /staff {
			token_auth {
				require email_domain example.org
			}
			` + app.proxy() + `
		}
		route /forward {
			token_auth {
				forward_token
				headers off
			}
			` + app.proxy() + `
		}
		route /errors {
			token_auth {
				handle_errors
			}
			` + app.proxy() + `
		}
		handle_errors {
			respond "page {http.error.status_code} of [{http.auth.user.id}]" 418
		}`}
	load(t, s.caddyfile())
	token := "Token " + login(t, s, "a@example.com")
	check := func(path, authorization string, status int, body string) {
		t.Helper()
		var header []string
		if authorization != "" {
			header = []string{"Authorization", authorization}
		}
		response, got := call(t, http.MethodGet, s.url(path), nil, header...)
		if response.StatusCode != status || got != body {
			t.Errorf("%s: got %d %s, want %d %s", path, response.StatusCode, got, status, body)
		}
	}
	check("/optional", "", 200, "upstream")
	check("/optional", "Token nonsense", 401, `{"detail":"Invalid token."}`)
	check("/optional", token, 200, "upstream")
	if header, _, _ := app.last(); header.Get("X-Auth-User-Id") == "" || header.Get("X-Auth-Email") != "" {
		t.Errorf("headers: the chosen ones are not the only ones: %v", header)
	}
	check("/staff", token, 403, `{"detail":"You do not have permission to perform this action."}`)
	check("/staff", "Token "+login(t, s, "a@example.org"), 200, "upstream")
	check("/forward", token, 200, "upstream")
	if header, _, _ := app.last(); header.Get("Authorization") != token || header.Get("X-Auth-User-Id") != "" {
		t.Errorf("forward_token: %v", header)
	}
	check("/errors", "", 418, "page 401 of []")
}

func TestPlaceholders(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: `
		token_auth {
			optional
		}
		respond "{http.auth.user.id}|{http.auth.user.email}|{http.auth.user.method}|{http.auth.user.other}"`}
	load(t, s.caddyfile())
	if _, body := call(t, http.MethodGet, s.url("/"), nil); body != "|||" {
		t.Errorf("anonymous: %s", body)
	}
	token := login(t, s, "a@example.com")
	_, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
	if fields := strings.Split(body, "|"); len(fields) != 4 || len(fields[0]) != 36 || fields[1] != "a@example.com" || fields[2] != "link" || fields[3] != "" {
		t.Errorf("signed in: %s", body)
	}
}

func TestPlaceholdersOfAnEarlierHandlerAreReplaced(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	repl := caddy.NewReplacer()
	request = caddyhttp.PrepareRequest(request, repl, httptest.NewRecorder(), nil)
	repl.Set("http.auth.user.id", "a user of basic_auth")
	for _, want := range []string{"", "first", "second", ""} {
		v := identityOf(request)
		v.forget() // as every gate does before it decides
		if want != "" {
			v.decision.Claims = &gate.Claims{Subject: want}
		}
		if got, known := repl.GetString("http.auth.user.id"); got != want || !known {
			t.Errorf("got %q %v, want %q", got, known, want)
		}
	}
	request.Header.Set("Authorization", "Token secret")
	if got := repl.ReplaceAll("{http.vars.edgeauth}", ""); got != "" {
		t.Errorf("the variable shows %q", got)
	}
}

// A site asks for a token, and parts of it for more.
func TestGateBehindGate(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: `
		token_auth
		token_auth /staff {
			require email_domain example.org
		}
		` + app.proxy()}
	load(t, s.caddyfile())
	guest, staff := "Token "+login(t, s, "a@example.com"), "Token "+login(t, s, "a@example.org")
	for _, c := range []struct {
		path, authorization string
		want                int
	}{{"/", guest, 200}, {"/staff", guest, 403}, {"/staff", staff, 200}} {
		if response, body := call(t, http.MethodGet, s.url(c.path), nil, "Authorization", c.authorization); response.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", c.path, response.StatusCode, body, c.want)
		}
	}
	if header, _, _ := app.last(); header.Get("X-Auth-Email") != "a@example.org" || header.Get("Authorization") != "" {
		t.Errorf("the upstream saw %v", header)
	}
}

func TestWebSocketUpgrade(t *testing.T) {
	app, s, token := behindGate(t, "token_auth")
	connection, reader := upgrade(t, s, "Authorization: Token "+token, "Origin: https://frontend.app", "X_Auth_User_Id: evil")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v %v", response, err)
	}
	fmt.Fprint(connection, "ping\n")
	if line, err := reader.ReadString('\n'); err != nil || line != "echo ping\n" {
		t.Errorf("over the upgraded connection: %q %v", line, err)
	}
	request := app.request()
	if strings.Contains(request, "evil") || !strings.Contains(request, "X-Auth-User-Id: ") || strings.Contains(request, token) {
		t.Errorf("the upstream saw:\n%s", request)
	}

	_, reader = upgrade(t, s)
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 401 {
		t.Errorf("without token: %v %v", response, err)
	}
}

// upgrade asks for a WebSocket.
func upgrade(t *testing.T, s setup, lines ...string) (net.Conn, *bufio.Reader) {
	t.Helper()
	lines = append([]string{
		"GET /socket HTTP/1.1", "Host: 127.0.0.1:" + s.Port, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, lines...)
	return raw(t, s, strings.Join(lines, "\r\n")+"\r\n\r\n")
}

// raw sends bytes to the server.
func raw(t *testing.T, s setup, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	connection, err := net.Dial("tcp", "127.0.0.1:"+s.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if _, err := fmt.Fprint(connection, request); err != nil {
		t.Fatal(err)
	}
	return connection, bufio.NewReader(connection)
}
