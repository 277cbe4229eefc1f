package httpapi

import (
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// AllowOrigin lets pages of the request's origin read an answer when allow says
// so, and reports whether it did; see gate.AllowOrigin. Vary is set either way,
// for the sake of caches (RFC 9110, section 12.5.5).
func AllowOrigin(header http.Header, r *http.Request, allow func(origin string) bool) bool {
	if !slices.Contains(header.Values("Vary"), "Origin") {
		header.Add("Vary", "Origin")
	}
	request := gate.Request{Header: gate.Header(r.Header)}
	origin := request.AllowedOrigin(allow)
	if origin != "" {
		gate.AllowOrigin(gate.Header(header), origin)
	}
	return origin != ""
}

// Preflight answers a CORS preflight from an origin that allow knows, and
// reports whether it did; see gate.Site. Everything else is left untouched to
// the caller.
func Preflight(w http.ResponseWriter, r *http.Request, allow func(origin string) bool) bool {
	request := gate.Request{Method: r.Method, Header: gate.Header(r.Header)}
	decision, answered := request.Preflight(allow)
	if answered {
		decision.Answer(gate.Header(w.Header()))
		w.WriteHeader(decision.Status)
	}
	return answered
}
