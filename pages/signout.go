package pages

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// logout shows a button that ends the session, and ends it.
func (h *Handler) logout(r *request) error {
	claims, err := h.claims(r)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		r.view.Claims = claims
		return h.show(r, http.StatusOK, "logout")
	}
	if claims != nil {
		if err := h.Realm.Sessions.Logout(r.Context(), claims, r.PostForm.Has("everywhere")); err != nil {
			return err
		}
	}
	h.cookies().End(r.w.Header())
	h.redirect(r, h.Prefix+"/signed-out")
	return nil
}

// signedOut is the page after a logout.
func (h *Handler) signedOut(r *request) error { return h.show(r, http.StatusOK, "signed-out") }

// renew replaces the token of the session by a fresh one and returns. It sets a cookie
// that keeps the gate from asking again for a while, whatever happens: there is no loop
// of redirects, even while the store is down.
func (h *Handler) renew(r *request) error {
	h.setCookie(r, gate.CookieRenewed, "1", renewedLifetime)
	claims, err := h.claims(r)
	if err == nil && claims != nil {
		grant, renewErr := h.Realm.Sessions.Renew(r.Context(), authcore.SessionRef{UserID: claims.Subject, ID: claims.Session})
		if err = renewErr; err == nil {
			err = h.setSession(r, grant)
		}
	}
	if err != nil {
		h.Logger.Warn("renewing a session failed", "error", err)
	}
	h.redirect(r, h.returnTo(r))
	return nil
}
