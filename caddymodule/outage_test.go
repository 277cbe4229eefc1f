package caddymodule

import (
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// engine is a server that keeps a store and that a test can kill.
type engine interface {
	Kill(tb testing.TB)
	Start(tb testing.TB)
}

// testOutage shows that logins, logouts and pending links survive the death of the
// engine and a restart of the edge. While the engine is down, requests with a token are
// served and no login is refused as wrong. Storage is the line of the Caddyfile;
// reloaded are other lines for the same store.
func testOutage(t *testing.T, server engine, storage string, reloaded ...string) {
	t.Helper()
	const realm = "insecure_debug_links\n storage "
	s := setup{Port: freePort(t), Realm: realm + storage, Site: "token_auth\n respond {http.auth.user.email}"}
	load(t, s.caddyfile())
	token, ended := login(t, s, "a@example.com"), login(t, s, "a@example.com")
	used, pending := debugLink(t, s, "b@example.com"), debugLink(t, s, "c@example.com")
	spend(t, s, used)
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+ended)

	server.Kill(t)
	want := func(token string, status int) {
		t.Helper()
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		if response.StatusCode != status {
			t.Errorf("status %d, want %d", response.StatusCode, status)
		}
	}
	want(token, 200)
	want(ended, 401)
	spending := map[string]any{"token": pending, "client_key": testKey}
	response, body := call(t, http.MethodPost, s.url("/v1/auth/by-link/login/"), spending)
	if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("a login while the engine is down: %d %s", response.StatusCode, body)
	}
	server.Start(t)
	spend(t, s, pending)
	post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"token": used, "client_key": testKey}, 400)

	load(t, s.caddyfile()) // a reload
	want(token, 200)
	for _, storage := range reloaded {
		s.Realm = realm + storage
		load(t, s.caddyfile())
		want(token, 200)
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	load(t, s.caddyfile())
	want(token, 200)
	want(ended, 401)
}
