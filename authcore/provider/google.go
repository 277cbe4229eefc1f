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
	return claimsProfile(ctx, g)
}
