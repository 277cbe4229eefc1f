package httpapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// identityBody is one of the user's accounts at social providers. The id there is
// not shown: no frontend has a use for it.
type identityBody struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Email    string `json:"email"` // to show; as it was when the login was added
	Created  string `json:"created"`
}

// listIdentities returns the user's logins through providers, oldest first.
func (h *Handler) listIdentities(r *request, claims *gate.Claims) (answer, error) {
	identities, err := h.service.Identities(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	list := make([]identityBody, len(identities))
	for i, identity := range identities {
		list[i] = identityBody{
			ID:       identity.PublicID(),
			Provider: identity.Provider,
			Email:    identity.Email,
			Created:  rfc3339(identity.Created),
		}
	}
	return reply(http.StatusOK, list)
}

// unlink takes a login away from the user. One of somebody else's is not found
// (CWE-639). Other sites cannot make a browser do it: the token travels in a
// header that only a page which has it can set (CWE-352).
func (h *Handler) unlink(r *request, claims *gate.Claims) (answer, error) {
	if err := h.service.Unlink(r.Context(), claims, r.param); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
