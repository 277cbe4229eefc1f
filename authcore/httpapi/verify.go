package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

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
		header: http.Header{"Cache-Control": {public(maxAge)}},
		body:   keys,
	}, nil
}

// revocations publishes what is revoked, for whoever verifies tokens offline.
func (h *Handler) revocations(r *request) (answer, error) {
	feed, err := h.service.RevocationFeed()
	if err != nil {
		return answer{}, err
	}
	a := answer{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {public(feed.MaxAge)}, "Etag": {feed.ETag}},
	}
	if matches(r.Header.Values("If-None-Match"), feed.ETag) {
		a.status = http.StatusNotModified
		return a, nil
	}
	a.header.Set("Content-Type", "application/jwt") // RFC 7519, section 10.3.1
	a.body = feed.Text
	return a, nil
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
