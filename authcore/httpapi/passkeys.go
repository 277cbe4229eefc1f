package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
)

// passkeyBody is a passkey of the user. An absent time is "".
type passkeyBody struct {
	ID string `json:"id"`
	// CredentialID names the passkey to the browser, for the signal methods of
	// PublicKeyCredential.
	CredentialID string `json:"credential_id"`
	Name         string `json:"name"`
	Created      string `json:"created"`
	LastUsed     string `json:"last_used"`
	BackedUp     bool   `json:"backed_up"`
}

func bodyOf(one passkey.Passkey) passkeyBody {
	return passkeyBody{
		ID: one.ID, CredentialID: one.CredentialID, Name: one.Name,
		Created: rfc3339(one.Created), LastUsed: rfc3339(one.LastUsed), BackedUp: one.BackedUp,
	}
}

// withPasskeys serves an endpoint in a realm that has passkeys; another one has no such
// endpoints.
func (h *Handler) withPasskeys(serve endpoint) endpoint {
	return func(r *request) (answer, error) {
		if h.realm.Passkeys == nil {
			return answer{}, authcore.NotFound()
		}
		return serve(r)
	}
}

// credential is the JSON form of a credential, as PublicKeyCredential.toJSON returns it.
func credential() field { return field{name: "credential", required: true, object: true} }

// passkeyLoginOptions returns the options with which a page asks for a passkey. They are
// the same for everyone but for the challenge, and nothing is stored or counted.
func (h *Handler) passkeyLoginOptions(*request) (answer, error) {
	options, err := h.realm.Passkeys.LoginOptions()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: options}, nil
}

// loginByPasskey logs in with a passkey.
func (h *Handler) loginByPasskey(r *request) (answer, error) {
	in, err := h.ofLogin(r)(r.fields(credential(), h.clientKey()))
	if err != nil {
		return answer{}, err
	}
	return h.signedInAs(r)(h.realm.Logins.ByPasskey(r.Context(), login.PasskeyLogin{
		Credential: []byte(in["credential"]), ClientKey: in["client_key"], Caller: h.caller(r),
	}))
}

// passkeyRegistrationOptions returns the options with which a page creates a passkey.
func (h *Handler) passkeyRegistrationOptions(r *request, claims *gate.Claims) (answer, error) {
	options, err := h.realm.Passkeys.RegistrationOptions(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: options}, nil
}

// registerPasskey stores the passkey that a page created.
func (h *Handler) registerPasskey(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(credential(), blank("name"))
	if err != nil {
		return answer{}, err
	}
	made, err := h.realm.Passkeys.Register(r.Context(), claims, passkey.Registration{
		Credential: []byte(in["credential"]), Name: in["name"], Caller: h.caller(r),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusCreated, bodyOf(made))
}

// listPasskeys returns the passkeys of the user, newest first.
func (h *Handler) listPasskeys(r *request, claims *gate.Claims) (answer, error) {
	passkeys, err := h.realm.Passkeys.List(r.Context(), claims)
	return replyList(passkeys, err, bodyOf)
}

// renamePasskey changes the name of a passkey.
func (h *Handler) renamePasskey(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(required("name"))
	if err != nil {
		return answer{}, err
	}
	renamed, err := h.realm.Passkeys.Rename(r.Context(), claims, r.param, in["name"])
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, bodyOf(renamed))
}

// deletePasskey removes a passkey. A passkey of another user is not found (CWE-639).
func (h *Handler) deletePasskey(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Passkeys.Delete(r.Context(), claims, h.caller(r), r.param))
}
