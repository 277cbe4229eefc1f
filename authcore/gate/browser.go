package gate

import (
	"fmt"
	"strings"
)

// Names of the cookies of a browser session, without a prefix; see CookieName.
const (
	// CookieSession contains the token of the session.
	CookieSession = "edgeauth"
	// CookieLogin binds a sign-in to the browser that began it.
	CookieLogin = "edgeauth-login"
	// CookieRenewed prevents another renewal of the session for a short time.
	CookieRenewed = "edgeauth-renewed"
	// CookieDevice contains the token of a browser that proved a second factor and is not
	// asked for it again.
	CookieDevice = "edgeauth-device"
)

// hostPrefix makes browsers refuse a cookie that another host or a network attacker sets
// (RFC 6265bis, section 4.1.3.2).
const hostPrefix = "__Host-"

// CookieName returns the name of a cookie on a site: with a prefix on https.
func CookieName(name string, secure bool) string {
	if secure {
		return hostPrefix + name
	}
	return name
}

// DefaultLogin is the path of the login page unless another one is configured.
const DefaultLogin = "/auth"

// Paths below the address of the login page to which the gate redirects.
const (
	loginPath   = "/"
	confirmPath = "/confirm"
	renewPath   = "/renew"
	accountPath = "/account"
)

// HeaderLogin is the header of an answer with the address of the login page.
const HeaderLogin = "X-Auth-Login"

// Browser configures sessions of browsers: the site accepts the token in a cookie, and
// leads browsers to a login page. NewBrowser returns a valid value, which must not be
// changed.
type Browser struct {
	origin string
	login  string
	// below matches the paths of a login page of the same origin.
	below PublicPaths
	// session and renewed are the names of cookies.
	session, renewed string
}

// BrowserConfig contains the options of a Browser.
type BrowserConfig struct {
	// Origin is the origin of the site as browsers send it: "https://app.example.com".
	// It is compared with Origin headers, and its scheme selects the name of the cookie.
	Origin string
	// Login is the address of the login page, without a slash at its end: a path of the
	// same origin, or the URL of another host. Default: DefaultLogin.
	Login string
}

// NewBrowser returns a Browser, or the fault of its configuration.
func NewBrowser(c BrowserConfig) (*Browser, error) {
	if !isOrigin(c.Origin) {
		return nil, fmt.Errorf("origin: %q is not an origin such as https://app.example.com, in lower case, without a path or a default port", c.Origin)
	}
	if c.Login == "" {
		c.Login = DefaultLogin
	}
	secure := strings.HasPrefix(c.Origin, "https://")
	b := &Browser{
		origin: c.Origin, login: strings.TrimSuffix(c.Login, "/"),
		session: CookieName(CookieSession, secure), renewed: CookieName(CookieRenewed, secure),
	}
	if !strings.HasPrefix(b.login, "/") {
		if !isLoginURL(b.login) {
			return nil, fmt.Errorf("login_page: %q is neither a path such as /auth nor a URL such as https://login.example.com/auth", c.Login)
		}
		path, same := strings.CutPrefix(b.login, c.Origin+"/")
		if !same {
			return b, nil
		}
		b.login = "/" + path
	}
	b.below = PublicPaths{b.login, b.login + "/*"}
	if b.login == "/" || b.below.Validate() != nil || !isPlainText(b.login) {
		return nil, fmt.Errorf("login_page: %q is not a plain path such as /auth", c.Login)
	}
	return b, nil
}

// Origin returns the origin of the site.
func (b *Browser) Origin() string { return b.origin }

// Login returns the address of the login page, without a slash at its end.
func (b *Browser) Login() string { return b.login }

// isOrigin reports whether a text is an origin as browsers send it (RFC 6454, section
// 6.2).
func isOrigin(text string) bool {
	scheme, host, found := strings.Cut(text, "://")
	if !found || scheme != "https" && scheme != "http" || host == "" {
		return false
	}
	standard := ":443"
	if scheme == "http" {
		standard = ":80"
	}
	return strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]_") == "" && !strings.HasSuffix(host, standard)
}

// isLoginURL reports whether a text is the URL of a login page on some host.
func isLoginURL(text string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	host, path, _ := strings.Cut(rest, "/")
	return isOrigin(scheme+"://"+host) && path != "" && isPlainPath("/"+path) && isPlainText(path)
}

// isPlainText reports whether a path has no character with a meaning in URLs or HTML.
func isPlainText(path string) bool {
	for i := range len(path) {
		if c := path[i]; !isUnreserved(c) && c != '/' {
			return false
		}
	}
	return true
}

// isUnreserved reports whether a byte means itself in every part of a URL (RFC 3986,
// section 2.3).
func isUnreserved(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z' || strings.IndexByte("-._~", c) >= 0
}
