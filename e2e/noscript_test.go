package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// requestMail opens a page of the application, which leads to the login page, and
// requests a mail.
func (p *domTab) requestMail(s *pageSite, address, email string) (link, code string) {
	p.t.Helper()
	link, code = p.receiveMail(s, address, email)
	p.await("#code")
	return link, code
}

// receiveMail is requestMail whatever the page shows after the request.
func (p *domTab) receiveMail(s *pageSite, address, email string) (link, code string) {
	p.t.Helper()
	s.secrets.Add("e-mail address", email)
	before := len(s.mails.Mails(email))
	p.visit(address)
	p.write("#email", email)
	p.submit("main form button")
	parts := s.mails.After(p.t, email, before, s.URL+"/auth/link/")
	link, code = parts.Link(p.t, s.URL+"/auth/link/"), parts.Code(p.t)
	s.secrets.Add("link", strings.TrimPrefix(link, s.URL+"/auth/link/"))
	s.secrets.Add("code", code)
	return link, code
}

// signIn signs in by a code.
func (p *domTab) signIn(s *pageSite, email string) {
	p.t.Helper()
	_, code := p.requestMail(s, s.URL+"/", email)
	p.write("#code", code)
	p.submit("main form button")
	p.mustBe(email, "/")
}

// signOut signs out and requires that the application is closed.
func (p *domTab) signOut(s *pageSite) {
	p.t.Helper()
	p.visit(s.URL + "/auth/logout")
	p.submit("main form button")
	p.await("main.signed-out")
	p.visit(s.URL + "/deep")
	p.await("#email")
}

// TestLoginPageWithoutScripts signs in and out in Chromium while JavaScript is switched
// off.
func TestLoginPageWithoutScripts(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t)
	for name, test := range map[string]func(*testing.T, *rod.Browser, *pageSite){
		"link in the same browser": linkWithoutScripts, "link in another browser": otherBrowserWithoutScripts, "code": codeWithoutScripts,
		"provider": providerWithoutScripts, "two sites": twoSitesWithoutScripts, "form that lost its session": lostFormWithoutScripts,
		"cookie of an ended session": endedCookieWithoutScripts, "form of another site": foreignFormWithoutScripts,
	} {
		t.Run(name, func(t *testing.T) { test(t, browser, s) })
	}
}

func linkWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	page := openDOMTab(t, browser, false)
	link, _ := page.requestMail(s, s.URL+"/deep/page?a=1&b=%2F", "ann@example.com")
	s.scan(t, link)
	page.visit(link)
	page.submit("main form button")
	page.mustBe("ann@example.com", "/deep/page?a=1&b=%2F")
	page.signOut(s)
	page.visit(link)
	page.mustOfferSignIn()
	page.signIn(s, "ann@example.com")
}

// mustOfferSignIn requires the page of a link that was used or has expired, and follows it
// to the login page.
func (p *domTab) mustOfferSignIn() {
	p.t.Helper()
	if got, want := p.text("[role=alert]"), "The link was used already or has expired. Request a new one."; got != want {
		p.t.Errorf("the page of the link shows %q, want %q", got, want)
	}
	p.submit("main .links a.button")
	p.await("#email")
}

func otherBrowserWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	first, second := openDOMTab(t, browser, false), openDOMTab(t, browser, false)
	link, code := first.requestMail(s, s.URL+"/deep", "ben@example.com")
	second.visit(link)
	if got := second.text("p.code"); got != code {
		t.Errorf("the other browser shows the code %q, want %q", got, code)
	}
	first.write("#code", code)
	first.submit("main form button")
	first.mustBe("ben@example.com", "/deep")
	second.visit(s.URL + "/deep")
	second.await("#email")
	link, _ = second.requestMail(s, s.URL+"/second", "ben@example.com")
	third := openDOMTab(t, browser, false)
	third.visit(link)
	third.submit("main form button")
	third.mustBe("ben@example.com", "/second")
}

func codeWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	page := openDOMTab(t, browser, false)
	_, code := page.requestMail(s, s.URL+"/deep", "cay@example.com")
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	for _, typed := range []string{wrong, "abc"} {
		page.write("#code", typed)
		page.submit("main form button")
		page.await("[role=alert]")
		if got := page.attribute("#code", "aria-invalid"); got != "true" {
			t.Errorf("after the code %q, aria-invalid is %q, want true", typed, got)
		}
	}
	page.write("#code", code[:3]+" "+code[3:])
	page.submit("main form button")
	page.mustBe("cay@example.com", "/deep")
	page.signOut(s)
}

func providerWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	s.secrets.Add("e-mail address", "dan@example.com")
	s.idp.SignIn(openid.Person{Subject: "dan", Email: "dan@example.com", EmailVerified: true})
	page := openDOMTab(t, browser, false)
	page.visit(s.URL + "/deep?x=1")
	page.submit(".providers button")
	page.mustBe("dan@example.com", "/deep?x=1")
	page.signOut(s)
}

func twoSitesWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	page := openDOMTab(t, browser, false)
	wiki := strings.Replace(s.URL, "localhost", "wiki.localhost", 1)
	page.visit(wiki + "/page?q=1")
	page.await("#email")
	address, err := url.Parse(page.address())
	if err != nil || !strings.HasPrefix(page.address(), s.URL+"/auth/") {
		t.Fatalf("the browser is at %s, %v, want the login page of the first site", page.address(), err)
	}
	link, _ := page.requestMail(s, address.String(), "eve@example.com")
	page.visit(link)
	page.submit("main form button")
	page.mustBe("eve@example.com", "/page?q=1")
	page.visit(s.URL + "/first")
	page.mustBe("eve@example.com", "/first")
}

// lostFormWithoutScripts sends a form after the session ended, signs in in another tab,
// and reloads the page.
func lostFormWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	page := openDOMTab(t, browser, false)
	page.signIn(s, "fay@example.com")
	page.visit(s.URL + "/form")
	tab := page.another()
	tab.signOut(s)
	page.write("#note", "kept")
	page.submit("#save")
	page.await("main a[target=_blank]")
	tab.signIn(s, "fay@example.com")
	page.front()
	page.reload()
	if got := page.text("#saved"); got != "kept" {
		t.Errorf("the application received the note %q after the reload, want kept", got)
	}
}

// endedCookieWithoutScripts signs out and restores the cookie, which opens nothing.
func endedCookieWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	page := openDOMTab(t, browser, false)
	page.signIn(s, "gil@example.com")
	cookies, err := page.page.Cookies([]string{s.URL})
	if err != nil {
		t.Fatal(err)
	}
	page.signOut(s)
	page.must(page.page.SetCookies(proto.CookiesToParams(cookies)))
	page.visit(s.URL + "/deep")
	page.await("#email")
}

// foreignFormWithoutScripts submits forms of another site to the application and to the
// login page (CWE-352).
func foreignFormWithoutScripts(t *testing.T, browser *rod.Browser, s *pageSite) {
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><input name="note" value="forged"><button>win</button></form>`, html.EscapeString(s.URL+r.URL.Path))
	}))
	t.Cleanup(stranger.Close)
	page := openDOMTab(t, browser, false)
	page.signIn(s, "hal@example.com")
	for _, path := range []string{"/form", "/auth/logout"} {
		page.visit(stranger.URL + path)
		page.submit("form button")
		if page.find("#saved") != 0 {
			t.Errorf("the form of another site reached %s of the application", path)
		}
	}
	page.visit(s.URL + "/deep")
	page.mustBe("hal@example.com", "/deep")
}
