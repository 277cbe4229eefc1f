package caddymodule

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	core "github.com/edgeauth/edgeauth/authcore/realm"
)

func TestLinkPages(t *testing.T) {
	secret := strings.Repeat("aB3-_", 13)[:64]
	realm := &Realm{linkPages: linkPages(core.Config{
		EmailLink: "https://frontend.app/auth/link/{token}",
		Clients: []authcore.Client{
			{EmailLink: "https://app.example/in?x=1&t={token}"},
			{EmailLink: "https://slash.example/come/in/?t={token}"},
			{EmailLink: "https://bare.example/bare?{token}"},
			{EmailLink: "https://root.example/{token}"},
			{EmailLink: "https://spa.example/#/in/{token}"},
			{},
		},
	})}
	for target, want := range map[string]bool{
		"/auth/link/" + secret:           true,
		"/auth/link/" + secret + "/":     true,
		"/auth/link/" + secret + "/x.js": true,
		"/auth/link/" + secret + ".":     true,
		"/auth/link/ " + secret:          true,
		"/auth//link/" + secret:          true,
		"/x/../auth/link/" + secret:      true,
		"/AUTH/link/" + secret:           true,
		"/" + secret:                     true,
		"/in?t=" + secret:                true,
		"/in?a=b&%74=" + secret:          true,
		"/come/in/?t=" + secret:          true,
		"/come/in?t=" + secret:           true,
		"/bare?" + secret:                true,
		"/bare":                          false,
		"/cb?code=x&state=ea." + secret:  true,
		"/cb?state=ea%2e" + secret:       true,
		"/cb?code=x&state=of-another":    false,
		"/auth/link/":                    false,
		"/auth/links/" + secret:          false,
		"/in":                            false,
		"/elsewhere/" + secret:           false,
		"/":                              false,
	} {
		u := &url.URL{}
		u.Path, u.RawQuery, _ = strings.Cut(target, "?")
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.URL = u
		if got := realm.showsLink(request, originalURL(request)); got != want {
			t.Errorf("%s: got %t", target, got)
		}
		if strings.ContainsAny(target, " ") { // no referer has it
			continue
		}
		request.URL = &url.URL{Path: "/app.js"}
		if request.Header.Set("Referer", "https://frontend.app"+target); realm.showsLink(request, originalURL(request)) != want {
			t.Errorf("%s as referer: %t", target, !want)
		}
	}
}

// Almost all addresses are read without a parser and paths without path.Clean:
// both must say the same.
func FuzzRefererPath(f *testing.F) {
	for _, text := range []string{
		"https://frontend.app/auth/link/x?a=b#c", "https://frontend.app", "https://frontend.app?x=/y", "http://u:p@h:1//a/../B/./c/",
		"https://h/%61?%62", "/relative?x=://y/z", "android-app://com.example/", "https:/one", "http", "https://h#/a?b", "https://[::1]/.x", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := url.Parse(text)
		if err != nil {
			return
		}
		got, ok := parseReferer(text)
		if !ok || got.Path != want.Path || got.RawQuery != want.RawQuery {
			t.Errorf("%q: path %q, query %q; want %q, %q", text, got.Path, got.RawQuery, want.Path, want.RawQuery)
		}
		if cleaned := strings.ToLower(path.Clean("/" + want.Path)); normalPath(want.Path) != cleaned {
			t.Errorf("%q is normally %q, want %q", want.Path, normalPath(want.Path), cleaned)
		}
	})
}

// The page of a link is often behind the same server, and its secret is not used
// when the page is asked for: a reader of the logs could be faster (CWE-532).
func TestHardeningLinksStayOutOfTheLogs(t *testing.T) {
	secret := strings.Repeat("s", 43)
	for name, site := range map[string]string{
		"page":               "token_auth {\n public /auth/link/* /app.js\n}\n respond page",
		"upstream is down":   "token_auth {\n public /auth/link/*\n}\n reverse_proxy 127.0.0.1:1",
		"refused":            "token_auth\n respond page",
		"error has the path": "token_auth {\n public /auth/*\n}\n error \"open /srv{uri}: permission denied\" 403",
		"handle_errors":      "token_auth {\n handle_errors\n}\n respond page\n handle_errors {\n respond custom\n}",
	} {
		t.Run(name, func(t *testing.T) {
			logFile := filepath.Join(t.TempDir(), "log")
			box := newMailbox(t)
			s := setup{
				Port: freePort(t), Realm: "storage memory\n" + box.option(),
				Site:    "log\n" + site,
				Globals: "log {\n output file " + logFile + "\n}",
			}
			load(t, s.caddyfile())
			page, _ := call(t, http.MethodGet, s.url("/auth/link/"+secret), nil)
			if page.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("referrer policy is %q", page.Header.Get("Referrer-Policy"))
			}
			call(t, http.MethodGet, s.url("/app.js"), nil, "Referer", s.url("/auth/link/"+secret))
			call(t, http.MethodGet, s.url("/v1/auth/social/providers/?client_key="+testKey), nil)
			post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "logged@example.com"}, 200)
			token := spend(t, s, linkSecret(t, box.receive(t)))
			for _, path := range []string{"/v1/auth/verify", "/v1/auth/verify/", "/v1/auth/verify/orders/7"} {
				call(t, http.MethodGet, s.url(path), nil, "Authorization", "Token "+token)
			}
			call(t, http.MethodGet, s.url("/auth/callback?code=provider-code&state=ea.x"), nil)
			call(t, http.MethodGet, s.url("/v1/auth/social/callback/apple-id/?code=provider-code&state=y"), nil)
			call(t, http.MethodGet, s.url("/other"), nil)
			if err := caddy.Stop(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(logFile)
			if err != nil || !strings.Contains(string(content), `"uri":"/other"`) {
				t.Fatalf("the access log has no other request: %v", err)
			}
			for _, hidden := range []string{secret, testKey, token, "logged@", "provider-code"} {
				if strings.Contains(string(content), hidden) {
					t.Errorf("%s is in the log", hidden)
				}
			}
		})
	}
}

// What an error says is kept, but for what the address says; an address that is very
// long takes no time.
func TestErrorsWithoutAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"/in/a-long-secret":                               "open /srv/in/REDACTED: permission denied",
		"/in/a-long-secret?x=permission":                  "open /srv/in/REDACTED: REDACTED denied",
		"/a-long-s/a-long-secret":                         "open /srv/in/REDACTED: permission denied",
		"/x?a=%61-long-secret":                            "open /srv/in/REDACTED: permission denied",
		"/in/short":                                       "open /srv/in/a-long-secret: permission denied",
		"/in/" + strings.Repeat("a-long-secret/", 80_000): "not logged, as the address is very long",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		err = &fs.PathError{Op: "open", Path: "/srv/in/a-long-secret", Err: fs.ErrPermission}
		if got := withoutAddresses(err, []url.URL{*u}).Error(); got != want {
			t.Errorf("%.60s: got %s", address, got)
		}
	}
}

// The log has the address that the client wrote. A site that rewrites the query of
// the page to which a provider returns, and not its path, must not bring the code
// into the log by that (CWE-532).
func TestHardeningRewrittenQueryStaysOutOfTheLog(t *testing.T) {
	logFile := filepath.Join(t.TempDir(), "log")
	s := setup{
		Port: freePort(t), Realm: "storage memory\nmailer log",
		LoginAPI: "log", // the API is served elsewhere, the gate is all that sees it
		Site:     "uri query -state\n token_auth {\n optional\n}\n respond page",
		Globals:  "log {\n output file " + logFile + "\n}",
	}
	load(t, s.caddyfile())
	for _, path := range []string{"/auth/callback?code=provider-code&state=ea.x", "/other"} {
		if response, _ := call(t, http.MethodGet, s.url(path), nil); response.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, response.StatusCode)
		}
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(logFile)
	if err != nil || !strings.Contains(string(content), `"uri":"/other"`) {
		t.Fatalf("the access log has no other request: %v", err)
	}
	if strings.Contains(string(content), "provider-code") {
		t.Errorf("the code is in the log: %s", content)
	}
}
