package pages

import (
	"net/http"
	"net/netip"

	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/internal/language"
)

// timeFormat is the form of times on pages.
const timeFormat = "2006-01-02 15:04 UTC"

// link shows who requested a mailed link, and signs in with a button: GET and HEAD do not
// use it up, since mail scanners and previews send them. In the browser that did not
// request the link, it also shows the code to enter in the other one. There is no way
// to let the other browser in from here: an attacker could request a link, and its
// owner would let the attacker in.
func (h *Handler) link(r *request) error {
	if r.Method == http.MethodPost {
		return h.enterByLink(r)
	}
	shown, err := h.Realm.Logins.ShowLink(r.Context(), r.param)
	if err != nil {
		return err
	}
	v := &r.view
	v.Email, v.ReturnTo = shown.Email, shown.ReturnTo
	if shown.Invitation {
		return h.show(r, http.StatusOK, "invitation")
	}
	v.SameBrowser = shown.MatchesBrowser(h.browser(r))
	if !v.SameBrowser {
		v.Code = shown.Code
	}
	v.Requested, v.Browser = shown.Requested.UTC().Format(timeFormat), language.Browser(shown.UserAgent)
	v.Network = networkOf(shown.IP)
	return h.show(r, http.StatusOK, "link")
}

// networkOf returns the network of an address, or "".
func networkOf(ip string) string {
	parsed, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	return language.Network(parsed)
}

// enterByLink signs in with a link. The return address is that of the request for the
// link; a repeated request finds it in the form.
func (h *Handler) enterByLink(r *request) error {
	returnTo := h.returnTo(r)
	if shown, err := h.Realm.Logins.ShowLink(r.Context(), r.param); err == nil {
		returnTo = h.checkedReturn(shown.ReturnTo)
	}
	grant, err := h.Realm.Logins.ByLink(r.Context(), login.LinkLogin{
		Token: r.param, ClientKey: h.ClientKey, Caller: h.caller(r),
	})
	return h.entered(r, grant, returnTo, err)
}
