package gate

import "strings"

// IsTunnel reports whether the values of a request's Upgrade header ask for a
// protocol in which further HTTP requests travel: "h2c", "HTTP/…" and "TLS/…" (RFC
// 9110, section 7.8; RFC 2817). A proxy that passes such an upgrade on sees none
// of those requests, so nobody checks their tokens, paths and identity headers
// (CWE-444). Nothing is lost with it: the upgrade to HTTP/2 is abolished (RFC
// 9113, section 3.1). A WebSocket is none, and so are the protocols of
// application servers.
func IsTunnel(values []string) bool {
	for _, value := range values {
		for protocol := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(strings.Trim(protocol, " \t\r\n"), "/")
			if equalFold(name, "h2c") || equalFold(name, "http") || equalFold(name, "tls") {
				return true
			}
		}
	}
	return false
}
