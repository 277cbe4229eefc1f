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

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// clientSite is a site with the plain example of the client, and pages on which a user
// is signed in: tabs of one window.
func clientSite(t *testing.T, tabs int, options ...string) (*site, *flakyAPI, []*tab) {
	t.Helper()
	browser := startBrowser(t)
	pages := frontend.Start(t, clientSources)
	s := newSite(t, caddyfile{
		Client: []string{"origin " + pages.Origin}, EmailLink: pages.LinkTemplate(),
		Realm: slices.Concat(debugLinks, noLimits, []string{"limit refresh_per_session off"}, options),
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
		next := &tab{page, t}
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

// TestClientTabs opens six tabs and sends 120 requests, with 20 refreshes at random moments.
// One tab is killed while it refreshes, and one answer to a refresh is lost. Every
// request succeeds, and a logout in one tab reaches the others within a second, by an
// event of the storage.
func TestClientTabs(t *testing.T) {
	t.Parallel()
	const tabs, requests, refreshes = 6, 120, 20
	s, api, pages := clientSite(t, tabs)
	before := pages[0].signedIn().Token

	dying := pages[tabs-1]
	if _, err := dying.Eval(`() => { ` + due + `; auth.session(); return true }`); err != nil {
		t.Fatal(err)
	}
	api.awaitHeld(t)
	if err := dying.Close(); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	statuses := make(chan int, requests)
	moments := rand.Perm(requests)[:refreshes]
	perTab := requests / (tabs - 1)
	for i, page := range pages[:tabs-1] {
		wg.Go(func() {
			for n := range perTab {
				refresh := ""
				if slices.Contains(moments, i*perTab+n) {
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

	for _, page := range pages[:tabs-1] {
		if _, err := page.Eval(`() => { auth.onChange(({ type }) => { if (type === "signedOut") globalThis.ended = { at: Date.now(), by: globalThis.event?.type ?? "call" } }) }`); err != nil {
			t.Fatal(err)
		}
	}
	pages[0].click("#logout")
	ended := make([]int, 0, tabs)
	for i, page := range pages[:tabs-1] {
		page.await("the form", `() => !document.getElementById("ask").hidden && !!globalThis.ended`)
		end, err := page.Eval(`() => ended`)
		if err != nil {
			t.Fatal(err)
		}
		if by := end.Value.Get("by").Str(); i > 0 && by != "storage" {
			t.Errorf("tab %d was signed out by %q, want the event storage", i, by)
		}
		ended = append(ended, end.Value.Get("at").Int())
	}
	if took := slices.Max(ended) - ended[0]; took > 1000 {
		t.Errorf("the logout reached the other tabs after %d ms, want at most 1000", took)
	}
	if api.refused.Load() != 0 {
		t.Errorf("refused refreshes = %d, want 0", api.refused.Load())
	}
}

// TestClientDay moves the clock of five tabs by a day, half an hour at a time. Tokens live an
// hour. Each tab sends a request at each time, and none is refused.
func TestClientDay(t *testing.T) {
	t.Parallel()
	s, api, pages := clientSite(t, 5, "token_lifetime 1h")
	api.keepAnswers()
	before := pages[0].signedIn().Token
	for hour := 0.5; hour <= 24; hour += 0.5 {
		var wg sync.WaitGroup
		for i, page := range pages {
			wg.Go(func() {
				value, err := page.Eval(fmt.Sprintf(`async () => {
					const now = globalThis.now ??= Date.now
					Date.now = () => now() + %f * 3_600_000
					const { status } = await auth.fetch(%q)
					await navigator.locks.request(Object.keys(localStorage).find((name) => name.startsWith("edgeauth:")), () => {}) // the end of a refresh
					return status
				}`, hour, api.URL+"/orders"))
				if err != nil || value.Value.Int() != http.StatusOK {
					t.Errorf("hour %g, tab %d: fetch() = %v, %v, want 200", hour, i, value, err)
				}
			})
		}
		wg.Wait()
	}
	after := pages[0].signedIn().Token
	s.secrets.Add("token", after)
	const least = 24 // one in the second half of each life
	if got := api.refreshes.Load(); after == before || got < least || api.refused.Load() != 0 {
		t.Errorf("refreshes = %d, of which %d were refused, want at least %d and 0", got, api.refused.Load(), least)
	}
}

// flakyAPI is a proxy in front of a site. It holds the first answer to a refresh until
// its client has gone, and loses the second. It answers 401 to the first request with each
// value of the parameter "refuse".
type flakyAPI struct {
	URL string
	// held is closed when the server has answered the first refresh.
	held chan struct{}
	// refreshes counts answers to refreshes, and refused those with 401.
	refreshes, refused atomic.Int64
	kept               atomic.Bool
	seen               sync.Map
}

// keepAnswers makes the proxy neither hold nor lose answers.
func (f *flakyAPI) keepAnswers() { f.kept.Store(true) }

// awaitHeld waits until the server has answered the first refresh.
func (f *flakyAPI) awaitHeld(t *testing.T) {
	t.Helper()
	wait.Until(t, pageLimit, "the answer to the first refresh", func() bool {
		select {
		case <-f.held:
			return true
		default:
			return false
		}
	})
}

func startFlakyAPI(t *testing.T, target string) *flakyAPI {
	t.Helper()
	upstream, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	f := &flakyAPI{held: make(chan struct{})}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		ModifyResponse: func(response *http.Response) error {
			request := response.Request
			if name := request.URL.Query().Get("refuse"); name != "" && request.Method == http.MethodGet {
				if _, seen := f.seen.LoadOrStore(name, true); !seen {
					response.StatusCode = http.StatusUnauthorized
				}
			}
			if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/token/refresh/") {
				return nil
			}
			if response.StatusCode == http.StatusUnauthorized {
				f.refused.Add(1)
			}
			n := f.refreshes.Add(1)
			if f.kept.Load() {
				return nil
			}
			switch n {
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
	t.Cleanup(func() {
		server.CloseClientConnections() // the answer that is held
		server.Close()
	})
	f.URL = server.URL
	return f
}

// errLost makes flakyAPI drop the connection.
var errLost = errors.New("the answer is lost")
