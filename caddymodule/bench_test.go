package caddymodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	corelogin "github.com/edgeauth/edgeauth/authcore/login"
	core "github.com/edgeauth/edgeauth/authcore/realm"
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
	bare := testing.AllocsPerRun(1000, func() { b.serve(t, nil) })
	gated := testing.AllocsPerRun(1000, func() { b.serve(t, b.gate) })
	if more := gated - bare; more > maxAllocations {
		t.Errorf("the gate takes %.0f allocations for a request, want %d at most", more, maxAllocations)
	}
}

// BenchmarkHandlerNone is the baseline of BenchmarkTokenAuth: Caddy's preparations for
// a request and a handler that does nothing.
func BenchmarkHandlerNone(b *testing.B) {
	bench := newGateBench(b)
	b.ReportAllocs()
	for b.Loop() {
		bench.serve(b, nil)
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
			b.ReportAllocs()
			for b.Loop() {
				bench.serve(b, bench.gate)
			}
		})
	}
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
			b.ReportAllocs()
			for b.Loop() {
				bench.serve(b, bench.gate)
			}
		})
	}
}

// BenchmarkTokenAuthParallel shows contention for locks.
func BenchmarkTokenAuthParallel(b *testing.B) {
	bench := newGateBench(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			bench.serve(b, bench.gate)
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

// serve prepares a request as Caddy does and sends it through the gate, or past
// it if gated is nil.
func (b *gateBench) serve(t testing.TB, gated *TokenAuth) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/items?page=1", http.NoBody)
	r.Header = b.header.Clone()
	w := &discardWriter{header: http.Header{}, status: http.StatusOK}
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, &caddyhttp.Server{})
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	var err error
	if gated == nil {
		err = next.ServeHTTP(w, r)
	} else {
		err = gated.ServeHTTP(w, r, next)
	}
	if err != nil || w.status != b.status && gated != nil {
		t.Errorf("status %d, want %d; error %v", w.status, b.status, err)
	}
}
