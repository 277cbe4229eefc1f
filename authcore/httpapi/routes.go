package httpapi

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// keySetPath is the place of the public keys (RFC 8615), below the prefix and at
// the root of the site.
const keySetPath = "/.well-known/jwks.json"

// endpoint is one method of one route.
type endpoint func(*request) (answer, error)

// route is one path below the prefix.
type route struct {
	// pattern has no slash at its end; a last segment in braces stands for any
	// one segment.
	pattern string
	methods map[string]endpoint
	// public routes may be read by pages of every origin.
	public bool
	// people are sent here by their browsers and see what is answered.
	people bool
}

// table lists everything that is served. Only methods that may change something
// do: GET, HEAD and OPTIONS are used by mail scanners, link previews and
// crawlers (RFC 9110, section 9.2.1).
func (h *Handler) table() []route {
	type methods = map[string]endpoint
	return []route{
		{pattern: "/by-link/link", methods: methods{http.MethodPost: h.requestLink}},
		{pattern: "/by-link/login", methods: methods{http.MethodPost: h.loginByMail}},
		{pattern: "/social/providers", methods: methods{http.MethodGet: h.listProviders}},
		{pattern: "/social/authorize", methods: methods{http.MethodPost: h.authorize}},
		{pattern: "/social/authorize/{provider}", methods: methods{http.MethodPost: h.authorize}},
		{pattern: "/social/login", methods: methods{http.MethodPost: h.loginSocial}},
		{pattern: "/social/login/{provider}", methods: methods{http.MethodPost: h.loginSocial}},
		{pattern: "/social/callback/{provider}", people: true, methods: methods{
			http.MethodGet:  h.callback,
			http.MethodPost: h.callback,
		}},
		{pattern: "/user", methods: methods{
			http.MethodGet:   h.signedIn(h.showUser),
			http.MethodPatch: h.signedIn(h.changeUser),
		}},
		{pattern: "/token/refresh", methods: methods{http.MethodPost: h.signedIn(h.refresh)}},
		{pattern: "/logout", methods: methods{http.MethodPost: h.signedIn(h.logout)}},
		{pattern: "/sessions", methods: methods{http.MethodGet: h.signedIn(h.listSessions)}},
		{pattern: "/sessions/{id}", methods: methods{http.MethodDelete: h.signedIn(h.endSession)}},
		{pattern: "/identities", methods: methods{http.MethodGet: h.signedIn(h.listIdentities)}},
		{pattern: "/identities/{id}", methods: methods{http.MethodDelete: h.signedIn(h.unlink)}},
		{pattern: "/verify", methods: methods{http.MethodGet: h.signedIn(h.verify)}},
		{pattern: "/revocations", methods: methods{http.MethodGet: h.revocations}, public: true},
		{pattern: keySetPath, methods: methods{http.MethodGet: h.keySet}, public: true},
	}
}

// Owns reports whether a path (decoded, as in url.URL.Path) belongs to the API:
// the prefix, everything below it, and the public keys at the root of the site.
//
// It judges the path that remains when "." and ".." segments and repeated
// slashes are resolved, because that is what an upstream makes of it: otherwise
// /v1/auth/../private would be taken for a path of the API, which needs no
// token, by one side and for /private by the other (CWE-22, CWE-436).
func (h *Handler) Owns(urlPath string) bool {
	_, owned := h.below(urlPath)
	return owned
}

// below returns what follows the prefix, without a slash at its end.
func (h *Handler) below(urlPath string) (rest string, owned bool) {
	if !strings.HasPrefix(urlPath, "/") {
		urlPath = "/" + urlPath
	}
	clean := path.Clean(urlPath) // allocates nothing for a clean path
	if clean == keySetPath {
		return clean, true
	}
	rest, found := strings.CutPrefix(clean, h.prefix)
	if !found || rest != "" && rest[0] != '/' {
		return "", false
	}
	return rest, true
}

// find returns the route of a path and its variable segment. The zero route
// says that there is none.
func (h *Handler) find(urlPath string) (matched route, param string) {
	rest, owned := h.below(urlPath)
	if !owned {
		return route{}, ""
	}
	for _, candidate := range h.routes {
		if param, found := candidate.match(rest); found {
			return candidate, param
		}
	}
	return route{}, ""
}

// match reports whether a path without a slash at its end fits the pattern.
func (t route) match(rest string) (param string, found bool) {
	fixed, _, variable := strings.Cut(t.pattern, "{")
	if !variable {
		return "", rest == fixed
	}
	param, found = strings.CutPrefix(rest, fixed)
	return param, found && param != "" && !strings.Contains(param, "/")
}

// endpoint returns what serves a method, or nil. HEAD is served wherever GET is;
// the server leaves out the body.
func (t route) endpoint(method string) endpoint {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return t.methods[method]
}

// refuse answers a method that the route does not have. An OPTIONS that is no
// preflight asks which it has.
func (t route) refuse(method string) answer {
	refusal := answer{status: http.StatusNoContent}
	if method != http.MethodOptions {
		refusal = detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", method))
	}
	refusal.header = http.Header{"Allow": {t.allow()}}
	return refusal
}

// allow lists the methods of the route for people to read, sorted.
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
