//go:build js

package provider

import "net/http"

// SafeTransport returns a transport that uses the host's fetch. The host resolves
// names and controls the networks that its guests reach, so there is no address to
// check here. Redirects are returned to this package, which checks them.
func SafeTransport(_ bool) http.RoundTripper {
	return fetchTransport{&http.Transport{}}
}

type fetchTransport struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t fetchTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Js.fetch:redirect", "manual")
	return t.next.RoundTrip(request)
}
