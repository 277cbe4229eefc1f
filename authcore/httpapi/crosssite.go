package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// isCrossSite reports whether a browser sent the request for a page of a site that
// may not use the API (CWE-352). A foreign page cannot read the answer, but it
// could have mails sent, use up budgets of its visitors' networks, and log a
// visitor in to an account of the attacker. Requests without Origin and
// Sec-Fetch-Site do not come from a page: servers, applications, curl.
//
// Sec-Fetch-Site cannot be set by pages (Fetch Metadata Request Headers, section
// 2.3), and prevails over Origin, which is "null" for a form on a page with
// Referrer-Policy: no-referrer.
func isCrossSite(r *http.Request, allow func(origin string) bool) bool {
	origins, fetchSite := r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")
	switch {
	case len(origins) == 1 && allow(origins[0]):
		return false
	case slices.Contains(fetchSite, "cross-site"):
		return true
	case len(fetchSite) == 1 && fetchSite[0] == "same-origin":
		return false
	default:
		return len(origins) > 0 && !isOwnOrigin(origins, r.Host)
	}
}

// isOwnOrigin reports whether a page of the requested host sent the request. The
// scheme is not compared: it is unknown behind a proxy that terminates TLS.
func isOwnOrigin(origins []string, host string) bool {
	if len(origins) != 1 {
		return false
	}
	origin, err := url.Parse(origins[0])
	if err != nil || origin.Scheme != "http" && origin.Scheme != "https" || origin.Hostname() == "" {
		return false
	}
	return withoutDefaultPort(origin.Host) == withoutDefaultPort(host)
}

// withoutDefaultPort returns a host in lower case, without a port that browsers
// leave out of an origin but clients may write into Host.
func withoutDefaultPort(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":443", ":80"} {
		if rest, found := strings.CutSuffix(host, port); found {
			return rest
		}
	}
	return host
}

func crossSite() *authcore.Error {
	return authcore.NewError(http.StatusForbidden, CodeCrossSite, "Requests from this site are not allowed.")
}
