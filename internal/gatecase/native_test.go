package gatecase

import (
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

// The table is what it says it is.
func TestTable(t *testing.T) {
	cases := Load(t)
	if len(cases) < 120 {
		t.Errorf("only %d cases", len(cases))
	}
	used := strings.Builder{}
	for _, c := range cases {
		used.Write(c.ConfigJSON(t))
		used.Write(c.Request.bytes())
	}
	for name, token := range MakeTokens(t) {
		if !strings.Contains(used.String(), token) {
			t.Errorf("no case has the token %s", name)
		}
	}
}

// The gate as Go code, behind a few lines of net/http.
func TestNative(t *testing.T) {
	upstream := NewServer(t)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
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
	edge *edge.Edge // nil without a good configuration
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
	for name := range r.Header {
		if gate.IsIdentityHeader(name) {
			delete(r.Header, name)
		}
	}
	if gate.IsTunnel(r.Header["Upgrade"]) {
		r.Header.Del("Upgrade")
	}
	if kept, changed := gate.KeptConnection(r.Header["Connection"]); changed {
		r.Header.Set("Connection", kept)
	}
	request := gate.Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Now: n.now, HasBody: r.ContentLength != 0,
		Authorization: r.Header["Authorization"], Origin: r.Header["Origin"],
		AccessControlRequestMethod:  r.Header["Access-Control-Request-Method"],
		AccessControlRequestHeaders: r.Header["Access-Control-Request-Headers"],
	}
	decision := gate.Unavailable(nil)
	if n.edge != nil {
		decision = n.edge.Decide(request)
		if origin, ok := n.edge.AllowedOrigin(&request); ok && decision.Status != http.StatusNoContent {
			w.Header().Set("Vary", "Origin")
			gate.AllowOrigin(w.Header(), origin)
		}
	}
	if decision.Status != 0 {
		decision.Header(w.Header())
		w.WriteHeader(decision.Status)
		_, _ = w.Write([]byte(decision.Body))
		return
	}
	n.edge.Forward(&decision, r.Header)
	n.next.ServeHTTP(w, r)
}
