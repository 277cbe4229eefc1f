package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/e2e/internal/examples"
)

// ordersSite is the server-rendered example behind a login page, and tabs of one window
// with a signed-in user. Browsers reach it through a proxy that loses answers.
func ordersSite(t *testing.T, tabs int) (*site, *flakyAPI, []*tab) {
	t.Helper()
	if err := examples.Missing(t.Context()); err != nil {
		missing(t, "examples: %v", err)
	}
	browser := startBrowser(t)
	s := bareSite(t, caddyfile{})
	s.URL = fmt.Sprintf("http://localhost:%d", s.Port)
	api := startFlakyAPI(t, s.URL)
	api.URL = strings.Replace(api.URL, "127.0.0.1", "localhost", 1)
	port := edge.FreePort(t)
	realm := slices.Concat(debugLinks, noLimits, []string{"limit refresh_per_session off"})
	s.Configure(t, renderPages(s.Edge, realm, "login_page {", "origin "+api.URL, "}",
		"token_auth {", "assertion orders 1m", "}", fmt.Sprintf("reverse_proxy 127.0.0.1:%d", port)))
	s.Start(t)
	examples.Orders(t, port, s.URL+"/auth", "edgeauth")
	first := openTab(t, browser, api.URL+"/")
	first.write("#email", "ann@example.com")
	first.click("main form button")
	first.click(`main a[href*="/auth/link/"]`)
	first.click("main form button")
	first.awaitSession()
	all := []*tab{first}
	for len(all) < tabs {
		page, err := first.Browser().Page(proto.TargetCreateTarget{URL: api.URL + "/"})
		if err != nil {
			t.Fatal(err)
		}
		next := &tab{page, t}
		next.awaitSession()
		all = append(all, next)
	}
	return s, api, all
}

// awaitSession waits until the client of the page has a session.
func (p *tab) awaitSession() {
	p.t.Helper()
	p.await("a signed-in user", `() => !!globalThis.auth?.snapshot`)
}

// TestCookieTabs uses the server-rendered example: a form without script, and 120 requests
// of six tabs with 20 refreshes at random moments, of which one answer is lost and one
// belongs to a tab that was killed. Scripts see no token, and a logout in one tab reaches
// the others.
func TestCookieTabs(t *testing.T) {
	t.Parallel()
	const tabs, requests, refreshes = 6, 120, 20
	_, api, pages := ordersSite(t, tabs)
	if got := pages[0].text("#user"); got != "ann@example.com" {
		t.Errorf("the server renders the user %q, want ann@example.com", got)
	}
	pages[0].write("input[name=order]", "Tea")
	pages[0].click("#add")
	if got := pages[0].text("#orders li"); got != "Tea" {
		t.Errorf("the server renders the order %q, want Tea", got)
	}
	pages[0].awaitSession()
	value, err := pages[0].Eval(`() => auth.snapshot.token + document.cookie`)
	if err != nil || value.Value.Str() != "" {
		t.Errorf("a script reads %v, %v, want neither a token nor a cookie", value, err)
	}

	dying := pages[tabs-1]
	if _, err := dying.Eval(`() => { ` + due + `; auth.session(); return true }`); err != nil {
		t.Fatal(err)
	}
	api.awaitHeld(t)
	if err := dying.Close(); err != nil {
		t.Fatal(err)
	}
	pages = pages[:tabs-1]
	var wg sync.WaitGroup
	for i, page := range pages {
		wg.Go(func() {
			for n := range requests / (tabs - 1) {
				refresh := ""
				if rand.IntN(requests) < refreshes || i == 1 && n == 0 {
					refresh = due
				}
				value, err := page.Eval(`async () => { ` + refresh + `; return (await auth.fetch("/orders")).status }`)
				if err != nil || value.Value.Int() != http.StatusOK {
					t.Errorf("tab %d, request %d: fetch() = %v, %v, want 200", i, n, value, err)
				}
			}
		})
	}
	wg.Wait()
	for _, page := range pages {
		page.awaitSession()
	}
	began := time.Now()
	pages[0].click("#logout")
	for _, page := range pages {
		page.await("the logout", `() => document.getElementById("status").textContent === "Signed out"`)
	}
	t.Logf("the logout reached %d tabs in %s", len(pages), time.Since(began).Round(time.Millisecond))
	pages[1].visit(api.URL + "/")
	pages[1].await("the login page", `() => location.pathname === "/auth/"`)
}

// TestReactExample builds the example for React with Vite, and signs in by code and by
// link, and out.
func TestReactExample(t *testing.T) {
	t.Parallel()
	if err := examples.Missing(t.Context()); err != nil {
		missing(t, "examples: %v", err)
	}
	browser := startBrowser(t)
	var pages http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	origin := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	s := newSite(t, caddyfile{Client: []string{"origin " + origin}, EmailLink: origin + "/auth/link/{token}", Realm: debugLinks})
	folder := examples.React(t, s.URL+"/v1/auth", clientKey)
	pages = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			http.ServeFile(w, r, folder+r.URL.Path)
			return
		}
		http.ServeFile(w, r, folder+"/index.html")
	})
	page := openTab(t, browser, origin+"/")
	page.await("the form", `() => location.pathname === "/sign-in" && !!document.querySelector("#email")`)
	page.visit(origin + "/auth/link/" + s.requestLink(t, "ann@example.com"))
	page.click("button")
	page.await("the user", `() => document.querySelector("b#email")?.textContent === "ann@example.com"`)
	token, err := page.Eval(`() => JSON.parse(Object.values(localStorage)[0]).token`)
	if err != nil {
		t.Fatal(err)
	}
	s.secrets.Add("token", token.Value.Str())
	page.click("#load")
	page.await("the orders", `() => document.querySelector("#orders").textContent.includes("X-Auth-User-Id")`)
	page.click("#logout")
	page.await("the form after the logout", `() => location.pathname === "/sign-in"`)
}
