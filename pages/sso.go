package pages

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// confirmWindow is the age of a login that counts as a confirmation of the user for
// another site.
const confirmWindow = time.Minute

// singleSignOn sends a signed-in browser back to another site with a handoff, after a
// sign-in if necessary. The other site is one of the configured ones, whatever the
// request states (CWE-601).
func (h *Handler) singleSignOn(r *request) error {
	query := r.URL.Query()
	site := query.Get("site")
	returnTo, valid := gate.ReturnTo(query.Get("return_to"))
	if !slices.Contains(h.Sites, site) || !valid || !isDigest(query.Get("browser")) {
		return authcore.NotFound()
	}
	claims, err := h.claims(r)
	if err != nil {
		return err
	}
	here := h.Prefix + "/sso?" + r.URL.RawQuery
	if _, short := gate.ReturnTo(here); !short { // the way back to the site matters more than its page
		query.Set("return_to", "/")
		here = h.Prefix + "/sso?" + query.Encode()
	}
	switch {
	case claims == nil:
		h.redirect(r, withReturn(h.Prefix+"/", here))
		return nil
	case query.Has("confirm") && h.Realm.Now().Sub(time.Unix(claims.AuthTime, 0)) > confirmWindow:
		h.redirect(r, withReturn(h.Prefix+"/confirm", here))
		return nil
	}
	if asked := readNeeds(query); !asked.hasFactor(claims) {
		asked.maxAge = 0
		h.redirect(r, withNeeds(h.Prefix+"/confirm", asked, here))
		return nil
	}
	code, err := h.Realm.Logins.BeginHandoff(r.Context(), claims, site, login.PageStart{Browser: query.Get("browser"), ReturnTo: returnTo})
	if err != nil {
		return err
	}
	h.redirect(r, site+"/handoff?code="+url.QueryEscape(code))
	return nil
}

// isDigest reports whether a text has the form of authcore.Digest.String.
func isDigest(text string) bool {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(decoded) == len(authcore.Digest{}) && len(text) == len(authcore.Digest{}.String())
}

// handoff continues the session of another site in this browser.
func (h *Handler) handoff(r *request) error {
	taken, err := h.Realm.Logins.TakeHandoff(r.Context(), r.URL.Query().Get("code"), h.address(), h.browser(r))
	if err != nil {
		return err
	}
	grant, err := h.Realm.Sessions.Renew(r.Context(), authcore.SessionRef{UserID: taken.UserID, ID: taken.SessionID})
	if err != nil {
		return err
	}
	return h.enter(r, grant, h.checkedReturn(taken.ReturnTo))
}

// siteOrigins returns the origins of the other sites. A form that signs in may lead
// there, and a browser applies the policy of the page to each redirect.
func (h *Handler) siteOrigins() []string {
	var origins []string
	for _, site := range h.Sites {
		if parsed, err := url.Parse(site); err == nil {
			origins = append(origins, parsed.Scheme+"://"+parsed.Host)
		}
	}
	return origins
}

// returnToSite sends a browser that is to return to another site to the login page of
// that site, which begins the sign-in in its own name. It reports whether it did.
func (h *Handler) returnToSite(r *request, page string) bool {
	asked := r.URL.Query().Get("return_to")
	for _, site := range h.Sites {
		parsed, err := url.Parse(site)
		if err != nil {
			continue
		}
		path, same := strings.CutPrefix(asked, parsed.Scheme+"://"+parsed.Host)
		if checked, valid := gate.ReturnTo(path); same && valid {
			h.redirect(r, withNeeds(site+page, readNeeds(r.URL.Query()), checked))
			return true
		}
	}
	return false
}
