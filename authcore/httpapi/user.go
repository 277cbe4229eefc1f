package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// loginBody is the body of the answer to a login. An absent text is "", never null.
type loginBody struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	userFields
	IsNew     bool   `json:"is_new"`
	ExpiresAt string `json:"expires_at"`
}

// userBody is the body of the answer to a request for the user.
type userBody struct {
	ID string `json:"id"`
	userFields
}

// userFields are the members that both have.
type userFields struct {
	Username      string `json:"username"` // for display, not unique
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

// signedInAs answers a login.
func (h *Handler) signedInAs(r *request) func(session.Grant, error) (answer, error) {
	return func(grant session.Grant, err error) (answer, error) {
		if err == nil && r.byCookie {
			err = h.keep(r, &grant)
		}
		if err != nil {
			return answer{}, err
		}
		return reply(http.StatusOK, loginBodyOf(grant))
	}
}

func loginBodyOf(grant session.Grant) loginBody {
	return loginBody{
		ID:         grant.User.ID,
		Token:      grant.Token,
		userFields: fieldsOf(grant.User),
		IsNew:      grant.IsNew,
		ExpiresAt:  rfc3339(grant.ExpiresAt()),
	}
}

// sessionBodyOf is the login body of a session that exists. It has no token.
func sessionBodyOf(user authcore.User, claims *gate.Claims) loginBody {
	return loginBody{
		ID: user.ID, userFields: fieldsOf(user), ExpiresAt: rfc3339(time.Unix(claims.ExpiresAt, 0)),
	}
}

// rfc3339 writes a time in UTC, to the second; an absent time is "".
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// signedIn returns an endpoint that requires a token. The token is read from the
// Authorization header, because a URL would be logged (RFC 6750, section 5.3), or from
// the cookie of the site; see authenticate.
func (h *Handler) signedIn(serve func(*request, *gate.Claims) (answer, error)) endpoint {
	return func(r *request) (answer, error) {
		claims, err := h.authenticate(r)
		if err != nil {
			return answer{}, err
		}
		a, err := serve(r, claims)
		return a, ofToken(err)
	}
}

// ofToken returns the 401 of the gate for an inactive user whose token was accepted
// because the revocation has not arrived here yet.
func ofToken(err error) error {
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok || public.Code != authcore.CodeUserInactive {
		return err
	}
	return &realm.Unauthenticated{Decision: gate.Decision{
		Status: http.StatusUnauthorized, Body: gate.BodyUserInactive,
	}}
}

// showUser returns the user of the token.
func (h *Handler) showUser(r *request, claims *gate.Claims) (answer, error) {
	return userAnswer(h.realm.Accounts.CurrentUser(r.Context(), claims))
}

func userAnswer(user authcore.User, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return reply(http.StatusOK, userBody{ID: user.ID, userFields: fieldsOf(user)})
}

// changeUser changes the fields that users may change.
func (h *Handler) changeUser(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(blank("first_name"), blank("last_name"))
	if err != nil {
		return answer{}, err
	}
	return userAnswer(h.realm.Accounts.UpdateProfile(r.Context(), claims, account.ProfileChange{
		FirstName: in.optional("first_name"),
		LastName:  in.optional("last_name"),
	}))
}
