package gate

import "strings"

// maxRequestHeaders limits the list of headers that a preflight names, in bytes.
const maxRequestHeaders = 1024

// maxMethod limits the method that a preflight names, in bytes.
const maxMethod = 64

// isPreflight reports whether a request is a CORS preflight (Fetch standard, "CORS-
// preflight request"). No other OPTIONS request is exempt: frameworks answer
// OPTIONS with data for authenticated users, and some run the handler of GET.
// Browsers send preflights without a body.
func (r *Request) isPreflight() bool {
	return r.Method == "OPTIONS" && !r.HasBody &&
		isSingle(r.Header["Origin"]) && isSingle(r.Header["Access-Control-Request-Method"])
}

func isSingle(values []string) bool { return len(values) == 1 && values[0] != "" }

// Preflight answers a preflight (Fetch standard, section 4.8) from an origin that
// allow accepts. It is false for every other request: another method, an OPTIONS
// request that is not a preflight, and preflights from other origins, which a
// browser stops because the answer does not allow them.
func (r *Request) Preflight(allow func(origin string) bool) (d Decision, answered bool) {
	method := r.Header["Access-Control-Request-Method"]
	if r.Method != "OPTIONS" || len(method) != 1 {
		return Decision{}, false
	}
	origin := r.AllowedOrigin(allow)
	if origin == "" {
		return Decision{}, false
	}
	asked := r.Header["Access-Control-Request-Headers"]
	return Decision{Status: 204, Reason: ReasonPreflight, Origin: origin, asked: asked, method: method[0]}, true
}

// AllowedOrigin returns the origin of a request if allow accepts it, otherwise "".
func (r *Request) AllowedOrigin(allow func(origin string) bool) string {
	origin := r.Header["Origin"]
	if len(origin) != 1 || allow == nil || !allow(origin[0]) {
		return ""
	}
	return origin[0]
}

// answerPreflight writes the header of the answer to a preflight, whose status is
// 204.
func answerPreflight(header Header, origin string, asked []string, method string) {
	header.Add("Vary", "Origin")
	header.Add("Vary", "Access-Control-Request-Method")
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Methods", allowedMethods(method))
	header.Set("Access-Control-Allow-Headers", allowedHeaders(asked))
	header.Set("Access-Control-Max-Age", "600")
}

// allowedHeaders returns the headers that a page asked to send. Pages of an
// accepted origin may send any header; the application decides which ones matter.
func allowedHeaders(asked []string) string {
	list := func(c rune) bool { return isTokenRune(c) || c == ',' || c == ' ' }
	if len(asked) == 0 || asked[0] == "" || len(asked[0]) > maxRequestHeaders || strings.TrimFunc(asked[0], list) != "" {
		return "Authorization, Content-Type"
	}
	return asked[0]
}

// allowedMethods returns the methods that a page may use: the common ones, and the one
// that it asks for.
func allowedMethods(asked string) string {
	const common = "GET, HEAD, POST, PUT, PATCH, DELETE"
	isCommon := strings.Contains(", "+common+", ", ", "+asked+", ") //nolint:gocritic // both are lists
	if isCommon || asked == "" || len(asked) > maxMethod || strings.TrimFunc(asked, isTokenRune) != "" {
		return common
	}
	return common + ", " + asked
}

// isTokenRune reports whether a character may be in a token, such as a method or the
// name of a field (RFC 9110, section 5.6.2).
func isTokenRune(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}
