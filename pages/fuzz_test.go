package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/edgeauth/edgeauth/pages"
)

func FuzzReturnAddress(f *testing.F) {
	for _, address := range []string{"/", "/a?b=c", "//evil.example", `/\evil.example`, "/%2e%2e//x", "/auth/logout", "/auth/../x", "https://evil.example", "/\t/evil.example"} {
		f.Add(address)
	}
	var w *world
	f.Fuzz(func(t *testing.T, address string) {
		if w == nil {
			w = newWorld(t)
		}
		w.t = t // requests have the context of their test
		b := w.browser()
		got := b.get("/auth/renew?return_to=" + url.QueryEscape(address)).location()
		target, err := url.Parse(got)
		if err != nil || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") || target.Host != "" ||
			strings.HasPrefix(target.Path, "/auth/logout") {
			t.Errorf("return address %q leads to %q, %v, want a path of the application", address, got, err)
		}
	})
}

func FuzzForm(f *testing.F) {
	for _, path := range []string{"/auth/", "/auth/link/x", "/auth/sent/x", "/auth/passkey", "/auth/logout", "/auth/account", "/auth/confirm", "/auth/%2e%2e/", "/auth//account"} {
		for _, body := range []string{"", "email=ann@example.com&return_to=/", "email=%00", "provider=github", "credential={}", "a=b;c=d", "%"} {
			f.Add(path, "application/x-www-form-urlencoded", body, "")
		}
	}
	f.Add("/auth/", "application/x-www-form-urlencoded; charset=\"", "email=x", "__Host-edgeauth=x")
	var w *world
	f.Fuzz(func(t *testing.T, path, media, body, cookies string) {
		target, err := url.Parse(path)
		if err != nil || target.Path == "" || target.Path[0] != '/' || target.Host != "" || strings.ContainsAny(path, " \r\n") {
			t.Skip("not the target of a request")
		}
		if w == nil {
			w = newWorld(t)
		}
		w.t = t // requests have the context of their test
		b := w.browser()
		if got := b.raw(http.MethodPost, target.RequestURI(), body, "Content-Type", media, "Cookie", cookies); got.Code >= http.StatusInternalServerError {
			t.Errorf("POST %q with %q = %d, want no failure of the server", path, body, got.Code)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, address := range []string{"https://login.example.com/auth", "http://localhost:8080/auth", "https://a@b/auth", "https://b:443/auth", "HTTPS://b/", "https://b/auth?x"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if pages.CheckAddress(address) != nil {
			return
		}
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatalf("CheckAddress(%q) = nil, want an error: %v", address, err)
		}
		origin := parsed.Scheme + "://" + parsed.Host
		if pages.CheckOrigin(origin) != nil || pages.Address(origin, parsed.Path) == "" || parsed.RawQuery != "" || parsed.User != nil {
			t.Errorf("CheckAddress(%q) = nil, want an error", address)
		}
	})
}

func FuzzTheme(f *testing.F) {
	f.Add([]byte(":root{--accent:#050}"), "logo.svg", []byte("<svg/>"), "{{define \"heading\"}}x{{end}}{{define \"content\"}}{{.Title}}{{end}}")
	f.Add([]byte(nil), "x", []byte("x"), "{{template \"none\"}}")
	f.Add([]byte("</style>"), "../a.png", []byte("x"), "{{range .Title}}{{end")
	f.Fuzz(func(t *testing.T, theme []byte, file string, logo []byte, template string) {
		h, err := pages.New(pages.Options{
			Origin: origin, ClientKey: clientKey, Theme: theme, LogoFile: file, Logo: logo,
			Templates: fstest.MapFS{"signed-out.html": {Data: []byte(template)}},
		})
		if err != nil {
			return // reported when the configuration is loaded
		}
		if !h.Owns("/auth/signed-out") {
			t.Error("Owns(/auth/signed-out) = false, want true")
		}
	})
}
