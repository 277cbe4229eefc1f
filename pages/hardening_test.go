package pages_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
)

// A page of another site posts a form to each page in the browser of a signed-in user
// (CWE-352).
func TestHardeningCrossSitePost(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	sent := b.ask("eve@example.com", "/")
	b.signIn(ann)
	mails := w.mails.count()
	form := url.Values{"email": {"eve@example.com"}, "change": {"others"}, "confirm": {"1"}, "code": {"123456"}}
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", origin},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
		{"Sec-Fetch-Site", "", "Origin", "http://app.example.com"},
		{"Sec-Fetch-Site", "", "Origin", "https://app.example.com.evil.example"},
	} {
		for _, path := range []string{"/auth/", sent, "/auth/logout", "/auth/confirm", "/auth/account", "/auth/account/delete", w.mails.path()} {
			b.send(http.MethodPost, path, form, headers...).must(http.StatusForbidden)
		}
	}
	b.mustBe(ann)
	if got := w.mails.count(); got != mails {
		t.Errorf("%d mails were sent, want none", got-mails)
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, {"Sec-Fetch-Site", "", "Origin", origin}, {"Sec-Fetch-Site", "none"}} {
		b.send(http.MethodPost, "/auth/", form, headers...).must(http.StatusSeeOther)
	}
}

// An attacker begins a social login in a browser of its own and sends the callback with
// its code to a victim, whose browser would be signed in as the attacker.
func TestHardeningLoginCSRFThroughProvider(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "eve", Email: "eve@example.com", EmailVerified: true}
	attacker, victim, fresh := w.browser(), w.browser(), w.browser()
	victim.signIn(ann)
	begun, err := url.Parse(attacker.post("/auth/", "provider", "github").must(http.StatusSeeOther).location())
	if err != nil {
		t.Fatal(err)
	}
	callback := "/auth/callback/github?code=good&state=" + url.QueryEscape(begun.Query().Get("state"))
	victim.get(callback).must(http.StatusBadRequest)
	victim.mustBe(ann)
	fresh.get(callback).must(http.StatusBadRequest)
	fresh.mustBe("")
	for _, state := range []string{"", "x", "ea.x"} {
		victim.get("/auth/callback/github?code=good&state=" + state).must(http.StatusBadRequest)
	}
	attacker.get(callback).must(http.StatusSeeOther)
	attacker.get(callback).must(http.StatusBadRequest)
}

// The attacker of the test above has the callback add its account at the provider to the
// account of the signed-in victim.
func TestHardeningLinkingInAnotherBrowser(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "eve", Email: "eve@example.com", EmailVerified: true}
	attacker, victim := w.browser(), w.browser()
	attacker.signIn("eve@example.com")
	victim.signIn(ann)
	begun, err := url.Parse(attacker.post("/auth/account", "change", "link", "provider", "github").must(http.StatusSeeOther).location())
	if err != nil {
		t.Fatal(err)
	}
	callback := "/auth/callback/github?code=good&state=" + url.QueryEscape(begun.Query().Get("state"))
	victim.get(callback).must(http.StatusBadRequest)
	for name, value := range attacker.cookies {
		if strings.Contains(name, "login") {
			victim.cookies[name] = value // even with the cookie that binds the login
		}
	}
	victim.get(callback).must(http.StatusBadRequest)
	victim.get("/auth/account").must(http.StatusOK).hides("Remove GitHub")
}

// The page after a mail was sent opens only in the browser that requested it: its address
// alone neither shows the recipient nor takes a code.
func TestHardeningSentPageOfAnotherBrowser(t *testing.T) {
	w := newWorld(t)
	b, eve := w.browser(), w.browser()
	sent := b.ask(ann, "/")
	eve.ask("eve@example.com", "/")
	code := w.mails.mails[0].Code
	eve.get(sent).must(http.StatusBadRequest).hides(ann)
	eve.post(sent, "code", code).must(http.StatusBadRequest)
	eve.mustBe("")
	for _, changed := range []string{sent[:len(sent)-1], sent + "A", "/auth/sent/x", strings.Replace(sent, "/auth/sent/", "/auth/sent/A", 1)} {
		b.get(changed).must(http.StatusBadRequest)
	}
	w.advance(16 * time.Minute)
	b.get(sent).must(http.StatusBadRequest)
}

// An attacker plants a session cookie before the victim signs in (CWE-384). The sign-in
// makes a new session, and the planted one ends.
func TestHardeningSessionFixation(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	attacker.signIn("eve@example.com")
	planted := attacker.cookies[cookie]
	victim.cookies[cookie] = planted
	victim.signIn(ann)
	if victim.cookies[cookie] == planted {
		t.Error("the sign-in keeps the planted cookie")
	}
	victim.mustBe(ann)
	attacker.mustBe("")
}

// A subdomain sets further cookies of the same names. The first that verifies counts, and
// values of a wrong form are ignored.
func TestHardeningCookieTossing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	tossed := strings.Join([]string{
		cookie + "=garbage", cookie + "=" + b.cookies[cookie], "__Host-edgeauth-login=short", "edgeauth=" + b.cookies[cookie],
	}, "; ")
	w.browser().get("/auth/account", "Cookie", tossed).must(http.StatusOK).shows(ann)
	w.browser().get("/auth/account", "Cookie", "edgeauth="+b.cookies[cookie]).must(http.StatusSeeOther)
	for _, value := range []string{"", "x", strings.Repeat("A", 5000), "../../x", "AAAA\"AAAA"} {
		other := w.browser()
		other.cookies["__Host-edgeauth-login"] = value
		other.get(other.ask(ann, "/")).must(http.StatusOK)
		if other.cookies["__Host-edgeauth-login"] == value {
			t.Errorf("the login cookie %q was accepted", value)
		}
	}
}

// Each line of the corpus is a return address that must not be followed (CWE-601).
func TestHardeningReturnAddresses(t *testing.T) {
	content, err := os.ReadFile("testdata/return_addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if len(lines) < 200 {
		t.Errorf("the corpus has %d lines, want at least 200", len(lines))
	}
	for _, line := range lines {
		address, err := url.QueryUnescape(strings.ReplaceAll(line, "+", "%2B"))
		if err != nil {
			t.Fatalf("QueryUnescape(%q) failed: %v", line, err)
		}
		if got := b.get("/auth/renew?return_to=" + url.QueryEscape(address)).must(http.StatusSeeOther).location(); got != "/" {
			t.Errorf("return address %q leads to %q, want /", address, got)
		}
		b.get("/auth/?return_to=" + url.QueryEscape(address)).must(http.StatusOK).shows(`name="return_to" value="/"`)
	}
	for _, good := range []string{"/", "/a", "/a?b=c&d=//e", "/a/b.html?x=..%2F", "/a%20b", "/@user", "/~x;y=1", "/a?u=https://evil.example", "/auth/account"} {
		if got := b.get("/auth/renew?return_to=" + url.QueryEscape(good)).location(); got != good {
			t.Errorf("return address %q leads to %q", good, got)
		}
	}
}

// Line breaks in every value that reaches a header are refused or encoded (CWE-113).
func TestHardeningHeaderInjection(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(ann)
	const evil = "/x\r\nSet-Cookie: a=b"
	for _, answer := range []reply{
		b.get("/auth/renew?return_to=" + url.QueryEscape(evil)), b.post("/auth/", "email", ann, "return_to", evil),
		b.post("/auth/", "email", ann+"\r\nBcc: eve@example.com"), b.post("/auth/", "provider", "github\r\nX: y"),
		b.get("/auth/callback/github%0d%0aX:y?code=good"), b.get("/auth/sso?site=" + url.QueryEscape(evil)), b.get("/auth/confirm?return_to=" + url.QueryEscape(evil)),
	} {
		for name, values := range answer.Header() {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n") || name == "X" || strings.Contains(strings.Join(values, ""), "a=b") {
				t.Errorf("%s: header %s = %q", answer.call, name, values)
			}
		}
	}
	for _, mail := range w.mails.mails {
		if strings.ContainsAny(mail.To, "\r\n") {
			t.Errorf("a mail goes to %q", mail.To)
		}
	}
}

// GET, HEAD and OPTIONS of mail scanners and link previews do not use up a link.
func TestHardeningScannersKeepLinks(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.ask(ann, "/")
	link := w.mails.path()
	for range 20 {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND"} {
			w.browser().send(method, link, nil)
		}
	}
	b.post(link).must(http.StatusSeeOther)
	b.mustBe(ann)
}

// Values of the request are escaped on pages (CWE-79).
func TestHardeningMarkup(t *testing.T) {
	w := newWorld(t)
	evil := `"><script>alert(1)</script>`
	b := w.browser()
	b.signIn(ann)
	for _, answer := range []reply{
		b.get("/auth/?return_to=/" + url.QueryEscape(evil)), b.get("/auth/link/" + url.PathEscape(evil)), b.get("/auth/" + url.PathEscape(evil)),
		b.post("/auth/", "email", evil), b.get("/auth/account?done=" + url.QueryEscape(evil)), b.get("/auth/", "Accept-Language", evil),
		b.get("/auth/callback/github?state=x&error=" + url.QueryEscape(evil)),
	} {
		answer.hides("<script")
		if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy = %q", answer.call, policy)
		}
	}
}

// A name of characters that JSON escapes, in a realm with long names, makes a token that a
// browser would drop silently because its cookie is too large. Such a cookie is not set.
func TestHardeningLargeCookie(t *testing.T) {
	w := newWorld(t, func(_ *pages.Options, c *realm.Config) {
		c.Issuer, c.Audience = strings.Repeat("i", 256), strings.Repeat("a", 256)
	})
	b := w.browser()
	b.signIn(ann)
	name := strings.Repeat("<", 150)
	b.post("/auth/account", "change", "name", "first_name", name, "last_name", name).must(http.StatusSeeOther)
	b.signIn(ann)
	if got := len(cookie) + len(b.cookies[cookie]); got > 3584 {
		t.Errorf("the session cookie has %d bytes, want at most 3584", got)
	}
	b.mustBe(ann)
}

// Malformed requests are answered with a 4xx.
func TestHardeningMalformedRequests(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, test := range []struct {
		path, media, body string
		status            int
	}{
		{"/auth/", "application/json", `{"email":"ann@example.com"}`, http.StatusUnsupportedMediaType},
		{"/auth/", "", "email=ann@example.com", http.StatusUnsupportedMediaType},
		{"/auth/", "application/x-www-form-urlencoded", "email=%zz", http.StatusBadRequest},
		{"/auth/", "application/x-www-form-urlencoded", "email=%00", http.StatusBadRequest},
		{"/auth/", "application/x-www-form-urlencoded", "email=%ff", http.StatusBadRequest},
		{"/auth/", "application/x-www-form-urlencoded", "email=" + strings.Repeat("a", 5000), http.StatusBadRequest},
		{"/auth/", "application/x-www-form-urlencoded", "email=" + strings.Repeat("a", 70000), http.StatusBadRequest},
	} {
		b.raw(http.MethodPost, test.path, test.body, "Content-Type", test.media).must(test.status)
	}
	b.raw(http.MethodPut, "/auth/", "").must(http.StatusMethodNotAllowed)
	b.get("/auth/sent%2fx").must(http.StatusNotFound)
	if w.mails.count() != 0 {
		t.Errorf("%d mails were sent, want none", w.mails.count())
	}
}
