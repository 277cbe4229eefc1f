package authcore

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// ParseOrigin returns an origin in the form in which browsers send it (RFC 6454,
// section 6.2; WHATWG HTML, "serialization of an origin"): scheme, host and a port
// that is not the default, in lower case, with an internationalized host in
// punycode. Any scheme is valid: applications in a web view use their own, such as
// capacitor://localhost. The error contains the form to write.
func ParseOrigin(text string) (string, error) {
	switch {
	case text == "null":
		return "", errors.New("is the origin of every sandboxed page; list real origins")
	case strings.Contains(text, "*"):
		return "", errors.New("contains a wildcard; list each origin, for example https://app.example.com")
	case strings.ContainsAny(text, ",;"):
		return "", errors.New("contains a separator; write several origins with blanks between them")
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !isScheme(scheme) {
		return "", errors.New("is not an origin such as https://frontend.app")
	}
	scheme = strings.ToLower(scheme)
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		canonical, err := ParseOrigin(text[:len(text)-len(rest)+i])
		if err != nil {
			return "", err
		}
		return "", fmt.Errorf("must be written %s: without path, query or slash at the end", canonical)
	}
	if strings.ContainsAny(rest, "@ \t\r\n%") || rest == "" {
		return "", errors.New("is not an origin such as https://frontend.app")
	}
	if scheme != "http" && scheme != "https" {
		return customOrigin(scheme, rest)
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return "", err
	}
	if host, err = canonicalHost(host); err != nil {
		return "", err
	}
	if port == "443" && scheme == "https" || port == "80" && scheme == "http" {
		return "", fmt.Errorf("must be written %s://%s: without the port, as browsers do", scheme, host)
	}
	if port != "" {
		host += ":" + port
	}
	canonical := scheme + "://" + host
	if strings.ToLower(text) != text {
		return "", fmt.Errorf("must be written %s: in lower case", canonical)
	}
	return canonical, nil
}

// customOrigin checks an origin with a scheme of an application. Its host follows
// rules of the application; browsers send it as it is.
func customOrigin(scheme, host string) (string, error) {
	canonical := scheme + "://" + host
	if parsed, err := url.Parse(canonical); err != nil || parsed.Host != host {
		return "", errors.New("is not an origin such as capacitor://localhost")
	}
	switch scheme {
	case "file", "data", "javascript", "about", "blob", "ftp":
		return "", fmt.Errorf("has the scheme %s, for which browsers send null", scheme)
	case "ws", "wss":
		return "", fmt.Errorf("must be written http%s://%s: browsers send the origin of the page that opens a WebSocket", scheme[2:], host)
	}
	return canonical, nil
}

func isScheme(text string) bool {
	for i, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return text != ""
}

// splitPort separates the port, which is "" if it is absent.
func splitPort(authority string) (host, port string, err error) {
	host = authority
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return "", "", fmt.Errorf("has %q for a port", port)
		}
		if plain := strconv.FormatUint(number, 10); plain != port {
			return "", "", fmt.Errorf("has the port %s, which browsers write %s", port, plain)
		}
	}
	return host, port, nil
}

// canonicalHost returns the host of an http origin as browsers write it: IPv6
// addresses in the shortest form (RFC 5952), names in punycode.
func canonicalHost(host string) (string, error) {
	if strings.HasPrefix(host, "[") {
		address, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		if err != nil || !address.Is6() || address.Zone() != "" || !strings.HasSuffix(host, "]") {
			return "", errors.New("has a host that is not an IPv6 address such as [::1]")
		}
		canonical := "[" + browserIPv6(address) + "]"
		if canonical != host {
			return "", fmt.Errorf("has the host %s, which browsers write %s", host, canonical)
		}
		return canonical, nil
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(strings.ToLower(host))
	if err != nil || !isHost(ascii) {
		return "", fmt.Errorf("has the host %q, which is not valid; write an IPv6 address in brackets", host)
	}
	labels := strings.Split(strings.TrimSuffix(ascii, "."), ".")
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		if address, err := netip.ParseAddr(ascii); err != nil || address.String() != ascii {
			return "", fmt.Errorf("has the host %s, which is not an IPv4 address such as 127.0.0.1", host)
		}
	}
	return ascii, nil
}

// isHost reports whether a text consists of labels of letters, digits, hyphens and
// underscores. Browsers refuse most other characters.
func isHost(ascii string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(ascii, "."), ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// browserIPv6 writes an embedded IPv4 address in hexadecimal (WHATWG URL, "IPv6
// serializer"), unlike RFC 5952.
func browserIPv6(address netip.Addr) string {
	if !address.Is4In6() {
		return address.String()
	}
	bytes := address.As16()
	return fmt.Sprintf("::ffff:%x:%x", uint16(bytes[12])<<8|uint16(bytes[13]), uint16(bytes[14])<<8|uint16(bytes[15]))
}
