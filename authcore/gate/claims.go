package gate

// Purpose is what a token is good for, stated in its header as "typ" (RFC 8725,
// section 3.11). A token made for one purpose is refused for every other.
type Purpose string

// The purposes of tokens.
const (
	// PurposeLogin is the token that a login answers with.
	PurposeLogin Purpose = "login+jwt"
	// PurposeAssertion is the short-lived token for an upstream.
	PurposeAssertion Purpose = "assertion+jwt"
	// PurposeRevocations is the feed of revocations; it says nothing about a
	// person.
	PurposeRevocations Purpose = "revocations+jwt"
)

// Statement is all that a token says: who says it, to whom, and about whom.
type Statement struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Claims
}

// Claims is what a token says about a person (RFC 7519, section 4). Times are
// seconds since 1970 (NumericDate). A verifier has no need to hand out issuer
// and audience, which are those that it was configured with.
type Claims struct {
	// Subject is the id of the user.
	Subject string `json:"sub"`
	// ID is unique to this token.
	ID string `json:"jti"`
	// Session is the id of the session (OpenID Connect Front-Channel Logout
	// 1.0, section 3).
	Session   string `json:"sid"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	// AuthTime is when the person logged in; refreshing does not change it.
	AuthTime int64 `json:"auth_time"`
	// Client is the name of the client that logged in.
	Client string `json:"client_id"`
	// Method is "link", "code" or the name of a social provider.
	Method        string `json:"method"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Name          string `json:"name,omitempty"`
}
