package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/applications"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
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

// back goes back in the history of the browser to the last page whose address begins
// with a text, and returns the address that the browser then shows.
func (p *tab) back(address string) string {
	p.t.Helper()
	history, err := proto.PageGetNavigationHistory{}.Call(p)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := history.CurrentIndex - 1; i >= 0; i-- {
		if !strings.HasPrefix(history.Entries[i].URL, address) {
			continue
		}
		if err := (proto.PageNavigateToHistoryEntry{EntryID: history.Entries[i].ID}).Call(p); err != nil {
			p.t.Fatal(err)
		}
		at := ""
		wait.Until(p.t, pageLimit, "the page in the history", func() bool {
			value, err := p.Eval(`() => document.readyState === "complete" ? location.href : ""`)
			if err == nil {
				at = value.Value.Str()
			}
			return err == nil && at != "" && at != history.Entries[history.CurrentIndex].URL
		})
		return at
	}
	p.t.Fatalf("the history contains no page %s", address)
	return ""
}

// TestBackAfterSignOut presses Back in Chromium after a logout. Pages of the account and of
// the application are requested again and lead to the login page, also without no_store:
// Clear-Site-Data empties the cache for the Back button.
func TestBackAfterSignOut(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{"with no_store": {"no_store"}, "by default": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, caddyfile{})
			p := protect(t, s, remembering(t), "/page", options...)
			p.await("the login page", `() => !!document.getElementById("email")`)
			p.signIn()
			inside := `() => location.pathname === "/page" && !!document.getElementById("inside")`
			p.await("the application", inside)
			p.visit(p.URL + "/auth/account")
			p.text("#first_name")
			p.back(p.URL + "/page")
			p.await("the application, during the session", inside)
			p.visit(p.URL + "/auth/account")
			p.text("#first_name")
			p.visit(p.URL + "/auth/logout")
			p.click("main form button")
			p.await("the end of the session", `() => location.pathname === "/auth/signed-out"`)
			for _, page := range []string{"/auth/account", "/page"} { // the newer one first: back only goes back
				want := p.URL + "/auth/?return_to=" + url.QueryEscape(page)
				if got := p.back(p.URL + page); got != want {
					t.Errorf("back to %s shows %s, want %s", page, got, want)
				}
			}
		})
	}
}
