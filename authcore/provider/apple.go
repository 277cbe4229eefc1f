package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// apple is Sign in with Apple
// (https://developer.apple.com/documentation/signinwithapplerestapi).
//
// There is no client secret: each token request carries one that was signed a
// moment ago. There is no user info either. The name comes at the first login
// only, beside the code, through the browser. As it asks for name and e-mail,
// Apple insists on sending people back by a form post.
//
// The address may be one of Apple's relay, which "is_private_email" tells: it is
// as good as any other, and verified like it.
//
// When an app goes to another team, everybody gets another subject. For 60 days
// the token also has "transfer_sub", by which the earlier team named the person to
// this team and to no other
// (https://developer.apple.com/documentation/signinwithapple/bringing-new-apps-and-users-into-your-team).
// It is a former subject, and so never compared with a subject of either team.
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
	return p.key.clientSecret(p.clientID, p.spec.issuer, p.now())
}

func appleProfile(_ context.Context, g *grant) (authcore.Profile, error) {
	profile, err := readClaims(g.claims)
	if err != nil {
		return authcore.Profile{}, err
	}
	transferSub, ok := g.claims.text("transfer_sub")
	if !ok {
		return authcore.Profile{}, failed("ID token: transfer_sub is no string")
	}
	profile.FormerSubject = transferSub
	// The e-mail address that stands beside the name is the browser's word.
	posted, _ := parseObject([]byte(g.user))
	name, _ := parseObject(posted["name"])
	profile.FirstName, profile.LastName = name.display("firstName"), name.display("lastName")
	return profile, nil
}
