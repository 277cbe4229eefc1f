package adminui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var embedded embed.FS

// policy is the Content-Security-Policy of the page. Its style sheet and scripts are
// files of the same origin.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is a static file with its entity tag.
type file struct {
	content    []byte
	media, tag string
}

// Handler serves the page below a prefix, and the admin API below `api/` there. It is
// safe for concurrent use.
type Handler struct {
	prefix string
	api    http.Handler
	files  map[string]file
}

// New returns a Handler for paths below prefix, for example "/admin". The handler api
// receives the requests of the page with the paths of the admin API, such as
// "/users/search".
func New(prefix string, api http.Handler) (*Handler, error) {
	h := &Handler{prefix: strings.TrimSuffix(prefix, "/"), files: make(map[string]file)}
	h.api = http.StripPrefix(h.prefix+"/api", api)
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(embedded, path.Join("assets", entry.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		h.files[entry.Name()] = file{content, mediaType(entry.Name()), `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return h, nil
}

// mediaType returns the type of a file by its extension. The types of scripts and style
// sheets do not depend on the tables of the system, which may be wrong or missing.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// Serves reports whether a path belongs to the page.
func (h *Handler) Serves(urlPath string) bool {
	rest, below := strings.CutPrefix(urlPath, h.prefix)
	return below && (rest == "" || rest[0] == '/')
}

// ServeHTTP answers a request whose path Serves reports.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, h.prefix)
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(name, "/api/") {
		h.serveAPI(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this path has GET and HEAD only", http.StatusMethodNotAllowed)
		return
	}
	if name == "" { // the files are relative to the directory
		http.Redirect(w, r, h.prefix+"/", http.StatusPermanentRedirect)
		return
	}
	if name == "/" {
		name = "/index.html"
	}
	found, ok := h.files[name[1:]]
	if !ok {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	header.Set("Content-Type", found.media)
	header.Set("Cache-Control", "private, no-cache") // valid until the next version; the tag saves the transfer
	header.Set("ETag", found.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(found.content))
}

// serveAPI forwards a request to the admin API. Requests that a browser sends for pages
// of other origins are refused, also where nothing in front of the page does that
// (Fetch Metadata; CWE-352).
func (h *Handler) serveAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":"cross_site","error":"the admin API answers only its own page"}` + "\n"))
		return
	}
	h.api.ServeHTTP(w, r)
}
