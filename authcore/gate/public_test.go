package gate

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestPublicPaths(t *testing.T) {
	public := PublicPaths{"/health", "/static/*", "/"}
	for target, want := range map[string]bool{
		"/health": true, "/static/": true, "/static/app.js": true, "/static/a/b.css": true, "/": true,
		"/static/caf%C3%A9.png": true, "/static/a%20b.png": true, "/static/a.b..c": true,
		"/static": false, "/health/": false, "/healthy": false, "/staticfile": false, "/admin": false,
	} {
		if got := public.Match(target); got != want {
			t.Errorf("Match(%s) = %t, want %t", target, got, want)
		}
	}
}

// Every spelling that an upstream might interpret as another path needs a token
// (CWE-22, CWE-436).
func TestPublicPathsAreNotFooled(t *testing.T) {
	public := PublicPaths{"/static/*"}
	for _, target := range []string{
		"/static/../admin", "/static/..", "/static/.", "/static/./x", "/static//x", "//static/x", "/static/%2e%2e/admin",
		"/static/%2E%2E/admin", "/static/..%2fadmin", "/static/%2e%2e%2fadmin", "/static%2fx", "/static/x%2fy",
		"/static/..;/admin", "/static/..;x=y/admin", "/static;/x", `/static/..\admin`, "/static/..%5cadmin",
		"/static/%252e%252e/admin", "/static/%00", "/STATIC/x", "/Static/x", "/admin/../static/x", "/admin%2f..%2fstatic/x",
		"/static/.../admin", "/static/.. /admin", "/static/%3f", "/static/%23", "/static/..%20/admin",
		// lenient decoders read these as dots or slashes
		"/static/%c0%ae%c0%ae/admin", "/static/%c0%afadmin", "/static/..%0a/admin", "/static/..%09", "/static/%09..", "/static/..%7f",
		"/static/..%c2%a0", "/static/%ef%bc%8e%ef%bc%8e/admin", "/static/%e2%80%a5/admin", "/static/..%3a%24DATA", "/static/%ef%bc%8fadmin",
		"/static/x%0d%0aX-Auth-User-Id:%20evil", "/static/%ff", "/static/%", "/static/%2", "/static/%zz", "/static/x%5", "", "*", "static/x",
	} {
		if public.Match(target) {
			t.Errorf("Match(%s) = true, want false", target)
		}
	}
}

func TestPublicPatterns(t *testing.T) {
	for _, pattern := range []string{"", "static", "*", "/*/x", "/static*", "/static/**", "/a/../b", "/a//b", "/a;b", `/a\b`, "/a%2fb", "/static/*.js"} {
		if err := (PublicPaths{pattern}).Validate(); err == nil {
			t.Errorf("Validate(%q) = nil, want an error", pattern)
		}
	}
	for _, pattern := range []string{"/", "/*", "/health", "/static/*", "/a/b/c/*"} {
		if err := (PublicPaths{pattern}).Validate(); err != nil {
			t.Errorf("Validate = %v", err)
		}
	}
}

// FuzzPublicPaths: a public path stays below the public prefix however often an
// upstream decodes and cleans it.
func FuzzPublicPaths(f *testing.F) {
	for _, seed := range []string{"/static/x", "/static/../x", "/static/%2e%2e/x", "/static/..%252fx", "/static/a%20b", "/static/..;/x"} {
		f.Add(seed)
	}
	public := PublicPaths{"/static/*"}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !public.Match(u.EscapedPath()) {
			return
		}
		seen := u.EscapedPath()
		for range 3 {
			if cleaned := path.Clean(strings.ReplaceAll(seen, `\`, "/")); !strings.HasPrefix(cleaned+"/", "/static/") {
				t.Fatalf("Match(%q) = true, but it can be read as %q", target, cleaned)
			}
			if seen, err = url.PathUnescape(seen); err != nil {
				return
			}
		}
	})
}
