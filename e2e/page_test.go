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

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/axe"
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
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!doctype html><title>App</title><p id=user>%s</p><p id=uri>%s</p><p id=saved>%s</p>"+
			"<form method=post action=/form><input id=note name=note><button id=save>Save</button></form>",
			r.Header.Get("X-Auth-Email"), html.EscapeString(r.URL.RequestURI()), html.EscapeString(r.PostFormValue("note")))
	}))
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
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} { // scanners
			s.do(t, method, strings.TrimPrefix(link, s.URL), "", "").must(t, http.StatusOK)
		}
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

// TestLoginPageAppearance examines every page with axe-core, in light, dark, from right to
// left, 320 pixels wide and at a zoom of 200 %, and measures it.
func TestLoginPageAppearance(t *testing.T) {
	t.Parallel()
	script, err := axe.Script(t.Context())
	if err != nil {
		missing(t, "axe-core cannot be installed: %v", err)
	}
	browser := startBrowser(t)
	s := newPageSite(t, "api_keys users")
	page := openTab(t, browser, "about:blank")
	link, code := s.ask(t, page, "/", "ann@example.com")
	examine := func(name string) {
		t.Helper()
		page.examine(s, script, name)
	}
	examine("sent")
	page.visit(link)
	examine("link")
	other := openTab(t, browser, link)
	other.examine(s, script, "link-other")
	page.visit(s.URL + "/auth/")
	examine("ask")
	page.write("#email", "a@b")
	page.submit("main form button")
	examine("ask-error")
	_ = code
	page.visit(link)
	page.submit("main form button")
	page.visit(s.URL + "/auth/")
	examine("signed-in")
	page.visit(s.URL + "/auth/account")
	page.text("#first_name ~ button")
	examine("account")
	page.visit(s.URL + "/auth/account/keys")
	page.write("#name", "ci")
	page.submit("main form:has(#name) button")
	page.text("p.secret")
	examine("key-created")
	page.visit(s.URL + "/auth/account/keys")
	examine("keys")
	page.visit(s.URL + "/auth/account")
	s.secrets.Add("e-mail address", "new@example.com")
	page.write("#email", "new@example.com")
	page.submit("button[value=email]")
	examine("email")
	page.write("#code", "x")
	page.submit("main form button")
	examine("email-error")
	page.visit(s.URL + "/auth/confirm?return_to=/x")
	examine("confirm")
	for _, name := range []string{"owner", "role", "foreign"} {
		page.visit(s.URL + "/gate/" + name)
		examine("gate-" + name)
	}
	page.visit(s.URL + "/auth/account/delete")
	examine("delete")
	page.visit(s.URL + "/auth/deleted")
	examine("deleted")
	page.visit(s.URL + "/auth/logout")
	examine("logout")
	page.submit("main form button")
	examine("signed-out")
	for _, name := range []string{"frame", "download", "form"} {
		page.visit(s.URL + "/gate/" + name)
		examine("gate-" + name)
	}
	page.visit(link)
	examine("error")
	if err := s.Command(t, "edgeauth", "user", "invite", "eve@example.com", "--address", s.Admin); err != nil {
		t.Fatalf("the invitation failed: %v", err)
	}
	s.secrets.Add("e-mail address", "eve@example.com")
	page.visit(s.mails.After(t, "eve@example.com", 0, s.URL+"/auth/link/").Link(t, s.URL+"/auth/link/"))
	examine("invitation")
}

// examine checks the page in all appearances and takes a picture of each.
func (p *tab) examine(s *pageSite, script, name string) {
	p.t.Helper()
	for _, look := range []struct {
		name, scheme, language string
		width                  int
		zoom                   float64 // of a window that is this much wider
	}{
		{"light", "light", "en", 800, 1},
		{"dark", "dark", "de", 800, 1},
		{"rtl", "light", "ar", 800, 1},
		{"rtl-dark", "dark", "ar", 800, 1},
		{"narrow", "dark", "ru", 320, 1},
		{"zoomed", "light", "fr", 400, 2},
	} {
		if err := (proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}).Call(p); err != nil {
			p.t.Fatal(err)
		}
		if err := p.SetViewport(&proto.EmulationSetDeviceMetricsOverride{Width: look.width, Height: 700, DeviceScaleFactor: look.zoom}); err != nil {
			p.t.Fatal(err)
		}
		if err := p.SetUserAgent(&proto.NetworkSetUserAgentOverride{
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", AcceptLanguage: look.language,
		}); err != nil {
			p.t.Fatal(err)
		}
		answersForm := strings.HasSuffix(name, "-error") || strings.HasSuffix(name, "-created")
		if !answersForm { // a reload would ask to send the form again
			if err := p.Reload(); err != nil {
				p.t.Fatal(err)
			}
			if err := p.WaitLoad(); err != nil {
				p.t.Fatal(err)
			}
		}
		if scripts, err := p.Eval(`() => document.scripts.length`); err != nil || scripts.Value.Int() != 0 {
			p.t.Errorf("%s %s: the page contains %v scripts, %v, want none", name, look.name, scripts, err)
		}
		lang, err := p.Eval(`() => document.documentElement.lang`)
		if err != nil || !answersForm && lang.Value.Str() != look.language {
			p.t.Errorf("%s %s: the language is %v, %v, want %s", name, look.name, lang, err, look.language)
		}
		p.audit(script, name+" "+look.name)
		wide, err := p.Eval(`() => document.documentElement.scrollWidth > innerWidth`)
		if err != nil || wide.Value.Bool() {
			p.t.Errorf("%s %s: the page scrolls horizontally, %v", name, look.name, err)
		}
		weight, err := p.Eval(`() => { const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]; return [all.length, all.reduce((sum, one) => sum + one.decodedBodySize, 0)]; }`)
		if err != nil {
			p.t.Fatal(err)
		}
		if requests, size := weight.Value.Arr()[0].Int(), weight.Value.Arr()[1].Int(); requests > 2 || size > 10_000 {
			p.t.Errorf("%s %s: %d requests and %d bytes, want at most 2 and 10000", name, look.name, requests, size)
		}
		p.photograph("page-" + name + "-" + look.name)
	}
}

// audit runs axe-core with all its rules.
func (p *tab) audit(script, name string) {
	p.t.Helper()
	found, err := p.Eval(`async (source) => { if (!window.axe) (0, eval)(source); const result = await axe.run(document); return result.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html + " " + node.failureSummary).join("; ")); }`, script)
	if err != nil {
		p.t.Fatalf("axe-core on %s: %v", name, err)
	}
	for _, violation := range found.Value.Arr() {
		p.t.Errorf("%s violates the rule %s", name, violation.Str())
	}
}
