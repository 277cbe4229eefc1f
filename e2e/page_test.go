package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// pageSite is an application behind a login page, with a mail server and a provider.
type pageSite struct {
	*site
	mails *smtpd.Server
	idp   *openid.Provider
}

// newPageSite starts a site whose Caddyfile has no client and no email_link. The path
// /strict requires a second factor, and the gate answers each path below /gate/ with
// another page. On a second site of the same realm people sign in at the first one.
// Options are added to the realm.
func newPageSite(t *testing.T, options ...string) *pageSite {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(showUser))
	t.Cleanup(upstream.Close)
	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	s := bareSite(t, caddyfile{}, append(smtpEnv(authority, mails.Addr), "IDP_SECRET="+oidcClientSecret)...)
	s.URL = fmt.Sprintf("http://localhost:%d", s.Port)
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{s.URL + "/auth/callback/idp"},
	})
	s.secrets.Add("client secret", oidcClientSecret)
	s.Configure(t, fmt.Sprintf(`{
	admin %s
	auto_https off
	default_bind 127.0.0.1
	grace_period 10s
	log {
		level DEBUG
		output stderr
	}
	edgeauth {
		%s
	}
}

http://localhost:%[3]d {
	log
	login_page {
		title "Example"
	}
	@strict path /strict
	token_auth @strict {
		require amr totp passkey recovery
	}
	@others not path /strict /gate/*
	token_auth @others
	route /gate/* {
		request_header /gate/frame Sec-Fetch-Dest iframe
		request_header /gate/download Sec-Fetch-Dest empty
		method /gate/form POST
		method /gate/foreign POST
		request_header /gate/foreign Origin https://other.example
		request_header /gate/foreign Sec-Fetch-Site cross-site
		token_auth /gate/owner {
			require email owner@example.com
		}
		token_auth /gate/role {
			require role admin
		}
		token_auth
	}
	reverse_proxy %[4]s
}

http://wiki.localhost:%[3]d {
	login_page {
		sign_in_at http://localhost:%[3]d/auth
	}
	token_auth
	reverse_proxy %[4]s
}
`, s.Admin, lines(slices.Concat(smtpLines(), noLimits, providerLines("idp", idp.Issuer), options), 2), s.Port, upstream.Listener.Addr()))
	s.Start(t)
	return &pageSite{s, mails, idp}
}

// showUser is an application that shows its user, its address and a form.
func showUser(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html><title>App</title><p id=user>%s</p><p id=uri>%s</p><p id=saved>%s</p>"+
		"<form method=post action=/form><input id=note name=note><button id=save>Save</button></form>",
		r.Header.Get("X-Auth-Email"), html.EscapeString(r.URL.RequestURI()), html.EscapeString(r.PostFormValue("note")))
}

// scan requests the page of a link as scanners of mail do.
func (s *pageSite) scan(t *testing.T, link string) {
	t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		s.do(t, method, strings.TrimPrefix(link, s.URL), "", "").must(t, http.StatusOK)
	}
}

// ask opens a page of the application, which leads to the login page, and requests a mail.
func (s *pageSite) ask(t *testing.T, page *tab, path, email string) (link, code string) {
	t.Helper()
	s.secrets.Add("e-mail address", email)
	before := len(s.mails.Mails(email))
	page.visit(s.URL + path)
	page.write("#email", email)
	page.click("main form button")
	page.await("the page after a mail was sent", `() => document.querySelector("#code") !== null`)
	parts := s.mails.After(t, email, before, s.URL+"/auth/link/")
	link, code = parts.Link(t, s.URL+"/auth/link/"), parts.Code(t)
	s.secrets.Add("link", strings.TrimPrefix(link, s.URL+"/auth/link/"))
	s.secrets.Add("code", code)
	return link, code
}

// openLink signs in with the link of a mail that a page of the site asks for.
func (p *tab) openLink(s *pageSite, path, email string) {
	p.t.Helper()
	link, _ := s.ask(p.t, p, path, email)
	p.visit(link)
	p.submit("main form button")
}

// mustBe waits for a page of the application for this user.
func (p *tab) mustBe(email, path string) {
	p.t.Helper()
	p.await("the application", `() => document.querySelector("#user") !== null`)
	if user, uri := p.text("#user"), p.text("#uri"); user != email || uri != path {
		p.t.Errorf("the application shows the user %q at %q, want %q at %q", user, uri, email, path)
	}
}

// submit clicks the button of the page and waits for another one.
func (p *tab) submit(selector string) {
	p.t.Helper()
	if _, err := p.Eval(`() => { document.documentElement.dataset.former = "yes"; }`); err != nil {
		p.t.Fatal(err)
	}
	p.click(selector)
	wait.Until(p.t, pageLimit, "the next page", func() bool {
		next, err := p.Eval(`() => document.readyState === "complete" && !document.documentElement.dataset.former`)
		return err == nil && next.Value.Bool() // between two pages the call fails
	})
}

// TestLoginPage signs in and out in Chromium. The pages contain no script; see
// TestLoginPageAppearance.
func TestLoginPage(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t)
	open := func(t *testing.T) *tab {
		t.Helper()
		return openTab(t, browser, "about:blank")
	}
	address := func(who string) string { return who + "@example.com" }
	t.Run("link in the same browser", func(t *testing.T) {
		page := open(t)
		link, _ := s.ask(t, page, "/deep/page?a=1&b=%2F", address("ann"))
		s.scan(t, link)
		page.visit(link)
		page.submit("main form button")
		page.mustBe(address("ann"), "/deep/page?a=1&b=%2F")
		page.visit(s.URL + "/auth/logout")
		page.submit("main form button")
		page.visit(s.URL + "/deep")
		page.await("the login page", `() => document.querySelector("#email") !== null`)
		page.visit(link)
		page.await("the error", `() => document.querySelector("[role=alert]") !== null`)
	})
	t.Run("code in the first browser", func(t *testing.T) {
		first, second := open(t), open(t)
		link, code := s.ask(t, first, "/deep", address("ben"))
		second.visit(link)
		if got := second.text("p.code"); got != code {
			t.Errorf("the other browser shows the code %q, want %q", got, code)
		}
		first.write("#code", "000000")
		if code != "000000" {
			first.submit("main form button")
			first.await("the error", `() => document.querySelector("[role=alert]") !== null`)
		}
		first.write("#code", code[:3]+" "+code[3:])
		first.submit("main form button")
		first.mustBe(address("ben"), "/deep")
		second.visit(s.URL + "/deep")
		second.await("the login page", `() => document.querySelector("#email") !== null`)
	})
	t.Run("provider", func(t *testing.T) {
		s.secrets.Add("e-mail address", address("cay"))
		s.idp.SignIn(openid.Person{Subject: "cay", Email: address("cay"), EmailVerified: true})
		page := open(t)
		page.visit(s.URL + "/deep?x=1")
		page.submit(".providers button")
		page.mustBe(address("cay"), "/deep?x=1")
	})
	t.Run("two sites", func(t *testing.T) {
		page := open(t)
		wiki := strings.Replace(s.URL, "localhost", "wiki.localhost", 1)
		page.visit(wiki + "/page?q=1")
		page.await("the login page", `() => document.querySelector("#email") !== null`)
		at, err := page.Eval(`() => location.href`)
		if err != nil || !strings.HasPrefix(at.Value.Str(), s.URL+"/auth/") {
			t.Fatalf("the browser is at %v, %v, want the login page of the first site", at, err)
		}
		target, err := url.Parse(at.Value.Str())
		if err != nil {
			t.Fatal(err)
		}
		link, _ := s.ask(t, page, target.RequestURI(), address("dan"))
		page.visit(link)
		page.submit("main form button")
		page.mustBe(address("dan"), "/page?q=1")
		page.visit(s.URL + "/first")
		page.mustBe(address("dan"), "/first")
	})
}
