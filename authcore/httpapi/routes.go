package httpapi

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// keySetPath is the path of the public keys (RFC 8615), below the prefix and, with
// Options.RootJWKS, at the root of the site.
const keySetPath = "/.well-known/jwks.json"

// verifyPath is the path of verify below the prefix.
const verifyPath = "/verify"

// endpoint is one method of one route.
type endpoint func(*request) (answer, error)

// route is one path below the prefix.
type route struct {
	// pattern has no slash at its end. A last segment in braces matches any one
	// segment.
	pattern string
	methods map[string]endpoint
	// anyMethod, if set, serves all methods and all paths below the pattern.
	anyMethod endpoint
	// public routes may be read by pages of every origin.
	public bool
	// browser routes are navigated to, so that failures are pages.
	browser bool
	// crossSite routes accept requests of other sites.
	crossSite bool
}

// isServed is false for the zero route.
func (t route) isServed() bool { return t.methods != nil }

// table lists the routes. GET, HEAD and OPTIONS change nothing: mail scanners, link
// previews and crawlers use them (RFC 9110, section 9.2.1).
func (h *Handler) table() []route {
	type methods = map[string]endpoint
	verify := h.signedIn(h.verify)
	if len(h.browsers) > 0 || h.credentials != (gate.Credentials{}) || len(h.require) > 0 {
		verify = h.verifySite
	}
	return []route{
		{pattern: "/by-link/link", methods: methods{http.MethodPost: h.requestLink}},
		{pattern: "/by-link/login", methods: methods{http.MethodPost: h.loginByMail}},
		{pattern: "/social/providers", methods: methods{http.MethodGet: h.listProviders}},
		{pattern: "/social/authorize", methods: methods{http.MethodPost: h.authorize}},
		{pattern: "/social/authorize/{provider}", methods: methods{http.MethodPost: h.authorize}},
		{pattern: "/social/login", methods: methods{http.MethodPost: h.loginSocial}},
		{pattern: "/social/login/{provider}", methods: methods{http.MethodPost: h.loginSocial}},
		{pattern: "/social/callback/{provider}", browser: true, crossSite: true, methods: methods{
			http.MethodGet:  h.callback,
			http.MethodPost: h.callback,
		}},
		{pattern: "/user", methods: methods{
			http.MethodGet:    h.signedIn(h.showUser),
			http.MethodPatch:  h.signedIn(h.changeUser),
			http.MethodDelete: h.signedIn(h.deleteUser),
		}},
		{pattern: "/user/email", methods: methods{http.MethodPost: h.signedIn(h.requestEmailChange)}},
		{pattern: "/user/email/confirm", methods: methods{http.MethodPost: h.signedIn(h.confirmEmailChange)}},
		{pattern: "/user/export", methods: methods{http.MethodGet: h.signedIn(h.exportUser)}},
		{pattern: "/session", methods: methods{http.MethodGet: h.showSession}},
		{pattern: "/token/refresh", methods: methods{http.MethodPost: h.signedIn(h.refresh)}},
		{pattern: "/logout", methods: methods{http.MethodPost: h.signedIn(h.logout)}},
		{pattern: "/sessions", methods: methods{http.MethodGet: h.signedIn(h.listSessions)}},
		{pattern: "/sessions/{id}", methods: methods{http.MethodDelete: h.signedIn(h.endSession)}},
		{pattern: "/keys", methods: methods{
			http.MethodGet:  h.signedIn(h.listKeys),
			http.MethodPost: h.signedIn(h.createKey),
		}},
		{pattern: "/keys/{id}", methods: methods{http.MethodDelete: h.signedIn(h.revokeKey)}},
		{pattern: "/identities", methods: methods{http.MethodGet: h.signedIn(h.listIdentities)}},
		{pattern: "/identities/{id}", methods: methods{http.MethodDelete: h.signedIn(h.unlink)}},
		{pattern: "/passkeys", methods: methods{http.MethodGet: h.withPasskeys(h.signedIn(h.listPasskeys))}},
		{pattern: "/passkeys/registration/options", methods: methods{http.MethodPost: h.withPasskeys(h.signedIn(h.passkeyRegistrationOptions))}},
		{pattern: "/passkeys/registration", methods: methods{http.MethodPost: h.withPasskeys(h.signedIn(h.registerPasskey))}},
		{pattern: "/passkeys/login/options", methods: methods{http.MethodPost: h.withPasskeys(h.passkeyLoginOptions)}},
		{pattern: "/passkeys/login", methods: methods{http.MethodPost: h.withPasskeys(h.loginByPasskey)}},
		{pattern: "/passkeys/{id}", methods: methods{
			http.MethodPatch:  h.withPasskeys(h.signedIn(h.renamePasskey)),
			http.MethodDelete: h.withPasskeys(h.signedIn(h.deletePasskey)),
		}},
		{pattern: "/factors", methods: methods{http.MethodGet: h.signedIn(h.listFactors)}},
		{pattern: "/factors/totp", methods: methods{http.MethodPost: h.beginTOTP, http.MethodDelete: h.signedIn(h.removeTOTP)}},
		{pattern: "/factors/totp/confirm", methods: methods{http.MethodPost: h.signedIn(h.confirmTOTP)}},
		{pattern: "/factors/recovery", methods: methods{
			http.MethodPost:   h.signedIn(h.newRecoveryCodes),
			http.MethodDelete: h.signedIn(h.removeRecovery),
		}},
		{pattern: "/factors/login", methods: methods{http.MethodPost: h.loginByFactor}},
		{pattern: "/factors/verify", methods: methods{http.MethodPost: h.signedIn(h.verifyFactor)}},
		{pattern: "/factors/devices", methods: methods{http.MethodDelete: h.signedIn(h.forgetDevices)}},
		{pattern: "/factors/devices/{id}", methods: methods{http.MethodDelete: h.signedIn(h.forgetDevices)}},
		{pattern: verifyPath, methods: methods{http.MethodGet: verify}, anyMethod: verify, crossSite: true},
		{pattern: "/revocations", methods: methods{http.MethodGet: h.revocations}, public: true},
		{pattern: keySetPath, methods: methods{http.MethodGet: h.keySet}, public: true},
	}
}

// Owns reports whether a path (decoded, as in url.URL.Path) belongs to the API:
// the prefix, everything below it, and with Options.RootJWKS the public keys at the root.
//
// It examines the path that remains when "." and ".." segments and repeated
// slashes are resolved, because an upstream resolves them: otherwise
// /v1/auth/../private would be a path of the API, which needs no token, for this
// Handler and /private for the upstream (CWE-22, CWE-436). Paths below /verify/ are
// the exception; see isVerify.
func (h *Handler) Owns(urlPath string) bool {
	_, owned := h.below(urlPath)
	return owned || h.isVerify(urlPath)
}

// Route returns the pattern of the route of a path, with the prefix; its variable segment
// is in braces. It is "" for a path without a route.
func (h *Handler) Route(r *http.Request) string {
	matched, _ := h.find(r.URL.EscapedPath(), r.URL.Path)
	switch {
	case !matched.isServed():
		return ""
	case matched.pattern == keySetPath: // it is at the root of the site, too
		return keySetPath
	default:
		return h.prefix + matched.pattern
	}
}

// isVerify reports whether a path is the one of verify or below it. Some proxies
// append the path of the request that they ask about, which an attacker chooses.
// Its ".." segments must not lead to another route: the proxy would take its 200
// for the permission to forward the request (CWE-22).
func (h *Handler) isVerify(urlPath string) bool {
	rest, found := strings.CutPrefix(urlPath, h.prefix+verifyPath)
	return found && (rest == "" || rest[0] == '/')
}

// below returns the part of a path after the prefix, without a slash at its end.
func (h *Handler) below(urlPath string) (rest string, owned bool) {
	if !strings.HasPrefix(urlPath, "/") {
		urlPath = "/" + urlPath
	}
	clean := path.Clean(urlPath) // allocates nothing for a clean path
	if h.rootJWKS && clean == keySetPath {
		return clean, true
	}
	rest, found := strings.CutPrefix(clean, h.prefix)
	if !found || rest != "" && rest[0] != '/' {
		return "", false
	}
	return rest, true
}

// find returns the route of a path, given as it was sent and decoded, and its
// variable segment. It returns the zero route if no route matches.
//
// An encoded slash is not a separator (RFC 3986, section 2.2): /by-link%2flink is
// one segment, which matches no route.
func (h *Handler) find(escaped, urlPath string) (matched route, param string) {
	rest, owned := h.below(urlPath)
	switch {
	case h.isVerify(urlPath):
		rest = verifyPath
	case !owned || strings.Contains(strings.ToLower(escaped), "%2f"):
		return route{}, ""
	}
	for _, candidate := range h.routes {
		if param, found := candidate.match(rest); found {
			return candidate, param
		}
	}
	return route{}, ""
}

// match reports whether a path without a slash at its end matches the pattern.
func (t route) match(rest string) (param string, found bool) {
	fixed, _, variable := strings.Cut(t.pattern, "{")
	if t.anyMethod != nil && strings.HasPrefix(rest, fixed+"/") {
		return "", true
	}
	if !variable {
		return "", rest == fixed
	}
	param, found = strings.CutPrefix(rest, fixed)
	return param, found && param != "" && !strings.Contains(param, "/")
}

// endpoint returns the endpoint for a method, or nil. HEAD is served like GET; the
// server leaves out the body.
func (t route) endpoint(method string) endpoint {
	if t.anyMethod != nil {
		return t.anyMethod
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return t.methods[method]
}

// refuse answers a method that the route does not have. An OPTIONS request that is
// not a preflight is answered with the methods.
func (t route) refuse(method string) answer {
	refusal := answer{status: http.StatusNoContent}
	if method != http.MethodOptions {
		refusal = detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", method))
	}
	refusal.header = http.Header{"Allow": {t.allow()}}
	return refusal
}

// allow lists the methods of the route, sorted.
func (t route) allow() string {
	names := []string{http.MethodOptions}
	for method := range t.methods {
		names = append(names, method)
		if method == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
