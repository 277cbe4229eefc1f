package authcore

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// RedirectPostMessage is the redirect URI of Google's popup flow, whose script hands
// the code to the page that opened it.
const RedirectPostMessage = "postmessage"

// RedirectURI returns the URI to use for a request that asked for one. The
// comparison is of whole strings (RFC 9700, section 2.1): whatever a parser
// might make of a look-alike, it is not on the list. Only the port of a loopback
// URI may differ.
func (c *Client) RedirectURI(asked string) (string, error) {
	if asked == "" {
		if len(c.RedirectURIs) == 1 {
			return c.RedirectURIs[0], nil
		}
		return "", FieldError(CodeInvalidRequest, "redirect_uri", "This field is required.")
	}
	if !slices.Contains(c.RedirectURIs, asked) && !slices.ContainsFunc(c.RedirectURIs, func(listed string) bool { return samePage(listed, asked) }) {
		return "", FieldError(CodeInvalidRequest, "redirect_uri", "Not allowed for this client.")
	}
	return asked, nil
}

// samePage reports whether two loopback URIs differ in the port only. A native
// application listens on a port that the system assigns (RFC 8252, section 7.3).
func samePage(listed, asked string) bool {
	before, after, ok := cutLoopbackPort(listed)
	if !ok {
		return false
	}
	askedBefore, askedAfter, ok := cutLoopbackPort(asked)
	return ok && before == askedBefore && after == askedAfter
}

// LoopbackPort returns the port of a loopback URI, or 0.
func LoopbackPort(uri string) uint16 {
	before, after, ok := cutLoopbackPort(uri)
	if !ok {
		return 0
	}
	text := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(uri, before), after), ":")
	port, _ := strconv.ParseUint(text, 10, 16) // cutLoopbackPort checked it
	return uint16(port)
}

// WithLoopbackPort returns a loopback URI with another port, or without one if it is
// 0. Other URIs are returned unchanged.
func WithLoopbackPort(uri string, port uint16) string {
	before, after, ok := cutLoopbackPort(uri)
	switch {
	case !ok:
		return uri
	case port == 0:
		return before + after
	default:
		return before + ":" + strconv.FormatUint(uint64(port), 10) + after
	}
}

// cutLoopbackPort returns what precedes and follows the port of a URI with http and
// a loopback host. localhost is included (RFC 9700, section 4.1.3).
func cutLoopbackPort(uri string) (before, after string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, found := strings.CutPrefix(uri, host)
		switch {
		case !found:
		case rest == "" || strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "?"):
			return host, rest, true
		case strings.HasPrefix(rest, ":"):
			end := len(rest)
			if i := strings.IndexAny(rest, "/?"); i >= 0 {
				end = i
			}
			port, err := strconv.ParseUint(rest[1:end], 10, 16)
			return host, rest[end:], err == nil && port > 0 && rest[1] != '0'
		}
	}
	return "", "", false
}

// ValidateRedirectURI refuses what RFC 6749 (section 3.1.2) refuses, and what
// browsers and URL parsers are known to read in different ways.
func ValidateRedirectURI(uri string) error {
	if uri == RedirectPostMessage {
		return nil
	}
	parsed, err := url.Parse(uri)
	switch {
	case err != nil || !parsed.IsAbs():
		return fmt.Errorf("is not an absolute URI")
	case strings.ContainsAny(uri, "*\\ \t\r\n"):
		return fmt.Errorf("contains a wildcard, a backslash or a blank; list each URI in full")
	case parsed.Fragment != "" || strings.Contains(uri, "#"):
		return fmt.Errorf("has a fragment")
	case parsed.User != nil:
		return fmt.Errorf("has user information")
	case (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() == "":
		return fmt.Errorf("has no host")
	case slices.Contains([]string{"javascript", "data", "vbscript", "file"}, parsed.Scheme):
		return fmt.Errorf("has a scheme that runs or reads things")
	case parsed.Scheme == "http" || parsed.Scheme == "https":
		return validateWebRedirect(uri)
	}
	return nil
}

// validateWebRedirect requires scheme and host in the form in which a page has them
// in location.href: URIs are compared as strings.
func validateWebRedirect(uri string) error {
	scheme, rest, _ := strings.Cut(uri, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	origin := scheme + "://" + rest[:end]
	canonical, err := ParseOrigin(origin)
	switch {
	case err != nil:
		return err
	case canonical != origin:
		return fmt.Errorf("must be written %s%s: browsers send the host in punycode", canonical, rest[end:])
	}
	return nil
}
