package gate

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestReturnTo(t *testing.T) {
	for _, text := range []string{
		"/", "/a", "/a/b/", "/a?x=1&y=2", "/a?next=//evil.example", "/a?u=https://evil.example/..", "/a#top", "/a/%C3%BC", "/%20",
		"/a%3Fb", "/.well-known/x", "/..a", "/a..b/c", "/[x]", "/?", "/a;b", "/@evil.example", "/a:b", "/" + strings.Repeat("x", maxReturn-1),
	} {
		if got, ok := ReturnTo(text); !ok || got != text {
			t.Errorf("ReturnTo(%q) = %q, %t, want it unchanged", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "a", "?x", "#x", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, "https://evil.example",
		"https:/evil.example", "javascript:alert(1)", "data:text/html,x", " /a", "/a b", "/a\tb", "/\t/evil.example", "/\n/evil.example",
		"/a\r\nSet-Cookie: x=1", "/a\x00", "/\x7f", "/ü", "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/%5C/evil.example",
		"/%09/evil.example", "/%0d%0a", "/%00", "/a//b", "/a/%2f", "/a%2f/b", "/.", "/..", "/./a", "/../a", "/a/..", "/a/../..//evil.example",
		"/%2e", "/%2e%2e/a", "/.%2e/a", "/%2E./a", "/a/%2e%2e%2fb", "/..%2fb", "/%", "/%2", "/%zz", "/a%", "/.//evil.example", "/..//evil.example",
		"/" + strings.Repeat("x", maxReturn), "/a/.?x", "/a/..#x", "/%7f",
	} {
		if got, ok := ReturnTo(text); ok {
			t.Errorf("ReturnTo(%q) = %q, true, want a refusal", text, got)
		}
	}
}

// FuzzReturnTo checks that what is accepted stays on the origin, whichever way it is
// resolved and cleaned.
func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/", "/a?b#c", "//x", `/\x`, "/%2f", "/a/../b", "/%2e%2e/", "/\t/x", "/a%25", "/..;/x", "/%252fx"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://app.example.com/auth/")
	if err != nil {
		f.Fatalf("url.Parse = %v", err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ReturnTo(text)
		if !ok {
			return
		}
		inside, _, _ := strings.Cut(got, "#") // net/url is strict about fragments
		resolved, err := base.Parse(inside)
		if err != nil {
			t.Fatalf("base.Parse(%q) = %v", inside, err)
		}
		if resolved.Scheme != "https" || resolved.Host != "app.example.com" || resolved.User != nil {
			t.Errorf("%q resolves to %v, want the same origin", got, resolved)
		}
		if clean := path.Clean(resolved.Path); clean != strings.TrimSuffix(resolved.Path, "/") && resolved.Path != "/" {
			t.Errorf("%q has the path %q, which a server cleans to %q", got, resolved.Path, clean)
		}
		if decoded, err := url.QueryUnescape(escape(got)); err != nil || decoded != got {
			t.Errorf("escape(%q) decodes to %q, %v", got, decoded, err)
		}
	})
}
