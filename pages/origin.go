package pages

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// CheckOrigin returns the fault of an origin: a session is safe on https, and on http of
// the loopback interface.
func CheckOrigin(origin string) error {
	canonical, err := authcore.ParseOrigin(origin)
	if err != nil {
		return fmt.Errorf("%q %w", origin, err)
	}
	if canonical != origin {
		return fmt.Errorf("%q must be written %s, as browsers do", origin, canonical)
	}
	switch parsed, err := url.Parse(origin); {
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https":
		return fmt.Errorf("%q is not an origin such as https://app.example.com", origin)
	case parsed.Scheme == "http" && !authcore.IsLoopback(parsed.Hostname()):
		return fmt.Errorf("%q must begin with https://, because browsers protect no cookie on http; behind a proxy that terminates TLS, set origin to the address that people see", origin)
	}
	return nil
}

// CheckAddress returns the fault of the address of a login page.
func CheckAddress(address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil || strings.HasSuffix(address, "/") || parsed.Path == "" {
		return fmt.Errorf("%q is not the address of a login page such as https://login.example.com/auth", address)
	}
	return CheckOrigin(parsed.Scheme + "://" + parsed.Host)
}
