package caddymodule

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

func TestRedisStorage(t *testing.T) {
	server := redistest.Start(t)
	testOutage(t, server, "redis "+server.URL())
}

func TestRedisStorageUnderSentinelsAndInCluster(t *testing.T) {
	for name, option := range map[string]string{
		"sentinel": redistest.StartGroup(t, 1).URL() + " {\n sentinel " + redistest.PrimaryName + "\n wait_replicas 1\n}",
		"cluster":  redistest.StartCluster(t).URL() + " {\n cluster\n}",
	} {
		t.Run(name, func(t *testing.T) {
			s := setup{
				Port: freePort(t), Realm: "insecure_debug_links\n storage redis " + option,
				Site: "token_auth\n respond {http.auth.user.email}",
			}
			load(t, s.caddyfile())
			token := login(t, s, "a@example.com")
			if _, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token); body != "a@example.com" {
				t.Errorf("with token: %s", body)
			}
		})
	}
}

// The user of the edge has the rights that docs/redis.md lists and no others,
// and neither its password nor that of an unreachable Redis reaches the log, an
// error or the saved configuration (CWE-532, CWE-312).
func TestHardeningRedisUser(t *testing.T) {
	server := redistest.Secure(t, documentedRules(t), "appendonly no")
	logFile := filepath.Join(t.TempDir(), "log")
	t.Setenv("EDGEAUTH_TEST_REDIS", server.URL())
	s := setup{
		Port:    freePort(t),
		Globals: "debug\n log {\n output file " + logFile + "\n level DEBUG\n}",
		Realm:   "insecure_debug_links\n storage redis {env.EDGEAUTH_TEST_REDIS} {\n tls_ca " + server.CertificateFile + "\n}",
		Site:    "token_auth\n respond {http.auth.user.email}",
	}
	load(t, s.caddyfile())
	token := login(t, s, "a@example.com")
	realm := loadedRealm(t, "").live.Load()
	if err := realm.Maintain(t.Context()); err != nil {
		t.Errorf("maintenance: %v", err)
	}
	// Another node logs out; the feed and the watch have their rights too.
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+token)

	if out, err := checked(t, t.Context(), s.caddyfile()); err != nil || !strings.Contains(out, "ok     storage redis: responds") {
		t.Errorf("the check: %v:\n%s", err, out)
	}
	server.Kill(t)
	err := tryLoad(t, strings.Replace(s.caddyfile(), "{env.EDGEAUTH_TEST_REDIS} {", "{env.EDGEAUTH_TEST_REDIS} {\n key_prefix other:", 1))
	if err == nil || !strings.Contains(err.Error(), "storage: redis cannot be used") || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("a start without Redis: %v", err)
	}
	var content []byte
	servertest.Eventually(t, "the log", func() bool {
		content, _ = os.ReadFile(logFile)
		return strings.Contains(string(content), "appendonly is not on")
	})
	saved, _ := os.ReadFile(caddy.ConfigAutosavePath)
	if !strings.Contains(string(saved), "{env.EDGEAUTH_TEST_REDIS}") {
		t.Error("the saved configuration has lost the placeholder")
	}
	for _, text := range []string{string(content), string(saved), err.Error()} {
		if strings.Contains(text, server.Password) || strings.Contains(text, "p@ss/w") {
			t.Errorf("contains the password: %s", text)
		}
	}
	for _, complaint := range []string{"NOPERM", "background work failed", "was interrupted"} {
		if strings.Contains(string(content), complaint) {
			t.Errorf("the log complains: %s", complaint)
		}
	}
}

// Redis starts with the settings of docs/redis.md.
func TestDocumentedRedisSettings(t *testing.T) {
	_, rest, found := strings.Cut(redisPage(t), "```conf\nappendonly ")
	settings, _, ended := strings.Cut("appendonly "+rest, "```")
	if !found || !ended {
		t.Fatal("docs/redis.md shows no settings")
	}
	var lines []string
	for line := range strings.Lines(settings) {
		setting, _, _ := strings.Cut(line, "#")
		if fields := strings.Fields(setting); len(fields) > 0 {
			lines = append(lines, strings.Join(fields, " "))
		}
	}
	server := redistest.Start(t, lines...)
	for _, line := range lines {
		name, want, _ := strings.Cut(line, " ")
		if got := fmt.Sprint(server.Do(t, "CONFIG", "GET", name)); !strings.Contains(got, want) {
			t.Errorf("CONFIG GET %s = %s, want %s", name, got, want)
		}
	}
}

func redisPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documentedRules returns the rules of an ACL user that the documentation shows.
func documentedRules(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(redisPage(t), "\nuser edge on >password ")
	rules, _, _ := strings.Cut(rest, "\n")
	if !found || !strings.HasPrefix(rules, "resetkeys") {
		t.Fatal("docs/redis.md shows no rules")
	}
	return rules
}

func TestRedisStorageIsChecked(t *testing.T) {
	folder := t.TempDir()
	noCertificate := filepath.Join(folder, "no.pem")
	if err := os.WriteFile(noCertificate, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EDGEAUTH_TEST_REDIS", "redis://user:se%cret@host")
	for options, want := range map[string]string{
		"{env.EDGEAUTH_TEST_UNSET}":                                                        "storage redis: url",
		"{env.EDGEAUTH_TEST_REDIS}":                                                        "storage redis: redis: url",
		"localhost:6379":                                                                   "url: it is not valid; use redis://",
		"http://localhost":                                                                 "url: it is not valid; use redis://",
		"redis://localhost/zero":                                                           "url: the host, port, database number",
		"redis://localhost?read_only=true":                                                 "unknown parameter",
		"redis://localhost?addr=other:6379":                                                "addr is set without sentinel or cluster",
		"redis://localhost {\n cluster\n sentinel main\n}":                                 "sentinel and cluster: both are set",
		"redis://localhost/1 {\n cluster\n}":                                               "database 0",
		"redis://localhost?addr=other {\n cluster\n}":                                      "host:port",
		"unix:///run/redis.sock {\n sentinel main\n}":                                      "Sentinels and a Cluster need redis://",
		"redis://localhost {\n sentinel_password secret\n}":                                "no name of a primary",
		"redis://localhost {\n key_prefix a{b}\n}":                                         "key_prefix: it contains one of",
		"rediss://localhost {\n tls_ca " + noCertificate + "\n}":                           "storage redis: tls_ca",
		"rediss://localhost {\n tls_ca /no/such/file\n}":                                   "storage redis: tls_ca",
		"rediss://localhost {\n tls_client " + noCertificate + " " + noCertificate + "\n}": "storage redis: tls_client",
	} {
		err := validate(setup{Port: "8080", Realm: "mailer log\n storage redis " + options}.caddyfile())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", options, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "se%cret") {
			t.Errorf("the error cites the password: %v", err)
		}
	}
}
