package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

// A client names itself administrator, in every spelling that an upstream may
// take for an identity header (CWE-290): other case, "_" and "." for "-",
// repeated headers. It must not matter how the request gets past the gate.
func TestHardeningForgedIdentityHeaders(t *testing.T) {
	app := newRawUpstream(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: `
		route /optional {
			token_auth {
				optional
			}
			reverse_proxy ` + app.address + `
		}
		route /public {
			token_auth {
				public /public
			}
			reverse_proxy ` + app.address + `
		}
		route /off {
			token_auth {
				headers off
				forward_token
			}
			reverse_proxy ` + app.address + `
		}
		route {
			token_auth
			reverse_proxy ` + app.address + `
		}`,
		// Caddy drops headers with "_" or "." unless told otherwise.
		Globals: "servers {\n expected_underscore_headers *\n expected_dot_headers *\n}",
	}
	if err := tryLoad(t, s.caddyfile()); err != nil {
		// Where the server has no such options, its own defence stays on.
		s.Globals = ""
		load(t, s.caddyfile())
	}
	token := login(t, s, "a@example.com")
	forged := []string{
		"X-Auth-User-Id: evil", "x-auth-user-id: evil", "X_Auth_User_Id: evil", "X.Auth.User.Id: evil",
		"X-Auth_Email: evil", "X-AUTH-NAME: evil", "X-Auth-Assertion: evil", "X-Auth-Session-Id: evil",
		"X-Auth-Email-Verified: evil", "x_auth-method: evil", "X-Auth-Client: evil", "X-Auth-Client: evil",
	}
	cases := map[string][]string{
		"GET /":                 {"Authorization: Token " + token},
		"GET /optional":         nil,
		"GET /public":           nil,
		"GET /public?token=bad": {"Authorization: Token bad"},
		"GET /optional?token=1": {"Authorization: Token " + token},
		"GET /off":              {"Authorization: Token " + token},
		"OPTIONS /":             {"Origin: https://stranger.example", "Access-Control-Request-Method: GET"},
	}
	for line, more := range cases {
		t.Run(line, func(t *testing.T) {
			lines := append([]string{line + " HTTP/1.1", "Host: 127.0.0.1:" + s.Port, "Connection: close"}, forged...)
			lines = append(lines, more...)
			_, reader := raw(t, s, strings.Join(lines, "\r\n")+"\r\n\r\n")
			if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 200 {
				t.Fatalf("got %v %v", response, err)
			}
			if request := app.request(); strings.Contains(request, "evil") {
				t.Errorf("the upstream saw:\n%s", request)
			}
		})
	}
}

// Trailers are headers that come after the body; some servers merge both. One
// that was not announced arrives all the same once another one was.
func TestHardeningForgedIdentityTrailers(t *testing.T) {
	app, s, token := behindGate(t, "token_auth")
	_, reader := raw(t, s, strings.Join([]string{
		"POST / HTTP/1.1", "Host: 127.0.0.1:" + s.Port, "Connection: close", "Authorization: Token " + token,
		"Transfer-Encoding: chunked", "Trailer: X-Checksum, X-Auth-Email", "",
		"2", "hi", "0",
		"X-Checksum: kept", "X-Auth-Email: evil", "X-Auth-User-Id: evil", "X_Auth_Name: evil", "", "",
	}, "\r\n"))
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 200 {
		t.Fatalf("got %v %v", response, err)
	}
	request := app.request()
	if strings.Contains(request, "evil") {
		t.Errorf("the upstream saw:\n%s", request)
	}
	if !strings.Contains(request, "kept") {
		t.Errorf("an innocent trailer is gone:\n%s", request)
	}
}

// A proxy deletes the headers that Connection names (RFC 9110, section 7.6.1).
// A client that names an identity header there would look anonymous to the upstream.
func TestHardeningIdentityIsNotHopByHop(t *testing.T) {
	app, s, token := behindGate(t, "token_auth")
	for _, connection := range []string{"close, X-Auth-User-Id", "X-Auth-User-Id", "x-auth-user-id ,X-Other"} {
		_, reader := raw(t, s, strings.Join([]string{
			"GET / HTTP/1.1", "Host: 127.0.0.1:" + s.Port, "Connection: " + connection,
			"X-Other: removed", "Authorization: Token " + token, "", "",
		}, "\r\n"))
		if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 200 {
			t.Fatalf("got %v %v", response, err)
		}
		request := app.request()
		if !strings.Contains(request, "X-Auth-User-Id: ") {
			t.Errorf("Connection: %s took the identity away:\n%s", connection, request)
		}
		if strings.Contains(connection, "X-Other") && strings.Contains(request, "removed") {
			t.Errorf("Connection: %s: a header of the hop was passed on:\n%s", connection, request)
		}
	}
}

// An unset placeholder would reach an upstream as its literal text, which may be
// taken for a name.
func TestHardeningUnsetPlaceholders(t *testing.T) {
	app := newUpstream(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: `
		token_auth {
			optional
		}
		reverse_proxy ` + app.Listener.Addr().String() + ` {
			header_up X-Remote-User {http.auth.user.id}
			header_up X-Remote-Other {http.auth.user.no_such_field}
		}`}
	load(t, s.caddyfile())
	call(t, http.MethodGet, s.url("/"), nil)
	header, _, _ := app.last()
	for _, name := range []string{"X-Remote-User", "X-Remote-Other"} {
		if got := header.Get(name); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// The token that forward_token promises to the upstream must arrive whatever the
// client says about it.
func TestHardeningForwardedTokenIsNotHopByHop(t *testing.T) {
	app, s, token := behindGate(t, "token_auth {\n forward_token\n}")
	raw(t, s, "GET / HTTP/1.1\r\nHost: 127.0.0.1:"+s.Port+"\r\nConnection: close, authorization\r\nAuthorization: Token "+token+"\r\n\r\n")
	if request := app.request(); !strings.Contains(request, "Authorization: Token "+token) {
		t.Errorf("the upstream got\n%s", strings.ReplaceAll(request, token, "<token>"))
	}
}

// A request that a matcher leaves out meets no gate; its placeholders are set all
// the same.
func TestHardeningPlaceholdersWithoutAGate(t *testing.T) {
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: "@private path /private\n token_auth @private\n respond \"user=<{http.auth.user.email}>\"",
	}
	load(t, s.caddyfile())
	if _, body := call(t, http.MethodGet, s.url("/open"), nil); body != "user=<>" {
		t.Errorf("the placeholder reads %q", body)
	}
}

// A client that gets another form of HTTP through an upgrade talks to the upstream
// without the gate: no token, any path, any identity header (h2c smuggling,
// CWE-444). A preflight, which needs no token, gets no connection of any kind.
func TestHardeningUpgrades(t *testing.T) {
	app, s, token := behindGate(t, "token_auth {\n public /health\n}")
	const preflight = "Origin: https://stranger.example\r\nAccess-Control-Request-Method: GET\r\n"
	for name, head := range map[string]string{
		"with a token":         "GET / HTTP/1.1\r\nUpgrade: h2c\r\nAuthorization: Token " + token + "\r\n",
		"on a public path":     "GET /health HTTP/1.1\r\nUpgrade: h2c\r\n",
		"next to another":      "GET /health HTTP/1.1\r\nUpgrade: foo, h2c\r\n",
		"TLS":                  "GET /health HTTP/1.1\r\nUpgrade: TLS/1.0\r\n",
		"in a preflight":       "OPTIONS / HTTP/1.1\r\nUpgrade: h2c\r\n" + preflight,
		"socket by preflight":  "OPTIONS / HTTP/1.1\r\nUpgrade: websocket\r\n" + preflight,
		"unknown by preflight": "OPTIONS / HTTP/1.1\r\nUpgrade: unknown\r\n" + preflight,
	} {
		raw(t, s, head+"Host: 127.0.0.1:"+s.Port+"\r\nConnection: Upgrade\r\n\r\n")
		if request := app.request(); !strings.Contains(request, "HTTP/1.1") || strings.Contains(request, "Upgrade") {
			t.Errorf("%s: the upstream got\n%s", name, strings.ReplaceAll(request, token, "<token>"))
		}
	}
}
