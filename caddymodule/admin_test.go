package caddymodule

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// withAdmin loads a configuration whose admin API is on, and returns its address.
func withAdmin(t *testing.T) (setup, string) {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory", Site: "token_auth\nrespond ok"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	return s, address
}

func TestUserCommand(t *testing.T) {
	s, address := withAdmin(t)
	token := login(t, s, "ann@example.com")
	status := func() int {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		return response.StatusCode
	}
	run := func(operation, user, realm string) (map[string]any, error) {
		var out bytes.Buffer
		err := runUser(&out, adminClient{address, realm}, operation, user)
		shown := map[string]any{}
		if err == nil && operation != "delete" {
			if err := json.Unmarshal(out.Bytes(), &shown); err != nil {
				t.Fatalf("%s printed %q", operation, out.String())
			}
		}
		return shown, err
	}
	shown, err := run("show", "ANN@example.com", "")
	if err != nil || shown["email"] != "ann@example.com" || shown["disabled"] != false {
		t.Fatalf("show: %v, %v", shown, err)
	}
	id, _ := shown["id"].(string)
	if shown, err = run("disable", "ann@example.com", ""); err != nil || shown["disabled"] != true || status() != http.StatusUnauthorized {
		t.Errorf("disable: %v, %v, then %d", shown, err, status())
	}
	if shown, err = run("enable", id, ""); err != nil || shown["disabled"] != false || status() != http.StatusUnauthorized {
		t.Errorf("enable: %v, %v, then %d", shown, err, status())
	}
	token = login(t, s, "ann@example.com")
	if _, err := run("delete", id, ""); err != nil || status() != http.StatusUnauthorized {
		t.Errorf("delete: %v, then %d", err, status())
	}
	for _, c := range []struct{ operation, user, realm, want string }{
		{"show", id, "", "Not found"},
		{"show", "absent@example.com", "", "Not found"},
		{"show", "@", "", "Not found"},
		{"disable", "absent", "", "Not found"},
		{"show", id, "staff", "there is no realm"},
		{"enable", id, "x y", `there is no realm \"x y\"`},
		{"promote", id, "", "is not one of"},
	} {
		_, err := run(c.operation, c.user, c.realm)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "does it run") {
			t.Errorf("%s %s in %q: %v, want %s", c.operation, c.user, c.realm, err, c.want)
		}
	}
	if err := runUser(&bytes.Buffer{}, adminClient{address: "127.0.0.1:1"}, "show", "x"); err == nil || !strings.Contains(err.Error(), "does it run") {
		t.Errorf("without a server: %v", err)
	}
}

// Caddy logs the addresses of admin requests, so that no e-mail address may
// are in one (CWE-532).
func TestUsersAreLookedUpByABody(t *testing.T) {
	_, address := withAdmin(t)
	response, body := call(t, http.MethodPost, "http://"+address+adminPrefix+"lookup", map[string]any{"email": "ann@example.com"})
	if response.StatusCode != http.StatusNotFound || !strings.Contains(body, "not_found") {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
	for _, bad := range []any{"ann@example.com", []string{}} {
		if response, body := call(t, http.MethodPost, "http://"+address+adminPrefix+"lookup", bad); response.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: got %d %s", bad, response.StatusCode, body)
		}
	}
	if response, _ := call(t, http.MethodPut, "http://"+address+adminPrefix+"users/x", nil); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", response.StatusCode)
	}
	if response, _ := call(t, http.MethodGet, "http://"+address+adminPrefix+"nothing", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("unknown path: %d", response.StatusCode)
	}
}

func TestCommandsHaveTheirFlags(t *testing.T) {
	for _, cmd := range []*cobra.Command{proxyCommand(), userCommand()} {
		if cmd.Short == "" || cmd.Long == "" || cmd.RunE == nil {
			t.Errorf("%s is not complete", cmd.Use)
		}
	}
	cmd := proxyCommand()
	if err := cmd.ParseFlags([]string{"--from", ":1", "--to", "a:1,b:2", "--public", "/x", "--provider", "github a b", "--debug"}); err != nil {
		t.Fatal(err)
	}
	options, err := readProxyFlags(caddycmd.Flags{FlagSet: cmd.Flags()})
	if err != nil || len(options.to) != 2 || len(options.providers) != 1 || !options.debug {
		t.Errorf("got %+v, %v", options, err)
	}
	if code, err := runProxy(caddycmd.Flags{FlagSet: proxyCommand().Flags()}); err == nil || code == 0 {
		t.Errorf("without --to: %d, %v", code, err)
	}
}
