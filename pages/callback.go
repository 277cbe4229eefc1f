package pages

import (
	"net/http"
	"net/url"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// callback completes a social login. The state must be one that this browser began:
// otherwise an attacker could sign the browser of a victim in to the account of the
// attacker (RFC 6749, section 10.12).
func (h *Handler) callback(r *request) error {
	query := r.URL.Query()
	start, err := h.Realm.Logins.ShowStart(r.Context(), query.Get("state"))
	if err != nil {
		return err
	}
	if !start.MatchesBrowser(h.browser(r)) {
		return errState()
	}
	r.view.ReturnTo = h.checkedReturn(start.ReturnTo)
	if query.Get("error") != "" || query.Get("code") == "" {
		return &authcore.Error{
			Status: http.StatusBadRequest, Code: authcore.CodeProviderDenied, Detail: "The provider did not accept this login.",
		}
	}
	social := login.SocialLogin{
		Provider: r.param, Code: query.Get("code"), State: query.Get("state"), Issuer: query.Get("iss"),
		Device: query.Get("device_id"), ClientKey: h.ClientKey, RedirectURI: RedirectURI(h.address(), r.param),
		Caller: h.caller(r),
	}
	if start.Link {
		if social.LinkTo, err = h.claims(r); err != nil {
			return err
		}
		if social.LinkTo == nil {
			return errState()
		}
	}
	grant, err := h.Realm.Logins.Social(r.Context(), social)
	return h.entered(r, grant, r.view.ReturnTo, err)
}

// signInElsewhere continues to the login page of the other site. The browser is bound
// first: the other site returns a handoff for this browser only.
func (h *Handler) signInElsewhere(r *request, confirm bool) error {
	browser := h.bindBrowser(r)
	query := url.Values{"site": {h.address()}, "browser": {browser}, "return_to": {h.returnTo(r)}}
	if confirm {
		asked := readNeeds(r.URL.Query())
		for _, value := range asked.fields() {
			query.Set(value.Name, value.Value)
		}
		if asked.isEmpty() || asked.maxAge > 0 {
			query.Set("confirm", "1")
		}
	}
	h.redirect(r, h.SignInAt+"/sso?"+query.Encode())
	return nil
}
