package provider

import (
	"context"
	"strconv"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// gitlab describes gitlab.com, or a self-hosted GitLab at its base URL
// (https://docs.gitlab.com/api/oauth2/).
//
// The address is verified if "confirmed_at" is set, with OpenID Connect if
// "email_verified" is true, and only on gitlab.com: a self-hosted GitLab confirms
// addresses without a check by default.
func gitlab() spec {
	return spec{
		kind: "gitlab",
		public: endpoints{
			authorize: "https://gitlab.com/oauth/authorize",
			token:     "https://gitlab.com/oauth/token",
			userInfo:  "https://gitlab.com/api/v4/user",
		},
		selfHosted: endpoints{
			authorize: "/oauth/authorize",
			token:     "/oauth/token",
			userInfo:  "/api/v4/user",
		},
		scopes:    []string{"read_user"},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		profile:   gitlabProfile,

		openIDMode: gitlabOpenID,
	}
}

// gitlabOpenID describes GitLab as an OpenID provider
// (https://docs.gitlab.com/integration/openid_connect_provider/). The issuer is the
// address of the server, and "sub" the numeric id of the account.
func gitlabOpenID(s spec) spec {
	s.issuer = "https://gitlab.com"
	s.public.userInfo, s.public.jwks = "https://gitlab.com/oauth/userinfo", "https://gitlab.com/oauth/discovery/keys"
	s.selfHosted.userInfo, s.selfHosted.jwks = "/oauth/userinfo", "/oauth/discovery/keys"
	s.nonce = true
	s.profile = gitlabClaims
	return s
}

func gitlabClaims(ctx context.Context, g *grant) (authcore.Profile, error) {
	// Servers before GitLab 11.1 send a keyed hash of the id, and the key can
	// change.
	subject, _ := g.claims.text("sub")
	if id, err := strconv.ParseUint(subject, 10, 64); err != nil || strconv.FormatUint(id, 10) != subject {
		return authcore.Profile{}, failed("ID token: sub is not the numeric id of an account")
	}
	profile, err := claimsProfile(ctx, g)
	profile.EmailVerified = profile.EmailVerified && g.provider.accounts == ""
	return profile, err
}

func gitlabProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, err := g.fetchUser(ctx, nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	id, ok := user.integer("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a positive integer")
	}
	profile := userFields{email: "email", full: "name", nickname: "username", avatar: "avatar_url"}.profile(user, id)
	profile.EmailVerified = user.display("confirmed_at") != "" && g.provider.accounts == ""
	return profile, nil
}
