package provider

import (
	"errors"
	"strings"
)

// errTokenKind is returned for a JWT of another kind than an ID token.
var errTokenKind = errors.New("the token is not an ID token")

// checkKind refuses other JWTs of the same issuer and audience: access tokens (RFC
// 9068), logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4),
// security events (RFC 8417) and what servers issue without a registered type. Each
// goes to services that must not be able to log in as its user (RFC 8725, section
// 3.11).
func checkKind(typ string, claims object) error {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "id_token+jwt":
	default:
		return errTokenKind // at+jwt, logout+jwt, secevent+jwt, dpop+jwt, …
	}
	// Keycloak has the type in a claim: ID, Bearer, Refresh, Offline, Logout, …
	if kind, ok := claims.text("typ"); !ok || kind != "" && !strings.EqualFold(kind, "id") && !strings.EqualFold(kind, "jwt") {
		return errTokenKind
	}
	// Amazon Cognito: id, access.
	if use, ok := claims.text("token_use"); !ok || use != "" && use != "id" {
		return errTokenKind
	}
	if claims.has("events") {
		return errTokenKind
	}
	return nil
}

// checkAppKind also refuses access tokens without a type. It is for tokens that an
// application presents; the token endpoint labels its ID token by the member's name.
// scope, its abbreviations and the other names are those of Okta, Microsoft, Auth0 and
// others. client_id proves nothing: some servers add it to ID tokens.
func checkAppKind(claims object) error {
	for _, name := range []string{"scope", "scp", "cid", "appid", "appidacr", "azpacr", "gty"} {
		if claims.has(name) {
			return errTokenKind
		}
	}
	return nil
}
