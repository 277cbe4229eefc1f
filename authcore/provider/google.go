package provider

import (
	"context"
	"slices"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// google describes Google's OpenID Connect service
// (https://developers.google.com/identity/openid-connect/openid-connect).
//
// The subject is "sub", never the address, which can change. An address is verified
// if "email_verified" is true. "hd" contains the organization of the account. It
// verifies no address, but it is the only proof of membership: the domain of the
// address is not.
//
// python-social-auth used the address as its uid. For imported users the address is
// therefore a former subject.
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

// googleHint sets hd, so that Google's account picker offers only accounts of an
// allowed domain.
func googleHint(p *provider) map[string]string {
	switch len(p.cfg.HostedDomains) {
	case 0:
		return nil
	case 1:
		return map[string]string{"hd": p.cfg.HostedDomains[0]}
	default:
		return map[string]string{"hd": "*"}
	}
}

func googleProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	allowed := g.provider.cfg.HostedDomains
	if domain := g.claims.display("hd"); len(allowed) > 0 && !slices.Contains(allowed, domain) {
		return authcore.Profile{}, denied("ID token: the hosted domain is not configured")
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

// isAuthoritative reports whether Google is authoritative for the address
// (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token):
// for addresses of Gmail, which are never reassigned, and for addresses of the
// account's organization. The owner of a Google account with another address proved
// control of the mailbox once and may have lost it since.
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

// googleUID returns the former subject for a uid of python-social-auth, which
// stored the address in Google's spelling at that time, or "".
func googleUID(uid string) string {
	address, err := authcore.ParseAddress(uid)
	if err != nil {
		return ""
	}
	return address.Key()
}
