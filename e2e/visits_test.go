package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-rod/rod/lib/proto"
)

// TestVisits uses a site with a login page in Chromium as visitors do, with and without
// JavaScript.
func TestVisits(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := bareSite(t, caddyfile{})
	s.serveProtected(t, tricky(t), "public /open/*", "no_store")
	for name, test := range map[string]func(*testing.T, *site, *domTab){
		"frame": signInFromFrame, "download": downloadWithoutSession, "prefetch": prefetchWithoutSession,
		"signing out in another tab": signOutInAnotherTab,
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, browser, func(t *testing.T, open func() *domTab) { test(t, s, open()) })
		})
	}
}

// signInFromFrame follows the link of the page in a frame, which leaves the frame.
func signInFromFrame(t *testing.T, s *site, page *domTab) {
	t.Helper()
	page.visit(s.URL + "/open/")
	page.submit(inFrame + "a[target=_top]")
	page.await("#email")
	if got, want := page.address(), s.URL+"/auth/"; got != want {
		t.Errorf("the link in the frame leads to %s, want %s", got, want)
	}
	page.signInHere("ann@example.com")
	page.await("#inside")
	page.visit(s.URL + "/open/")
	if got := page.text(inFrame + "#inside"); got != "inside" {
		t.Errorf("the frame shows %q during the session, want inside", got)
	}
}

// downloadWithoutSession clicks a link to a file. Without a session the browser saves
// nothing, and the login page least of all.
func downloadWithoutSession(t *testing.T, s *site, page *domTab) {
	t.Helper()
	folder := t.TempDir()
	page.visit(s.URL + "/open/")
	if _, state := page.download("#file", folder); state != proto.BrowserDownloadProgressStateCanceled {
		t.Errorf("a download without a session ends as %q, want canceled", state)
	}
	saved, err := os.ReadDir(folder)
	if err != nil || len(saved) != 0 {
		t.Errorf("a download without a session saves %v, %v, want nothing", saved, err)
	}
	page.visit(s.URL + "/next")
	page.signInHere("ann@example.com")
	page.visit(s.URL + "/open/")
	file, state := page.download("#file", folder)
	if content, err := os.ReadFile(filepath.Join(folder, file)); err != nil || string(content) != "the report" {
		t.Errorf("a download ends as %q with %q, %v, want the report", state, content, err)
	}
}

// download clicks a link to a file and waits for the end of the download. It returns the
// name of the file in the folder.
func (p *domTab) download(selector, folder string) (file string, state proto.BrowserDownloadProgressState) {
	p.t.Helper()
	window := p.page.Browser().Timeout(pageLimit)
	defer window.CancelTimeout()
	p.must(proto.BrowserSetDownloadBehavior{
		Behavior: proto.BrowserSetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: window.BrowserContextID,
		DownloadPath: folder, EventsEnabled: true,
	}.Call(window))
	finished := window.EachEvent(func(e *proto.BrowserDownloadProgress) bool {
		file, state = e.GUID, e.State
		return state != proto.BrowserDownloadProgressStateInProgress
	})
	p.click(selector)
	finished()
	return file, state
}

// prefetchWithoutSession opens a page that has others loaded in advance. Without a session
// they are refused, and the refusal is not kept. With a session nothing changes: the page
// that signs out is one of them.
func prefetchWithoutSession(t *testing.T, s *site, page *domTab) {
	t.Helper()
	if got := page.prefetched(s.URL+"/open/", "/next", "/auth/logout"); got["/next"] != http.StatusUnauthorized || got["/auth/logout"] != http.StatusOK {
		t.Errorf("loading in advance without a session is answered %v, want 401 by the application", got)
	}
	if !s.Log.Contains(`"Sec-Purpose":["prefetch`) {
		t.Error("the browser did not state that it loads in advance, so that this test shows nothing")
	}
	if got := page.cookies(s.URL); len(got) != 0 {
		t.Errorf("loading in advance sets the cookies %v, want none", got)
	}
	page.submit("#next")
	page.await("#email")
	page.signInHere("ann@example.com")
	if got := page.text("#inside"); got != "next" {
		t.Errorf("after signing in, the page shows %q, want next", got)
	}
	if got := page.prefetched(s.URL+"/open/", "/next", "/auth/logout"); got["/next"] != http.StatusOK || got["/auth/logout"] != http.StatusOK {
		t.Errorf("loading in advance during a session is answered %v, want 200", got)
	}
	page.visit(s.URL + "/next")
	if got := page.text("#inside"); got != "next" {
		t.Errorf("after the page for signing out was loaded in advance, the application shows %q, want next", got)
	}
}

// prefetched opens a page and returns the answers to what the browser loads in advance.
func (p *domTab) prefetched(address string, paths ...string) map[string]int {
	p.t.Helper()
	page := p.page.Timeout(pageLimit)
	defer page.CancelTimeout()
	status := map[string]int{}
	finished := page.EachEvent(func(e *proto.NetworkResponseReceived) bool {
		if target, err := url.Parse(e.Response.URL); err == nil && slices.Contains(paths, target.Path) {
			status[target.Path] = e.Response.Status
		}
		return len(status) == len(paths)
	})
	p.visit(address)
	finished()
	return status
}

// signOutInAnotherTab signs out in one of two tabs, and in again. The other one follows.
func signOutInAnotherTab(t *testing.T, s *site, page *domTab) {
	t.Helper()
	page.visit(s.URL + "/next?a=1&b=%2F")
	page.signInHere("ann@example.com")
	page.await("#inside")
	other := page.another()
	other.visit(s.URL + "/auth/logout")
	other.submit("main form button")
	other.await("main.signed-out")
	page.front()
	page.reload()
	page.await("#email")
	if got, want := page.address(), s.URL+"/auth/?return_to="+url.QueryEscape("/next?a=1&b=%2F"); got != want {
		t.Errorf("after signing out in another tab, the page is %s, want %s", got, want)
	}
	other.visit(s.URL + "/next")
	other.signInHere("ann@example.com")
	page.front()
	page.reload()
	page.submit("main .links a.button")
	page.await("#inside")
	if got, want := page.address(), s.URL+"/next?a=1&b=%2F"; got != want {
		t.Errorf("after signing in in another tab, the page leads to %s, want %s", got, want)
	}
}
