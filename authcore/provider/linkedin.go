package provider

import "golang.org/x/oauth2"

// linkedIn describes Sign In with LinkedIn using OpenID Connect
// (https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2).
//
// LinkedIn does not return the nonce, sometimes sends "email_verified" as text, has
// changed its issuer once, and reports a code verifier as a wrong secret.
func linkedIn() spec {
	return spec{
		kind:          "linkedin-openidconnect",
		issuer:        "https://www.linkedin.com/oauth",
		issuerAliases: []string{"https://www.linkedin.com"},
		public: endpoints{
			authorize: "https://www.linkedin.com/oauth/v2/authorization",
			token:     "https://www.linkedin.com/oauth/v2/accessToken",
			userInfo:  "https://api.linkedin.com/v2/userinfo",
			jwks:      "https://www.linkedin.com/oauth/openid/jwks",
		},
		scopes:    []string{"openid", "profile", "email"},
		authStyle: oauth2.AuthStyleInParams,
		options:   []string{"jwks_url"},
		refuses:   refusesInvalidRequest,
		profile:   claimsProfile,
	}
}

// refusesInvalidRequest is for providers that report "invalid_request" instead of
// "invalid_grant" for a code that is wrong, expired or used.
func refusesInvalidRequest(answer object) bool {
	return answer.display("error") == "invalid_request"
}
