package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Everything that can be known without opening anything is an error of validate,
// which names the option.
func TestValidateFindsFaults(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "text.txt"), []byte("{{.NoSuchField}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for realm, want := range map[string]string{
		"":                                      "mailer: none is configured",
		"mailer log\n client second " + testKey: "same key as client",
		"mailer log\n client c k {\n redirect_uri /relative\n}":                     "client c: redirect_uri",
		"mailer log\n client c k {\n origin https://a.app/\n}":                      "client c: origin",
		"mailer log\n client c k {\n email_link https://a.app/\n}":                  "client c: email_link",
		"mailer log\n client c k {\n providers github\n}":                           `client c: providers: there is no provider "github"`,
		"mailer log\n provider keycloak a b {\n type oidc\n}":                       "provider keycloak: issuer",
		"mailer log\n provider github a b {\n issuer https://a.app\n}":              "provider github: issuer",
		"mailer smtp localhost:25":                                                  "SMTP URL",
		"mailer smtp smtp://localhost":                                              "mailer smtp: from: is missing",
		"mailer smtp smtp://localhost {\n from no-address\n}":                       "mailer smtp: from",
		"mailer smtp smtp://localhost {\n from a@b.example\n reply_to x\n}":         "mailer smtp: reply_to",
		"mailer smtp smtp://localhost {\n from a@b.example\n templates /no/such\n}": "mailer smtp: templates",
		"mailer log {\n templates " + folder + "\n}":                                "mailer log: templates",
		"mailer log {\n subject {{.NoSuchField}}\n}":                                "mailer log: subject",
		"mailer webhook ftp://a.app {\n from a@b.example\n}":                        "webhook",
		"mailer webhook https://a.app":                                              "mailer webhook: from",
		"mailer webhook {env.EDGEAUTH_TEST_UNSET}":                                  "mailer webhook: url",
		"mailer log\n storage bolt " + folder:                                       "storage bolt: path",
		"mailer log\n storage bolt {env.EDGEAUTH_TEST_UNSET}":                       "storage bolt: path",
		"mailer log\n limit link_per_ip 1 1ms":                                      "limit link_per_ip",
		"mailer log\n signup domains not_a_domain":                                  "signup",
		"mailer log\n allow *@example.com":                                          `allow: "*@example.com" contains a wildcard`,
		"mailer log\n api_url http://api.example.com/v1/auth":                       "api_url: ",
		"mailer log\n api_url {env.EDGEAUTH_TEST_UNSET}":                            "api_url: ",
		"mailer log\n deny {env.EDGEAUTH_TEST_UNSET}":                               "deny: ",
		"mailer log\n provider github a b {\n signup domains not_a_domain\n}":       "provider github: signup",
	} {
		err := validate(setup{Port: "8080", Realm: realm}.caddyfile())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", realm, err, want)
		}
	}
}

func TestValidateFindsFaultsOfSites(t *testing.T) {
	for site, want := range map[string]string{
		"token_auth {\n realm staff\n}":                          `token_auth: edgeauth: there is no realm "staff"`,
		"token_auth {\n optional\n require method link\n}":       "optional: excludes require",
		"token_auth {\n require shoe_size 43\n}":                 "require shoe_size: unknown field",
		"token_auth {\n require email not-an-address\n}":         "require email",
		"route {\n login_api {\n realm staff\n }\n respond x\n}": `login_api: edgeauth: there is no realm "staff"`,
	} {
		err := validate(setup{Port: "8080", Realm: "mailer log", Site: site}.caddyfile())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", site, err, want)
		}
	}
	if err := validate(":8080 {\n login_api\n}"); err == nil || !strings.Contains(err.Error(), "there is no default realm") {
		t.Errorf("without the app: %v", err)
	}
}

func TestGoodMailers(t *testing.T) {
	t.Setenv("EDGEAUTH_TEST_SMTP", "smtp://login%40example.com:p%40ss@mail.example.com")
	for _, mailer := range []string{
		"mailer smtp {env.EDGEAUTH_TEST_SMTP}",
		"mailer smtp smtp://localhost {\n from \"Example <a@b.example>\"\n}",
		"mailer webhook https://mail.example.com/send {\n token {env.EDGEAUTH_TEST_SMTP}\n from a@b.example\n}",
	} {
		s := setup{Port: freePort(t), Realm: "storage memory\n" + mailer}
		load(t, s.caddyfile())
		load(t, s.caddyfile())
	}
}

func TestLimitsCanAllBeOff(t *testing.T) {
	configured := map[string]Limit{}
	for _, name := range strings.Split(limitNames(), ", ") {
		configured[name] = Limit{}
	}
	limits, err := applyLimits(configured)
	if err != nil {
		t.Fatal(err)
	}
	for name, rate := range limitFields(&limits) {
		if rate.N != 0 || rate.Window == 0 {
			t.Errorf("%s: %+v; a zero value would mean the default", name, rate)
		}
	}
}

func TestMailQueueKeyFollowsTheTemplates(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "text.txt")
	key := func(text string, identity ...string) string {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := (&MailOptions{templates: folder}).key(identity)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	if key("a", "smtp", "url") != key("a", "smtp", "url") {
		t.Error("the same mailer has two keys")
	}
	if key("a", "smtp", "url") == key("b", "smtp", "url") || key("a", "smtp", "url") == key("a", "smtpurl") {
		t.Error("two mailers have one key")
	}
}
