package adminapi

import (
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// InvitationRequest is the body of POST /invitations.
type InvitationRequest struct {
	account.NewUser
	// ExpiresIn is the lifetime in seconds. Default: the option of the realm.
	ExpiresIn int64 `json:"expires_in,omitempty"`
	// Locale is the preferred language of the mail as a BCP 47 tag.
	Locale string `json:"locale,omitempty"`
}

// Invitations is a page of invitations, the newest first. Next is the cursor of the next
// page, or "" at the end.
type Invitations struct {
	Invitations []login.Invitation `json:"invitations"`
	Next        string             `json:"next"`
}

func invite(c *call) (any, error) {
	var body InvitationRequest
	if err := c.read(&body, `{"email": "…", "roles": […], "first_name": "…", "last_name": "…", "expires_in": seconds, "locale": "…"}`); err != nil {
		return nil, err
	}
	if body.ExpiresIn < 0 || body.ExpiresIn > int64(login.MaxInvitationLifetime/time.Second) {
		return nil, invalid("expires_in: use a number of seconds up to 90 days.")
	}
	c.status = http.StatusCreated
	return c.realm.Logins.Invite(c.Context(), login.InvitationRequest{
		NewUser: body.NewUser, Lifetime: time.Duration(body.ExpiresIn) * time.Second, Locale: body.Locale,
	})
}

func listInvitations(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	page, next, err := c.realm.Logins.Invitations(c.Context(), limit, c.URL.Query().Get("cursor"))
	return Invitations{Invitations: page, Next: next}, err
}

func revokeInvitation(c *call) (any, error) {
	return nil, c.realm.Logins.RevokeInvitation(c.Context(), c.PathValue("invitation"))
}
