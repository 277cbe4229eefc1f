package gate

import (
	"errors"
	"strings"
)

// owns reports whether a path belongs to the login page of the same origin.
func (b *Browser) owns(escaped string) bool {
	return b.below != nil && strings.HasPrefix(escaped, b.login) && b.below.Match(escaped)
}

// pageFor returns the path and query of the login page after a refusal.
func (b *Browser) pageFor(d *Decision) string {
	switch {
	case d.missing == "":
		return loginPath
	case d.needs == "":
		return confirmPath
	default:
		return confirmPath + "?" + d.needs
	}
}

// page returns the address of one of the login pages from which the browser returns to
// the request, if it can.
func (b *Browser) page(name string, r *Request) string {
	address, separator := b.login+name, "?"
	if strings.Contains(name, "?") {
		separator = "&"
	}
	target := r.Target
	if target == "" {
		target = r.Path
		if r.Query != "" {
			target += "?" + r.Query
		}
	}
	if _, ok := ReturnTo(target); !ok {
		return address
	}
	if b.below == nil {
		target = b.origin + target
	}
	return address + separator + "return_to=" + escape(target)
}

// navigation is the kind of a request from a browser.
type navigation int

const (
	// notNavigation is a request of a script, an image, a program.
	notNavigation navigation = iota
	// documentNavigation loads a page into a tab.
	documentNavigation
	// frameNavigation loads a page into a frame of another page.
	frameNavigation
	// opaqueNavigation is a download, or loads a page through a service worker. Chromium
	// sends the same Fetch Metadata for both.
	opaqueNavigation
)

// navigation returns the kind of the request by Fetch Metadata (W3C, Fetch Metadata
// Request Headers). Browsers without it, and browsers on http, are recognized by Accept.
func (r *Request) navigation() navigation {
	mode, known := single(r.Header["Sec-Fetch-Mode"])
	switch {
	case r.isPrefetch() || r.isUpgrade():
		return notNavigation
	case !known:
		accept, _ := single(r.Header["Accept"])
		if r.Header["X-Requested-With"] == nil && r.Method != "HEAD" && strings.Contains(accept, "text/html") {
			return documentNavigation
		}
		return notNavigation
	case mode != "navigate":
		return notNavigation
	}
	switch dest, _ := single(r.Header["Sec-Fetch-Dest"]); dest {
	case "document":
		return documentNavigation
	case "iframe", "frame", "object", "embed", "fencedframe":
		return frameNavigation
	case "empty":
		return opaqueNavigation
	}
	return notNavigation
}

func single(values []string) (value string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// isPrefetch reports whether the browser loads a page before the user asks for it.
func (r *Request) isPrefetch() bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose"} {
		for _, value := range r.Header[name] {
			if strings.Contains(value, "prefetch") {
				return true
			}
		}
	}
	return false
}

// isUpgrade reports whether the request opens a WebSocket or another protocol.
func (r *Request) isUpgrade() bool { return r.Header["Upgrade"] != nil || r.Method == "CONNECT" }

// isSafe reports whether the method changes nothing (RFC 9110, section 9.2.1).
func (r *Request) isSafe() bool {
	return r.Method == "GET" || r.Method == "HEAD" || r.Method == "OPTIONS" || r.Method == "TRACE"
}

// isCrossSite reports whether a page of an origin that is neither the site's own nor
// accepted by allow sends a request that changes something, or opens a WebSocket, whose
// handshake is a GET (CWE-352, CWE-1385). Requests without Origin and Sec-Fetch-Site do
// not come from a current browser; handshakes of all browsers have an Origin (RFC 6455,
// section 4.1).
func (b *Browser) isCrossSite(r *Request, allow func(origin string) bool) bool {
	if r.isSafe() && !r.isUpgrade() {
		return false
	}
	if site := r.Header["Sec-Fetch-Site"]; len(site) == 1 && (site[0] == "same-origin" || site[0] == "none") {
		return false
	}
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return r.Header["Sec-Fetch-Site"] != nil || r.isUpgrade()
	}
	if len(origins) != 1 {
		return true
	}
	return !SameOrigin(origins[0], b.origin) && (allow == nil || !allow(origins[0]))
}

// SameOrigin reports whether a value of Origin is an origin of a site, as browsers send
// it. Libraries for WebSockets add the default port or keep the case of the host.
func SameOrigin(value, site string) bool {
	if value == site || site == "" {
		return site != ""
	}
	standard := ":443"
	if strings.HasPrefix(site, "http://") {
		standard = ":80"
	}
	return equalFold(strings.TrimSuffix(value, standard), site)
}

// maxSessions limits the session cookies of a request that are verified.
const maxSessions = 8

// identify reads the session from the cookies. The first token that verifies counts: a
// site of a sub-domain can add cookies of the same name on http, and browsers keep old
// ones. It returns ErrNoCredentials without a cookie.
func (b *Browser) identify(v *Verifier, r *Request) (*Claims, error) {
	var failure error
	tried := 0
	for value := range cookies(r.Header["Cookie"], b.session) {
		if tried++; tried > maxSessions {
			break
		}
		claims, err := v.Verify(value, r.Now)
		if err == nil || errors.Is(err, ErrStale) {
			return claims, err
		}
		if failure == nil {
			failure = err
		}
	}
	if failure == nil {
		failure = ErrNoCredentials
	}
	return nil, failure
}

// needsRenewal reports whether the browser should get a new token: a page is loaded, and
// half of the token's life is over.
func (b *Browser) needsRenewal(c *Claims, r *Request) bool {
	if (r.Method != "GET" && r.Method != "HEAD") || r.Now.Unix() <= c.halfLife() {
		return false
	}
	if kind := r.navigation(); kind != documentNavigation && kind != opaqueNavigation {
		return false
	}
	for range cookies(r.Header["Cookie"], b.renewed) {
		return false
	}
	return true
}
