package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/applications"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestReturnAddressesInBrowser follows every line of the corpus in Chromium, as a redirect
// and as a link. None leaves the origin (CWE-601).
func TestReturnAddressesInBrowser(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../pages/testdata/return_addresses.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := newPageSite(t)
	page := openTab(t, startBrowser(t), "about:blank")
	page.openLink(s, "/", "ann@example.com")
	page.mustBe("ann@example.com", "/")
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if len(lines) < 200 {
		t.Errorf("the corpus has %d lines, want at least 200", len(lines))
	}
	for _, line := range lines {
		address, err := url.QueryUnescape(strings.ReplaceAll(line, "+", "%2B"))
		if err != nil {
			t.Fatalf("QueryUnescape(%q) failed: %v", line, err)
		}
		query := "?return_to=" + url.QueryEscape(address)
		page.visit(s.URL + "/auth/renew" + query)
		page.await("a page", `() => document.readyState === "complete"`)
		at, err := page.Eval(`() => location.origin`)
		if err != nil || at.Value.Str() != s.URL {
			t.Errorf("the return address %q leads to %v, %v, want %s", address, at, err, s.URL)
		}
		page.visit(s.URL + "/auth/" + query)
		page.await("the link to the application", `() => document.querySelector("a.button") !== null`)
		target, err := page.Eval(`() => new URL(document.querySelector("a.button").href).origin`)
		if err != nil || target.Value.Str() != s.URL {
			t.Errorf("the return address %q makes a link to %v, %v, want %s", address, target, err, s.URL)
		}
	}
}

// TestExpiredLinkInBrowser opens a link after its lifetime, with and without JavaScript.
func TestExpiredLinkInBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t, "link_lifetime 3s")
	inBothModes(t, browser, func(t *testing.T, open func() *domTab) {
		page := open()
		link, _ := page.receiveMail(s, s.URL+"/deep", "ann@example.com") // the request may have ended with the link
		wait.Until(t, pageLimit, "the end of the link", func() bool {
			page.visit(link)
			page.await("main")
			return page.find("[role=alert]") != 0
		})
		page.mustOfferSignIn()
	})
}

// tricky is an application with a file, a frame, a service worker, and pages that load
// others in advance, that for signing out included.
func tricky(t *testing.T) applications.Application {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(pattern, media, body string) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			_, _ = io.WriteString(w, body)
		})
	}
	const page = "text/html; charset=utf-8"
	serve("/{$}", page, `<!doctype html><title>App</title><p id="inside">inside</p>`)
	serve("/open/", page, `<!doctype html><title>Open</title><link rel="prefetch" href="/next"><link rel="prefetch" href="/auth/logout"><a id="next" href="/next">next</a> <a id="file" href="/file" download>file</a> <iframe src="/"></iframe>
<script type="speculationrules">{"prefetch": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>`)
	serve("/next", page, `<!doctype html><title>Next</title><p id="inside">next</p>`)
	serve("/worker.js", "text/javascript", `addEventListener("install", () => skipWaiting()); addEventListener("activate", (e) => e.waitUntil(clients.claim())); addEventListener("fetch", (e) => e.respondWith(fetch(e.request)))`)
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="report.txt"`)
		_, _ = io.WriteString(w, "the report")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return applications.Application{Address: server.Listener.Addr().String()}
}

// TestBrowserInAdvance checks in Chromium that loading in advance, downloads and service
// workers neither keep a refusal nor a page of an ended session.
func TestBrowserInAdvance(t *testing.T) {
	t.Parallel()
	s := bareSite(t, caddyfile{})
	p := protect(t, s, tricky(t), "/open/", "public /open/*", "no_store")
	p.await("the open page", `() => !!document.getElementById("next")`)

	// The page was fetched in advance without a session; the click leads to the login page.
	p.click("#next")
	p.await("the login page", `() => location.pathname === "/auth/"`)
	p.signIn()
	p.await("the page", `() => location.pathname === "/next" && document.getElementById("inside")?.textContent === "next"`)

	// A download with a session.
	folder := t.TempDir()
	finished := download(t, p.Browser(), folder)
	p.visit(p.URL + "/open/")
	p.click("#file")
	info := finished()
	if content, err := os.ReadFile(folder + "/" + info.GUID); err != nil || string(content) != "the report" || info.SuggestedFilename != "report.txt" {
		t.Errorf("the download is %q with the content %q, %v, want report.txt with the report", info.SuggestedFilename, content, err)
	}

	// A service worker that fetches everything.
	p.visit(p.URL + "/")
	if _, err := p.Eval(`async () => { await navigator.serviceWorker.register("/worker.js"); await navigator.serviceWorker.ready }`); err != nil {
		t.Fatalf("registering the service worker failed: %v", err)
	}
	p.await("the control of the service worker", `() => navigator.serviceWorker.controller !== null`)
	p.visit(p.URL + "/")
	p.await("the page", `() => document.getElementById("inside")?.textContent === "inside"`)
	p.endSession()
	p.visit(p.URL + "/")
	p.await("the page that leads to the login page", `() => document.querySelector("main a")?.getAttribute("href") === "/auth/?return_to=%2F"`)
	p.photograph("service-worker")

	// A download without a session is not a file.
	p.visit(p.URL + "/file")
	p.click("main a")
	p.await("the login page", `() => location.pathname === "/auth/" && !!document.getElementById("email")`)
}

// TestLoginCrossSite has a page of another site submit the forms of the login page. It
// must neither sign a visitor in to an attacker's account nor sign a user out (CWE-352).
func TestLoginCrossSite(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t)
	attacker, visitor := openTab(t, browser, "about:blank"), openTab(t, browser, "about:blank")
	link, _ := s.ask(t, attacker, "/", "eve@example.com")
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<form method="post" action="%s"><button>win</button></form>`, s.URL+r.URL.Path)
	}))
	t.Cleanup(stranger.Close)
	visitor.visit(stranger.URL + strings.TrimPrefix(link, s.URL))
	visitor.submit("form button")
	visitor.visit(s.URL + "/deep")
	visitor.await("the login page", `() => document.querySelector("#email") !== null`)

	own, _ := s.ask(t, visitor, "/deep", "ann@example.com")
	visitor.visit(own)
	visitor.submit("main form button")
	visitor.mustBe("ann@example.com", "/deep")
	visitor.visit(stranger.URL + "/auth/logout")
	visitor.submit("form button")
	visitor.visit(s.URL + "/deep")
	visitor.mustBe("ann@example.com", "/deep")
}
