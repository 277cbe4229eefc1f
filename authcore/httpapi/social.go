package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// providerInfo is what a frontend must know to send people to a provider.
type providerInfo struct {
	Name         string `json:"name"`
	ClientID     string `json:"client_id"`
	AuthorizeURL string `json:"authorize_url"`
	Scope        string `json:"scope"`
	ResponseType string `json:"response_type"`
	ResponseMode string `json:"response_mode,omitempty"`
}

// listProviders tells a client which providers it may use.
func (h *Handler) listProviders(r *request) (answer, error) {
	in, err := read(fromForm(r.URL.Query()), required("client_key"))
	if err != nil {
		return answer{}, err
	}
	providers, err := h.service.ProvidersFor(r.Context(), in["client_key"])
	if err != nil {
		return answer{}, err
	}
	list := make([]providerInfo, len(providers))
	for i, provider := range providers {
		list[i] = providerInfo{
			Name:         provider.Name,
			ClientID:     provider.ClientID,
			AuthorizeURL: provider.AuthorizeURL,
			Scope:        provider.Scope,
			ResponseType: provider.ResponseType,
			ResponseMode: provider.ResponseMode,
		}
	}
	return reply(http.StatusOK, list)
}

// authorization is where to send the browser.
type authorization struct {
	URL   string `json:"url"`
	State string `json:"state"`
}

// authorize begins a social login.
func (h *Handler) authorize(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	in, err := r.socialInput(from)
	if err != nil {
		return answer{}, err
	}
	begun, err := h.service.Authorize(r.Context(), authcore.AuthorizeStart{
		Provider:    in["provider"],
		ClientKey:   in["client_key"],
		RedirectURI: in["redirect_uri"],
		Caller:      h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, authorization{URL: begun.URL, State: begun.State})
}

// loginSocial redeems a provider's code, or the ID token that an application got
// from a provider by itself. The Authorization header counts only where the body
// asks to add the login to the signed-in user: clients send it with every
// request, and a dead token must not keep them from logging in.
func (h *Handler) loginSocial(r *request) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	fields := []field{
		{name: "code", required: true, unless: "id_token"}, optional("id_token"), optional("nonce"), flag("link"),
	}
	if _, native := from("id_token"); native {
		fields = append(fields, blank("user"))
	} else {
		fields = append(fields, optional("state"), optional("code_verifier"), optional("iss"), optional("device_id"))
	}
	in, err := r.socialInput(from, fields...)
	if err != nil {
		return answer{}, err
	}
	var linkTo *gate.Claims
	if in.isSet("link") {
		if linkTo, err = h.service.Authenticate(r.Context(), r.Header.Values("Authorization")); err != nil {
			return answer{}, err
		}
	}
	login, err := h.service.LoginSocial(r.Context(), authcore.SocialLogin{
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
		Caller:      h.caller(r),
	})
	if linkTo != nil {
		err = ofToken(err)
	}
	return signedInAs(login, err)
}

// socialInput reads the fields that both calls have, and further ones. The
// provider in the path wins over the one in the body, which is not looked at
// then.
func (r *request) socialInput(from source, further ...field) (input, error) {
	fields := append([]field{
		required("client_key"),
		{name: "redirect_uri", alias: "redirectUri"},
	}, further...)
	if r.param == "" {
		fields = append(fields, required("provider"))
	}
	in, err := read(from, fields...)
	if err == nil && r.param != "" {
		in["provider"] = r.param
	}
	return in, err
}
