package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// loginBody answers every login. Texts are "" where there is nothing, never
// null.
type loginBody struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	userFields
	IsNew     bool   `json:"is_new"`
	ExpiresAt string `json:"expires_at"`
}

// userBody is a user without a login.
type userBody struct {
	ID string `json:"id"`
	userFields
}

// userFields is what logins and users have in common.
type userFields struct {
	Username      string `json:"username"` // to show, never a key
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	AvatarURL     string `json:"avatar_url"`
}

func fieldsOf(user authcore.User) userFields {
	return userFields{
		Username:      user.Username(),
		FirstName:     user.FirstName,
		LastName:      user.LastName,
		Email:         user.Email,
		EmailVerified: user.EmailVerified,
		AvatarURL:     user.AvatarURL,
	}
}

// signedInAs answers with the outcome of a login.
func signedInAs(login authcore.Login, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, loginBody{
		ID:         login.User.ID,
		Token:      login.Token,
		userFields: fieldsOf(login.User),
		IsNew:      login.IsNew,
		ExpiresAt:  rfc3339(login.ExpiresAt()),
	})
}

// rfc3339 writes a time in UTC, to the second.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// signedIn makes an endpoint out of what needs a token. The token comes from
// the Authorization header alone (RFC 6750, section 5.3: not from the URL, where
// it would be logged; cookies would let other sites use it, CWE-352).
func (h *Handler) signedIn(serve func(*request, *gate.Claims) (answer, error)) endpoint {
	return func(r *request) (answer, error) {
		claims, err := h.service.Authenticate(r.Context(), r.Header.Values("Authorization"))
		if err != nil {
			return answer{}, err
		}
		a, err := serve(r, claims)
		return a, ofToken(err)
	}
}

// ofToken makes the 401 of the gate out of an inactive user whose token was
// still accepted: the store knew before the revocation arrived here.
func ofToken(err error) error {
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok || public.Code != authcore.CodeUserInactive {
		return err
	}
	return &authcore.Unauthenticated{Decision: gate.Decision{
		Status: http.StatusUnauthorized, Body: gate.BodyUserInactive,
	}}
}

// showUser returns the user of the token.
func (h *Handler) showUser(r *request, claims *gate.Claims) (answer, error) {
	user, err := h.service.CurrentUser(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, userBody{ID: user.ID, userFields: fieldsOf(user)})
}

// changeUser changes what people may change about themselves.
func (h *Handler) changeUser(r *request, claims *gate.Claims) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	in, err := read(from,
		field{name: "first_name", mayBeBlank: true},
		field{name: "last_name", mayBeBlank: true},
	)
	if err != nil {
		return answer{}, err
	}
	user, err := h.service.UpdateProfile(r.Context(), claims, authcore.ProfileChange{
		FirstName: in.optional("first_name"),
		LastName:  in.optional("last_name"),
	})
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, userBody{ID: user.ID, userFields: fieldsOf(user)})
}
