package login_test

import (
	"net/http"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/login"
)

func FuzzCookies(f *testing.F) {
	for _, header := range []string{
		"", "__Host-edgeauth=a.b.c", "__Host-edgeauth=a; __Host-edgeauth=b", "__Host-edgeauth-login=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"__Host-edgeauth-login=\"x\"", ";;;=", "__host-edgeauth=a", "__Host-edgeauth=\x00",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Cookie": {header}}}
		cookies := login.Cookies{Origin: "https://app.example.com"}
		if tokens := cookies.Tokens(r); len(tokens) > 8 {
			t.Errorf("Tokens(%q) returns %d values, want at most 8", header, len(tokens))
		}
		before := cookies.Browser(r)
		cookie, digest := cookies.Bind(r)
		if cookie.Valid() != nil || len(cookie.Value) != 43 || before != "" && before != digest {
			t.Errorf("Bind(%q) = %v, %q, want a valid cookie for the browser %q", header, cookie, digest, before)
		}
		next := &http.Request{Header: http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}}
		if got := cookies.Browser(next); got != digest {
			t.Errorf("Browser(%q) = %q, want %q", cookie.Value, got, digest)
		}
	})
}
