package provider

import (
	"context"
	"encoding/json"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// spotify describes Spotify (https://developer.spotify.com/documentation/web-api).
// Its documentation warns that addresses are not verified.
func spotify() spec {
	return spec{
		kind: "spotify",
		public: endpoints{
			authorize: "https://accounts.spotify.com/authorize",
			token:     "https://accounts.spotify.com/api/token",
			userInfo:  "https://api.spotify.com/v1/me",
		},
		scopes:    []string{"user-read-email"},
		authStyle: oauth2.AuthStyleInHeader,
		pkce:      true,
		profile:   spotifyProfile,
	}
}

func spotifyProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "id", nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	profile := userFields{email: "email", full: "display_name"}.profile(user, id)
	var images []object
	if json.Unmarshal(user["images"], &images) == nil && len(images) > 0 {
		profile.AvatarURL = images[0].display("url")
	}
	return profile, nil
}
