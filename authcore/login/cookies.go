package login

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const (
	// browserLifetime limits the time for a sign-in.
	browserLifetime = 15 * time.Minute
	// browserBytes is the length of the random value of the login cookie.
	browserBytes = 32
	// maxSessionCookie limits name and value of the session cookie: browsers drop
	// cookies above 4096 bytes without an error.
	maxSessionCookie = 3584
	// maxCookies limits the cookies of one name that are read.
	maxCookies = 8
)

// Cookies makes and reads the cookies of a site with a login page.
type Cookies struct {
	// Origin is the origin of the site as browsers send it.
	Origin string
}

func (c Cookies) isSecure() bool { return strings.HasPrefix(c.Origin, "https://") }

// Name returns the name of a cookie on this site.
func (c Cookies) Name(name string) string { return gate.CookieName(name, c.isSecure()) }

// New returns a cookie that browsers send to the host of the site only; a lifetime of
// zero expires it. Safari sends no Secure cookies to loopback addresses over http.
func (c Cookies) New(name, value string, lifetime time.Duration) *http.Cookie {
	age := int(lifetime / time.Second)
	if age <= 0 {
		age = -1
	}
	return &http.Cookie{ //nolint:gosec // not Secure on http of the loopback interface only
		Name: c.Name(name), Value: value, Path: "/", MaxAge: age,
		Secure: c.isSecure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// End expires the session cookie. It also removes the pages of the site from the caches of
// the browser, including the cache for the Back button, which otherwise shows pages of the
// signed-out user (Clear Site Data, section 3.1).
func (c Cookies) End(header http.Header) {
	header.Add("Set-Cookie", c.New(gate.CookieSession, "", 0).String())
	header.Set("Clear-Site-Data", `"cache"`)
}

// Session returns the session cookie for a login.
func (c Cookies) Session(grant session.Grant, now time.Time) (*http.Cookie, error) {
	if size := len(c.Name(gate.CookieSession)) + len(grant.Token); size > maxSessionCookie {
		return nil, authcore.Unavailable(fmt.Errorf("login: session cookie has %d bytes, at most %d are sure to be stored; shorten the names of issuer, audience and roles", size, maxSessionCookie))
	}
	return c.New(gate.CookieSession, grant.Token, grant.ExpiresAt().Sub(now)), nil
}

// Tokens returns the values of the session cookies of a request, of which the first that
// verifies counts.
func (c Cookies) Tokens(r *http.Request) []string { return c.values(r, gate.CookieSession) }

// values returns the values of all cookies of a name: a sub-domain can add one, which may
// precede that of the site (RFC 6265, section 8.6).
func (c Cookies) values(r *http.Request, name string) []string {
	var values []string
	for _, cookie := range r.CookiesNamed(c.Name(name)) {
		if len(values) < maxCookies {
			values = append(values, cookie.Value)
		}
	}
	return values
}

// Browser returns the digest of the login cookie, or "".
func (c Cookies) Browser(r *http.Request) string {
	if value := c.browser(r); value != "" {
		return browserDigest(value)
	}
	return ""
}

func (c Cookies) browser(r *http.Request) string {
	for _, cookie := range r.CookiesNamed(c.Name(gate.CookieLogin)) {
		if secret, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value); err == nil && len(secret) == browserBytes {
			return cookie.Value
		}
	}
	return ""
}

// Devices returns the values of the device cookies of a request, of which one may be that
// of the user who logs in.
func (c Cookies) Devices(r *http.Request) []string { return c.values(r, gate.CookieDevice) }

func browserDigest(value string) string { return authcore.DigestOf("login cookie", value).String() }

// Bind returns the login cookie, which binds a sign-in to the browser, and its digest.
// The cookie that the browser has is prolonged: several tabs share it.
func (c Cookies) Bind(r *http.Request) (cookie *http.Cookie, digest string) {
	value := c.browser(r)
	if value == "" {
		value = authcore.RandomSecret()
	}
	return c.New(gate.CookieLogin, value, browserLifetime), browserDigest(value)
}

// IsCrossSite reports whether a request comes from a page of another origin (CWE-352).
// The login page of a site is the only page that sends forms to it, and scripts use the
// cookie from pages of the site only. Sec-Fetch-Site cannot be set by pages (Fetch
// Metadata Request Headers, section 2.3) and prevails over Origin, which may be "null". A
// request without both does not come from a current browser.
func (c Cookies) IsCrossSite(r *http.Request) bool {
	if sites := r.Header.Values("Sec-Fetch-Site"); len(sites) > 0 {
		return len(sites) > 1 || sites[0] != "same-origin" && sites[0] != "none"
	}
	origins := r.Header.Values("Origin")
	return len(origins) > 0 && (len(origins) > 1 || !gate.SameOrigin(origins[0], c.Origin))
}
