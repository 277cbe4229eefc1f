package httpapi

import (
	"fmt"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// verify tells another proxy who sends a request (forward_auth in Caddy,
// auth_request in nginx, ForwardAuth in Traefik). Every identity header is set,
// also where there is nothing to say, so that a proxy that copies them replaces
// what the client sent under these names (CWE-290).
//
// The proxied request's own method is not looked at. It arrives in a header that
// some proxies pass through from the client, who could turn any request into a
// preflight with it.
func (h *Handler) verify(_ *request, claims *gate.Claims) (answer, error) {
	header := http.Header{}
	for _, name := range gate.Headers {
		header.Set(name, gate.HeaderValue(claims, name))
	}
	return answer{status: http.StatusOK, header: header, body: []byte("{}")}, nil
}

// keySet publishes the public keys, for whoever verifies tokens offline.
func (h *Handler) keySet(*request) (answer, error) {
	keys, maxAge := h.service.JWKS()
	return answer{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {fmt.Sprintf("public, max-age=%d", int64(maxAge.Seconds()))}},
		body:   keys,
	}, nil
}
