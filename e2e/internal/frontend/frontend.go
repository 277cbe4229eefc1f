package frontend

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed elements.html
var elements []byte

// Config configures the pages.
type Config struct {
	// API is the address of the login API.
	API string
	// Key is the client key.
	Key string
}

// Site is a running frontend.
type Site struct {
	// Origin is where the pages live. Its host is "localhost", so that pages
	// and API are on different sites, not just on different ports.
	Origin string

	config atomic.Pointer[Config]
}

// Start starts a frontend. Its pages work once it is configured. Sources is the folder
// of the client.
func Start(t testing.TB, sources string) *Site {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(sources, "examples", "plain", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	script := client(t, sources, `export * from "./src/index.ts"`)
	both := client(t, sources, `export * from "./src/index.ts"; export * from "./src/elements.ts"`)
	site := &Site{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config.js", func(w http.ResponseWriter, _ *http.Request) {
		config := site.config.Load()
		address, _ := json.Marshal(config.API)
		key, _ := json.Marshal(config.Key)
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprintf(w, "export const api = %s, clientKey = %s\n", address, key)
	})
	mux.HandleFunc("GET /edgeauth.js", serve("text/javascript", script))
	mux.HandleFunc("GET /elements.js", serve("text/javascript", both))
	mux.Handle("GET /texts/", http.StripPrefix("/texts/", http.FileServer(http.Dir(filepath.Join(sources, "..", "..", "pages", "texts")))))
	mux.HandleFunc("GET /elements/", serve("text/html; charset=utf-8", elements))
	mux.HandleFunc("GET /", serve("text/html; charset=utf-8", page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	site.Origin = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return site
}

// client compiles a module with the client to one file, without Node.js.
func client(t testing.TB, sources, module string) []byte {
	t.Helper()
	folder, err := filepath.Abs(sources)
	if err != nil {
		t.Fatal(err)
	}
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: module, ResolveDir: folder},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
	})
	if len(result.Errors) > 0 {
		t.Fatalf("compile the client: %v", result.Errors)
	}
	return result.OutputFiles[0].Contents
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
