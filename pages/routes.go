package pages

import (
	"net/http"
	"slices"
	"strings"
)

// route is one path below the prefix.
type route struct {
	// pattern has no slash at its end. A last segment in braces matches any one segment.
	pattern string
	methods []string
	serve   func(*request) error
}

// table lists the pages.
func (h *Handler) table() []route {
	read, write := []string{http.MethodGet}, []string{http.MethodPost}
	both := slices.Concat(read, write)
	return []route{
		{"", both, h.ask},
		{"/sent/{ticket}", both, h.sent},
		{"/link/{token}", both, h.link},
		{"/passkey", write, h.enterByPasskey},
		{"/passkey/options", read, h.passkeyOptions},
		{"/factor/{ticket}", both, h.factor},
		{"/callback/{provider}", read, h.callback},
		{"/confirm", both, h.confirm},
		{"/renew", read, h.renew},
		{"/sso", read, h.singleSignOn},
		{"/handoff", read, h.handoff},
		{"/account", both, h.signedIn(h.account)},
		{"/account/email/{ticket}", both, h.signedIn(h.confirmEmail)},
		{keysPath, both, h.signedIn(h.keys)},
		{"/account/factor/{enrolment}", both, h.signedIn(h.confirmApp)},
		{"/account/export", read, h.signedIn(h.export)},
		{"/account/delete", both, h.signedIn(h.deleteAccount)},
		{"/deleted", read, h.deleted},
		{"/logout", both, h.logout},
		{"/signed-out", read, h.signedOut},
		{"/assets/{name}", read, h.asset},
	}
}

// find returns the route of the part of a path after the prefix, and its variable
// segment. It returns the zero route if no route matches.
func (h *Handler) find(rest string) (matched route, param string) {
	for _, candidate := range h.routes {
		fixed, _, variable := strings.Cut(candidate.pattern, "{")
		if !variable {
			if rest == fixed {
				return candidate, ""
			}
			continue
		}
		if param, found := strings.CutPrefix(rest, fixed); found && param != "" && !strings.Contains(param, "/") {
			return candidate, param
		}
	}
	return route{}, ""
}

// Route returns the pattern of the page of a request, with the prefix; its variable
// segment is in braces. It is "" for a path without a page.
func (h *Handler) Route(r *http.Request) string {
	rest, below := h.below(r.URL.Path)
	matched, _ := h.find(rest)
	if !below || matched.serve == nil {
		return ""
	}
	return h.Prefix + matched.pattern
}

// allows reports whether a route serves a method. HEAD is served like GET.
func (t route) allows(method string) bool {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return slices.Contains(t.methods, method)
}

// allow lists the methods for the header Allow.
func (t route) allow() string {
	methods := slices.Clone(t.methods)
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}
