package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/internal/authenticator"
)

// A thief of the mailbox signs in by mail where the realm requires passkeys: no site
// accepts the session, whatever its own options are (CWE-308). The user adds a passkey
// with it, and a login with the passkey is accepted.
func TestHardeningPasskeysRequired(t *testing.T) {
	const origin = "https://frontend.app"
	s := setup{
		Port:     freePort(t),
		Realm:    "insecure_debug_links\nstorage memory\napi_keys users\npasskeys required",
		LoginAPI: "login_api {\nkeys on\n}",
		Site: `handle /authentication {
	respond caddy
}
@other not path /authentication
token_auth @other {
	require email ann@example.com
	keys on
}
respond ok`,
	}
	adapted, err := adapt(s.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = caddy.Stop() })
	config := strings.Replace(string(adapted), `{"body":"caddy"`, `{"handler":"authentication","providers":{"edgeauth":{}}},{"body":"caddy"`, 1)
	if err := caddy.Load([]byte(config), true); err != nil {
		t.Fatal(err)
	}
	mail := "Token " + login(t, s, "ann@example.com")
	post := func(path string, body any, want int, header ...string) string {
		t.Helper()
		answer, text := call(t, http.MethodPost, s.url("/v1/auth"+path), body, append(header, "Origin", origin)...)
		if answer.StatusCode != want {
			t.Fatalf("POST %s = %d %s, want %d", path, answer.StatusCode, text, want)
		}
		return text
	}
	var key, session struct{ Secret, Token string }
	decode := func(text string, to any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), to); err != nil {
			t.Fatalf("Unmarshal(%s) = %v", text, err)
		}
	}
	decode(post("/keys/", map[string]any{"name": "ci", "expires_in": 3600}, http.StatusCreated, "Authorization", mail), &key)

	device := authenticator.New(origin)
	created, err := device.Create([]byte(post("/passkeys/registration/options/", nil, http.StatusOK, "Authorization", mail)))
	if err != nil {
		t.Fatalf("Create() = %v", err)
	}
	post("/passkeys/registration/", map[string]any{"name": "Laptop", "credential": json.RawMessage(created)}, http.StatusCreated, "Authorization", mail)
	asserted, err := device.Get([]byte(post("/passkeys/login/options/", map[string]any{"client_key": testKey}, http.StatusOK)))
	if err != nil {
		t.Fatalf("Get() = %v", err)
	}
	decode(post("/passkeys/login/", map[string]any{"client_key": testKey, "credential": json.RawMessage(asserted)}, http.StatusOK), &session)

	for name, test := range map[string]struct {
		authorization string
		status        map[string]int
	}{
		"mail":    {mail, map[string]int{"/": 401, "/v1/auth/verify/": 401, "/authentication": 401, "/v1/auth/user/": 200}},
		"passkey": {"Token " + session.Token, map[string]int{"/": 200, "/v1/auth/verify/": 200, "/authentication": 200}},
		"API key": {"Bearer " + key.Secret, map[string]int{"/": 200, "/v1/auth/verify/": 200}},
	} {
		for path, want := range test.status {
			answer, body := call(t, http.MethodGet, s.url(path), nil, "Authorization", test.authorization)
			if answer.StatusCode != want {
				t.Errorf("%s: GET %s = %d %s, want %d", name, path, answer.StatusCode, body, want)
			}
			if name == "mail" && path == "/" && !strings.Contains(body, `"amr":["passkey","key"]`) {
				t.Errorf("%s: GET / = %s, want the accepted methods", name, body)
			}
		}
	}
}
