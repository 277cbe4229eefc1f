package adminui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// maxWeight is the most that all files of the page weigh, in bytes.
const maxWeight = 60_000

// newHandler returns a handler whose API answers with the method and path it got.
func newHandler(t *testing.T) *Handler {
	t.Helper()
	h, err := New("/admin", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path)
	}))
	if err != nil {
		t.Fatalf("New() = %v, want no error", err)
	}
	return h
}

func ask(h http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServeHTTP(t *testing.T) {
	h := newHandler(t)
	for _, tt := range []struct {
		method, path string
		status       int
		media, body  string
	}{
		{"GET", "/admin/", 200, "text/html; charset=utf-8", `<main id="main"`},
		{"GET", "/admin/index.html", 200, "text/html; charset=utf-8", `<main id="main"`},
		{"GET", "/admin/app.js", 200, "text/javascript; charset=utf-8", "hashchange"},
		{"HEAD", "/admin/style.css", 200, "text/css; charset=utf-8", ""},
		{"GET", "/admin", 308, "", ""},
		{"POST", "/admin/", 405, "", "GET and HEAD"},
		{"GET", "/admin/assets", 404, "", "no such page"},
		{"GET", "/admin/../doc.go", 404, "", "no such page"},
		{"POST", "/admin/api/users/search", 200, "", "POST /users/search"},
		{"DELETE", "/admin/api/users/a%2Fb", 200, "", "DELETE /users/a/b"},
	} {
		w := ask(h, tt.method, tt.path, nil)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s %s = %d %q, want %d with %q", tt.method, tt.path, w.Code, w.Body, tt.status, tt.body)
		}
		if media := w.Header().Get("Content-Type"); tt.media != "" && media != tt.media {
			t.Errorf("%s %s: Content-Type = %q, want %q", tt.method, tt.path, media, tt.media)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s %s: Content-Security-Policy = %q, want %q", tt.method, tt.path, got, policy)
		}
	}
}

func TestServes(t *testing.T) {
	h := newHandler(t)
	for path, want := range map[string]bool{"/admin": true, "/admin/": true, "/admin/api/x": true, "/administrator": false, "/": false, "": false} {
		if got := h.Serves(path); got != want {
			t.Errorf("Serves(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	h := newHandler(t)
	tag := ask(h, "GET", "/admin/app.js", nil).Header().Get("ETag")
	if w := ask(h, "GET", "/admin/app.js", http.Header{"If-None-Match": {tag}}); tag == "" || w.Code != http.StatusNotModified {
		t.Errorf("GET app.js with If-None-Match %q = %d, want 304", tag, w.Code)
	}
}

// A page of another origin, also one of the same site, must not be able to use the API
// with the operator's cookie (CWE-352).
func TestAPIRefusesOtherOrigins(t *testing.T) {
	h := newHandler(t)
	for site, want := range map[string]int{"same-origin": 200, "": 200, "same-site": 403, "cross-site": 403, "none": 403} {
		header := http.Header{}
		if site != "" {
			header.Set("Sec-Fetch-Site", site)
		}
		if w := ask(h, "POST", "/admin/api/users/search", header); w.Code != want {
			t.Errorf("POST with Sec-Fetch-Site %q = %d, want %d", site, w.Code, want)
		}
	}
}

func TestWeight(t *testing.T) {
	total := 0
	for _, f := range newHandler(t).files {
		total += len(f.content)
	}
	if total > maxWeight {
		t.Errorf("the files weigh %d bytes, want at most %d", total, maxWeight)
	}
}

// Names, user agents and details come from users. The scripts must have no way to make
// markup or code of them (CWE-79).
func TestScriptsMakeNoMarkupOfText(t *testing.T) {
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|eval\(|new Function|setTimeout\(["'` + "`" + `]`)
	inline := regexp.MustCompile(`(?i)\son\w+=|<script>|style=|javascript:`)
	for name, f := range newHandler(t).files {
		if found := markup.Find(f.content); found != nil {
			t.Errorf("%s contains %q, want scripts that set text only", name, found)
		}
		if found := inline.Find(f.content); strings.HasSuffix(name, ".html") && found != nil {
			t.Errorf("%s contains %q, which the Content-Security-Policy blocks", name, found)
		}
	}
}
