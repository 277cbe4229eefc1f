package authcore

import "time"

// MethodKey is the Session.Method of an API key.
const MethodKey = "key"

// Session is one login of one user, until it is ended or expires, or an API key.
type Session struct {
	// ID is a random UUID, the "sid" of the session's tokens.
	ID     string `json:"id"`
	UserID string `json:"user_id"`
	// Client is the name of the client that logged in; "" for an API key.
	Client string `json:"client"`
	// Method is "link", "code", "passkey", the name of a provider, or MethodKey.
	Method string `json:"method"`
	// AMR lists the authentication methods of the login and of later proofs: see
	// the claim amr. ACR is the number of factors that they prove, "1" or "2".
	AMR []string `json:"amr,omitempty"`
	ACR string   `json:"acr,omitempty"`
	// Device reports that a remembered device replaced the second factor.
	Device bool `json:"device,omitempty"`
	// Identity is the PublicID of the identity, or the ID of the passkey, that logged
	// in; "" for a link or code. A refresh applies the rules of the realm to the
	// identity, as the login did.
	Identity string    `json:"identity,omitempty"`
	Created  time.Time `json:"created"`
	// Expires is the time at which the last token of the session expires. It
	// never moves back, so that a revocation of the session covers every token.
	Expires   time.Time `json:"expires"`
	LastSeen  time.Time `json:"last_seen"`
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	// Name is the name of an API key, and Roles are those that its user gave to it,
	// sorted. Both are empty for a login.
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles,omitempty"`

	// Token describes the newest token.
	Token SessionToken `json:"token"`
	// Superseded lists earlier tokens that may still be refreshed, newest first.
	Superseded []SupersededToken `json:"superseded,omitempty"`
}

// IsKey reports whether the session is an API key and not a login.
func (s Session) IsKey() bool { return s.Method == MethodKey }

// SessionToken describes the newest token of a session, so that it can be signed
// again for a client that lost it.
type SessionToken struct {
	// ID is its "jti".
	ID      string    `json:"id"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"expires"`
}

// SupersededToken is a token that a refresh replaced.
type SupersededToken struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// SessionRef identifies a session.
type SessionRef struct{ UserID, ID string }
