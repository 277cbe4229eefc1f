package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
)

// clientSite is a site with the plain example of the client, and pages on which a user
// is signed in: tabs of one window.
func clientSite(t *testing.T, tabs int) (*site, *flakyAPI, []*tab) {
	t.Helper()
	browser := startBrowser(t)
	pages := frontend.Start(t, clientSources)
	s := newSite(t, caddyfile{
		Client: []string{"origin " + pages.Origin}, EmailLink: pages.LinkTemplate(),
		Realm: slices.Concat(debugLinks, noLimits, []string{"limit refresh_per_session off"}),
	})
	api := startFlakyAPI(t, s.URL)
	pages.Configure(frontend.Config{API: api.URL + "/v1/auth", Key: clientKey})
	first := openTab(t, browser, pages.Origin+"/auth/link/"+s.requestLink(t, "tabs@example.com"))
	first.click("#link button")
	s.secrets.Add("token", first.signedIn().Token)
	all := []*tab{first}
	for len(all) < tabs {
		page, err := first.Browser().Page(proto.TargetCreateTarget{URL: pages.Origin + "/"})
		if err != nil {
			t.Fatal(err)
		}
		next := &tab{page.Timeout(pageLimit), t}
		next.signedIn()
		all = append(all, next)
	}
	return s, api, all
}

// due makes the client refresh with the next call in any tab, as half a life would.
const due = `(() => {
	for (const key of Object.keys(localStorage)) {
		const stored = JSON.parse(localStorage.getItem(key))
		if (stored?.renew) localStorage.setItem(key, JSON.stringify({ ...stored, renew: 1 }))
	}
})()`

// TestClientTabs sends 120 requests from six tabs, with 20 refreshes at random moments.
// One tab is killed while it refreshes, and one answer to a refresh is lost. Every
// request succeeds, and a logout in one tab reaches the others.
func TestClientTabs(t *testing.T) {
	t.Parallel()
	const tabs, requests, refreshes = 6, 120, 20
	s, api, pages := clientSite(t, tabs)
	before := pages[0].signedIn().Token

	dying := pages[tabs-1]
	if _, err := dying.Eval(`() => { ` + due + `; auth.session(); return true }`); err != nil {
		t.Fatal(err)
	}
	<-api.held
	if err := dying.Close(); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	statuses := make(chan int, requests)
	perTab := requests / (tabs - 1)
	for i, page := range pages[:tabs-1] {
		wg.Go(func() {
			for n := range perTab {
				refresh := ""
				if rand.IntN(requests) < refreshes || i == 1 && n == 0 {
					refresh = due
				}
				value, err := page.Eval(fmt.Sprintf(`async () => { %s; return (await auth.fetch(%q)).status }`, refresh, api.URL+"/orders"))
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
	count := 0
	for status := range statuses {
		count++
		if status != http.StatusOK {
			t.Errorf("fetch() = %d, want 200", status)
		}
	}
	if count != requests {
		t.Errorf("answers = %d, want %d", count, requests)
	}
	for i, page := range pages[:tabs-1] {
		got := page.signedIn()
		s.secrets.Add("token", got.Token)
		if i == 0 && got.Token == before {
			t.Error("the token was never refreshed")
		}
	}

	began := time.Now()
	pages[0].click("#logout")
	for _, page := range pages[1 : tabs-1] {
		page.await("the form", `() => !document.getElementById("ask").hidden`)
	}
	t.Logf("the logout reached %d tabs in %s", tabs-2, time.Since(began).Round(time.Millisecond))
}

// flakyAPI is a proxy in front of a site. It holds the first answer to a refresh until
// its client has gone, and loses the second.
type flakyAPI struct {
	URL string
	// held is closed when the server has answered the first refresh.
	held chan struct{}
}

func startFlakyAPI(t *testing.T, target string) *flakyAPI {
	t.Helper()
	upstream, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	f := &flakyAPI{held: make(chan struct{})}
	var refreshes atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: func(response *http.Response) error {
			request := response.Request
			if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/token/refresh/") {
				return nil
			}
			switch refreshes.Add(1) {
			case 1:
				close(f.held)
				<-request.Context().Done()
				return errLost
			case 2:
				return errLost
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// errLost makes flakyAPI drop the connection.
var errLost = errors.New("the answer is lost")
