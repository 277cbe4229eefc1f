package gate

import "strings"

// maxRequestHeaders bounds the list of headers that a preflight names, in bytes.
const maxRequestHeaders = 1024

// isPreflight recognises a CORS preflight (Fetch standard, "CORS-preflight
// request"). No other OPTIONS request is exempt: frameworks answer OPTIONS with
// what only the signed-in may know, some run the handler of GET.
func (r *Request) isPreflight() bool {
	return r.Method == "OPTIONS" && isSingle(r.Origin) && isSingle(r.AccessControlRequestMethod)
}

func isSingle(values []string) bool { return len(values) == 1 && values[0] != "" }

// Preflight decides about a preflight (Fetch, section 4.8) from an origin that
// allow knows: it is answered. Everything else is left alone: another method, an
// OPTIONS that is no preflight, and preflights of strangers, whom a browser stops
// when nothing in the answer invites them.
func (r *Request) Preflight(allow func(origin string) bool) (d Decision, answered bool) {
	if r.Method != "OPTIONS" || len(r.AccessControlRequestMethod) != 1 {
		return Decision{}, false
	}
	origin, allowed := r.AllowedOrigin(allow)
	if !allowed {
		return Decision{}, false
	}
	return Decision{Status: 204, Reason: ReasonPreflight, origin: origin, asked: r.AccessControlRequestHeaders}, true
}

// AllowedOrigin returns the origin of a request if allow knows it.
func (r *Request) AllowedOrigin(allow func(origin string) bool) (origin string, ok bool) {
	if allow == nil || len(r.Origin) != 1 || !allow(r.Origin[0]) {
		return "", false
	}
	return r.Origin[0], true
}

// preflightHeader writes the answer to a preflight, whose status is 204.
func preflightHeader(header ResponseHeader, origin string, asked []string) {
	header.Add("Vary", "Origin")
	header.Add("Vary", "Access-Control-Request-Method")
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	header.Set("Access-Control-Allow-Headers", allowedHeaders(asked))
	header.Set("Access-Control-Max-Age", "600")
}

// AllowOrigin lets pages of an origin read an answer. The origin is named, never
// "*", and credentials are never allowed: tokens travel in a header that pages
// set themselves, and cookies are not looked at. The caller sees to Vary.
func AllowOrigin(header ResponseHeader, origin string) {
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
}

// allowedHeaders returns what a page asked to send. Pages of a known origin may
// send any header: which ones matter is for the application to say.
func allowedHeaders(asked []string) string {
	list := func(c rune) bool { // field names, commas and blanks (RFC 9110, section 5.6)
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~, ", c)
	}
	if len(asked) == 0 || asked[0] == "" || len(asked[0]) > maxRequestHeaders || strings.TrimFunc(asked[0], list) != "" {
		return "Authorization, Content-Type"
	}
	return asked[0]
}
