package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
)

// tossingSite serves an application at app.localhost and a page of an attacker at
// evil.app.localhost, both with TLS. The page sets the cookies in its query.
func tossingSite(t *testing.T) (s *site, app, evil string) {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(showUser))
	t.Cleanup(upstream.Close)
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range r.URL.Query()["cookie"] {
			w.Header().Add("Set-Cookie", line)
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Evil</title><p id=tossed>tossed</p>")
	}))
	t.Cleanup(attacker.Close)
	s = bareSite(t, caddyfile{})
	port := edge.FreePort(t)
	s.Configure(t, fmt.Sprintf(`{
	admin %s
	auto_https disable_redirects
	skip_install_trust
	default_bind 127.0.0.1
	grace_period 1s
	log {
		output stderr
	}
	edgeauth {
		storage memory
		insecure_debug_links
	}
}
http://127.0.0.1:%d {
	respond ready
}
https://app.localhost:%[3]d {
	tls internal
	login_page
	token_auth
	reverse_proxy %[4]s
}
https://evil.app.localhost:%[3]d {
	tls internal
	reverse_proxy %[5]s
}
`, s.Admin, s.Port, port, upstream.Listener.Addr(), attacker.Listener.Addr()))
	s.Start(t)
	return s, fmt.Sprintf("https://app.localhost:%d", port), fmt.Sprintf("https://evil.app.localhost:%d", port)
}

// TestTossedCookies has a sub-domain set cookies with the valid token of an attacker, by
// headers and by scripts (CWE-384). Chromium refuses those with the name of the session
// cookie, and no other name counts.
func TestTossedCookies(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	_, app, evil := tossingSite(t)
	open := func() *domTab {
		page := openDOMTab(t, browser, true)
		page.must(proto.SecuritySetIgnoreCertificateErrors{Ignore: true}.Call(page.page))
		return page
	}
	const attacker, victim = "eve@example.com", "ann@example.com"
	own, page := open(), open()
	own.visit(app + "/")
	own.signInHere(attacker)
	own.mustBe(attacker, "/")
	token := own.cookies(app)["__Host-edgeauth"]
	if token == "" {
		t.Fatal("the attacker has no session cookie")
	}
	login := own.cookies(app)["__Host-edgeauth-login"]

	var lines []string
	for _, line := range []string{
		"__Host-edgeauth=" + token + "; Path=/", "__Host-edgeauth=" + token + "; Path=/deep", "__host-EDGEAUTH=" + token + "; Path=/",
		"=__Host-edgeauth=" + token + "; Path=/", "\u2002__Host-edgeauth=" + token + "; Path=/", "__Secure-edgeauth=" + token + "; Path=/",
		"edgeauth=" + token + "; Path=/deep", "__Host-edgeauth-login=" + login + "; Path=/", "__Host-edgeauth-renewed=1; Path=/",
	} {
		lines = append(lines, line+"; Domain=app.localhost; Secure")
	}
	toss := func() {
		t.Helper()
		page.visit(evil + "/?" + url.Values{"cookie": lines}.Encode())
		page.await("#tossed")
		if _, err := page.page.Eval(`(lines) => { for (const line of lines) document.cookie = line }`, lines); err != nil {
			t.Fatal(err)
		}
		if got := page.cookies(app + "/deep")["edgeauth"]; got != token {
			t.Errorf("the sub-domain did not set a cookie without the prefix, so that this test shows nothing")
		}
	}

	toss()
	for name, value := range page.cookies(app + "/deep") {
		if sent := strings.ToLower(strings.TrimPrefix(name+"="+value, "=")); strings.HasPrefix(sent, "__host-") {
			t.Errorf("the sub-domain set the cookie %.20s, want the browser to refuse it", sent)
		}
	}
	page.visit(app + "/deep")
	page.await("#email")
	page.signInHere(victim)
	page.mustBe(victim, "/deep")

	toss()
	page.visit(app + "/deep")
	page.mustBe(victim, "/deep")
	page.visit(app + "/auth/")
	if got := page.text("[role=status]"); !strings.Contains(got, victim) {
		t.Errorf("the login page shows %q, want that %s is signed in", got, victim)
	}
}
