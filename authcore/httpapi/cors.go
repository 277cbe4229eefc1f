package httpapi

import (
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// AllowOrigin lets pages of the request's origin read an answer if allow accepts the
// origin, and reports whether it did. Vary is set in both cases, for caches (RFC
// 9110, section 12.5.5). Headers that are present already are kept.
func AllowOrigin(header http.Header, r *http.Request, allow func(origin string) bool) bool {
	request := gate.Request{Header: gate.Header(r.Header)}
	decision := gate.Decision{Origin: request.AllowedOrigin(allow)}
	decision.AllowOrigin(gate.Header(header))
	if !varies(header, "Origin") {
		header.Add("Vary", "Origin")
	}
	return decision.Origin != ""
}

// varies reports whether Vary contains a field name.
func varies(header http.Header, name string) bool {
	for _, value := range header.Values("Vary") {
		for listed := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(listed), name) {
				return true
			}
		}
	}
	return false
}

// Preflight answers a CORS preflight from an origin that allow accepts, and reports
// whether it did; see gate.Request.Preflight. It leaves the answer to every other
// request untouched.
func Preflight(w http.ResponseWriter, r *http.Request, allow func(origin string) bool) bool {
	request := gate.Request{Method: r.Method, Header: gate.Header(r.Header)}
	decision, answered := request.Preflight(allow)
	if answered {
		decision.Answer(gate.Header(w.Header()))
		w.WriteHeader(decision.Status)
	}
	return answered
}
