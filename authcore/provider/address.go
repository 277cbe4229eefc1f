package provider

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// errPrivateAddress says that a connection to a private address was refused.
var errPrivateAddress = errors.New("is a private address; insecure_allow_private_addresses allows it")

// checkURL refuses an address that must not be asked (CWE-918). What a host
// name resolves to is decided when it is dialled; see SafeTransport.
func checkURL(text string, allowPrivate bool) error {
	address, err := url.Parse(text)
	switch {
	case err != nil || address.Hostname() == "":
		return errors.New("is not an absolute URL such as https://login.example.com")
	case address.User != nil:
		return errors.New("must not contain a user name or password")
	case strings.Contains(text, "#"):
		return errors.New("must not contain a fragment")
	case address.Scheme != "https" && address.Scheme != "http":
		return errors.New("must begin with https://")
	case allowPrivate:
		return nil
	case isPrivateHost(address.Hostname()):
		return errPrivateAddress
	case address.Scheme != "https":
		return errors.New("must begin with https://; insecure_allow_private_addresses allows http:// too")
	}
	return nil
}

// isPrivateHost reports whether a host is written as a private address.
func isPrivateHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && !isPublic(ip)
}

// special lists what is inside the ranges of global addresses without being
// one: the registries of RFC 6890 for both families.
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

// isPublic reports whether an address is one of the public internet. IPv6 has
// just one block of those; beside it an address with an IPv4 address inside
// counts as that one (RFC 6052: networks without IPv4 reach it that way).
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

// origin returns scheme and host of a URL in lower case.
func origin(text string) string {
	address, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(address.Scheme + "://" + address.Host)
}
