package pages

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const (
	// loginLifetime limits the time for a sign-in.
	loginLifetime = 15 * time.Minute
	// renewedLifetime is the time without another renewal, whatever the outcome.
	renewedLifetime = time.Minute
	// maxSession limits name and value of the session cookie: browsers drop cookies
	// above 4096 bytes without an error.
	maxSession = 3584
	// loginBytes is the length of the random value of the login cookie.
	loginBytes = 32
)

// cookieName returns the name of a cookie on this site.
func (h *Handler) cookieName(name string) string { return gate.CookieName(name, h.secure) }

// setCookie sets a cookie; a lifetime of zero expires it. Safari sends no Secure cookies
// to loopback addresses over http.
func (h *Handler) setCookie(r *request, name, value string, lifetime time.Duration) {
	age := int(lifetime / time.Second)
	if age <= 0 {
		age = -1
	}
	http.SetCookie(r.w, &http.Cookie{ //nolint:gosec // not Secure on http of the loopback interface only
		Name: h.cookieName(name), Value: value, Path: "/", MaxAge: age,
		Secure: h.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// claims returns the claims of the first session cookie that verifies, or nil. The error
// reports that none could be checked.
func (h *Handler) claims(r *request) (*gate.Claims, error) {
	for _, cookie := range r.CookiesNamed(h.cookieName(gate.CookieSession)) {
		claims, err := h.Realm.Authenticate([]string{"Token " + cookie.Value})
		if err == nil {
			return claims, nil
		}
		if public, ok := errors.AsType[*authcore.Error](err); ok {
			return nil, public
		}
	}
	return nil, nil
}

// browser returns the digest of the login cookie, or "".
func (h *Handler) browser(r *request) string {
	if value := h.loginValue(r); value != "" {
		return browserDigest(value)
	}
	return ""
}

// loginValue returns the value of the login cookie, or "".
func (h *Handler) loginValue(r *request) string {
	for _, cookie := range r.CookiesNamed(h.cookieName(gate.CookieLogin)) {
		if secret, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value); err == nil && len(secret) == loginBytes {
			return cookie.Value
		}
	}
	return ""
}

func browserDigest(value string) string { return authcore.DigestOf("login cookie", value).String() }

// bindBrowser sets the login cookie, or prolongs it, and returns its digest.
func (h *Handler) bindBrowser(r *request) (string, error) {
	value := h.loginValue(r)
	if value == "" {
		var err error
		if value, err = (authcore.Random{}).Secret(); err != nil {
			return "", authcore.Unavailable(err)
		}
	}
	h.setCookie(r, gate.CookieLogin, value, loginLifetime)
	return browserDigest(value), nil
}

// enter sets the session cookie for a login and continues to the return address. A
// session of the browser that this one replaces ends.
func (h *Handler) enter(r *request, grant session.Grant, returnTo string) error {
	if err := h.setSession(r, grant); err != nil {
		return err
	}
	if former, err := h.claims(r); err == nil && former != nil && former.Session != grant.Session.ID {
		if err := h.Realm.Sessions.Logout(r.Context(), former, false); err != nil {
			h.Logger.Warn("ending the former session failed", "error", err)
		}
	}
	h.redirect(r, returnTo)
	return nil
}

func (h *Handler) setSession(r *request, grant session.Grant) error {
	if size := len(h.cookieName(gate.CookieSession)) + len(grant.Token); size > maxSession {
		return authcore.Unavailable(fmt.Errorf("pages: session cookie has %d bytes, at most %d are sure to be stored; shorten the names of issuer, audience and roles", size, maxSession))
	}
	h.setCookie(r, gate.CookieSession, grant.Token, grant.ExpiresAt().Sub(h.Realm.Now()))
	return nil
}
