//go:build js

package provider

import "net/http"

// SafeTransport returns a transport on the host's fetch. The host resolves
// names and decides which networks its guests reach; there is nothing to dial
// and so nothing to guard here. Redirects are left
// to this package, which must see them.
func SafeTransport(_ bool) http.RoundTripper {
	return fetchTransport{&http.Transport{}}
}

type fetchTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t fetchTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Js.fetch:redirect", "manual")
	return t.next.RoundTrip(request)
}
