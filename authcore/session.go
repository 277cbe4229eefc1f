package authcore

import "time"

// Session is one login of one user, until it is ended or expires.
type Session struct {
	// ID is a random UUID, the "sid" of the session's tokens.
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	// TokenID is the "jti" of the session's current token.
	TokenID string `json:"token_id"`
	// Client is the name of the client that logged in.
	Client string `json:"client"`
	// Method is "link", "code" or the name of a provider.
	Method    string    `json:"method"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
	LastSeen  time.Time `json:"last_seen"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
}
