package provider

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// errPrivateAddress is returned when a connection to a private address is refused.
var errPrivateAddress = errors.New("the address is private; use a public one or set insecure_allow_private_addresses")

// checkURL refuses URLs that must not be requested (CWE-918). Host names are
// checked when they are dialed; see [SafeTransport].
func checkURL(text string, allowPrivate bool) error {
	address, err := url.Parse(text)
	switch {
	case err != nil || address.Hostname() == "":
		return errors.New("the URL is not absolute; use a URL such as https://login.example.com")
	case address.User != nil:
		return errors.New("the URL contains a user name or password; remove it")
	case strings.Contains(text, "#"):
		return errors.New("the URL contains a fragment; remove it")
	case address.Scheme != "https" && address.Scheme != "http":
		return errors.New("the scheme is not https; use https://")
	case allowPrivate:
		return nil
	case isPrivateHost(address.Hostname()):
		return errPrivateAddress
	case address.Scheme != "https":
		return errors.New("the scheme is not https; use https:// or set insecure_allow_private_addresses")
	}
	return nil
}

// isPrivateHost reports whether a host is a literal private address or a name of
// the loopback interface.
func isPrivateHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && !isPublic(ip)
}

// special returns the reserved ranges within the global unicast space, from the
// registries of RFC 6890 for both families.
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001::/23"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("3fff::/20"),
	}
}

// isPublic reports whether an address belongs to the public internet. IPv6
// allocates global addresses from one block only. An address that embeds an IPv4
// address is judged by the latter (RFC 6052), because NAT64 translates it.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(ip) {
		bytes := ip.As16()
		ip = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !ip.IsValid() || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false
	}
	for _, prefix := range special() {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}

// origin returns the scheme and host of a URL in lower case.
func origin(text string) string {
	address, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(address.Scheme + "://" + address.Host)
}
