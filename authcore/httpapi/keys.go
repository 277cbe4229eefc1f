package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// keyBody is one of the user's API keys.
type keyBody struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Roles     []string `json:"roles"`
	Created   string   `json:"created"`
	ExpiresAt string   `json:"expires_at"`
	// LastUsed is "" if the key was not used, and about an hour old otherwise.
	LastUsed string `json:"last_used"`
}

// createdKeyBody is a new API key, with the only copy of its secret.
type createdKeyBody struct {
	keyBody
	Secret string `json:"secret"`
}

func keyBodyOf(key apikey.Key) keyBody {
	return keyBody{
		ID: key.ID, Name: key.Name, Roles: append([]string{}, key.Roles...),
		Created: rfc3339(key.Created), ExpiresAt: rfc3339(key.Expires), LastUsed: rfc3339(key.LastUsed),
	}
}

// listKeys returns the user's API keys, newest first. There are 50 at most.
func (h *Handler) listKeys(r *request, claims *gate.Claims) (answer, error) {
	keys, err := h.realm.APIKeys.List(r.Context(), claims.Subject)
	return replyList(keys, err, keyBodyOf)
}

// createKey creates an API key for the user.
func (h *Handler) createKey(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(required("name"), required("expires_in"), field{name: "roles", list: true})
	if err != nil {
		return answer{}, err
	}
	seconds, err := strconv.ParseInt(in["expires_in"], 10, 32)
	if err != nil {
		return answer{}, authcore.FieldError(authcore.CodeInvalidRequest, "expires_in", "Enter a whole number of seconds.")
	}
	created, err := h.realm.APIKeys.Create(r.Context(), claims, h.caller(r), apikey.Request{
		Name: in["name"], Roles: strings.Fields(in["roles"]), Lifetime: time.Duration(seconds) * time.Second,
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusCreated, createdKeyBody{keyBodyOf(created.Key), created.Secret})
}

// revokeKey ends one of the user's API keys. A key of another user is not found
// (CWE-639).
func (h *Handler) revokeKey(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.APIKeys.Revoke(r.Context(), claims.Subject, r.param))
}
