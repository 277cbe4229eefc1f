package pages

import (
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// renewedLifetime is the time without another renewal, whatever the outcome.
const renewedLifetime = time.Minute

// cookies makes and reads the cookies of the site.
func (h *Handler) cookies() login.Cookies { return login.Cookies{Origin: h.Origin} }

// setCookie sets a cookie; a lifetime of zero expires it.
func (h *Handler) setCookie(r *request, name, value string, lifetime time.Duration) {
	http.SetCookie(r.w, h.cookies().New(name, value, lifetime))
}

// claims returns the claims of the first session cookie that verifies, or nil. The error
// reports that none could be checked.
func (h *Handler) claims(r *request) (*gate.Claims, error) {
	claims, err := h.Realm.AuthenticateAny(h.cookies().Tokens(r.Request))
	if _, denied := errors.AsType[*realm.Unauthenticated](err); denied {
		return nil, nil
	}
	return claims, err
}

// browser returns the digest of the login cookie, or "".
func (h *Handler) browser(r *request) string { return h.cookies().Browser(r.Request) }

// bindBrowser sets the login cookie, or prolongs it, and returns its digest.
func (h *Handler) bindBrowser(r *request) string {
	cookie, digest := h.cookies().Bind(r.Request)
	http.SetCookie(r.w, cookie)
	return digest
}

// enter sets the session cookie for a login and continues to the return address.
func (h *Handler) enter(r *request, grant session.Grant, returnTo string) error {
	if err := h.replaceSession(r, grant); err != nil {
		return err
	}
	h.redirect(r, returnTo)
	return nil
}

// replaceSession sets the session cookie. A session of the browser that this one replaces
// ends.
func (h *Handler) replaceSession(r *request, grant session.Grant) error {
	if err := h.setSession(r, grant); err != nil {
		return err
	}
	if former, err := h.claims(r); err == nil && former != nil && former.Session != grant.Session.ID {
		if err := h.Realm.Sessions.Logout(r.Context(), former, false); err != nil {
			h.Logger.Warn("ending the former session failed", "error", err)
		}
	}
	return nil
}

func (h *Handler) setSession(r *request, grant session.Grant) error {
	cookie, err := h.cookies().Session(grant, h.Realm.Now())
	if err == nil {
		http.SetCookie(r.w, cookie)
	}
	return err
}
