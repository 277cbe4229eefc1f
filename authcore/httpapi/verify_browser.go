package httpapi

import (
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// verifySite is verify for sites with a login page, for those that accept API keys or
// other schemes, and for realms that require passkeys. With a login page, the session may be in a cookie, and a browser that
// loads a page is sent to the login page.
func (h *Handler) verifySite(r *request) (answer, error) {
	site := gate.Site{Credentials: h.credentials, Policy: gate.Policy{Require: h.require}}
	var target string
	if len(h.browsers) > 0 {
		site.Browser, target = h.proxied(r.Request)
	}
	decision := h.realm.Decide(&site, gate.Request{
		Method: proxiedMethod(r.Request), Header: gate.Header(r.Header), Target: target,
		HasBody: true, // so that nothing counts as a preflight, which proceeds without a token
		Now:     h.realm.Now(),
	})
	if decision.Status == 0 {
		return h.verify(r, decision.Claims)
	}
	header := http.Header{}
	decision.Answer(gate.Header(header))
	for _, name := range []string{"Location", gate.HeaderLogin} {
		if value := header.Get(name); strings.HasPrefix(value, "/") && site.Browser != nil {
			header.Set(name, site.Browser.Origin()+value) // proxies resolve it against this address
		}
	}
	if decision.Status == http.StatusSeeOther && isAuthRequest(r.Request) {
		decision.Status = http.StatusUnauthorized
		header.Set("Www-Authenticate", gate.Challenge)
	}
	return answer{status: decision.Status, header: header, body: []byte(decision.Body)}, nil
}

// proxied returns the site of the proxied request, and its path and query if they are
// known. What a proxy that is not trusted reports is not read. A host selects one of
// the configured sites and is never part of an address (CWE-644).
func (h *Handler) proxied(r *http.Request) (browser *gate.Browser, target string) {
	browser = h.browsers[0]
	if h.trusted == nil || !h.trusted(r) {
		return browser, ""
	}
	hosts := r.Header.Get("X-Forwarded-Host")
	target = r.Header.Get("X-Forwarded-Uri")
	original := r.Header.Get("X-Original-Url")
	if _, address, found := strings.Cut(original, "://"); found {
		var path string
		hosts, path, _ = strings.Cut(address, "/")
		target = "/" + path
	} else if strings.HasPrefix(original, "/") {
		target = original
	}
	if target == "" { // Envoy appends the path of the request
		target = strings.TrimPrefix(r.URL.RequestURI(), h.prefix+verifyPath)
	}
	if hosts == "" {
		return browser, target
	}
	if found := h.browserOf(hosts); found != nil {
		return found, target
	}
	return browser, "" // the request is for a site that is not configured
}

// browserOf returns the site of the first known host, or nil. Each of several proxies may
// have added the host that it was asked for. A host may end with the dot of the DNS root.
func (h *Handler) browserOf(hosts string) *gate.Browser {
	for host := range strings.SplitSeq(hosts, ",") {
		host = strings.TrimSuffix(withoutDefaultPort(strings.TrimSpace(host)), ".")
		for _, candidate := range h.browsers {
			if _, known, _ := strings.Cut(candidate.Origin(), "://"); known == host {
				return candidate
			}
		}
	}
	return nil
}

// proxiedMethod returns the method of the proxied request. A method that changes
// something prevails, so that a header that the proxy passes through from the client
// only makes the decision stricter. It is never OPTIONS, because the answer to a
// preflight is a permission for some proxies.
func proxiedMethod(r *http.Request) string {
	methods := []string{r.Method}
	for _, name := range []string{"X-Forwarded-Method", "X-Original-Method"} {
		methods = append(methods, r.Header.Values(name)...)
	}
	result := http.MethodGet
	for _, method := range methods {
		switch method {
		case http.MethodGet, http.MethodOptions:
		case http.MethodHead:
			result = method
		default:
			return method
		}
	}
	return result
}

// isAuthRequest reports whether the proxy is nginx, whose auth_request takes every
// status but 401 and 403 for a failure. Its configuration redirects to the Location of a
// 401.
func isAuthRequest(r *http.Request) bool {
	return r.Header.Get("X-Original-Url") != "" || r.Header.Get("X-Original-Method") != ""
}
