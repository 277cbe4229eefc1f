package gatecase

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// The table is large, and each of its tokens is used.
func TestTable(t *testing.T) {
	cases := Load(t)
	if len(cases) < 120 {
		t.Errorf("the table has %d cases, want 120 at least", len(cases))
	}
	used := strings.Builder{}
	for _, c := range cases {
		used.Write(c.ConfigJSON(t))
		used.Write(c.Request.bytes())
	}
	for name, token := range MakeTokens(t) {
		if !strings.Contains(used.String(), token) {
			t.Errorf("the token %s is in no case", name)
		}
	}
}

// The gate as Go code in a server of net/http.
func TestNative(t *testing.T) {
	upstream := NewServer(t)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatalf("url.Parse(%s) = %v", upstream.URL, err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ModifyResponse: complete}
	for _, c := range Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			server := httptest.NewServer(newNative(t, c, proxy))
			defer server.Close()
			upstream.Check(t, server.Listener.Addr().String(), c)
		})
	}
}

// native is a server with the gate.
type native struct {
	edge *edge.Edge // nil without a valid configuration
	now  time.Time
	next http.Handler
}

func newNative(t *testing.T, c *Case, next http.Handler) *native {
	t.Helper()
	n := &native{now: c.Time, next: next}
	if cfg, err := config.Parse(c.ConfigJSON(t)); err == nil {
		n.edge = edge.New(cfg, nil, func(message string) { t.Log(message) })
	}
	return n
}

func (n *native) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := gate.Header(r.Header)
	decision := gate.Unavailable(nil)
	if n.edge != nil {
		n.edge.Clean(header)
		decision = n.edge.Decide(gate.Request{
			Method: r.Method, Header: header, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
			HasBody: r.ContentLength != 0, Now: n.now,
		})
	}
	if decision.Status != 0 {
		decision.Answer(gate.Header(w.Header()))
		w.WriteHeader(decision.Status)
		_, _ = w.Write([]byte(decision.Body))
		return
	}
	n.edge.Forward(&decision, header)
	r = r.WithContext(context.WithValue(r.Context(), decisionKey{}, &decision))
	n.next.ServeHTTP(w, r)
}

// decisionKey is the context key of the decision about a request.
type decisionKey struct{}

// complete is the ModifyResponse of the proxy.
func complete(r *http.Response) error {
	decision, _ := r.Request.Context().Value(decisionKey{}).(*gate.Decision)
	decision.Complete(gate.Header(r.Header))
	return nil
}
