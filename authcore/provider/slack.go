package provider

import (
	"context"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// slack describes Sign in with Slack
// (https://docs.slack.dev/authentication/sign-in-with-slack/).
//
// User ids are unique per workspace, which is therefore part of the issuer. The
// token endpoint returns errors with status 200.
func slack() spec {
	return spec{
		kind:   "slack",
		issuer: "https://slack.com",
		public: endpoints{
			authorize: "https://slack.com/openid/connect/authorize",
			token:     "https://slack.com/api/openid.connect.token",
			userInfo:  "https://slack.com/api/openid.connect.userInfo",
			jwks:      "https://slack.com/openid/connect/keys",
		},
		scopes:    []string{"openid", "profile", "email"},
		authStyle: oauth2.AuthStyleInParams,
		nonce:     true,
		options:   []string{"jwks_url"},
		refuses:   slackRefuses,
		profile:   slackProfile,

		administered: true,

		recognizes: func(p *provider, issuer string) bool { return strings.HasPrefix(issuer, p.issuer+"/") },
	}
}

// slackRefuses lists the errors of openid.connect.token about the code.
func slackRefuses(answer object) bool {
	switch answer.display("error") {
	case "invalid_code", "code_already_used", "code_expired", "invalid_code_verifier":
		return true
	default:
		return false
	}
}

func slackProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	team, ok := g.claims.text("https://slack.com/team_id")
	if !ok || team == "" {
		return authcore.Profile{}, failed("ID token: the workspace id is missing")
	}
	profile, err := claimsProfile(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	id, ok := g.claims.text("https://slack.com/user_id")
	if !ok || id != profile.Subject {
		return authcore.Profile{}, failed("ID token: the user id differs from sub")
	}
	profile.Issuer = g.provider.issuer + "/" + team
	return profile, nil
}
