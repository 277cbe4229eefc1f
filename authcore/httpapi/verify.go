package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// verify answers the question of another proxy who sends a request (forward_auth in
// Caddy, auth_request in nginx, ForwardAuth in Traefik, ext_authz in Envoy). Every
// identity header is set, an absent value to "", so that a proxy that copies them
// replaces headers of these names from the client (CWE-290). The body is empty:
// proxies leave a body unread, which costs them the connection.
//
// The method of the proxied request is not read from X-Forwarded-Method and the
// like: some proxies pass them through from the client, which could turn any
// request into a preflight with them. With a login page it is, see proxiedMethod.
func (h *Handler) verify(_ *request, claims *gate.Claims) (answer, error) {
	header := http.Header{"Content-Length": {"0"}}
	for _, name := range gate.Headers {
		header.Set(name, gate.HeaderValue(claims, name))
	}
	return answer{status: http.StatusOK, header: header}, nil
}

// keySet publishes the public keys, for verifiers without access to the store.
func (h *Handler) keySet(*request) (answer, error) {
	keys, maxAge := h.realm.Keys.JWKS()
	return answer{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {public(maxAge)}},
		body:   keys,
	}, nil
}

func public(maxAge time.Duration) string {
	return fmt.Sprintf("public, max-age=%d", int64(maxAge.Seconds()))
}

// matches evaluates If-None-Match (RFC 9110, section 13.1.2): "*" or a list of
// entity tags, which are compared weakly. Ours have no comma inside.
func matches(conditions []string, tag string) bool {
	for _, condition := range conditions {
		for listed := range strings.SplitSeq(condition, ",") {
			if listed = strings.TrimSpace(listed); listed == "*" || strings.TrimPrefix(listed, "W/") == tag {
				return true
			}
		}
	}
	return false
}
