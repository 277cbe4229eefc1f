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
		"small": {from: ":8080", to: []string{"localhost:9000"}, title: "My application"},
		"full": {
			from: "app.example.com", to: []string{"10.0.0.1:80", "10.0.0.2:80"}, public: []string{"/health", "/static/*"},
			clientKey: "{env.KEY}", origins: []string{"https://frontend.app"}, redirectURIs: []string{"https://frontend.app/cb"},
			emailLink: "https://frontend.app/in/{token}", mailer: "{env.SMTP_URL}", mailFrom: "Frontend <login@frontend.app>",
			providers: []string{"github {env.GITHUB_ID} {env.GITHUB_SECRET}"}, accessLog: true, debug: true,
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
		options := proxyOptions{from: from, to: []string{"x:1"}}
		if err := options.complete(); err != nil || options.url != want || options.clientKey != "" {
			t.Errorf("complete() for %s: %v, url %s, key %q, want url %s", from, err, options.url, options.clientKey, want)
		}
	}
	options := proxyOptions{from: ":80", to: []string{"x:1"}, url: "https://app.example.com", origins: []string{"https://frontend.app"}}
	if err := options.complete(); err != nil || options.url != "https://app.example.com" || len(options.clientKey) < 20 {
		t.Errorf("complete() = %v, url %s, key %q, want the given url and a random key", err, options.url, options.clientKey)
	}
}

func TestProxyFlagFaults(t *testing.T) {
	for want, options := range map[string]proxyOptions{
		"--to is required":         {from: ":8080"},
		"--from":                   {from: "localhost:99999", to: []string{"x"}},
		"--url is required":        {from: "http://*.localhost:8080", to: []string{"x"}},
		"has a path":               {from: "localhost/x", to: []string{"x"}},
		"must begin with https":    {from: "http://app.example.com", to: []string{"x"}},
		"--url":                    {from: ":1", to: []string{"x"}, url: "https://app.example.com/x"},
		"--mail-from is required":  {from: ":1", to: []string{"x"}, mailer: "smtp://x"},
		"--mail-from needs":        {from: ":1", to: []string{"x"}, mailFrom: "a@b.c"},
		"--provider: expected":     {from: ":1", to: []string{"x"}, providers: []string{"github"}},
		"backtick or a line break": {from: ":1", to: []string{"x"}, clientKey: "a\nlogin_api"},
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
