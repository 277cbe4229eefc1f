//go:build !js && !wasip1

package provider

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// SafeTransport returns a transport that connects to no private, loopback or
// link-local address, unless allowed. That is decided on the address about to
// be dialled, after the name was resolved: a name that resolves to something
// public when it is checked and to something private when it is used (CWE-918,
// CWE-367) gains nothing.
//
// A proxy from the environment would take that decision away, and is therefore
// used only where private addresses are allowed. Idle connections end by
// themselves within half a minute.
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
