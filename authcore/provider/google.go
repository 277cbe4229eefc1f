package provider

import "golang.org/x/oauth2"

// google is Google's OpenID Connect service
// (https://developers.google.com/identity/openid-connect/openid-connect).
//
// The subject is "sub", never the address, which people can change. An address
// is verified where "email_verified" says so; "hd" only names the organization
// of the account and verifies nothing.
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
		options:   []string{"issuer", "audience", "jwks_url"},
		profile:   claimsProfile,
	}
}
