//go:build !js && !wasip1

package provider

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// SafeTransport returns a transport that refuses connections to private, loopback
// and link-local addresses, unless allowed. It checks the address when it is
// dialed, after name resolution, so that a name which changes its address between
// check and use passes no private address (CWE-918, CWE-367).
//
// A proxy from the environment would bypass this check and is used only if private
// addresses are allowed. Idle connections close within half a minute.
func SafeTransport(allowPrivate bool) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConns:           10,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if allowPrivate {
		transport.Proxy = http.ProxyFromEnvironment
		return transport
	}
	dialer.Control = func(_, address string, _ syscall.RawConn) error {
		endpoint, err := netip.ParseAddrPort(address)
		if err != nil || !isPublic(endpoint.Addr()) {
			return errPrivateAddress
		}
		return nil
	}
	return transport
}
