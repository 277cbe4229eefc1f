package provider

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore"
)

// generalOIDC is any OpenID Connect provider that publishes a discovery
// document: Keycloak, Auth0, Okta, Entra with one tenant, and so on.
func generalOIDC() spec {
	return spec{
		kind:      "oidc",
		discovery: true,
		appTokens: true,
		options:   []string{"issuer!", "audience", "jwks_url"},
		scopes:    []string{"openid", "profile", "email"},
		pkce:      true,
		nonce:     true,
		profile:   claimsProfile,
	}
}

// claimsProfile reads the standard claims (OpenID Connect Core 1.0, section
// 5.1) from the ID token, and asks the user info endpoint only for what the
// token leaves out.
func claimsProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	if profile.Subject == "" { // before the user info could differ from it
		return authcore.Profile{}, failed("id token: sub is missing or empty")
	}
	saysVerified := g.claims.has("email_verified") && profile.Email != ""
	if saysVerified && hasName(profile) || g.metadata.userInfo == "" || g.token == nil {
		return profile, nil
	}
	info, err := g.fetchUser(ctx, nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	if info.has("error") { // some say so with status 200
		return authcore.Profile{}, failed("user info: is an error")
	}
	more, err := readClaims(info)
	if err != nil {
		return authcore.Profile{}, err
	}
	if more.Subject != profile.Subject {
		// Section 5.3.2: without this check a stolen access token of
		// somebody else would give this login their name and address.
		return authcore.Profile{}, mismatch("user info: sub is not that of the ID token")
	}
	return merge(profile, more, saysVerified), nil
}

// readClaims maps standard claims. Members that decide who somebody is must
// have the right type; those for display are left out where they have not.
func readClaims(claims object) (authcore.Profile, error) {
	subject, ok := claims.text("sub")
	if !ok {
		return authcore.Profile{}, failed("claims: sub is no string")
	}
	email, ok := claims.text("email")
	if !ok {
		return authcore.Profile{}, failed("claims: email is no string")
	}
	profile := authcore.Profile{
		Subject:       subject,
		Email:         email,
		EmailVerified: claims.truth("email_verified"),
		FirstName:     claims.display("given_name"),
		LastName:      claims.display("family_name"),
		Nickname:      claims.display("preferred_username"),
		AvatarURL:     claims.display("picture"),
	}
	if !hasName(profile) {
		profile.FirstName, profile.LastName = splitName(claims.display("name"))
	}
	if profile.Nickname == "" {
		profile.Nickname = claims.display("nickname")
	}
	return profile, nil
}

func hasName(profile authcore.Profile) bool {
	return profile.FirstName != "" || profile.LastName != ""
}

// merge fills what the ID token left out. An address and the word on whether it
// is verified always come from the same document: two halves of two documents
// could vouch for an address that neither vouches for.
func merge(token, info authcore.Profile, saysVerified bool) authcore.Profile {
	if !saysVerified && info.Email != "" {
		token.Email, token.EmailVerified = info.Email, info.EmailVerified
	}
	if !hasName(token) {
		token.FirstName, token.LastName = info.FirstName, info.LastName
	}
	if token.Nickname == "" {
		token.Nickname = info.Nickname
	}
	if token.AvatarURL == "" {
		token.AvatarURL = info.AvatarURL
	}
	return token
}
