package caddymodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	corelogin "github.com/edgeauth/edgeauth/authcore/login"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// maxAllocations limits the allocations of the gate for a request with a known token:
// the identity and its placeholders. The headers of a browser nearly fill their map, so
// that it shows when that grows, which it does now and then.
const maxAllocations = 3

// A request that passes the gate with a known token has to cost next to nothing.
// The handler after it does nothing, so that only the gate is counted.
func TestTokenAuthAllocations(t *testing.T) {
	b := newGateBench(t)
	bare := testing.AllocsPerRun(1000, func() { b.prepare(t).serve(t) })
	gated := testing.AllocsPerRun(1000, func() { b.prepare(t).serve(t, b.gate) })
	if more := gated - bare; more > maxAllocations {
		t.Errorf("the gate takes %.0f allocations for a request, want %d at most", more, maxAllocations)
	}
}

// BenchmarkTokenAuth measures the whole handler with a known token, in several
// configurations.
func BenchmarkTokenAuth(b *testing.B) {
	for _, test := range []struct {
		name    string
		headers []string
		gate    func(*TokenAuth)
	}{
		{name: "all headers"},
		{name: "one header", headers: []string{gate.HeaderUserID}},
		{name: "no headers", headers: []string{"off"}},
		{name: "optional", gate: func(t *TokenAuth) { t.site.Policy.Optional = true }},
		{name: "require", gate: func(t *TokenAuth) {
			t.site.Policy.Require = []gate.Requirement{{Field: "email_domain", Values: []string{"example.com"}}}
		}},
		{name: "public path", gate: func(t *TokenAuth) { t.site.Public = []string{"/api/*"} }},
	} {
		b.Run(test.name, func(b *testing.B) {
			bench := newGateBench(b)
			var err error
			if bench.gate.site.Headers, _, err = gate.ChosenHeaders(test.headers); err != nil {
				b.Fatal(err)
			}
			if test.gate != nil {
				test.gate(bench.gate)
			}
			bench.run(b)
		})
	}
}

// BenchmarkSite measures the handlers of a site with a login page: login_api, login_page
// and token_auth, for a request with a known token in the session cookie.
func BenchmarkSite(b *testing.B) {
	bench := newGateBench(b)
	api := &LoginAPI{realm: bench.gate.realm, paths: httpapi.New(httpapi.Options{})}
	browser, err := gate.NewBrowser(gate.BrowserConfig{Login: "/auth", Origin: "https://app.example.com"})
	if err != nil {
		b.Fatal(err)
	}
	_, token, _ := strings.Cut(bench.header.Get("Authorization"), " ")
	delete(bench.header, "Authorization")
	bench.header.Set("Cookie", gate.CookieName(gate.CookieSession, true)+"="+token)
	bench.gate.realm.linkPages = []linkPage{{path: "/auth/link/"}}
	b.Run("login_page of token_auth", func(b *testing.B) {
		bench.gate.site.Browser = browser
		bench.run(b, api)
	})
	b.Run("login_page of the site", func(b *testing.B) {
		bench.gate.site.Browser = nil
		paths, err := pages.New(pages.Options{Origin: "https://app.example.com"})
		if err != nil {
			b.Fatal(err)
		}
		bench.run(b, api, &LoginPage{realm: bench.gate.realm, browser: browser, paths: paths})
	})
}

// BenchmarkTokenAuthRefused measures requests that the handler answers.
func BenchmarkTokenAuthRefused(b *testing.B) {
	for name, authorization := range map[string]string{
		"no token":  "",
		"malformed": "Token abc.def.ghi",
	} {
		b.Run(name, func(b *testing.B) {
			bench := newGateBench(b)
			delete(bench.header, "Authorization")
			if authorization != "" {
				bench.header.Set("Authorization", authorization)
			}
			bench.status = http.StatusUnauthorized
			bench.run(b)
		})
	}
}

// BenchmarkTokenAuthParallel shows contention for locks.
func BenchmarkTokenAuthParallel(b *testing.B) {
	bench := newGateBench(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			bench.prepare(b).serve(b, bench.gate)
		}
	})
}

// gateBench sends one request again and again to a handler, without a network.
type gateBench struct {
	gate   *TokenAuth
	header http.Header
	status int
}

func newGateBench(t testing.TB) *gateBench {
	t.Helper()
	const key = "benchmark-client-key"
	service, err := core.New(t.Context(), core.Config{
		EmailLink: "https://frontend.app/auth/link/{token}", DebugLinks: true, Store: memory.New(),
		Clients: []authcore.Client{{Name: "web", Key: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := service.Logins.RequestLink(t.Context(), corelogin.LinkRequest{Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	secret := receipt.DebugLink[strings.LastIndexByte(receipt.DebugLink, '/')+1:]
	grant, err := service.Logins.ByLink(t.Context(), corelogin.LinkLogin{Token: secret, ClientKey: key})
	if err != nil {
		t.Fatal(err)
	}
	realm := &Realm{gate: newMetrics().decisions("")}
	realm.live.Store(&liveRealm{Realm: service})
	headers, _, err := gate.ChosenHeaders(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &gateBench{
		gate: &TokenAuth{realm: realm, site: gate.Site{Headers: headers}},
		header: http.Header{
			"Accept":             {"application/json"},
			"Accept-Encoding":    {"gzip, deflate, br, zstd"},
			"Accept-Language":    {"en-GB,en;q=0.9"},
			"Authorization":      {"Token " + grant.Token},
			"Connection":         {"keep-alive"},
			"Referer":            {"https://app.example.com/items"},
			"Sec-Ch-Ua":          {`"Chromium";v="142", "Not_A Brand";v="99"`},
			"Sec-Ch-Ua-Mobile":   {"?0"},
			"Sec-Ch-Ua-Platform": {`"Linux"`},
			"Sec-Fetch-Dest":     {"empty"},
			"Sec-Fetch-Mode":     {"cors"},
			"Sec-Fetch-Site":     {"same-origin"},
			"User-Agent":         {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},
		},
		status: http.StatusOK,
	}
}

// discardWriter discards a response.
type discardWriter struct {
	header http.Header
	status int
}

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }
func (w *discardWriter) Write(p []byte) (int, error) { return io.Discard.Write(p) }

// prepared is a request as Caddy prepares it.
type prepared struct {
	bench  *gateBench
	writer *discardWriter
	*http.Request
}

func (b *gateBench) prepare(t testing.TB) *prepared {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/items?page=1", http.NoBody)
	r.Header = b.header.Clone()
	w := &discardWriter{header: http.Header{}, status: http.StatusOK}
	return &prepared{b, w, caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, &caddyhttp.Server{})}
}

// serve sends the request through the handlers.
func (p *prepared) serve(t testing.TB, handlers ...caddyhttp.MiddlewareHandler) {
	next := caddyhttp.Handler(caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	}))
	for _, handler := range slices.Backward(handlers) {
		inner := next
		next = caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error { return handler.ServeHTTP(w, r, inner) })
	}
	if err := next.ServeHTTP(p.writer, p.Request); err != nil || p.writer.status != p.bench.status && len(handlers) > 0 {
		t.Errorf("status %d, want %d; error %v", p.writer.status, p.bench.status, err)
	}
}

// run measures requests without their preparation.
func (b *gateBench) run(t *testing.B, before ...caddyhttp.MiddlewareHandler) {
	handlers := slices.Concat(before, []caddyhttp.MiddlewareHandler{b.gate})
	t.ReportAllocs()
	requests := make([]*prepared, 256)
	for i := range t.N {
		if i%len(requests) == 0 {
			t.StopTimer()
			for j := range requests {
				requests[j] = b.prepare(t)
			}
			t.StartTimer()
		}
		requests[i%len(requests)].serve(t, handlers...)
	}
}
