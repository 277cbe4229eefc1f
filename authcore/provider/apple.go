package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// apple describes Sign in with Apple
// (https://developer.apple.com/documentation/signinwithapplerestapi).
//
// Apple has no static client secret: each token request carries a freshly signed
// one. Apple has no user info endpoint either. It sends the name through the
// browser together with the code, and only at the first login. Requests for name
// and e-mail require response_mode=form_post.
//
// The address may belong to Apple's relay ("is_private_email"). It is verified and
// treated like any other address.
//
// Subjects are scoped to a developer team and change when an app is transferred.
// For 60 days after the transfer the token also carries "transfer_sub", the
// identifier under which the previous team exported the user
// (https://developer.apple.com/documentation/signinwithapple/bringing-new-apps-and-users-into-your-team).
// It is used as a former subject only and never compared with a subject of either
// team.
func apple() spec {
	return spec{
		kind:          "apple-id",
		issuer:        "https://appleid.apple.com",
		issuerAliases: []string{"https://account.apple.com"},
		public: endpoints{
			authorize: "https://appleid.apple.com/auth/authorize",
			token:     "https://appleid.apple.com/auth/token",
			jwks:      "https://appleid.apple.com/auth/keys",
		},
		scopes:       []string{"name", "email"},
		authStyle:    oauth2.AuthStyleInParams,
		nonce:        true,
		responseMode: "form_post",
		appTokens:    true,
		options:      []string{"team_id!", "key_id!", "private_key!", "audience", "jwks_url"},
		noSecret:     true,
		secret:       appleSecret,
		profile:      appleProfile,
	}
}

func appleSecret(p *provider) (string, error) {
	return p.key.clientSecret(p.cfg.ClientID, p.spec.issuer, p.deps.Now())
}

func appleProfile(_ context.Context, g *grant) (authcore.Profile, error) {
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	transferSub, ok := g.claims.text("transfer_sub")
	if !ok {
		return authcore.Profile{}, failed("ID token: transfer_sub is not a string")
	}
	profile.FormerSubject = transferSub
	// The e-mail address in the same form is ignored: the browser could have
	// changed it.
	posted, _ := parseObject([]byte(g.user))
	name, _ := parseObject(posted["name"])
	profile.FirstName, profile.LastName = name.display("firstName"), name.display("lastName")
	return profile, nil
}
