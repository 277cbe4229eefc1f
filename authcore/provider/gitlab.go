package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// gitlab is gitlab.com, or a GitLab of one's own below its base URL
// (https://docs.gitlab.com/api/oauth2/).
//
// The address is verified where "confirmed_at" says when, and only on
// gitlab.com: a GitLab of one's own confirms addresses unasked by default.
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
	}
}

func gitlabProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, err := g.fetchUser(ctx, nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	id, ok := user.integer("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is no positive integer")
	}
	first, last := splitName(user.display("name"))
	return authcore.Profile{
		Subject:       id,
		Email:         user.display("email"),
		EmailVerified: user.display("confirmed_at") != "" && g.provider.issuer == "",
		FirstName:     first,
		LastName:      last,
		Nickname:      user.display("username"),
		AvatarURL:     user.display("avatar_url"),
	}, nil
}
