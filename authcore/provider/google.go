package provider

import (
	"context"
	"slices"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// google is Google's OpenID Connect service
// (https://developers.google.com/identity/openid-connect/openid-connect).
//
// The subject is "sub", never the address, which people can change. An address
// is verified where "email_verified" says so. "hd" names the organization of the
// account; it verifies no address, but it alone, and no address's domain, tells
// who belongs to one.
//
// python-social-auth used the address in place of the subject: for people who were
// imported under it, it is a former subject.
func google() spec {
	return spec{
		kind:          "google-oauth2",
		issuer:        "https://accounts.google.com",
		issuerAliases: []string{"accounts.google.com"},
		public: endpoints{
			authorize: "https://accounts.google.com/o/oauth2/v2/auth",
			token:     "https://oauth2.googleapis.com/token",
			userInfo:  "https://openidconnect.googleapis.com/v1/userinfo",
			jwks:      "https://www.googleapis.com/oauth2/v3/certs",
		},
		selfHosted: endpoints{
			authorize: "/o/oauth2/v2/auth",
			token:     "/token",
			userInfo:  "/v1/userinfo",
			jwks:      "/oauth2/v3/certs",
		},
		scopes:    []string{"openid", "email", "profile"},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		nonce:     true,
		appTokens: true,
		options:   []string{"issuer", "audience", "jwks_url", "hosted_domain"},
		profile:   googleProfile,

		authorizeParams: googleHint,
	}
}

// googleHint has people offered those of their accounts that may log in.
func googleHint(p *provider) map[string]string {
	switch len(p.hostedDomains) {
	case 0:
		return nil
	case 1:
		return map[string]string{"hd": p.hostedDomains[0]}
	default:
		return map[string]string{"hd": "*"}
	}
}

func googleProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	allowed := g.provider.hostedDomains
	if domain := g.claims.display("hd"); len(allowed) > 0 && !slices.Contains(allowed, domain) {
		return authcore.Profile{}, denied("ID token: the person is from no hosted domain that is configured")
	}
	profile, err := claimsProfile(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	if former := googleUID(g.claims.display("email")); isAuthoritative(g.claims) {
		profile.FormerSubject = former
	} else {
		profile.UnprovenFormer = former
	}
	return profile, nil
}

// isAuthoritative reports whether Google is the authority for the address now
// (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token):
// for those of Gmail, which are never given to anybody else, and for those of the
// organization that the account belongs to. Whoever has a Google account with
// another address has shown once to receive mail there, and may have lost it since.
func isAuthoritative(claims object) bool {
	address, err := authcore.ParseAddress(claims.display("email"))
	if err != nil || !claims.truth("email_verified") {
		return false
	}
	switch address.Domain() {
	case "gmail.com", "googlemail.com", claims.display("hd"):
		return true
	}
	return false
}

// googleUID returns the former subject for a uid of python-social-auth, which kept
// the address as Google spelt it at the time, or "".
func googleUID(uid string) string {
	address, err := authcore.ParseAddress(uid)
	if err != nil {
		return ""
	}
	return address.Key()
}
