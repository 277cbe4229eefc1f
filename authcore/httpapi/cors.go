package httpapi

import (
	"net/http"
	"slices"
	"strings"
)

// Names of the headers of CORS (Fetch, section 3.3).
const (
	headerAllowOrigin   = "Access-Control-Allow-Origin"
	headerAllowMethods  = "Access-Control-Allow-Methods"
	headerAllowHeaders  = "Access-Control-Allow-Headers"
	headerExposeHeaders = "Access-Control-Expose-Headers"
	headerMaxAge        = "Access-Control-Max-Age"
	headerRequestMethod = "Access-Control-Request-Method"

	headerRequestHeaders = "Access-Control-Request-Headers"
)

// maxRequestHeaders bounds the list of headers that a preflight names, in bytes.
const maxRequestHeaders = 1024

// AllowOrigin lets pages of the request's origin read an answer when allow says
// so, and reports whether it did. The origin is named, never "*", and credentials
// are never allowed: tokens travel in a header that pages set themselves, and
// cookies are not looked at. Vary is set either way, for the sake of caches
// (RFC 9110, section 12.5.5).
func AllowOrigin(header http.Header, r *http.Request, allow func(origin string) bool) bool {
	if !slices.Contains(header.Values("Vary"), "Origin") {
		header.Add("Vary", "Origin")
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !allow(origins[0]) {
		return false
	}
	header.Set(headerAllowOrigin, origins[0])
	header.Set(headerExposeHeaders, "Retry-After, WWW-Authenticate")
	return true
}

// Preflight answers a CORS preflight (Fetch, section 4.8) from an origin that
// allow knows, and reports whether it did. Everything else is left untouched to
// the caller: another method, an OPTIONS that is no preflight, and preflights of
// strangers, whom a browser stops when nothing in the answer invites them.
func Preflight(w http.ResponseWriter, r *http.Request, allow func(origin string) bool) bool {
	if r.Method != http.MethodOptions || len(r.Header.Values(headerRequestMethod)) != 1 {
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !allow(origins[0]) {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	header.Add("Vary", headerRequestMethod)
	header.Add("Vary", headerRequestHeaders)
	header.Set(headerAllowOrigin, origins[0])
	header.Set(headerAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE")
	header.Set(headerAllowHeaders, allowedHeaders(r))
	header.Set(headerMaxAge, "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowedHeaders returns what a page asked to send. Pages of a known origin may
// send any header: which ones matter is for the application to say.
func allowedHeaders(r *http.Request) string {
	asked := r.Header.Get(headerRequestHeaders)
	list := func(c rune) bool { // field names, commas and blanks (RFC 9110, section 5.6)
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~, ", c)
	}
	if asked == "" || len(asked) > maxRequestHeaders || strings.TrimFunc(asked, list) != "" {
		return "Authorization, Content-Type"
	}
	return asked
}
