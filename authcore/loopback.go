package authcore

import (
	"net/netip"
	"strings"
)

// IsLoopback reports whether a host name or an IP address without brackets means this
// machine: localhost, a name below it (RFC 6761), or a loopback address.
func IsLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.Unmap().IsLoopback()
}
