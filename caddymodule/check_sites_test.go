package caddymodule

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
)

// TestSiteWarnings checks configurations that Caddy accepts but that do not work as
// their author meant.
func TestSiteWarnings(t *testing.T) {
	const realm = `edgeauth {
			client web key-of-a-test {
				redirect_uri https://app.example.com/callback
				origin %ORIGIN%
			}
			email_link %LINK%
			mailer log
			storage memory
		}`
	for name, c := range map[string]struct{ origin, link, sites, want string }{
		"good":                     {"", "", "app.example.com {\n login_api\n token_auth\n reverse_proxy a:1\n}", ""},
		"login page":               {"", "", "app.example.com {\n login_page\n token_auth\n reverse_proxy a:1\n}", ""},
		"no login":                 {"", "", "app.example.com {\n token_auth\n reverse_proxy a:1\n}", "no site has login_page or login_api"},
		"login on another site":    {"", "", "app.example.com {\n token_auth\n reverse_proxy a:1\n}\napi.example.com {\n login_api\n}", ""},
		"login behind the gate":    {"", "", "app.example.com {\n route {\n token_auth\n login_api\n }\n}", "login_api is behind token_auth"},
		"login behind, but public": {"", "", "app.example.com {\n route {\n token_auth {\n public /v1/auth/*\n }\n login_api\n }\n}", ""},
		"gate in another handle":   {"", "", "app.example.com {\n handle /a/* {\n token_auth\n reverse_proxy a:1\n }\n handle {\n login_api\n }\n}", ""},
		"handle_path":              {"", "", "app.example.com {\n handle_path /v1/auth/* {\n login_api\n }\n}", "/v1/auth is removed from the path"},
		"handle_path, another":     {"", "", "app.example.com {\n handle_path /x/* {\n login_api\n }\n}", ""},
		"guarded link page":        {"", "https://app.example.com/auth/link/{token}", "app.example.com {\n login_api\n token_auth\n reverse_proxy a:1\n}", "/auth/link/x needs a token"},
		"public link page":         {"", "https://app.example.com/auth/link/{token}", "app.example.com {\n login_api\n token_auth {\n public /auth/link/*\n }\n reverse_proxy a:1\n}", ""},
		"matcher":                  {"", "", "app.example.com {\n login_api\n @api path /api/*\n token_auth @api\n reverse_proxy a:1\n}", "the matcher of token_auth"},
		"basic_auth":               {"", "", "app.example.com {\n login_api\n basic_auth {\n ann $2a$14$9EKWmJ5LQ1Y1E0o9i1wH4eC3V3Yz0m6m0q5tP1J7J0gqvWqzQmW4e\n }\n token_auth\n reverse_proxy a:1\n}", "basic_auth and token_auth"},
		"placeholder before":       {"", "", "app.example.com {\n login_api\n header X-User {http.auth.user.id}\n token_auth\n reverse_proxy a:1\n}", "headers reads {http.auth.user.…} before token_auth"},
		"placeholder deferred":     {"", "", "app.example.com {\n login_api\n header >X-User {http.auth.user.id}\n token_auth\n reverse_proxy a:1\n}", ""},
		"placeholder in the log":   {"", "", "app.example.com {\n login_api\n log_append user {http.auth.user.id}\n token_auth\n reverse_proxy a:1\n}", ""},
		"placeholder after":        {"", "", "app.example.com {\n login_api\n token_auth\n request_header X-User {http.auth.user.id}\n reverse_proxy a:1\n}", ""},
		"origin without TLS":       {"http://app.example.com", "", "app.example.com {\n login_api\n token_auth\n reverse_proxy a:1\n}", "write https://app.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.origin == "" {
				c.origin = "https://app.example.com"
			}
			if c.link == "" {
				c.link = "https://frontend.example.com/auth/link/{token}"
			}
			block := strings.NewReplacer("%ORIGIN%", c.origin, "%LINK%", c.link).Replace(realm)
			config, err := adapt("{\n admin off\n " + block + "\n}\n" + c.sites)
			if err != nil {
				t.Fatalf("adapt() failed: %v", err)
			}
			var out bytes.Buffer
			if err := runCheck(t.Context(), &out, config); err != nil {
				t.Fatalf("runCheck() failed: %v\n%s", err, out.String())
			}
			_, warnings, _ := strings.Cut(out.String(), "warnings\n")
			if c.want == "" && warnings != "" || !strings.Contains(warnings, c.want) {
				t.Errorf("runCheck() warns %q, want %q", warnings, c.want)
			}
		})
	}
}

// TestEnvironWarnings reports servers that print the environment to the journal.
func TestEnvironWarnings(t *testing.T) {
	process := func(arguments ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(strings.Join(arguments, "\x00") + "\x00")}
	}
	processes := fstest.MapFS{
		"1/cmdline": process("/sbin/init"), "2/cmdline": process(), "self/cmdline": process("caddy", "run", "--environ"),
		"7/cmdline": process("/usr/bin/caddy", "run", "--environ", "--config", "/etc/caddy/Caddyfile"), "8/cmdline": process("grep", "run", "--environ"),
		"9/cmdline": process("/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile"),
	}
	got := environWarnings([]byte(`{"url":"{env.SMTP_URL}"}`), processes)
	if len(got) != 1 || !strings.HasPrefix(got[0], "process 7 runs with --environ") {
		t.Errorf("environWarnings() = %q, want one about process 7", got)
	}
	if got := environWarnings([]byte(`{"url":"{file./run/credentials/caddy.service/smtp}"}`), processes); got != nil {
		t.Errorf("environWarnings() without variables = %q, want none", got)
	}
	if got := environWarnings([]byte(`{"url":"{env.SMTP_URL}"}`), fstest.MapFS{}); got != nil {
		t.Errorf("environWarnings() without /proc = %q, want none", got)
	}
}

// TestPlaintextDatabase reports connections to public hosts that may be read on the way.
func TestPlaintextDatabase(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://a:b@db.example.com/x":                     "db.example.com",
		"postgres://a:b@db.example.com/x?sslmode=prefer":      "db.example.com",
		"postgres://a:b@203.0.113.5/x":                        "203.0.113.5",
		"postgres://a:b@db.example.com/x?sslmode=verify-full": "",
		"postgres://a:b@db.example.com/x?sslmode=require":     "",
		"postgres://a:b@10.0.0.5/x":                           "",
		"postgres://a:b@127.0.0.1/x":                          "",
		"postgres://a:b@db/x":                                 "",
		"host=/var/run/postgresql dbname=x":                   "",
	} {
		if got := plaintextDatabase(&PostgresStorage{dsn: dsn}); got != want {
			t.Errorf("plaintextDatabase(%s) = %q, want %q", dsn, got, want)
		}
	}
	storage := new(RedisStorage)
	storage.config.URL = "redis://cache.example.com:6379/0"
	if got := plaintextDatabase(storage); got != "cache.example.com" {
		t.Errorf("plaintextDatabase(%s) = %q, want the host", storage.config.URL, got)
	}
	storage.config.URL = "rediss://cache.example.com:6379/0"
	if got := plaintextDatabase(storage); got != "" {
		t.Errorf("plaintextDatabase(%s) = %q, want none", storage.config.URL, got)
	}
}
