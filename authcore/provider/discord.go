package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// discord describes Discord (https://discord.com/developers/docs/topics/oauth2).
// The member "verified" refers to the e-mail address.
func discord() spec {
	return spec{
		kind: "discord",
		public: endpoints{
			authorize: "https://discord.com/oauth2/authorize",
			token:     "https://discord.com/api/oauth2/token",
			userInfo:  "https://discord.com/api/users/@me",
		},
		scopes:    []string{"identify", "email"},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		profile:   discordProfile,
	}
}

func discordProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "id", nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	profile := userFields{email: "email", full: "global_name", nickname: "username"}.profile(user, id)
	profile.EmailVerified = user.isTrue("verified")
	if hash := user.display("avatar"); hash != "" {
		profile.AvatarURL = "https://cdn.discordapp.com/avatars/" + id + "/" + hash + ".png"
	}
	return profile, nil
}
