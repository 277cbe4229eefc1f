package httpapi

import (
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// identityBody is one of the user's accounts at providers. Its subject is not
// shown: no frontend needs it.
type identityBody struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Email    string `json:"email"` // for display; as reported at the last login
	Created  string `json:"created"`
}

// listIdentities returns the user's logins through providers, oldest first.
func (h *Handler) listIdentities(r *request, claims *gate.Claims) (answer, error) {
	identities, err := h.realm.Accounts.Identities(r.Context(), claims)
	return replyList(identities, err, func(identity authcore.Identity) identityBody {
		return identityBody{
			ID:       identity.PublicID,
			Provider: identity.Provider,
			Email:    identity.Email,
			Created:  rfc3339(identity.Created),
		}
	})
}

// unlink removes a login from the user. A login of another user is not found
// (CWE-639). A page of another site cannot make a browser send the request, because
// the token is in a header that only a page that has the token can set (CWE-352).
func (h *Handler) unlink(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Accounts.Unlink(r.Context(), claims, h.caller(r), r.param))
}
