package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestProxyCaddyfile(t *testing.T) {
	for name, options := range map[string]proxyOptions{
		"small": {From: ":8080", To: []string{"localhost:9000"}, Title: "My application"},
		"full": {
			From: "app.example.com", To: []string{"10.0.0.1:80", "10.0.0.2:80"}, Public: []string{"/health", "/static/*"},
			ClientKey: "{env.KEY}", Origins: []string{"https://frontend.app"}, RedirectURIs: []string{"https://frontend.app/cb"},
			EmailLink: "https://frontend.app/in/{token}", Mailer: "{env.SMTP_URL}", MailFrom: "Frontend <login@frontend.app>",
			Providers: []string{"github {env.GITHUB_ID} {env.GITHUB_SECRET}"}, AccessLog: true, Debug: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := options.complete(); err != nil {
				t.Fatal(err)
			}
			got, err := options.caddyfile()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "proxy", name+".caddyfile")
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s is not (%v):\n%s", file, err, got)
			}
			if _, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(got), nil); err != nil || len(warnings) > 0 {
				t.Errorf("%v, %v:\n%s", err, warnings, got)
			}
		})
	}
}

func TestProxyURL(t *testing.T) {
	for from, want := range map[string]string{
		":8080": "http://localhost:8080", "localhost": "https://localhost", "app.example.com": "https://app.example.com",
		"http://127.0.0.1:9000": "http://127.0.0.1:9000", "app.example.com:8443": "https://app.example.com:8443",
		"http://[::1]:8080": "http://[::1]:8080", "[2001:db8::1]": "https://[2001:db8::1]",
		":80": "http://localhost", "https://app.example.com:443": "https://app.example.com",
	} {
		options := proxyOptions{From: from, To: []string{"x:1"}}
		if err := options.complete(); err != nil || options.URL != want || options.ClientKey != "" {
			t.Errorf("complete() for %s: %v, url %s, key %q, want url %s", from, err, options.URL, options.ClientKey, want)
		}
	}
	options := proxyOptions{From: ":80", To: []string{"x:1"}, URL: "https://app.example.com", Origins: []string{"https://frontend.app"}}
	if err := options.complete(); err != nil || options.URL != "https://app.example.com" || len(options.ClientKey) < 20 {
		t.Errorf("complete() = %v, url %s, key %q, want the given url and a random key", err, options.URL, options.ClientKey)
	}
}

func TestProxyFlagFaults(t *testing.T) {
	for want, options := range map[string]proxyOptions{
		"--to is required":         {From: ":8080"},
		"--from":                   {From: "localhost:99999", To: []string{"x"}},
		"--url is required":        {From: "http://*.localhost:8080", To: []string{"x"}},
		"has a path":               {From: "localhost/x", To: []string{"x"}},
		"must begin with https":    {From: "http://app.example.com", To: []string{"x"}},
		"--url":                    {From: ":1", To: []string{"x"}, URL: "https://app.example.com/x"},
		"--mail-from is required":  {From: ":1", To: []string{"x"}, Mailer: "smtp://x"},
		"--mail-from needs":        {From: ":1", To: []string{"x"}, MailFrom: "a@b.c"},
		"--provider: expected":     {From: ":1", To: []string{"x"}, Providers: []string{"github"}},
		"backtick or a line break": {From: ":1", To: []string{"x"}, ClientKey: "a\nlogin_api"},
	} {
		err := options.complete()
		if err == nil {
			_, err = options.caddyfile()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// No flag may add a directive to the generated Caddyfile (CWE-74).
func FuzzProxyValues(f *testing.F) {
	for _, seed := range []string{"key", "a b", `a"b`, `a\`, "}", "{", "a}\n{", "\xe9", "<<EOF", "# x", "`", "{$HOME}", "{env.X}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		quoted, err := quoteToken(value)
		if err != nil || strings.Contains(value, "{$") { // the environment is the operator's own
			return
		}
		tokens, err := caddyfile.Tokenize([]byte("key "+quoted+" end\n"), "test")
		if err != nil || len(tokens) != 3 || tokens[1].Text != value || tokens[2].Line != 1 {
			t.Fatalf("%q was written as %s and read as %+v, %v", value, quoted, tokens, err)
		}
	})
}
