package gate

import (
	"reflect"
	"strings"
	"testing"
)

func testBrowser(tb testing.TB) *Browser {
	tb.Helper()
	b, err := NewBrowser(BrowserConfig{Origin: "https://app.example.com"})
	if err != nil {
		tb.Fatalf("NewBrowser = %v", err)
	}
	return b
}

func TestStripCookies(t *testing.T) {
	site := Site{Browser: testBrowser(t)}
	for _, test := range []struct{ cookies, want []string }{
		{[]string{"__Host-edgeauth=x"}, nil},
		{[]string{"a=b; __Host-edgeauth=x"}, []string{"a=b"}},
		{[]string{"__Host-edgeauth=x; a=b"}, []string{"a=b"}},
		{[]string{"a=b; __Host-edgeauth=x;  c=\"d e\" ;f"}, []string{"a=b;  c=\"d e\" ;f"}},
		{[]string{" a=b; c=d;__Host-edgeauth=x;edgeauth-device=y ;e=f;g=h"}, []string{"a=b; c=d;e=f;g=h"}},
		{[]string{"; ; __Host-edgeauth=x; a=b; edgeauth=y"}, []string{"a=b"}},
		{[]string{"__Host-edgeauth=x;;a=b"}, []string{"a=b"}},
		{[]string{"edgeauth=x; __Host-edgeauth-login=y; __Host-edgeauth-renewed=1"}, nil},
		{[]string{"edgeauth2=x; my-edgeauth=y; a=edgeauth=z"}, []string{"edgeauth2=x; my-edgeauth=y; a=edgeauth=z"}},
		{[]string{"a=b", "__host-EDGEAUTH=x", "c=d; edgeauth = y"}, []string{"a=b", "c=d"}},
	} {
		header := Header{"Cookie": test.cookies}
		before := strings.Join(test.cookies, "|")
		site.StripCookies(header)
		if got := header["Cookie"]; !reflect.DeepEqual(got, test.want) {
			t.Errorf("StripCookies(%q) left %q, want %q", before, got, test.want)
		}
		if after := strings.Join(test.cookies, "|"); after != before {
			t.Errorf("StripCookies changed the client's values to %q, want %q", after, before)
		}
	}
}

// Most requests have cookies of the application before or after ours.
func TestStripCookiesAllocations(t *testing.T) {
	site := Site{Browser: testBrowser(t)}
	for _, cookies := range []string{"a=b; c=d; __Host-edgeauth=x", "__Host-edgeauth=x; a=b; c=d", "__Host-edgeauth=x"} {
		field := []string{cookies}
		header := Header{"Cookie": field}
		if n := testing.AllocsPerRun(100, func() {
			header["Cookie"] = field
			site.StripCookies(header)
		}); n > 1 {
			t.Errorf("StripCookies(%q) allocates %.0f times, want one list of fields at most", cookies, n)
		}
	}
}

// FuzzStripCookies checks that no own cookie remains, and that all others do in their
// order.
func FuzzStripCookies(f *testing.F) {
	for _, seed := range []string{"a=b; __Host-edgeauth=x; c=d", "edgeauth=", ";;", "=; edgeauth", " edgeauth =x;a"} {
		f.Add(seed)
	}
	site := Site{Browser: testBrowser(f)}
	f.Fuzz(func(t *testing.T, line string) {
		header := Header{"Cookie": {line}}
		site.StripCookies(header)
		var want, got []string
		for pair := range strings.SplitSeq(line, ";") {
			if !isOwnCookie(cookieName(pair)) && strings.Trim(pair, " \t") != "" {
				want = append(want, strings.Trim(pair, " \t"))
			}
		}
		for _, field := range header["Cookie"] {
			for pair := range strings.SplitSeq(field, ";") {
				if isOwnCookie(cookieName(pair)) {
					t.Errorf("StripCookies(%q) left %q", line, pair)
				}
				if strings.Trim(pair, " \t") != "" {
					got = append(got, strings.Trim(pair, " \t"))
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("StripCookies(%q) left the cookies %q, want %q", line, got, want)
		}
	})
}

// A request with many forged session cookies costs few verifications (CWE-400).
func TestHardeningManySessions(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	good := testSigners()[EdDSA].sign(testClaims())
	site := Site{Browser: testBrowser(t)}
	for _, forged := range []int{0, 1, maxSessions - 1, maxSessions, 200} {
		cookies := strings.Repeat("__Host-edgeauth="+flip(good)+"; ", forged) + "__Host-edgeauth=" + good
		d := site.Decide(v, Request{Method: "GET", Header: Header{"Cookie": {cookies}}, Now: testNow}, nil)
		if accepted := d.Claims != nil; accepted != (forged < maxSessions) {
			t.Errorf("Decide with %d forged cookies accepted the last one: %t, want %t", forged, accepted, forged < maxSessions)
		}
	}
}

// An answer for one user is not stored for others, and what the upstream decided stays.
func TestCompleteByCookie(t *testing.T) {
	for _, test := range []struct{ header, want Header }{
		{Header{}, Header{"Cache-Control": {"private"}, "Vary": {"Cookie"}}},
		{Header{"Cache-Control": {"max-age=60"}}, Header{"Cache-Control": {"max-age=60"}, "Vary": {"Cookie"}}},
		{Header{"Vary": {"Accept, cookie"}}, Header{"Cache-Control": {"private"}, "Vary": {"Accept, cookie"}}},
		{Header{"Vary": {"*"}}, Header{"Cache-Control": {"private"}, "Vary": {"*"}}},
	} {
		d := Decision{byCookie: true}
		if d.Complete(test.header); !reflect.DeepEqual(test.header, test.want) {
			t.Errorf("Complete = %v, want %v", test.header, test.want)
		}
	}
}

// The browser returns to the address that it has sent, and only if that is safe.
func TestReturnAddress(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	site := Site{Browser: testBrowser(t)}
	header := Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	for _, test := range []struct {
		path, query, target, want string
	}{
		{"/a", "x=1", "", "/auth/?return_to=%2Fa%3Fx%3D1"},
		{"/a", "", "/app/a?y", "/auth/?return_to=%2Fapp%2Fa%3Fy"},
		{"//evil.example", "", "", "/auth/"},
		{"/a", "", "http://evil.example/", "/auth/"},
	} {
		r := Request{Method: "GET", Header: header, Path: test.path, Query: test.query, Target: test.target, Now: testNow}
		d := site.Decide(v, r, nil)
		answer := Header{}
		d.Answer(answer)
		if got := answer["Location"]; d.Status != 303 || len(got) != 1 || got[0] != test.want {
			t.Errorf("Decide(%q, %q) = %d to %q, want 303 to %s", test.path, test.target, d.Status, got, test.want)
		}
	}
}
