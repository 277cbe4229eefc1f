//go:build wasip1

package provider

import (
	"errors"
	"net/http"
)

// SafeTransport returns a transport that fails: wasip1 has no sockets. The
// owner of a guest injects one that asks its host.
func SafeTransport(_ bool) http.RoundTripper { return noTransport{} }

type noTransport struct{}

// RoundTrip implements http.RoundTripper.
func (noTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("provider: wasip1 has no network; inject a transport")
}
