// Package frontend serves the web application of a site: a few static pages on
// another origin that use the login API as documented.
package frontend

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

var (
	//go:embed app.html
	page []byte
	//go:embed app.js
	script []byte
)

// Config configures the pages.
type Config struct {
	// API is the origin of the edge.
	API string `json:"api"`
	// Key is the client key.
	Key string `json:"key"`
	// Provider is the name of the social provider.
	Provider string `json:"provider"`
}

// Site is a running frontend.
type Site struct {
	// Origin is where the pages live. Its host is "localhost", so that pages
	// and API are on different sites, not just on different ports.
	Origin string

	config atomic.Pointer[Config]
}

// Start starts a frontend. Its pages work once it is configured.
func Start(t testing.TB) *Site {
	t.Helper()
	site := &Site{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config.js", func(w http.ResponseWriter, _ *http.Request) {
		config, err := json.Marshal(site.config.Load())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprintf(w, "const config = %s;\n", config)
	})
	mux.HandleFunc("GET /app.js", serve("text/javascript", script))
	mux.HandleFunc("GET /", serve("text/html; charset=utf-8", page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	site.Origin = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return site
}

// Configure sets the configuration of the pages.
func (s *Site) Configure(config Config) { s.config.Store(&config) }

// RedirectURI returns the redirect URI for providers.
func (s *Site) RedirectURI() string { return s.Origin + "/auth/callback" }

// LinkTemplate returns the template of mailed links.
func (s *Site) LinkTemplate() string { return s.Origin + "/auth/link/{token}" }

func serve(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(content)
	}
}
