package gate

// Purpose is the use of a token, the "typ" of its header (RFC 8725, section 3.11). A
// token of one purpose is refused for every other.
type Purpose string

// The purposes of tokens.
const (
	// PurposeLogin is for tokens that a login returns.
	PurposeLogin Purpose = "login+jwt"
	// PurposeKey is for API keys.
	PurposeKey Purpose = "key+jwt"
	// PurposeAssertion is for short-lived tokens for an upstream.
	PurposeAssertion Purpose = "assertion+jwt"
	// PurposeRevocations is for the feed of revocations, which identifies no user.
	PurposeRevocations Purpose = "revocations+jwt"
)

// MethodKey is the Claims.Method of API keys, and only of them.
const MethodKey = "key"

// Statement contains all claims of a token.
type Statement struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Claims
}

// Claims are the claims of a token about a user (RFC 7519, section 4). Times are
// seconds since 1970 (NumericDate). Issuer and audience are not among them, because a
// verifier is configured with both.
type Claims struct {
	// Subject is the ID of the user.
	Subject string `json:"sub"`
	// ID is unique to this token.
	ID string `json:"jti"`
	// Session is the ID of the session (OpenID Connect Front-Channel Logout
	// 1.0, section 3).
	Session   string `json:"sid"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	// AuthTime is the time of the login. A refresh does not change it. API keys have
	// none.
	AuthTime int64 `json:"auth_time"`
	// Client is the name of the client that logged in.
	Client string `json:"client_id"`
	// Method is "link", "code", the name of a social provider, or MethodKey.
	Method string `json:"method"`
	// AMR lists the authentication methods of the login (RFC 8176): "mail", "social",
	// "passkey", "totp", "recovery" or "key".
	AMR []string `json:"amr,omitempty"`
	// ACR is "1" or "2", the number of factors that the login proved.
	ACR           string `json:"acr,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Name          string `json:"name,omitempty"`
	// Roles are the roles of the user in ascending order, at most MaxRoles names
	// for which IsRole holds.
	Roles []string `json:"roles,omitempty"`

	// joinedRoles has the roles as text, so that a header does not allocate. It may
	// be empty.
	joinedRoles string
}
