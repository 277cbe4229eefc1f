//go:build unix

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
	"github.com/edgeauth/edgeauth/wasm/config"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// plain is a guest that lets every request proceed, to measure the cost of the host.
//
//	(module (memory (export "memory") 1)
//	  (func (export "handle_request") (result i64) (i64.const 1))
//	  (func (export "handle_response") (param i32 i32)))
var plain = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x0a\x02\x60\x00\x01\x7e\x60\x02\x7f\x7f\x00" + // types
	"\x03\x03\x02\x00\x01" + // functions
	"\x05\x03\x01\x00\x01" + // memory
	"\x07\x2d\x03\x06memory\x02\x00\x0ehandle_request\x00\x00\x0fhandle_response\x00\x01" +
	"\x0a\x09\x02\x04\x00\x42\x01\x0b\x02\x00\x0b") // code

// BenchmarkProxy measures a proxied request under several gates, with the upstream and
// the client in the same process. "cpu-µs/op" is the processor time of all three.
func BenchmarkProxy(b *testing.B) {
	now := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	token := gatecase.MakeTokens(b)["good"]
	common := gatecase.Load(b)[0]
	settings := func(size int) []byte {
		c := *common
		c.Config = map[string]any{
			"issuer": gatecase.Issuer, "audience": gatecase.Audience, "keys": common.Config["keys"], "cache_size": size,
		}
		return c.ConfigJSON(b)
	}
	h := host{module: at(&now)}
	cfg, err := config.Parse(settings(1024))
	if err != nil {
		b.Fatalf("config.Parse = %v", err)
	}
	for _, test := range []struct {
		name string
		gate func(b *testing.B, next http.Handler) http.Handler
	}{
		{"no gate", func(_ *testing.B, next http.Handler) http.Handler { return next }},
		{"native", func(_ *testing.B, next http.Handler) http.Handler {
			e := edge.New(cfg, nil, func(string) {})
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header := gate.Header(r.Header)
				new(gate.Site).Clean(header)
				d := e.Decide(gate.Request{Method: r.Method, Header: header, Path: r.URL.Path, Now: now})
				e.Forward(&d, header)
				next.ServeHTTP(w, r)
			})
		}},
		{"plain guest", func(b *testing.B, next http.Handler) http.Handler { b.Helper(); return h.start(b, plain, nil, next) }},
		{"guest with cache", func(b *testing.B, next http.Handler) http.Handler {
			b.Helper()
			return h.start(b, module, settings(1024), next)
		}},
		{"guest, token never seen", func(b *testing.B, next http.Handler) http.Handler {
			b.Helper()
			return h.start(b, module, settings(0), next)
		}},
	} {
		b.Run(test.name, func(b *testing.B) { benchmark(b, test.gate, token) })
	}
}

// BenchmarkInstance measures making another instance of the module.
func BenchmarkInstance(b *testing.B) {
	now := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	config := gatecase.Load(b)[0].ConfigJSON(b)
	h := host{module: at(&now)}
	for b.Loop() {
		h.start(b, module, config, http.NotFoundHandler())
	}
}

func benchmark(b *testing.B, gated func(*testing.B, http.Handler) http.Handler, token string) {
	b.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "upstream") }))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatalf("url.Parse = %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}
	server := httptest.NewServer(gated(b, proxy))
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	send := func() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/v1/things", nil)
		if err != nil {
			b.Errorf("http.NewRequestWithContext = %v", err)
			return
		}
		r.Header.Set("Authorization", "Token "+token)
		w, err := client.Do(r)
		if err != nil {
			b.Errorf("client.Do = %v", err)
			return
		}
		defer func() { _ = w.Body.Close() }()
		if body, err := io.ReadAll(w.Body); err != nil || string(body) != "upstream" {
			b.Errorf("the answer is %d %s, %v, want that of the upstream", w.StatusCode, body, err)
		}
	}
	for range 32 { // makes instances and warms up the code
		send()
	}
	before := processorTime(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			send()
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// processorTime returns the processor time of this process.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(fmt.Errorf("getrusage: %w", err))
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
