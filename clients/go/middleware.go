package edgeauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

type userKey struct{}

// User returns the claims of a request that Require has passed on, or nil.
func User(ctx context.Context) *Claims {
	c, _ := ctx.Value(userKey{}).(*Claims)
	return c
}

// Require passes on requests with a valid token or assertion, and answers others with 401,
// or 503 while the revocations are too old.
func (e *Edge) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Auth-Assertion")
		if scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " "); !e.o.Assertion {
			token = ""
			if strings.EqualFold(scheme, "Token") {
				token = strings.TrimSpace(rest)
			}
		}
		c, err := e.Verify(token)
		if err == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, c)))
			return
		}
		status, detail := http.StatusUnauthorized, "Invalid token."
		w.Header().Set("Content-Type", "application/json")
		switch {
		case errors.Is(err, ErrStale):
			w.Header().Set("Retry-After", "5")
			status, detail = http.StatusServiceUnavailable, "The revocations are too old."
		case token == "":
			detail = "Authentication credentials were not provided."
			fallthrough
		default:
			w.Header().Set("WWW-Authenticate", "Token")
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"detail": detail}) // the client has gone
	})
}
