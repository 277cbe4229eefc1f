package httpapi

import (
	"errors"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// Site is the site of the API if it has a login page. Scripts of its own pages use the
// session cookie, so that no script has a token: a login without a client key sets the
// cookie, and the calls that need a token accept the cookie instead.
type Site struct {
	// Origin is the origin of the site as browsers send it.
	Origin string
	// ClientKey is the key of the client of the login page.
	ClientKey string
	// RedirectURI returns the page to which a provider returns, which sets the cookie.
	RedirectURI func(provider string) string
}

func (s *Site) cookies() login.Cookies { return login.Cookies{Origin: s.Origin} }

// authenticate returns the claims of the token or, without the Authorization header, of
// the session cookie. Only pages of the site itself may use the cookie, whatever the
// method: other sites of the same domain send it, too (CWE-352).
func (h *Handler) authenticate(r *request) (*gate.Claims, error) {
	if h.site == nil || len(r.Header.Values("Authorization")) > 0 {
		return h.realm.Authenticate(r.Header.Values("Authorization"))
	}
	claims, err := h.realm.AuthenticateAny(h.site.cookies().Tokens(r.Request))
	switch {
	case err != nil:
		return nil, err
	case h.site.cookies().IsCrossSite(r.Request):
		return nil, crossSite()
	}
	r.byCookie = true
	return claims, nil
}

// clientKey is the field with the key of the client, without which a login is for the
// cookie.
func (h *Handler) clientKey() field {
	return field{name: "client_key", required: h.site == nil}
}

// ofLogin completes the input of a login. Without a client key, the login is for the
// cookie and has the client key of the site.
func (h *Handler) ofLogin(r *request) func(input, error) (input, error) {
	return func(in input, err error) (input, error) {
		if err != nil {
			return nil, err
		}
		if _, found := in["client_key"]; !found && h.site != nil {
			in["client_key"], err = h.site.ClientKey, h.useCookie(r)
		}
		return in, err
	}
}

// continueWith prepares the request for the cookie if the login of a challenge, which names
// no client key, began for it.
func (h *Handler) continueWith(r *request, challenge string) error {
	if h.site == nil {
		return nil
	}
	key, err := h.realm.Logins.ClientOf(challenge)
	if err != nil || key != h.site.ClientKey {
		return err
	}
	return h.useCookie(r)
}

// useCookie prepares a login for the cookie. Pages of other origins must not cause one.
func (h *Handler) useCookie(r *request) error {
	if h.site.cookies().IsCrossSite(r.Request) {
		return crossSite()
	}
	r.byCookie = true
	return nil
}

// pageStart describes the browser of a login that ends at the login page, or is nil for
// one that does not use the cookie.
func (h *Handler) pageStart(r *request, in input) (*login.PageStart, error) {
	if !r.byCookie {
		return nil, nil
	}
	returnTo, valid := gate.ReturnTo(in["return_to"])
	if in["return_to"] != "" && !valid {
		return nil, authcore.FieldError(authcore.CodeInvalidRequest, "return_to", "Enter a path of this site, such as /orders?page=2.")
	}
	cookie, browser := h.site.cookies().Bind(r.Request)
	r.cookies = append(r.cookies, cookie)
	return &login.PageStart{Browser: browser, ReturnTo: returnTo, Link: in.isSet("link")}, nil
}

// keep stores a login in the session cookie, and takes the token out of the answer. A
// session of the browser that this one replaces ends.
func (h *Handler) keep(r *request, grant *session.Grant) error {
	cookie, err := h.site.cookies().Session(*grant, h.realm.Now())
	if err != nil {
		return err
	}
	r.cookies = append(r.cookies, cookie)
	grant.Token = ""
	former, err := h.realm.AuthenticateAny(h.site.cookies().Tokens(r.Request))
	if err == nil && former.Session != grant.Session.ID {
		if err := h.realm.Sessions.Logout(r.Context(), former, false); err != nil {
			h.log.Warn("ending the former session failed", "error", err)
		}
	}
	return nil
}

// forget ends the session in the browser that sent its cookie.
func (h *Handler) forget(r *request) {
	if r.byCookie {
		h.site.cookies().End(r.w.Header())
	}
}

// showSession returns the session of the token or the cookie. Without one the answer is
// empty: pages ask this each time they are loaded, and a failure would appear in the
// console of the browser.
func (h *Handler) showSession(r *request) (answer, error) {
	claims, err := h.authenticate(r)
	if _, denied := errors.AsType[*realm.Unauthenticated](err); denied && len(r.Header.Values("Authorization")) == 0 {
		return answer{status: http.StatusNoContent}, nil
	}
	if err != nil {
		return answer{}, err
	}
	user, err := h.realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return answer{}, ofToken(err)
	}
	return reply(http.StatusOK, sessionBodyOf(user, claims))
}
