package provider

import (
	"context"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// twitter describes X
// (https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code).
//
// X requires PKCE and wraps the user in "data". It returns an address, always a
// confirmed one, only to applications that request it in their settings.
func twitter() spec {
	return spec{
		kind: "twitter-oauth2",
		public: endpoints{
			authorize: "https://x.com/i/oauth2/authorize",
			token:     "https://api.x.com/2/oauth2/token",
			userInfo:  "https://api.x.com/2/users/me",
		},
		scopes:    []string{"users.read", "tweet.read", "users.email"},
		authStyle: oauth2.AuthStyleInHeader,
		pkce:      true,
		refuses:   refusesInvalidRequest,
		profile:   twitterProfile,
	}
}

func twitterProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	outer, err := g.fetchUser(ctx, url.Values{
		"user.fields": {"id,name,username,profile_image_url,confirmed_email"},
	}, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	user, ok := parseObject(outer["data"])
	if !ok {
		return authcore.Profile{}, failed("user info: data is not a JSON object")
	}
	id, ok := user.text("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a string")
	}
	profile := userFields{email: "confirmed_email", full: "name", nickname: "username", avatar: "profile_image_url"}.profile(user, id)
	profile.EmailVerified = profile.Email != ""
	return profile, nil
}
