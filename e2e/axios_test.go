package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/clients"
)

// TestAxiosTabs is TestClientTabs without our client: six tabs with axios-auth-refresh as
// its README configures it, 120 requests, of which 20 at random moments are answered with
// 401 so that it refreshes. One tab is killed while it refreshes, and one answer to a
// refresh is lost. The library does not repeat a lost refresh, so that the request behind
// it fails, but nothing signs the user out.
func TestAxiosTabs(t *testing.T) {
	t.Parallel()
	const tabs, requests, refreshes = 6, 120, 20
	folder, err := clients.Install(t.Context())
	if err != nil {
		missing(t, "clients: %v", err)
	}
	script, err := clients.AxiosPage(folder)
	if err != nil {
		t.Fatal(err)
	}
	browser := startBrowser(t)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><title>axios</title><script type="module" src="/page.js"></script>`)
	}))
	t.Cleanup(pages.Close)
	own := strings.Replace(pages.URL, "127.0.0.1", "localhost", 1)
	s := newSite(t, caddyfile{
		Client: []string{"origin " + own}, Realm: slices.Concat(debugLinks, noLimits, []string{"limit refresh_per_session off"}),
	})
	api := startFlakyAPI(t, s.URL)
	address := own + "/?api=" + url.QueryEscape(api.URL)
	first := openTab(t, browser, address)
	all := []*tab{first}
	for len(all) < tabs {
		page, err := first.Browser().Page(proto.TargetCreateTarget{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &tab{page, t})
	}
	for _, page := range all {
		page.await("the script", `() => !!globalThis.load`)
	}
	token := s.logIn(t, "axios@example.com").token
	if _, err := first.Eval(`(token) => localStorage.setItem("token", token)`, token); err != nil {
		t.Fatal(err)
	}

	dying := all[tabs-1]
	if _, err := dying.Eval(`() => { load("/orders?refuse=dying"); return true }`); err != nil {
		t.Fatal(err)
	}
	api.awaitHeld(t)
	if err := dying.Close(); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	statuses := make(chan int, requests)
	perTab := requests / (tabs - 1)
	moments := rand.Perm(requests)[:refreshes]
	for i, page := range all[:tabs-1] {
		wg.Go(func() {
			for n := range perTab {
				path := "/orders"
				if slices.Contains(moments, i*perTab+n) {
					path = fmt.Sprintf("/orders?refuse=%d", i*perTab+n)
				}
				value, err := page.Eval(`(path) => load(path)`, path)
				if err != nil {
					t.Errorf("tab %d, request %d: %v", i, n, err)
					return
				}
				statuses <- value.Value.Int()
			}
		})
	}
	wg.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusOK] < requests-1 || count[http.StatusOK]+count[0] != requests {
		t.Errorf("answers by status = %v, want 200 but for the one behind the lost answer", count)
	}
	if got := api.refreshes.Load(); got < refreshes || api.refused.Load() != 0 {
		t.Errorf("refreshes = %d, of which %d were refused, want at least %d and 0", got, api.refused.Load(), refreshes)
	}
	value, err := first.Eval(`() => localStorage.getItem("token")`)
	if err != nil {
		t.Fatal(err)
	}
	last := value.Value.Str()
	s.secrets.Add("token", last)
	if last == token {
		t.Error("the token was never refreshed")
	}
	s.get(t, "/whoami", last).must(t, http.StatusOK)
}
