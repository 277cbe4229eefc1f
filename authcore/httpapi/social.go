package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// providerInfo describes a provider to a frontend.
type providerInfo struct {
	Name         string `json:"name"`
	ClientID     string `json:"client_id"`
	AuthorizeURL string `json:"authorize_url"`
	Scope        string `json:"scope"`
	ResponseType string `json:"response_type"`
	ResponseMode string `json:"response_mode,omitempty"`
}

// listProviders returns the providers that a client may use.
func (h *Handler) listProviders(r *request) (answer, error) {
	in, err := h.ofLogin(r)(read(fromForm(r.URL.Query()), h.clientKey()))
	if err != nil {
		return answer{}, err
	}
	providers, err := h.realm.Logins.Providers(r.Context(), in["client_key"])
	return replyList(providers, err, func(provider login.ProviderInfo) providerInfo {
		return providerInfo{
			Name:         provider.Name,
			ClientID:     provider.ClientID,
			AuthorizeURL: provider.AuthorizeURL,
			Scope:        provider.Scope,
			ResponseType: provider.ResponseType,
			ResponseMode: provider.ResponseMode,
		}
	})
}

// authorization is the body of the answer to authorize.
type authorization struct {
	URL   string `json:"url"`
	State string `json:"state"`
}

// authorize begins a social login, or the linking of one to the user of the token.
func (h *Handler) authorize(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	in, err := h.socialInput(r, from, flag("link"), optional("return_to"))
	if err != nil {
		return answer{}, err
	}
	linkTo, err := h.linkTo(r, in)
	if err != nil {
		return answer{}, err
	}
	start, err := h.pageStart(r, in)
	if err != nil {
		return answer{}, err
	}
	begun, err := h.realm.Logins.Authorize(r.Context(), login.AuthorizeStart{
		Provider:    in["provider"],
		ClientKey:   in["client_key"],
		RedirectURI: in["redirect_uri"],
		Page:        start,
		LinkTo:      linkTo,
		Caller:      h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, authorization{URL: begun.URL, State: begun.State})
}

// loginSocial logs in with a provider's code, or with the ID token that an
// application got from a provider by itself.
func (h *Handler) loginSocial(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	fields := []field{
		{name: "code", required: true, unless: []string{"id_token"}}, optional("id_token"), optional("nonce"), optional("state"), flag("link"), blank("device_token"),
	}
	if _, native := from("id_token"); native {
		fields = append(fields, blank("user"))
	} else {
		fields = append(fields, optional("code_verifier"), optional("iss"), optional("device_id"))
	}
	in, err := h.socialInput(r, from, fields...)
	if err != nil {
		return answer{}, err
	}
	linkTo, err := h.linkTo(r, in)
	if err != nil {
		return answer{}, err
	}
	grant, err := h.realm.Logins.Social(r.Context(), login.SocialLogin{
		Provider:    in["provider"],
		Code:        in["code"],
		IDToken:     in["id_token"],
		ClientKey:   in["client_key"],
		RedirectURI: in["redirect_uri"],
		State:       in["state"],
		Verifier:    in["code_verifier"],
		Nonce:       in["nonce"],
		Issuer:      in["iss"],
		Device:      in["device_id"],
		User:        in["user"],
		LinkTo:      linkTo,
		Caller:      h.callerOn(r, in["device_token"]),
	})
	if linkTo != nil {
		err = ofToken(err)
	}
	return h.signedInAs(r)(grant, err)
}

// linkTo returns the user who adds a login to the account, if the body requests
// that. Otherwise the Authorization header is ignored: clients send it with every
// request, and an expired token must not keep them from logging in.
func (h *Handler) linkTo(r *request, in input) (*gate.Claims, error) {
	switch {
	case !in.isSet("link"):
		return nil, nil
	case r.byCookie:
		return h.authenticate(r)
	default:
		return h.realm.Authenticate(r.Header.Values("Authorization"))
	}
}

// socialInput reads the fields that both calls have, and further ones. A provider in
// the path overrides the one in the body, which is not read then. Client key and
// redirect URI of a login for the cookie are those of the login page.
func (h *Handler) socialInput(r *request, from source, further ...field) (input, error) {
	fields := append([]field{
		h.clientKey(),
		{name: "redirect_uri", alias: "redirectUri"},
	}, further...)
	if r.param == "" {
		fields = append(fields, required("provider"))
	}
	in, err := h.ofLogin(r)(read(from, fields...))
	if err != nil {
		return nil, err
	}
	if r.param != "" {
		in["provider"] = r.param
	}
	if r.byCookie {
		in["redirect_uri"] = h.site.RedirectURI(in["provider"])
	}
	return in, nil
}
