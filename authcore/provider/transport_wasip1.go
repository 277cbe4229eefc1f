//go:build wasip1

package provider

import (
	"errors"
	"net/http"
)

// SafeTransport returns a transport that always fails: wasip1 has no sockets. A
// guest must inject a transport that uses its host.
func SafeTransport(_ bool) http.RoundTripper { return noTransport{} }

type noTransport struct{}

// RoundTrip implements [http.RoundTripper].
func (noTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("provider: wasip1 has no network; inject a transport")
}
