package provider

import (
	"cmp"
	"context"

	"github.com/edgeauth/edgeauth/authcore"
)

// generalOIDC describes any OpenID Connect provider with a discovery document:
// Keycloak, Auth0, Okta, Entra with one tenant, and others.
func generalOIDC() spec {
	return spec{
		kind:      "oidc",
		discovery: true,
		appTokens: true,
		options:   []string{"issuer!", "audience", "jwks_url"},

		administered: true,

		scopes:  []string{"openid", "profile", "email"},
		pkce:    true,
		nonce:   true,
		profile: claimsProfile,
	}
}

// claimsProfile reads the standard claims (OpenID Connect Core 1.0, section 5.1)
// from the ID token, and requests the user info only for missing ones.
func claimsProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	if profile.Subject == "" { // before it is compared with the user info
		return authcore.Profile{}, failed("ID token: sub is missing or empty")
	}
	saysVerified := g.claims.has("email_verified") && profile.Email != ""
	if saysVerified && hasName(profile) || g.metadata.userInfo == "" || g.token == nil {
		return profile, nil
	}
	info, err := g.fetchUser(ctx, nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	if info.has("error") { // some providers send errors with status 200
		return authcore.Profile{}, failed("user info: the response is an error")
	}
	more, err := readClaims(info)
	if err != nil {
		return authcore.Profile{}, err
	}
	if more.Subject != profile.Subject {
		// Section 5.3.2: without this check a stolen access token would add another
		// user's name and address to this login.
		return authcore.Profile{}, mismatch("user info: sub differs from the ID token")
	}
	return merge(profile, more, saysVerified), nil
}

// readClaims maps standard claims. Claims that identify the user must have the
// right type; display claims of the wrong type are omitted.
func readClaims(claims object) (authcore.Profile, error) {
	subject, ok := claims.text("sub")
	if !ok {
		return authcore.Profile{}, failed("claims: sub is not a string")
	}
	if _, ok := claims.text("email"); !ok {
		return authcore.Profile{}, failed("claims: email is not a string")
	}
	profile := userFields{
		email: "email", first: "given_name", last: "family_name", full: "name", nickname: "preferred_username", avatar: "picture",
	}.profile(claims, subject)
	profile.EmailVerified = claims.truth("email_verified")
	profile.Nickname = cmp.Or(profile.Nickname, claims.display("nickname"))
	return profile, nil
}

// merge adds the claims that are missing in the ID token. The address and its
// verification status always come from the same document: parts of two documents
// could verify an address that neither verifies.
func merge(token, info authcore.Profile, saysVerified bool) authcore.Profile {
	if !saysVerified && info.Email != "" {
		token.Email, token.EmailVerified = info.Email, info.EmailVerified
	}
	if !hasName(token) {
		token.FirstName, token.LastName = info.FirstName, info.LastName
	}
	token.Nickname = cmp.Or(token.Nickname, info.Nickname)
	token.AvatarURL = cmp.Or(token.AvatarURL, info.AvatarURL)
	return token
}
