package caddymodule

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A user loses the role that a route requires while a WebSocket or an event stream is open,
// and keeps using it (CWE-613). Such streams end like those of ended sessions; others
// continue, also the user's own where no role is required.
func TestHardeningStreamsEndWithTheRole(t *testing.T) {
	upstream := newStreams(t)
	address := "127.0.0.1:" + freePort(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory\n api_keys users",
		Site: "token_auth {\n require role admin\n require method link key\n public /events\n keys on\n}\n reverse_proxy " + upstream,
	}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	setRoles := func(email string, roles ...string) {
		t.Helper()
		if _, err := operate(address, append([]string{"user", "role", email}, roles...)...); err != nil {
			t.Fatalf("user role %s %v failed: %v", email, roles, err)
		}
	}
	tokens := map[string]string{}
	for _, email := range []string{"ann@example.com", "bob@example.com"} {
		login(t, s, email)
		setRoles(email, "admin", "editor")
		tokens[email] = login(t, s, email)
	}
	answer, body := call(t, http.MethodPost, s.url("/v1/auth/keys/"),
		map[string]any{"name": "ci", "expires_in": 3600, "roles": []string{"admin"}}, "Authorization", "Token "+tokens["bob@example.com"])
	var key struct{ ID, Secret string }
	if err := json.Unmarshal([]byte(body), &key); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("POST /keys/ = %d %s, %v, want a key", answer.StatusCode, body, err)
	}
	ends := map[string]io.ReadCloser{
		"WebSocket": openSocket(t, s, tokens["ann@example.com"]),
		"SSE":       openStream(t, s, "/stream", tokens["ann@example.com"], false),
	}
	kept := map[string]io.ReadCloser{
		"another user's":        openStream(t, s, "/stream", tokens["bob@example.com"], false),
		"that of a key":         openStream(t, s, "/stream", key.Secret, false),
		"that of a public path": openStream(t, s, "/events", tokens["ann@example.com"], false),
	}
	setRoles("ann@example.com", "editor")
	for name, stream := range ends {
		wantEnd(t, name+" without the role", stream)
	}
	event := make([]byte, len("data: next\n\n"))
	for name, stream := range kept {
		for range 15 { // more than a round of the check
			if _, err := io.ReadFull(stream, event); err != nil {
				t.Errorf("%s stream failed: %v, want that it continues", name, err)
				break
			}
		}
	}
	answer, _ = call(t, http.MethodDelete, s.url("/v1/auth/keys/"+key.ID+"/"), nil, "Authorization", "Token "+tokens["bob@example.com"])
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE /keys/ = %d, want 204", answer.StatusCode)
	}
	wantEnd(t, "stream of a revoked key", kept["that of a key"])
	setRoles("bob@example.com", "editor")
	wantEnd(t, "stream of another user without the role", kept["another user's"])
}

// wantEnd fails the test unless a stream ends in time.
func wantEnd(t *testing.T, name string, stream io.Reader) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stream)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(streamBound):
		t.Fatalf("%s did not end within %s", name, streamBound)
	}
}
