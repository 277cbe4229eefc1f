package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/applications"
)

// remembering is an application whose pages the browser may keep in memory. The title
// states where a page came from.
func remembering(t *testing.T) applications.Application {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>loaded</title><p id="inside">inside</p><script>addEventListener("pageshow", (e) => { if (e.persisted) document.title = "from memory" })</script>`)
	}))
	t.Cleanup(server.Close)
	return applications.Application{Address: server.Listener.Addr().String()}
}

// TestBackAfterSignOut presses Back in Chromium after a logout, with and without JavaScript.
// Pages of the account and of the application are requested again and lead to the login
// page, also without no_store: Clear-Site-Data empties the cache for the Back button.
func TestBackAfterSignOut(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{"with no_store": {"no_store"}, "by default": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			browser := startBrowser(t)
			s := bareSite(t, caddyfile{})
			s.serveProtected(t, remembering(t), options...)
			inBothModes(t, browser, func(t *testing.T, open func() *domTab) { backAfterSignOut(t, s, open()) })
		})
	}
}

func backAfterSignOut(t *testing.T, s *site, page *domTab) {
	t.Helper()
	application, account := s.URL+"/page", s.URL+"/auth/account"
	page.visit(application)
	page.signInHere("ann@example.com")
	page.await("#inside")
	page.visit(account)
	page.await("#first_name")
	if got := page.back(application); got != application {
		t.Errorf("during the session, back shows %s, want %s", got, application)
	}
	page.await("#inside")
	page.visit(account)
	page.await("#first_name")
	page.visit(s.URL + "/auth/logout")
	page.submit("main form button")
	page.await("main.signed-out")
	for _, address := range []string{account, application} { // the newer one first: back only goes back
		want := s.URL + "/auth/?return_to=" + url.QueryEscape(strings.TrimPrefix(address, s.URL))
		if got := page.back(address); got != want {
			t.Errorf("back to %s shows %s, want %s", address, got, want)
		}
		if page.await("#email"); page.find("#inside") != 0 || page.find("#first_name") != 0 {
			t.Errorf("back to %s shows a page of the session", address)
		}
	}
}
