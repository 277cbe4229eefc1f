package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/caddymodule/command"
)

// withAdmin loads a configuration whose admin API is on, and returns its address.
func withAdmin(t *testing.T) (setup, string) {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory", Site: "token_auth\nrespond ok"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	return s, address
}

// operate runs a command for the server at an address and returns its output.
func operate(address string, args ...string) (string, error) {
	var out bytes.Buffer
	root := &cobra.Command{Use: "edgeauth", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(command.User(adminEndpoint), command.Invitation(adminEndpoint), command.Keys(adminEndpoint), command.APIKey(adminEndpoint), command.Audit(adminEndpoint), command.Webhook(adminEndpoint), command.Backup(adminEndpoint))
	root.SetArgs(append(args, "--address", address))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.Execute()
	return out.String(), err
}

func TestUserCommand(t *testing.T) {
	s, address := withAdmin(t)
	token := login(t, s, "ann@example.com")
	status := func() int {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		return response.StatusCode
	}
	run := func(args ...string) (map[string]any, error) {
		out, err := operate(address, append([]string{"user", "--json"}, args...)...)
		shown := map[string]any{}
		if err == nil {
			if err := json.Unmarshal([]byte(out), &shown); err != nil {
				t.Fatalf("user %v printed %q, want one JSON object", args, out)
			}
		}
		return shown, err
	}
	shown, err := run("show", "ANN@example.com")
	if err != nil || shown["email"] != "ann@example.com" || shown["disabled"] != false || len(shown["sessions"].([]any)) != 1 {
		t.Fatalf("user show = %v, %v, want ann@example.com with a session", shown, err)
	}
	id, _ := shown["id"].(string)
	if shown, err = run("disable", "ann@example.com"); err != nil || shown["disabled"] != true || status() != http.StatusUnauthorized {
		t.Errorf("user disable = %v, %v, then status %d, want 401", shown, err, status())
	}
	if shown, err = run("enable", id); err != nil || shown["disabled"] != false || status() != http.StatusUnauthorized {
		t.Errorf("user enable = %v, %v, then status %d, want 401", shown, err, status())
	}
	token = login(t, s, "ann@example.com")
	if shown, err = run("end-sessions", id); err != nil || shown["ended"] != id || status() != http.StatusUnauthorized {
		t.Errorf("user end-sessions = %v, %v, then status %d, want 401", shown, err, status())
	}
	token = login(t, s, "ann@example.com")
	if _, err := run("delete", id); err != nil || status() != http.StatusUnauthorized {
		t.Errorf("user delete = %v, then status %d, want 401", err, status())
	}
}

// No user can sign up. An operator creates a user, who logs in by mail, and invites
// another one, who logs in with the link of the invitation.
func TestCreateAndInvite(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory\nsignup closed\ninvitation_lifetime 2d", Site: "token_auth\nrespond ok"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	if out, err := operate(address, "user", "create", "ann@example.com", "--first-name", "Ann", "--role", "b,a"); err != nil ||
		!strings.Contains(out, "Ann") || !strings.Contains(out, "a, b") {
		t.Fatalf("user create = %q, %v, want Ann with two roles", out, err)
	}
	for args, want := range map[string]string{"": "roles       -", "c a c": "roles       a, c"} {
		out, err := operate(address, append([]string{"user", "role", "ann@example.com"}, strings.Fields(args)...)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("user role ann@example.com %s = %q, %v, want %q", args, out, err, want)
		}
	}
	login(t, s, "ann@example.com")
	out, err := operate(address, "user", "invite", "bob@example.com", "--role", "editor", "--json")
	var invited struct {
		ID   string `json:"id"`
		By   string `json:"by"`
		Link string `json:"_debug_auth_link"`
	}
	if err != nil || json.Unmarshal([]byte(out), &invited) != nil || invited.ID == "" || invited.By == "" {
		t.Fatalf("user invite = %q, %v, want an invitation by this user", out, err)
	}
	token := invited.Link[strings.LastIndexByte(invited.Link, '/')+1:]
	body := post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"client_key": testKey, "token": token}, http.StatusOK)
	if body["email"] != "bob@example.com" {
		t.Errorf("login with the invitation = %v, want bob@example.com", body)
	}
	if out, err := operate(address, "user", "invite", "cy@example.com", "--expires-in", "3h"); err != nil || !strings.Contains(out, "cy@example.com") {
		t.Errorf("user invite = %q, %v, want an invitation", out, err)
	}
	for args, want := range map[string]int{"invitation list": 2, "invitation list --json": 1} {
		if out, err := operate(address, strings.Fields(args)...); err != nil || !strings.Contains(out, "cy@example.com") || strings.Count(out, "\n") != want {
			t.Errorf("%s = %q, %v, want %d lines, one for cy@example.com", args, out, err, want)
		}
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"user create ann@example.com", "has an account already", 1},
		{"user role ann@example.com Admin", "is not the name of a role", 1},
		{"user role absent@example.com a", "Not found", 4},
		{"user create nonsense", "email: Enter a valid email address", 1},
		{"user invite ann@example.com", "has an account already", 1},
		{"user invite dan@example.com --role A", "is not the name of a role", 1},
		{"user invite dan@example.com --expires-in soon", "is not a duration", 1},
		{"user invite dan@example.com --expires-in 91d", "up to 90 days", 1},
		{"invitation revoke " + invited.ID, "Not found", 4},
	} {
		if _, err := operate(address, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) || command.ExitCode(err) != c.code {
			t.Errorf("%s = %v with code %d, want %q with code %d", c.args, err, command.ExitCode(err), c.want, c.code)
		}
	}
}

// An operator creates keys for a user and for a service account. The secret is in the
// output of create only.
func TestAPIKeyCommand(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory\napi_keys operators", Site: "token_auth {\nkeys on\n}\nrespond ok"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	if out, err := operate(address, "user", "create", "ann@example.com", "--role", "deploy"); err != nil {
		t.Fatalf("user create = %q, %v, want no error", out, err)
	}
	out, err := operate(address, "api-key", "create", "ann@example.com", "--name", "ci", "--role", "deploy", "--expires-in", "90d", "--json")
	var key struct{ ID, User, Secret string }
	if err != nil || json.Unmarshal([]byte(out), &key) != nil || !strings.HasPrefix(key.Secret, "eak_") {
		t.Fatalf("api-key create = %q, %v, want a key", out, err)
	}
	status := func() int {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Bearer "+key.Secret)
		return response.StatusCode
	}
	if got := status(); got != http.StatusOK {
		t.Errorf("GET with the key = %d, want 200", got)
	}
	if out, err := operate(address, "api-key", "create", "--service", "bot", "--name", "nightly", "--expires-in", "1h"); err != nil || strings.Count(out, "eak_") != 1 {
		t.Errorf("api-key create --service bot = %q, %v, want one secret", out, err)
	}
	for args, want := range map[string]int{
		"api-key list": 3, "api-key list --json": 2, "api-key list ann@example.com": 2, "api-key list --json " + key.User: 1,
	} {
		out, err := operate(address, strings.Fields(args)...)
		if err != nil || strings.Count(out, "\n") != want || !strings.Contains(out, key.ID) || strings.Contains(out, "eak_") {
			t.Errorf("%s = %q, %v, want %d lines with %s and no secret", args, out, err, want, key.ID)
		}
	}
	if out, err := operate(address, "user", "show", "ann@example.com"); err != nil || !strings.Contains(out, key.ID) {
		t.Errorf("user show = %q, %v, want the key %s", out, err, key.ID)
	}
	if out, err := operate(address, "api-key", "revoke", key.ID); err != nil || out != "revoked "+key.ID+"\n" || status() != http.StatusUnauthorized {
		t.Errorf("api-key revoke = %q, %v, then status %d, want 401", out, err, status())
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"api-key revoke " + key.ID, "Not found", 4},
		{"api-key list absent", "Not found", 4},
		{"api-key list absent@example.com", "Not found", 4},
		{"api-key create absent --name ci --expires-in 1d", "Not found", 4},
		{"api-key create --name ci --expires-in 1d", "name one user", 1},
		{"api-key create ann@example.com --service bot --name ci --expires-in 1d", "name one user", 1},
		{"api-key create ann@example.com --expires-in 1d", "give the key a name", 1},
		{"api-key create ann@example.com --name ci", "is not a duration", 1},
		{"api-key create ann@example.com --name ci --expires-in 400d", "up to 366 days", 1},
		{"api-key create ann@example.com --name ci --expires-in 1d --role admin", "does not have all of these roles", 1},
	} {
		if _, err := operate(address, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) || command.ExitCode(err) != c.code {
			t.Errorf("%s = %v with code %d, want %q with code %d", c.args, err, command.ExitCode(err), c.want, c.code)
		}
	}
}

func TestUserCommandFaults(t *testing.T) {
	_, address := withAdmin(t)
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"user show absent", "Not found: the realm has no such user", 4},
		{"user show absent@example.com", "Not found", 4},
		{"user show @", "Not found", 4},
		{"user disable absent", "Not found", 4},
		{"user sessions absent", "Not found", 4},
		{"user show absent --realm staff", "there is no realm", 4},
		{"user promote absent", "unknown command", 1},
		{"user list --state asleep", "use enabled or disabled", 1},
		{"user list --created-from yesterday", "is not a time", 1},
		{"user list --limit 0", "use a positive number", 1},
		{"user list --all --limit 3", "exclude each other", 1},
		{"user list --domain a..b", "The domain is not valid", 1},
		{"keys revoke", "name one key", 1},
		{"keys revoke x --all", "name one key", 1},
		{"keys revoke none", "Not found", 4},
		{"keys drop", "unknown command", 1},
	} {
		out, err := operate(address, strings.Fields(c.args)...)
		if err == nil || !strings.Contains(err.Error(), c.want) || command.ExitCode(err) != c.code {
			t.Errorf("%s = %q, %v with code %d, want %q with code %d", c.args, out, err, command.ExitCode(err), c.want, c.code)
		}
	}
	if _, err := operate("127.0.0.1:1", "user", "show", "x"); err == nil || !strings.Contains(err.Error(), "does it run") {
		t.Errorf("user show without a server = %v, want a hint", err)
	}
	if _, err := operate("127.0.0.1:1-9", "user", "show", "x"); err == nil || !strings.Contains(err.Error(), "write for example localhost:2019") {
		t.Errorf("user show at a range of ports = %v, want a hint", err)
	}
}

// Caddy logs the URLs of admin requests, so that no e-mail address may be in one
// (CWE-532).
func TestUsersAreLookedUpByABody(t *testing.T) {
	_, address := withAdmin(t)
	base := "http://" + address + adminPath
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		want         string
	}{
		{http.MethodPost, "/lookup", map[string]any{"email": "ann@example.com"}, http.StatusNotFound, `"code":"not_found"`},
		{http.MethodPost, "/lookup", "ann@example.com", http.StatusBadRequest, `"code":"invalid_request"`},
		{http.MethodPost, "/lookup", []string{}, http.StatusBadRequest, `"code":"invalid_request"`},
		{http.MethodGet, "/users/ann@example.com", nil, http.StatusBadRequest, "must not be in a URL"},
		{http.MethodPut, "/users/x", nil, http.StatusMethodNotAllowed, "other methods"},
		{http.MethodGet, "/nothing", nil, http.StatusNotFound, "no such path"},
	} {
		response, body := call(t, c.method, base+c.path, c.body)
		if response.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s with %v = %d %s, want %d with %s", c.method, c.path, c.body, response.StatusCode, body, c.status, c.want)
		}
	}
}

// Errors are sentences on the standard error output, and the exit code of a command
// tells a missing user from a failure.
func TestCommandsReportErrors(t *testing.T) {
	_, address := withAdmin(t)
	var out, failures bytes.Buffer
	root := &cobra.Command{Use: "caddy", SilenceUsage: true}
	user := command.User(adminEndpoint)
	reportExit(user)
	root.AddCommand(user)
	root.SetArgs([]string{"user", "show", "absent", "--address", address})
	root.SetOut(&out)
	root.SetErr(&failures)
	err := root.Execute()
	if err == nil || !strings.Contains(err.Error(), "status 4") {
		t.Errorf("user show absent = %v, want exit code 4", err)
	}
	if want := "Error: Not found: the realm has no such user, session, key or invitation.\n"; failures.String() != want || out.String() != "" {
		t.Errorf("standard error = %q and output = %q, want %q and none", failures.String(), out.String(), want)
	}
}

// The commands reach the admin API wherever Caddy's own commands do.
func TestCommandAddresses(t *testing.T) {
	socket := "unix/" + filepath.Join(t.TempDir(), "admin.sock")
	for i, admin := range []string{
		"127.0.0.1:" + freePort(t),
		"127.0.0.1:" + freePort(t) + " {\nenforce_origin\n}",
		socket,
		socket + "|0600",
	} {
		s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory", Site: "respond ok"}
		load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+admin, 1))
		address, _, _ := strings.Cut(admin, " ")
		email := fmt.Sprintf("user%d@example.com", i)
		if out, err := operate(address, "user", "create", email); err != nil || !strings.Contains(out, email) {
			t.Errorf("user create with admin %q = %q, %v, want the user", admin, out, err)
		}
	}
}

func TestProxyCommandFlags(t *testing.T) {
	cmd := new(cobra.Command)
	options := addProxyFlags(cmd)
	if err := cmd.ParseFlags([]string{"--from", ":1", "--to", "a:1,b:2", "--public", "/x", "--provider", "github a b", "--debug"}); err != nil {
		t.Fatal(err)
	}
	if err := options.complete(); err != nil || len(options.To) != 2 || len(options.Providers) != 1 || !options.Debug {
		t.Errorf("got %+v, %v", options, err)
	}
	if code, err := new(proxyOptions).run(); err == nil || code == 0 {
		t.Errorf("without --to: %d, %v", code, err)
	}
}
