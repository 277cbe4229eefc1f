package authcore

import "net/netip"

// Caller describes where a request comes from.
type Caller struct {
	// IP is the client's address behind trusted proxies; it may be invalid.
	IP        netip.Addr
	UserAgent string
	// Languages is the Accept-Language header, or "".
	Languages string
	// Devices are the tokens of remembered devices, of which one may be that of the user.
	// They are secrets.
	Devices []string
	// Browser reports that a page sent the request: browsers add an Origin to every
	// POST of a page (Fetch standard, section 3.2).
	Browser bool
}
