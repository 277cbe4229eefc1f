package authcore

import "net/netip"

// Caller describes where a request comes from.
type Caller struct {
	// IP is the client's address behind trusted proxies; it may be invalid.
	IP        netip.Addr
	UserAgent string
}
