package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

func TestRolesOfAddresses(t *testing.T) {
	app := newUpstream(t)
	t.Setenv("EDITORS", "@example.net")
	s := setup{
		Port: freePort(t), Site: "token_auth {\n require role admin\n headers all\n}\n" + app.proxy(),
		Realm: "insecure_debug_links\n storage memory\n role admin ann@example.com @example.org\n role editor {env.EDITORS}\n role admin dan@example.net",
	}
	load(t, s.caddyfile())
	for address, want := range map[string]struct {
		status int
		roles  string
	}{
		"ann@example.com":      {200, "admin"},
		"bob@example.com":      {403, ""},
		"eve@example.org":      {200, "admin"},
		"eve@mail.example.org": {403, ""},
		"dan@example.net":      {200, "admin,editor"},
		"carl@example.net":     {403, ""},
	} {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+login(t, s, address))
		if response.StatusCode != want.status {
			t.Errorf("GET / as %s: status %d, want %d", address, response.StatusCode, want.status)
			continue
		}
		if header, _, _ := app.last(); want.status == 200 && header.Get("X-Auth-Roles") != want.roles {
			t.Errorf("X-Auth-Roles of %s = %q, want %q", address, header.Get("X-Auth-Roles"), want.roles)
		}
	}
}

// Faults that the Caddyfile adapter cannot find are found when the configuration is
// loaded.
func TestRolesOfAddressesAreChecked(t *testing.T) {
	t.Setenv("ANN", "ann@")
	for option, want := range map[string]string{
		"role admin {env.ANN}":       "role admin: ",
		"role admin {env.NOT_SET_X}": "role admin: ",
	} {
		s := setup{Port: "8080", Realm: "insecure_debug_links\n storage memory\n " + option}
		if err := validate(s.caddyfile()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate(%s) = %v, want an error with %q", option, err, want)
		}
	}
}
